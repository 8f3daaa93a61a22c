import type { DatabaseSync } from "node:sqlite";
import { readEvent } from "../../ledger/readable.ts";
import { text, textOrNull, toDeliveryRow, DELIVERY_COLUMNS } from "../../ledger/rows.ts";
import type { SuppressReason } from "../../event/reason.ts";
import type { Filter, EventRow, Visible } from "../history.ts";
import { isVisible, says, toldSo, withinTime } from "../match.ts";
import { Indexer, momentOf } from "./indexer.ts";

/** A row of the index. */
export interface Found {
  readonly id: number;
  readonly seq: number;
  readonly class: number;
}

/** The two databases together, with what the searches ask of them. Used by one search at a time: they share temporary tables. */
export class Tables {
  readonly ledger: DatabaseSync;
  readonly index: DatabaseSync;
  readonly indexer: Indexer;
  readonly #sql;

  constructor(ledger: DatabaseSync, index: DatabaseSync) {
    this.ledger = ledger;
    this.index = index;
    this.indexer = new Indexer(ledger, index);
    index.exec(`
      PRAGMA temp_store = MEMORY;
      CREATE TEMP TABLE wanted (id INTEGER PRIMARY KEY);
      CREATE TEMP TABLE thing  (id INTEGER PRIMARY KEY);
      CREATE TEMP TABLE owed   (seq INTEGER PRIMARY KEY);
    `);
    this.#sql = {
      row: ledger.prepare(
        "SELECT seq, key, received_at, event, suppressed FROM occurrence WHERE seq = ?",
      ),
      later: ledger.prepare(
        "SELECT seq, key, received_at, event, suppressed FROM occurrence WHERE seq > ? ORDER BY seq LIMIT ?",
      ),
      deliveries: ledger.prepare(
        `SELECT ${DELIVERY_COLUMNS} WHERE d.occurrence = ? ORDER BY d.seq`,
      ),
      told: ledger.prepare("SELECT sink, state FROM delivery WHERE occurrence = ?"),
      span: index.prepare(
        // Each by itself is a look at one end; both in one would be a look at all of it.
        "SELECT (SELECT MIN(id) FROM entry) AS first, (SELECT MAX(id) FROM entry) AS last",
      ),
    };
  }

  /** Fills a temporary table. */
  fill(table: "wanted" | "thing" | "owed", numbers: Iterable<number>): void {
    this.index.exec(`BEGIN; DELETE FROM temp.${table}`);
    const insert = this.index.prepare(`INSERT OR IGNORE INTO temp.${table} VALUES (?)`);
    for (const number of numbers) insert.run(number);
    this.index.exec("COMMIT");
  }

  /** The lowest and the highest number there is, `null` where nothing is indexed. */
  span(): { readonly first: number; readonly last: number } | null {
    const row = this.#sql.span.get();
    const first = row?.["first"] ?? null;
    return first === null ? null : { first: Number(first), last: Number(row?.["last"]) };
  }

  /** The row behind a number of the ledger's, if it is still there and says what is looked for. */
  read(seq: number, filter: Filter, visible: Visible): EventRow | null {
    if (filter.states.length > 0) {
      const told = this.#sql.told.all(seq) as unknown as Parameters<typeof toldSo>[1];
      if (!toldSo(filter, told)) return null;
    }
    const row = this.#sql.row.get(seq);
    if (row === undefined) return null;
    const found = this.#toRow(row);
    const fit =
      isVisible(found.event.eventNamespace, visible) &&
      says(found.event, filter) &&
      withinTime(filter, found.at);
    return fit ? { ...found, deliveries: this.deliveries(seq) } : null;
  }

  isToldSo(seq: number, filter: Filter): boolean {
    return toldSo(filter, this.#sql.told.all(seq) as unknown as Parameters<typeof toldSo>[1]);
  }

  *later(mark: number, limit: number): Generator<{ seq: number; row: EventRow }> {
    for (const row of this.#sql.later.all(mark, limit)) {
      const seq = Number(row["seq"]);
      yield { seq, row: { ...this.#toRow(row), deliveries: this.deliveries(seq) } };
    }
  }

  deliveries(seq: number): EventRow["deliveries"] {
    return this.#sql.deliveries.all(seq).map(toDeliveryRow);
  }

  #toRow(row: Record<string, unknown>): EventRow {
    const receivedAt = Number(row["received_at"]);
    const event = readEvent(row["event"], receivedAt);
    return {
      id: text(row["key"] as string),
      at: momentOf(event.lastSeen, receivedAt),
      event,
      receivedAt,
      suppressed: textOrNull(row["suppressed"] as string) as SuppressReason | null,
      deliveries: [],
    };
  }
}
