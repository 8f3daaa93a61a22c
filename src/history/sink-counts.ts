import type { SinkCounts } from "./history.ts";

/** What one sink has in one state. */
export interface OneState {
  readonly sink: string;
  readonly n: number;
  /** Owed since, in milliseconds since the epoch; `null`: unknown. */
  readonly oldest: number | null;
  /** There may be more. */
  readonly capped: boolean;
}

/** Both states of each sink together, by the sinks' names. */
export function sinkCounts(
  states: Readonly<Record<"pending" | "dead", readonly OneState[]>>,
): readonly SinkCounts[] {
  const of = (all: readonly OneState[]) => new Map(all.map((one) => [one.sink, one]));
  const [pending, dead] = [of(states.pending), of(states.dead)];
  return [...new Set([...pending.keys(), ...dead.keys()])].toSorted().map((sink) => {
    const [owed, lost] = [pending.get(sink), dead.get(sink)];
    return {
      sink,
      pending: owed?.n ?? 0,
      dead: lost?.n ?? 0,
      capped: owed?.capped === true || lost?.capped === true,
      oldestOwedAt: owed?.oldest ?? null,
    };
  });
}

/** Counts by looking at one delivery after the other. */
export class Tally {
  readonly #counts = new Map<string, { n: number; oldest: number }>();

  add(sink: string, owedAt: number): void {
    const of = this.#counts.get(sink) ?? { n: 0, oldest: Infinity };
    this.#counts.set(sink, { n: of.n + 1, oldest: Math.min(of.oldest, owedAt) });
  }

  counted(capped: boolean): readonly OneState[] {
    return [...this.#counts].map(([sink, of]) => ({ sink, ...of, capped }));
  }
}
