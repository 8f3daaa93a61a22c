import { endOfTurn } from "../turn.ts";

/**
 * A bounded buffer from those who push to one who pulls. It refuses instead of growing: a producer that is refused waits for room.
 * @param merge may replace the newest waiting item by one that says both (`null`: keep both)
 */
export class Channel<T> {
  readonly #capacity: number;
  readonly #merge: (newest: T, next: T) => T | null;
  #items: T[] = [];
  #closed = false;
  #error: Error | null = null;
  #producers: (() => void)[] = [];
  #consumer: (() => void) | null = null;

  constructor(capacity: number, merge: (newest: T, next: T) => T | null = () => null) {
    this.#capacity = capacity;
    this.#merge = merge;
  }

  /** False where there is no room, or no more taking. */
  offer(item: T): boolean {
    if (this.#closed) return false;
    const newest = this.#items.at(-1);
    const merged = newest === undefined ? null : this.#merge(newest, item);
    if (merged !== null) {
      this.#items[this.#items.length - 1] = merged;
      return true;
    }
    if (this.#items.length >= this.#capacity) return false;
    this.#items.push(item);
    this.#consumer?.();
    return true;
  }

  /** For the rare item that may not be refused: the bound gives way. */
  insist(item: T): void {
    if (this.#closed) return;
    this.#items.push(item);
    this.#consumer?.();
  }

  /** Resolves once there may be room, or nobody takes any more. */
  room(): Promise<void> {
    if (this.#closed || this.#items.length < this.#capacity) return Promise.resolve();
    return new Promise((resolve) => this.#producers.push(resolve));
  }

  /** What is ready, at most `max`; waits where nothing is. Empty: closed. Throws what it was closed with once all is taken. */
  async take(max: number): Promise<readonly T[]> {
    while (this.#items.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#consumer = resolve;
      });
      this.#consumer = null;
      // What else comes in this turn is taken along.
      await new Promise<void>((resolve) => endOfTurn.takeIn(resolve));
    }
    const batch = this.#items.splice(0, max);
    if (batch.length === 0 && this.#error !== null) throw this.#error;
    const waiting = this.#producers;
    this.#producers = [];
    for (const wake of waiting) wake();
    return batch;
  }

  /** What was offered stays to be taken. */
  close(error: Error | null = null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#consumer?.();
    for (const wake of this.#producers) wake();
    this.#producers = [];
  }
}
