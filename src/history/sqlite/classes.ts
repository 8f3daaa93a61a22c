import type { DatabaseSync } from "node:sqlite";
import { KnownClasses, textOf } from "../classes.ts";
import type { Traits } from "../match.ts";

/** The classes of the index in a file. */
export class Classes extends KnownClasses {
  readonly #sql;

  constructor(db: DatabaseSync) {
    super();
    this.#sql = {
      later: db.prepare("SELECT id, traits FROM class WHERE id > ? ORDER BY id"),
      add: db.prepare("INSERT INTO class (traits) VALUES (?) ON CONFLICT DO NOTHING"),
    };
  }

  /** Within a transaction that writes: makes it where it is new. */
  idOf(traits: Traits): number {
    const text = textOf(traits);
    const known = this.idOfText(text);
    if (known !== undefined) return known;
    this.#sql.add.run(text);
    this.load();
    return this.idOfText(text) ?? Number.NaN;
  }

  /** Another process may have added some. */
  load(): void {
    for (const row of this.#sql.later.all(this.last))
      this.know(Number(row["id"]), String(row["traits"]));
  }

  /** As the table has them, where some may have gone. */
  reload(): void {
    this.forget();
    this.load();
  }

  homes(): readonly string[] {
    return [...new Set([...this.all()].map(([, { home }]) => home))].toSorted();
  }
}
