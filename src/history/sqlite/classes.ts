import type { DatabaseSync } from "node:sqlite";
import type { Traits } from "../match.ts";

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

/** Every combination of traits that the index knows, in memory: a few thousand. */
export class Classes {
  readonly #byText = new Map<string, number>();
  readonly #all = new Map<number, Traits>();
  readonly #sql;
  #last = 0;

  constructor(db: DatabaseSync) {
    this.#sql = {
      later: db.prepare("SELECT id, traits FROM class WHERE id > ? ORDER BY id"),
      add: db.prepare("INSERT INTO class (traits) VALUES (?) ON CONFLICT DO NOTHING"),
    };
  }

  /** Within a transaction that writes: makes it where it is new. */
  idOf(traits: Traits): number {
    const text = JSON.stringify(NAMES.map((name) => traits[name]));
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    this.#sql.add.run(text);
    this.load();
    return this.#byText.get(text) ?? Number.NaN;
  }

  /** Another process may have added some. */
  load(): void {
    for (const row of this.#sql.later.iterate(this.#last)) {
      const id = Number(row["id"]);
      const text = String(row["traits"]);
      const values = JSON.parse(text) as unknown[];
      this.#byText.set(text, id);
      this.#all.set(
        id,
        Object.fromEntries(NAMES.map((name, index) => [name, values[index]])) as unknown as Traits,
      );
      this.#last = id;
    }
  }

  /** After a transaction that was undone. */
  forget(): void {
    this.#byText.clear();
    this.#all.clear();
    this.#last = 0;
  }

  get(id: number): Traits | undefined {
    return this.#all.get(id);
  }

  where(fits: (traits: Traits) => boolean): ReadonlySet<number> {
    return new Set([...this.#all].flatMap(([id, traits]) => (fits(traits) ? id : [])));
  }

  homes(): readonly string[] {
    return [...new Set([...this.#all.values()].map(({ home }) => home))].toSorted();
  }

  get size(): number {
    return this.#all.size;
  }
}
