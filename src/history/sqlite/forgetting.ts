import type { DatabaseSync } from "node:sqlite";
import { HOUR_MS, MINUTE_MS } from "../numbers.ts";
import type { Classes } from "./classes.ts";
import { type Additions, type Packed, unpack } from "./counts.ts";
import { timeOf } from "./schema.ts";

/** Rows of one step. */
const BATCH = 250;
/** Steps in a row that found nothing gone, after which others have their turn: the next ones go on from there. */
const FRUITLESS = 20;

/**
 * Takes out of the index what the ledger has forgotten: in the order of arrival, as the ledger forgets. What is still owed stands
 * between, however old, and is walked past; what is kept only for its age says where the rest begins, which is all there.
 */
export class Forgetting {
  readonly #classes: Classes;
  readonly #counts: Additions;
  readonly #sql;
  /** Everything up to here, by the ledger's numbers, was looked at in this round. */
  #after = 0;
  /** What arrived from then on is there. */
  #whole = Infinity;
  #fruitless = 0;
  /** Whether a class may be of nothing any more; of an index that was left by another process nobody knows. */
  #isUntidy = true;

  constructor(ledger: DatabaseSync, db: DatabaseSync, classes: Classes, counts: Additions) {
    this.#classes = classes;
    this.#counts = counts;
    this.#sql = statements(ledger, db);
  }

  /** Within a transaction: a batch; answers whether there is more to look at now. */
  step(): boolean {
    const rows = this.#sql.next.all(this.#after, BATCH);
    const there = this.#there(rows.map((row) => Number(row["seq"])));
    const gone = rows.filter((row) => !there.has(Number(row["seq"])));
    this.#forget(gone);
    const last = Number(rows.at(-1)?.["seq"] ?? 0);
    const isEnd =
      rows.length < BATCH || (gone.length === 0 && (there.get(last) ?? 0) >= this.#whole);
    if (isEnd) {
      this.#tidy();
      [this.#after, this.#whole, this.#fruitless] = [0, Infinity, 0];
      return false;
    }
    this.#after = last;
    this.#fruitless = gone.length > 0 ? 0 : this.#fruitless + 1;
    return this.#fruitless === 0 || this.#fruitless % FRUITLESS !== 0;
  }

  /** Of these, when those that the ledger still has arrived. */
  #there(seqs: readonly number[]): ReadonlyMap<number, number> {
    const there = new Map<number, number>();
    for (const row of this.#sql.there.all(JSON.stringify(seqs))) {
      const [receivedAt, owed] = [Number(row["received_at"]), Number(row["owed"])];
      there.set(Number(row["seq"]), receivedAt);
      const settled = Math.max(receivedAt, Number(row["settled_at"] ?? 0));
      if (owed === 0) this.#whole = Math.min(this.#whole, settled);
    }
    return there;
  }

  #forget(gone: readonly Record<string, unknown>[]): void {
    for (const row of gone) {
      const id = Number(row["id"]);
      this.#sql.forget.run(id);
      this.#sql.forgetWords.run(id);
      this.#counts.add("minute", Math.floor(timeOf(id) / MINUTE_MS), Number(row["class"]), -1);
      this.#counts.add("hour", Math.floor(timeOf(id) / HOUR_MS), Number(row["class"]), -1);
    }
    this.#counts.write();
    // Pods come and go.
    for (const object of new Set(gone.map((row) => Number(row["object"]))))
      this.#sql.forgetObject.run(object);
    if (gone.length > 0) this.#isUntidy = true;
  }

  /** Namespaces come and go, too. */
  #tidy(): void {
    if (!this.#isUntidy) return;
    const used = new Set<number>();
    for (const { counts } of this.#sql.hours.iterate())
      unpack(counts as Packed, (of) => void used.add(of));
    const unused = [...this.#classes.all()].map(([id]) => id).filter((id) => !used.has(id));
    for (const id of unused) this.#sql.forgetClass.run(id);
    if (unused.length > 0) this.#classes.reload();
    this.#isUntidy = false;
  }
}

function statements(ledger: DatabaseSync, db: DatabaseSync) {
  return {
    next: db.prepare("SELECT id, seq, class, object FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"),
    there: ledger.prepare(
      `SELECT o.seq, o.received_at,
         (SELECT COUNT(*) FROM delivery d WHERE d.occurrence = o.seq AND d.settled_at IS NULL) AS owed,
         (SELECT MAX(d.settled_at) FROM delivery d WHERE d.occurrence = o.seq) AS settled_at
       FROM occurrence o WHERE o.seq IN (SELECT value FROM json_each(?))`,
    ),
    forget: db.prepare("DELETE FROM entry WHERE id = ?"),
    forgetWords: db.prepare("DELETE FROM word WHERE rowid = ?"),
    forgetObject: db.prepare(
      "DELETE FROM object WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entry WHERE object = ?1)",
    ),
    hours: db.prepare("SELECT counts FROM hour"),
    forgetClass: db.prepare("DELETE FROM class WHERE id = ?"),
  };
}
