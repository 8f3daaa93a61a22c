/** How many are known without asking, for while nobody can be asked. */
const KEPT = 20_000;

/** The keys of the occurrences that were taken last. */
export class Recent {
  readonly #keys = new Set<string>();

  /** False for one that is known; what has no key is always new. */
  add(key: string | null): boolean {
    if (key === null) return true;
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > KEPT) {
      const [oldest] = this.#keys;
      if (oldest !== undefined) this.#keys.delete(oldest);
    }
    return true;
  }
}
