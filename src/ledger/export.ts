import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { ExportRow } from "./care.ts";
import { dataDirError, openReadOnly } from "./database.ts";
import { remedyOf, storageTrouble } from "./failure.ts";
import { numberOrNull, type Row, text, textOrNull, toEvent } from "./rows.ts";
import { versionOf } from "./schema.ts";

/** Rows that are in memory at once. */
const PAGE = 200;

interface Table {
  /** What its rows are numbered by. */
  readonly number: string;
  readonly columns: string;
  readonly from: string;
  readonly time: string;
  readonly row: (row: Row) => ExportRow;
}

const TABLES: readonly Table[] = [
  {
    number: "o.seq",
    columns: "o.received_at, o.event",
    from: "occurrence o",
    time: "o.received_at",
    row: (row) => ({
      type: "event",
      receivedAt: iso(Number(row["received_at"])),
      event: toEvent(row["event"]),
    }),
  },
  {
    number: "d.seq",
    columns:
      "d.*, CASE WHEN json_valid(o.event) THEN json_extract(o.event, '$.key') ELSE o.key END AS key",
    from: "delivery d LEFT JOIN occurrence o ON o.seq = d.occurrence",
    time: "d.owed_at",
    row: deliveryOf,
  },
  {
    number: "a.rowid",
    columns: "a.sink, a.at",
    from: "attempt a",
    time: "a.at",
    row: (row) => ({ type: "attempt", sink: text(row["sink"]), at: iso(Number(row["at"])) }),
  },
];

/**
 * Everything the ledger holds, oldest first: events, then deliveries, then attempts; page by page, so that neither memory nor a
 * running process feels it. What is taken after the beginning is left out.
 * @param since milliseconds since the epoch; `null`: all
 * @throws ConfigError where there is no readable ledger, or it turns out to be damaged on the way
 */
export function* exportLedger(dataDir: string, since: number | null): Generator<ExportRow> {
  const db = openReadOnly(dataDir);
  try {
    const last = TABLES.map((table) => lastOf(db, table));
    yield { type: "ledger", version: versionOf(db), since: since === null ? null : iso(since) };
    for (const [index, table] of TABLES.entries())
      yield* rowsOf(db, table, since ?? 0, last[index] ?? 0);
  } catch (error) {
    const trouble = storageTrouble(error);
    if (trouble === null) throw error;
    throw dataDirError(dataDir, `the ledger cannot be read: ${trouble}`, remedyOf(error));
  } finally {
    db.close();
  }
}

function lastOf(db: DatabaseSync, { number, from }: Table): number {
  const row = db.prepare(`SELECT MAX(${number}) AS last FROM ${from}`).get();
  return numberOrNull(row?.["last"]) ?? 0;
}

function* rowsOf(db: DatabaseSync, table: Table, since: number, last: number) {
  const { number, columns, from, time, row } = table;
  // A statement for each page: one that stays open would keep the write-ahead log from being emptied.
  const page = db.prepare(
    `SELECT ${number} AS number, ${columns} FROM ${from}
     WHERE ${number} > ? AND ${number} <= ? AND ${time} >= ? ORDER BY ${number} LIMIT ${PAGE}`,
  );
  let after: SQLInputValue = 0;
  for (;;) {
    const rows: Row[] = page.all(after, last, since);
    for (const one of rows) yield row(one);
    after = rows.at(-1)?.["number"] ?? 0;
    if (rows.length < PAGE) return;
  }
}

function deliveryOf(row: Row): ExportRow {
  const alert = textOrNull(row["alert"]);
  return {
    type: "delivery",
    id: text(row["id"]),
    sink: text(row["sink"]),
    state: text(row["state"]),
    attempts: Number(row["attempts"]),
    owedAt: iso(Number(row["owed_at"])),
    notBefore: iso(Number(row["not_before"])),
    settledAt: isoOrNull(numberOrNull(row["settled_at"])),
    reason: textOrNull(row["reason"]),
    detail: textOrNull(row["detail"]),
    sent: textOrNull(row["sent"]),
    answer: textOrNull(row["answer"]),
    foldedInto: textOrNull(row["folded_into"]),
    /** The key of its event; its own alert where it is about none (digest, gap). */
    event: textOrNull(row["key"]),
    alert: alert === null ? null : (JSON.parse(alert) as unknown),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
