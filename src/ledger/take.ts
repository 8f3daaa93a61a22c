import { newDelivery } from "../event/delivery.ts";
import { isUnwanted } from "../event/reason.ts";
import type { Entry } from "./ledger.ts";
import type { Write } from "./store.ts";

/** An occurrence, or what tells of several, with what is owed of it. */
export type Take = Write & { readonly kind: "take" };

export function takeOf(entry: Entry, now: number, makeId: () => string): Take {
  const { event, alert, sinks, suppressed } = entry;
  const deliveries = sinks.map((sink) => newDelivery(makeId(), sink, alert, now));
  const why = suppressed === undefined ? {} : { suppressed };
  return { kind: "take", event, receivedAt: now, deliveries, force: false, ...why };
}

/** What takes count against the bound of what memory holds. */
export function weightOf(takes: readonly Take[]): number {
  return takes.reduce(
    (sum, { suppressed, deliveries }) =>
      isUnwanted(suppressed) ? sum : sum + Math.max(1, deliveries.length),
    0,
  );
}
