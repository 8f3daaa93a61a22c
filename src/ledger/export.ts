import type { DatabaseSync } from "node:sqlite";
import type { ExportRow } from "./care.ts";
import { dataDirError, openReadOnly } from "./database.ts";
import {
  checkpointOf,
  checkpointsSql,
  EXPORT_PAGE,
  type ExportTable,
  exportTables,
  iso,
  type Value,
} from "./exported.ts";
import { remedyOf, storageTrouble } from "./failure.ts";
import { versionOf } from "./schema.ts";

const TABLES = exportTables({
  prefix: "",
  attempt: "a.rowid",
  tries: "d.took, d.tries",
  key: "CASE WHEN json_valid(o.event) THEN json_extract(o.event, '$.key') ELSE o.key END",
});

/**
 * Everything the ledger holds of events, deliveries, attempts and checkpoints, oldest first, page by page, so that neither memory nor a running process feels it. What is taken after
 * the beginning is left out.
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
    const checkpoints = db.prepare(checkpointsSql("", since ?? 0));
    checkpoints.setReturnArrays(true);
    yield* (checkpoints.all() as unknown as readonly (readonly Value[])[]).map(checkpointOf);
  } catch (error) {
    const trouble = storageTrouble(error);
    if (trouble === null) throw error;
    throw dataDirError(dataDir, `the ledger cannot be read: ${trouble}`, remedyOf(error));
  } finally {
    db.close();
  }
}

function lastOf(db: DatabaseSync, { number, from }: ExportTable): number {
  return Number(db.prepare(`SELECT MAX(${number}) AS last FROM ${from}`).get()?.["last"] ?? 0);
}

function* rowsOf(db: DatabaseSync, table: ExportTable, since: number, last: number) {
  const { number, columns, from, time, row } = table;
  // A statement for each page: one that stays open would keep the write-ahead log from being emptied.
  const page = db.prepare(
    `SELECT ${number}, ${columns} FROM ${from}
     WHERE ${number} > ? AND ${number} <= ? AND ${time} >= ? ORDER BY ${number} LIMIT ${EXPORT_PAGE}`,
  );
  page.setReturnArrays(true);
  for (let after = 0; ;) {
    const rows = page.all(after, last, since) as unknown as readonly (readonly Value[])[];
    for (const values of rows) yield row(values);
    if (rows.length < EXPORT_PAGE) return;
    after = Number(rows.at(-1)?.[0]);
  }
}
