import type { Clock } from "../../clock.ts";

/** client-go's: 0.8 s doubled with jitter up to 30 s, forgotten after two minutes without a failure. */
const FIRST_MS = 800;
const MAX_MS = 30_000;
const HEALTHY_MS = 120_000;

export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #next = FIRST_MS;
  #last = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds to wait before the next try. */
  next(): number {
    const now = this.#clock.now();
    if (now - this.#last > HEALTHY_MS) this.#next = FIRST_MS;
    this.#last = now;
    const wait = Math.min(this.#next * (1 + this.#random()), MAX_MS);
    this.#next = Math.min(this.#next * 2, MAX_MS);
    // Counted from when the wait is over, or a long wait would count as health.
    this.#last += wait;
    return Math.round(wait);
  }
}
