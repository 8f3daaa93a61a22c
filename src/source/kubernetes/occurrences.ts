/**
 * The newest count of the Events seen last, so that a MODIFIED that changed nothing but metadata is no occurrence.
 * Bounded; what falls out is at worst offered once more, and dropped by its key.
 */
export class Occurrences {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** Remembers, and says whether this was news. */
  take(event: { readonly uid: string; readonly count: number }): boolean {
    const known = this.#counts.get(event.uid);
    if (known !== undefined) this.#counts.delete(event.uid);
    this.#counts.set(event.uid, Math.max(event.count, known ?? 0));
    if (this.#counts.size > this.#limit) {
      const oldest = this.#counts.keys().next();
      if (oldest.done !== true) this.#counts.delete(oldest.value);
    }
    return known === undefined || event.count > known;
  }

  forget(uid: string): void {
    this.#counts.delete(uid);
  }

  get size(): number {
    return this.#counts.size;
  }
}
