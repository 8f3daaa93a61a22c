import type { Traits } from "./match.ts";

const NAMES = [
  "cluster",
  "home",
  "namespace",
  "kind",
  "type",
  "reason",
  "component",
  "suppressed",
  "sinks",
] as const satisfies readonly (keyof Traits)[];

/** Traits as the tables keep them. */
export function textOf(traits: Traits): string {
  return JSON.stringify(NAMES.map((name) => traits[name]));
}

/** Combinations of traits that an index knows, in memory: a few thousand. */
export class KnownClasses {
  readonly #byText = new Map<string, number>();
  readonly #all = new Map<number, Traits>();
  #last = 0;

  /** The highest number that is known; they only rise. */
  get last(): number {
    return this.#last;
  }

  get size(): number {
    return this.#all.size;
  }

  know(id: number, text: string): void {
    const values = JSON.parse(text) as unknown[];
    const traits = Object.fromEntries(NAMES.map((name, index) => [name, values[index]]));
    this.#byText.set(text, id);
    this.#all.set(id, traits as unknown as Traits);
    this.#last = id;
  }

  /** After a transaction that was undone, and where some may have gone. */
  forget(): void {
    this.#byText.clear();
    this.#all.clear();
    this.#last = 0;
  }

  idOfText(text: string): number | undefined {
    return this.#byText.get(text);
  }

  get(id: number): Traits | undefined {
    return this.#all.get(id);
  }

  where(fits: (traits: Traits) => boolean): ReadonlySet<number> {
    return new Set([...this.#all].flatMap(([id, traits]) => (fits(traits) ? id : [])));
  }

  all(): Iterable<readonly [number, Traits]> {
    return this.#all;
  }
}
