/**
 * The newest count of the Events seen last, so that a MODIFIED that changed nothing but metadata is no occurrence.
 * Bounded; what falls out is at worst offered once more, and dropped by its key.
 */
export class Occurrences {
  readonly #half: number;
  /** Two generations instead of a list by age: a Map is slow at giving up its oldest key. */
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  constructor(limit = 10_000) {
    this.#half = Math.ceil(limit / 2);
  }

  /** Remembers, and says whether this was news. */
  take(event: { readonly uid: string; readonly count: number }): boolean {
    const { uid, count } = event;
    const known = this.#young.get(uid) ?? this.#old.get(uid);
    const news = known === undefined || count > known;
    this.#young.set(uid, news ? count : known);
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    return news;
  }

  forget(uid: string): void {
    this.#young.delete(uid);
    this.#old.delete(uid);
  }

  /** How many are remembered; one that is in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
