import type { Config } from "../config/config.ts";
import type { Ask, DeliveryStory, EventStory, HistoryReader } from "../history/history.ts";
import { type Explanation, explainEvent } from "./event.ts";
import type { FilterTest } from "./filter.ts";
import { type Difference, differencesOf } from "./then.ts";

/** What was decided about a stored event and what became of it, or what became of a delivery that tells of several. */
export type Decision =
  | {
      readonly kind: "event";
      readonly story: EventStory;
      readonly explanation: Explanation;
      readonly differences: readonly Difference[];
    }
  | { readonly kind: "summary"; readonly delivery: DeliveryStory };

type Reader = Pick<HistoryReader, "event" | "delivery">;

/**
 * The whole path of one decision.
 * @param id of an event, or of a delivery
 * @returns `null` where there is none of this id, or none for this asker
 */
export async function findDecision(
  reader: Reader,
  config: Pick<Config, "filter" | "sinks">,
  id: string,
  ask: Ask,
): Promise<Decision | null> {
  const found = await reader.event(id, ask);
  if (found !== null) return decided(config, found);
  const delivery = await reader.delivery(id, ask);
  if (delivery === null) return null;
  if (delivery.event === null) return { kind: "summary", delivery };
  const story = await reader.event(delivery.event, ask);
  return story === null ? null : decided(config, story);
}

/**
 * For who may see some namespaces only: of each list the one pattern that decided, for the others may name namespaces that they are not
 * to know of.
 */
export function narrowed<T extends Explanation>(explanation: T): T {
  const narrow = (tests: readonly FilterTest[]) =>
    tests.map((test) => ({ ...test, wanted: test.matched === null ? [] : [test.matched] }));
  const sinks = explanation.sinks.map((sink) => ({ ...sink, tests: narrow(sink.tests) }));
  return { ...explanation, global: narrow(explanation.global), sinks };
}

export function narrowedDecision(decision: Decision): Decision {
  return decision.kind === "event"
    ? { ...decision, explanation: narrowed(decision.explanation) }
    : decision;
}

export function decided(
  config: Pick<Config, "filter" | "sinks">,
  story: EventStory,
): Extract<Decision, { kind: "event" }> {
  const { event, deliveries, suppressed } = story.row;
  const explanation = explainEvent(config, event);
  const told = deliveries.map(({ sink }) => sink);
  const differences = differencesOf(explanation, told, suppressed);
  return { kind: "event", story, explanation, differences };
}
