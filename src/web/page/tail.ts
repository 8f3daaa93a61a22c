import type { Clock } from "../../clock.ts";
import type { EventRow, Filter, HistoryReader, Visible } from "../../history/history.ts";
import { EVERYTHING } from "../../history/history.ts";
import { fits, says, toldSo, traitsOf } from "../../history/match.ts";

/** How often new rows are looked for while somebody follows. */
const EVERY_MS = 500;
const BATCH = 500;
const DEADLINE_MS = 2_000;

export interface Follower {
  readonly filter: Filter;
  readonly visible: Visible;
  /** Rows that fit, oldest first, and the mark behind them. */
  show(rows: readonly EventRow[], mark: number): void;
}

/** What arrives, for all who follow: the store is asked once for all of them, and each gets what fits their filter and they may see. */
export class TailHub {
  readonly #reader: HistoryReader;
  readonly #clock: Clock;
  readonly #followers = new Set<Follower>();
  #stop: AbortController | null = null;

  constructor(reader: HistoryReader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  get size(): number {
    return this.#followers.size;
  }

  /** Calls `show` until the answer is called. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    if (this.#stop === null) {
      this.#stop = new AbortController();
      void this.#run(this.#stop.signal);
    }
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size > 0) return;
      this.#stop?.abort();
      this.#stop = null;
    };
  }

  close(): void {
    this.#followers.clear();
    this.#stop?.abort();
    this.#stop = null;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const ask = { visible: "all", deadlineMs: DEADLINE_MS, signal } as const;
    let mark: number | null = null;
    while (!signal.aborted) {
      try {
        const tail = await this.#reader.tail(EVERYTHING, mark, BATCH, ask);
        mark = tail.mark;
        for (const follower of this.#followers) {
          const rows = tail.rows.filter((row) => isFor(row, follower));
          if (rows.length > 0) follower.show(rows, tail.mark);
        }
        // A full batch: there is more.
        if (tail.rows.length === BATCH) continue;
      } catch {
        // The page says by itself that the store cannot be read; it is asked again.
      }
      await this.#clock.sleep(EVERY_MS, signal);
    }
  }
}

function isFor(row: EventRow, { filter, visible }: Follower): boolean {
  const sinks = row.deliveries.map(({ sink }) => sink);
  return (
    fits(traitsOf(row.event, row.suppressed, sinks), filter, visible) &&
    toldSo(filter, row.deliveries) &&
    says(row.event, filter)
  );
}
