/** A platform's patience. Times are milliseconds since the epoch, given by the caller. */
export interface Limit {
  /** `null`: taken. Otherwise when the next one would be. */
  take(now: number): number | null;
  /** Forgets everything: a robot as new. */
  reset(): void;
}

/** At most so many in each sliding window; whoever exceeds one may be shut out for a time. */
export class SlidingLimit implements Limit {
  readonly #windows: readonly { readonly count: number; readonly perMs: number }[];
  readonly #muteMs: number;
  #taken: number[] = [];
  #mutedUntil = 0;

  constructor(windows: readonly { readonly count: number; readonly perMs: number }[], muteMs = 0) {
    this.#windows = windows;
    this.#muteMs = muteMs;
  }

  take(now: number): number | null {
    if (now < this.#mutedUntil) return this.#mutedUntil;
    const longest = Math.max(...this.#windows.map((window) => window.perMs));
    this.#taken = this.#taken.filter((at) => at > now - longest);
    const frees = this.#windows.flatMap(({ count, perMs }) => {
      const inside = this.#taken.filter((at) => at > now - perMs);
      const oldest = inside[inside.length - count];
      return oldest === undefined ? [] : [oldest + perMs];
    });
    if (frees.length === 0) {
      this.#taken.push(now);
      return null;
    }
    if (this.#muteMs === 0) return Math.max(...frees);
    this.#mutedUntil = now + this.#muteMs;
    return this.#mutedUntil;
  }

  reset(): void {
    this.#taken = [];
    this.#mutedUntil = 0;
  }
}

/** A bucket of tokens, refilled steadily: a short burst passes, a steady flood does not. */
export class BucketLimit implements Limit {
  readonly #size: number;
  readonly #everyMs: number;
  #tokens: number;
  #at: number | null = null;

  constructor(size: number, everyMs: number) {
    this.#size = size;
    this.#everyMs = everyMs;
    this.#tokens = size;
  }

  take(now: number): number | null {
    const passed = now - (this.#at ?? now);
    this.#tokens = Math.min(this.#size, this.#tokens + passed / this.#everyMs);
    this.#at = now;
    if (this.#tokens < 1) return now + (1 - this.#tokens) * this.#everyMs;
    this.#tokens -= 1;
    return null;
  }

  reset(): void {
    this.#tokens = this.#size;
    this.#at = null;
  }
}

/** No limit at all. */
export const unlimited: Limit = { take: () => null, reset: () => undefined };
