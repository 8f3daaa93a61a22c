/** One request that a receiver took: which event, when it was created and when it arrived (ms), and the answer (0: never one). */
export type Arrival = readonly [seq: number, created: number, arrived: number, status: number];

/** One event that was to be created; `acked` is 0 where the API server did not take it. */
export interface Booked {
  readonly seq: number;
  readonly t: number;
  readonly acked: number;
}

/** The p-th percentile by nearest rank; `null` of nothing. */
export function percentile(ascending: readonly number[], p: number): number | null {
  const rank = Math.ceil((p / 100) * ascending.length);
  return ascending[Math.min(ascending.length, Math.max(1, rank)) - 1] ?? null;
}

export function percentiles(values: readonly number[]) {
  const ascending = values.toSorted((a, b) => a - b);
  const at = (p: number) => percentile(ascending, p);
  return { p50: at(50), p90: at(90), p99: at(99), max: ascending.at(-1) ?? null };
}

/** `[1,2,3,7]` → `1-3,7`; at most twelve of them. */
export function ranges(numbers: readonly number[]): string {
  const found: [from: number, to: number][] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = found.at(-1);
    if (last !== undefined && number <= last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  const texts = found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  const more = texts.length > 12 ? `,...(${texts.length} ranges)` : "";
  return texts.slice(0, 12).join(",") + more;
}

const accepted = ([, , , status]: Arrival): boolean => status >= 200 && status < 300;

/**
 * How many accepted arrivals came after a later one of the same object.
 * @param objectOf what an event is about
 * @param placeOf where it stands among those of its object
 */
export function disorder(
  arrivals: readonly Arrival[],
  objectOf: (arrival: Arrival) => unknown,
  placeOf: (arrival: Arrival) => number,
): number {
  const furthest = new Map<unknown, number>();
  let late = 0;
  for (const arrival of arrivals) {
    if (!accepted(arrival)) continue;
    const object = objectOf(arrival);
    const place = placeOf(arrival);
    const before = furthest.get(object) ?? Number.NEGATIVE_INFINITY;
    if (place < before) late += 1;
    furthest.set(object, Math.max(before, place));
  }
  return late;
}

/** What became of the events: delivered is accepted at least once, latency that of the first acceptance. */
export function account(books: readonly Booked[], arrivals: readonly Arrival[]) {
  const first = new Map<number, number>();
  let again = 0;
  for (const arrival of arrivals) {
    if (!accepted(arrival)) continue;
    const [seq, created, arrived] = arrival;
    if (first.has(seq)) again += 1;
    else first.set(seq, arrived - created);
  }
  const created = books.filter(({ acked }) => acked > 0);
  const lost = created.filter(({ seq }) => !first.has(seq));
  const refused = arrivals.filter((one) => !accepted(one) && one[3] !== 0);
  const unanswered = arrivals.filter(([, , , status]) => status === 0);
  const later = (those: readonly Arrival[]) =>
    new Set(those.map(([seq]) => seq).filter((seq) => first.has(seq))).size;
  const ended = arrivals.reduce((latest, [, , arrived]) => Math.max(latest, arrived), 0);
  const began = created.reduce((earliest, { t }) => Math.min(earliest, t), Infinity);
  const summary = {
    created: created.length,
    createErrors: books.length - created.length,
    delivered: first.size,
    lost: lost.length,
    duplicated: again,
    attempts: arrivals.length,
    refusedAttempts: refused.length,
    refusedEvents: new Set(refused.map(([seq]) => seq)).size,
    refusedEventsLaterDelivered: later(refused),
    unansweredAttempts: unanswered.length,
    unansweredEventsLaterDelivered: later(unanswered),
    outOfOrder: disorder(
      arrivals,
      () => null,
      ([seq]) => seq,
    ),
    latencyMs: percentiles([...first.values()]),
    deliverySpanMs: arrivals.length === 0 ? null : ended - began,
  };
  return { summary, lost, first };
}
