import type { Clock } from "../../src/clock.ts";

/** Time that stands still until a test moves it. Sleepers wake in order, each seeing the time it asked for. */
export class FakeClock implements Clock {
  #now: number;
  #setBackBy = 0;
  #sleepers: { at: number; wake: () => void }[] = [];
  readonly #settled: () => Promise<void>;

  /** @param settled resolves when what was woken has done all it does at this moment */
  constructor(start = "2026-11-20T08:00:00Z", settled: () => Promise<void> = settle) {
    this.#now = Date.parse(start);
    this.#settled = settled;
  }

  now(): number {
    return this.#now - this.#setBackBy;
  }

  /** Somebody corrects the time of day; who sleeps does not notice. */
  setBack(ms: number): void {
    this.#setBackBy += ms;
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const abort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      const wake = () => {
        // As the system's: a signal that lives for as long as the process keeps nothing of a sleep that is over.
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      const sleeper = { at: this.#now + Math.max(0, ms), wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Moves time on by `ms`, waking sleepers on the way and letting what they do settle before the next wakes. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await this.#settled();
    for (;;) {
      const next = this.#sleepers
        .filter((sleeper) => sleeper.at <= target)
        .toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      next.wake();
      await this.#settled();
    }
    this.#now = target;
    await this.#settled();
  }
}

/** Lets promise callbacks and already finished I/O run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Time whose wall clock was wrong, or is: who sleeps does not notice. */
export class AdjustedClock extends FakeClock {
  /** By how much it is ahead of what it says when it is right. */
  ahead = 0;

  override now(): number {
    return super.now() + this.ahead;
  }
}
