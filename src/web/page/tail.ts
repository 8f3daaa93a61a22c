import type { Clock } from "../../clock.ts";
import type { EventRow, Filter, HistoryReader, Visible } from "../../history/history.ts";
import { EVERYTHING } from "../../history/history.ts";
import { fits, says, toldSo, traitsOf } from "../../history/match.ts";

/** How often new rows are looked for while somebody follows. */
const EVERY_MS = 500;
const BATCH = 500;
const DEADLINE_MS = 2_000;
/** Whoever was away for longer than this many events goes on with the newest of them. */
export const CATCH_UP = 2_000;

export interface Follower {
  readonly filter: Filter;
  readonly visible: Visible;
  /** Behind the last of what the follower has; `null`: from now on. */
  readonly after: number | null;
  /** Rows that fit, oldest first, and the mark behind them. */
  show(rows: readonly EventRow[], mark: number): void;
}

/**
 * What arrives, for all who follow: the store is asked once for all who are at the same place, which is everybody but those that have just
 * come back, and each gets what fits their filter and they may see.
 */
export class TailHub {
  readonly #reader: HistoryReader;
  readonly #clock: Clock;
  /** Each with the mark that they are at; `null`: not known yet. */
  readonly #followers = new Map<Follower, number | null>();
  #newest: number | null = null;
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
    this.#followers.set(follower, follower.after ?? this.#newest);
    if (this.#stop === null) {
      this.#stop = new AbortController();
      void this.#run(this.#stop.signal);
    }
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.close();
    };
  }

  close(): void {
    this.#followers.clear();
    this.#stop?.abort();
    this.#stop = null;
    this.#newest = null;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let more = false;
      try {
        for (const mark of new Set(this.#followers.values()))
          more = (await this.#advance(mark, signal)) || more;
      } catch {
        // The page says by itself that the store cannot be read; it is asked again.
        more = false;
      }
      if (!more) await this.#clock.sleep(EVERY_MS, signal);
    }
  }

  /** Shows one batch to all who are at `mark`. @returns whether there is more */
  async #advance(mark: number | null, signal: AbortSignal): Promise<boolean> {
    const ask = { visible: "all", deadlineMs: DEADLINE_MS, signal } as const;
    const begin = mark === null ? null : await this.#withinReach(mark, signal);
    const tail = await this.#reader.tail(EVERYTHING, begin, BATCH, ask);
    if (signal.aborted) return false;
    const isBehind = begin !== null && tail.mark >= begin;
    this.#newest = isBehind ? Math.max(tail.mark, this.#newest ?? 0) : tail.mark;
    for (const [follower, at] of this.#followers) {
      if (at !== mark) continue;
      this.#followers.set(follower, tail.mark);
      const rows = tail.rows.filter((row) => isFor(row, follower));
      if (rows.length > 0) follower.show(rows, tail.mark);
    }
    return tail.rows.length === BATCH;
  }

  /** A mark that somebody brought along may be ages old, or another ledger's. */
  async #withinReach(mark: number, signal: AbortSignal): Promise<number> {
    const known = this.#newest;
    if (known !== null && mark >= known - CATCH_UP && mark <= known) return mark;
    const ask = { visible: "all", deadlineMs: DEADLINE_MS, signal } as const;
    const { mark: newest } = await this.#reader.tail(EVERYTHING, null, BATCH, ask);
    const oldest = Math.max(0, newest - CATCH_UP);
    return mark > newest ? oldest : Math.max(mark, oldest);
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
