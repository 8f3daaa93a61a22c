import type { Rate } from "../sink/define.ts";

/**
 * What a platform's rates still allow. A request counts from its start until `perMs` after its *answer*: whenever in between it was
 * received, no window of the platform's can then see more than it allows, however slow the network was.
 * With no rates everything is allowed.
 */
export class Budget {
  readonly #rates: readonly Rate[];
  /** How many past requests can matter. */
  readonly #depth: number;
  /** When past requests ended, oldest first. */
  #ended: number[];
  #open = 0;

  /** @param ended when the requests before a restart ended, as far as known */
  constructor(rates: readonly Rate[], ended: readonly number[] = []) {
    this.#rates = rates;
    this.#depth = Math.max(0, ...rates.map((rate) => rate.count));
    this.#ended = this.#depth === 0 ? [] : ended.toSorted((a, b) => a - b).slice(-this.#depth);
  }

  /** The longest window, in milliseconds. */
  get horizonMs(): number {
    return Math.max(0, ...this.#rates.map((rate) => rate.perMs));
  }

  /** A request starts. */
  start(): void {
    this.#open += 1;
  }

  /** Its answer has come, or never will. */
  end(now: number): void {
    this.#open -= 1;
    this.#ended.push(now);
    if (this.#ended.length > this.#depth) this.#ended.shift();
  }

  /** How many requests may start at this moment. */
  available(now: number): number {
    return this.slotsWithin(now, 0, Number.POSITIVE_INFINITY);
  }

  /** The earliest moment another request may start; one under way is taken to end now. */
  nextSlotAt(now: number): number {
    return Math.max(now, this.#freeAt(this.#used(now)));
  }

  /**
   * How many requests could start from `now` to `now + horizonMs`, each answered at once; counts no further than `limit`.
   */
  slotsWithin(now: number, horizonMs: number, limit: number): number {
    if (this.#rates.length === 0) return limit;
    const used = this.#used(now);
    let slots = 0;
    while (slots < limit) {
      const at = Math.max(now, this.#freeAt(used));
      if (at > now + horizonMs) break;
      used.push(at);
      slots += 1;
    }
    return slots;
  }

  /** Everything that counts, oldest first. The wall clock may have been set back: nothing has ended in the future. */
  #used(now: number): number[] {
    if ((this.#ended.at(-1) ?? now) > now) this.#ended = this.#ended.map((at) => Math.min(at, now));
    return [...this.#ended, ...Array.from({ length: this.#open }, () => now)];
  }

  /** When the request after `used` may start by every rate. */
  #freeAt(used: readonly number[]): number {
    return this.#rates.reduce((latest, { count, perMs }) => {
      const blocking = used[used.length - count];
      // A millisecond more, for the fraction the clock does not show.
      return blocking === undefined ? latest : Math.max(latest, blocking + perMs + 1);
    }, Number.NEGATIVE_INFINITY);
  }
}
