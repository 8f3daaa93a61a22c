import type { ExportRow } from "../care.ts";
import { EXPORT_PAGE, exportTables, iso } from "../exported.ts";
import { number } from "./literal.ts";
import { versionOf } from "./schema.ts";
import type { Session } from "./session.ts";

const TABLES = exportTables({
  prefix: "kube_crier_",
  attempt: "a.seq",
  key: "JSON_UNQUOTE(JSON_EXTRACT(o.event, '$.key'))",
});

/** As `exportLedger` of a file, in its order and its words. */
export async function* exportRows(
  session: Session,
  since: number | null,
): AsyncGenerator<ExportRow> {
  const last: number[] = [];
  for (const { number: seq, from } of TABLES) {
    const [[found] = []] = await session.query(`SELECT COALESCE(MAX(${seq}), 0) FROM ${from}`);
    last.push(Number(found));
  }
  yield {
    type: "ledger",
    version: (await versionOf(session)) ?? 0,
    since: since === null ? null : iso(since),
  };
  for (const [index, table] of TABLES.entries()) {
    for (let after = 0; ;) {
      const { number: seq, columns, from, time, row } = table;
      const rows = await session.query(
        `SELECT ${seq}, ${columns} FROM ${from}
         WHERE ${seq} > ${number(after)} AND ${seq} <= ${number(last[index] ?? 0)} AND ${time} >= ${number(since ?? 0)}
         ORDER BY ${seq} LIMIT ${EXPORT_PAGE}`,
      );
      for (const values of rows) yield row(values);
      if (rows.length < EXPORT_PAGE) break;
      after = Number(rows.at(-1)?.[0]);
    }
  }
}
