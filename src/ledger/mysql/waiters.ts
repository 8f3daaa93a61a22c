/** Those who wait until so much is written. */
export class Waiters {
  #waiting: { readonly count: number; readonly done: PromiseWithResolvers<void> }[] = [];

  /** Resolves when `count` is reached; never rejects. */
  until(count: number): Promise<void> {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.count === count) return last.done.promise;
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ count, done });
    return done.promise;
  }

  reached(count: number): void {
    const ready = this.#waiting.filter((one) => one.count <= count);
    this.#waiting = this.#waiting.filter((one) => one.count > count);
    for (const { done } of ready) done.resolve();
  }

  /** Nobody waits any longer. */
  all(): void {
    this.reached(Number.POSITIVE_INFINITY);
  }
}
