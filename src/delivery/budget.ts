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
  #ended: number[] = [];
  #open = 0;
  readonly #shared: Budget | null;

  /**
   * @param ended when the requests before a restart ended, as far as known
   * @param shared what the same platform allows several together; each counts in it, and it holds for each
   */
  constructor(rates: readonly Rate[], ended: readonly number[] = [], shared: Budget | null = null) {
    this.#rates = rates;
    this.#depth = Math.max(0, ...rates.map((rate) => rate.count));
    this.#shared = shared;
    this.#remember(ended);
    if (shared !== null) shared.#remember(ended);
  }

  #remember(ended: readonly number[]): void {
    if (this.#depth === 0) return;
    this.#ended = [...this.#ended, ...ended].toSorted((a, b) => a - b).slice(-this.#depth);
  }

  /** A request starts. */
  start(): void {
    this.#open += 1;
    this.#shared?.start();
  }

  /** Its answer has come, or never will. */
  end(now: number): void {
    this.#shared?.end(now);
    this.#open -= 1;
    if (this.#depth === 0) return;
    this.#ended.push(now);
    if (this.#ended.length > 2 * this.#depth) this.#ended = this.#ended.slice(-this.#depth);
  }

  /** How many requests may start at this moment. */
  available(now: number): number {
    this.#notAfter(now);
    const most = this.#shared?.available(now) ?? Number.POSITIVE_INFINITY;
    return this.#rates.reduce((least, { count, perMs }) => {
      const over = this.#ended.findLastIndex((at) => freeAgain(at, perMs) <= now);
      const counting = this.#ended.length - 1 - over + this.#open;
      return Math.min(least, Math.max(0, count - counting));
    }, most);
  }

  /** The earliest moment another request may start; one under way is taken to end now. */
  nextSlotAt(now: number): number {
    this.#notAfter(now);
    return Math.max(now, this.#freeAt(now, []));
  }

  /**
   * How many requests could start from `now` to `now + horizonMs`, each answered at once; counts no further than `limit`.
   */
  slotsWithin(now: number, horizonMs: number, limit: number): number {
    const available = this.available(now);
    if (available >= limit) return limit;
    const started = Array.from({ length: available }, () => now);
    while (started.length < limit) {
      const at = Math.max(now, this.#freeAt(now, started));
      if (at > now + horizonMs) break;
      started.push(at);
    }
    return started.length;
  }

  /** The wall clock may have been set back: nothing has ended in the future. */
  #notAfter(now: number): void {
    if (this.#shared !== null) this.#shared.#notAfter(now);
    if ((this.#ended.at(-1) ?? now) > now) this.#ended = this.#ended.map((at) => Math.min(at, now));
  }

  /** When one more may start by every rate, after those that ended, those under way, and `started`. */
  #freeAt(now: number, started: readonly number[]): number {
    const ended = this.#ended.length;
    const all = ended + this.#open + started.length;
    const earliest =
      this.#shared === null ? Number.NEGATIVE_INFINITY : this.#shared.#freeAt(now, started);
    return this.#rates.reduce((latest, { count, perMs }) => {
      const index = all - count;
      if (index < 0) return latest;
      const blocking = this.#ended[index] ?? started[index - ended - this.#open] ?? now;
      return Math.max(latest, freeAgain(blocking, perMs));
    }, earliest);
  }
}

/** When a request that ended at `at` stops counting: a millisecond more, for the fraction the clock does not show. */
function freeAgain(at: number, perMs: number): number {
  return at + perMs + 1;
}
