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
    this.#last = Math.max(this.#last, id);
    const values = valuesIn(text);
    if (values === null) return;
    const traits = Object.fromEntries(NAMES.map((name, index) => [name, values[index]]));
    this.#byText.set(text, id);
    this.#all.set(id, traits as unknown as Traits);
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

/** `null`: it was cut off when it was written, and nothing is of it. */
function valuesIn(text: string): readonly unknown[] | null {
  try {
    return JSON.parse(text) as unknown[];
  } catch {
    return null;
  }
}
