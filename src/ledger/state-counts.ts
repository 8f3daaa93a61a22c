import { DELIVERY_STATES, type DeliveryState } from "../event/delivery.ts";

/** How many deliveries each sink has in each state. */
export type StateCounts = ReadonlyMap<string, Readonly<Record<DeliveryState, number>>>;

/** From one row for each sink and state that has any, with the sinks in their order. */
export function stateCounts(
  rows: Iterable<readonly [sink: string, state: string, n: number]>,
): StateCounts {
  const counts = new Map<string, Record<DeliveryState, number>>();
  for (const [sink, state, n] of rows) {
    const of = counts.get(sink) ?? none();
    of[state as DeliveryState] = n;
    counts.set(sink, of);
  }
  return counts;
}

function none(): Record<DeliveryState, number> {
  return Object.fromEntries(DELIVERY_STATES.map((state) => [state, 0])) as Record<
    DeliveryState,
    number
  >;
}
