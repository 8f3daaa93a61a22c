import type { DeliveryState } from "../../event/delivery.ts";
import type { DeliveryRow } from "../../ledger/ledger.ts";
import { html, type Html } from "../server.ts";
import type { Reader } from "./reader.ts";

/** A shape for each state, so that none depends on its colour. */
export const MARKS: Readonly<Record<DeliveryState, string>> = {
  delivered: "✓",
  pending: "…",
  dead: "✗",
  folded: "≡",
  discarded: "–",
};

type Told = Pick<DeliveryRow, "sink" | "state" | "reason">;

/** A mark for each sink, in the order of the configuration, so that columns can be compared down the page; sinks of the past come last. */
export function drawTold(
  deliveries: readonly Told[],
  suppressed: string | null,
  sinks: readonly string[],
  { words }: Reader,
): Html {
  if (deliveries.length === 0 && suppressed !== null)
    return html`<span class="soft">${words.suppressed[suppressed] ?? suppressed}</span>`;
  const bySink = new Map(deliveries.map((delivery) => [delivery.sink, delivery]));
  const names = [...sinks, ...[...bySink.keys()].filter((name) => !sinks.includes(name))];
  return html`${names.map((name) => {
    const delivery = bySink.get(name);
    if (delivery === undefined)
      return html`<i class="mark none" title="${`${name}: ${words.notRouted}`}">·</i>`;
    const { state, reason } = delivery;
    const text = `${name}: ${words.states[state]}${reason === null ? "" : ` (${reason})`}`;
    return html`<i class="mark ${state}" title="${text}" aria-label="${text}" role="img"
      >${MARKS[state]}</i
    >`;
  })}`;
}
