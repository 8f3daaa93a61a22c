import type { Clock } from "../../clock.ts";

/** client-go's: 0.8 s doubled with jitter up to 30 s. */
const FIRST_MS = 800;
const MAX_MS = 30_000;
/** A connection that has held for so long was one. client-go waits for two minutes: behind something that resets it each minute, each time would blind us for half of the next. */
const HELD_MS = 10_000;

export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #next = FIRST_MS;
  /** Without a failure until then, all is well. */
  #healthyAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds to wait before the next try. */
  next(): number {
    const now = this.#clock.now();
    // A clock that was set back would have the longest wait for as long.
    if (now >= this.#healthyAt || now < this.#askedAt) this.#next = FIRST_MS;
    this.#askedAt = now;
    const wait = Math.min(this.#next * (1 + this.#random()), MAX_MS);
    this.#next = Math.min(this.#next * 2, MAX_MS);
    // Counted from when the wait is over; and what fails again in less time than was waited for it has not recovered.
    this.#healthyAt = now + wait + Math.max(wait, HELD_MS);
    return Math.round(wait);
  }
}
