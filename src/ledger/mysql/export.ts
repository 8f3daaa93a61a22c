import type { ExportRow } from "../care.ts";
import {
  checkpointOf,
  checkpointsSql,
  EXPORT_PAGE,
  exportTables,
  iso,
  triesRow,
} from "../exported.ts";
import { number } from "./literal.ts";
import { versionOf } from "./schema.ts";
import type { Session } from "./session.ts";
import { readTries } from "./tries.ts";

/** The version that keeps what became of attempts. */
const TRIED = 2;

const TABLES = exportTables({
  prefix: "kube_crier_",
  attempt: "a.seq",
  // They stand in a table of their own.
  tries: "NULL, NULL",
  key: "CASE WHEN JSON_VALID(o.event) THEN JSON_UNQUOTE(JSON_EXTRACT(o.event, '$.key')) END",
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
  const version = (await versionOf(session)) ?? 0;
  yield {
    type: "ledger",
    version,
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
      const seqs = rows.map(([one]) => Number(one));
      const tried = seq === "d.seq" && version >= TRIED ? await readTries(session, seqs) : null;
      for (const [place, values] of rows.entries())
        yield { ...row(values), ...(tried === null ? {} : triesRow(tried(seqs[place] ?? 0))) };
      if (rows.length < EXPORT_PAGE) break;
      after = Number(rows.at(-1)?.[0]);
    }
  }
  for (const values of await session.query(checkpointsSql("kube_crier_", since ?? 0)))
    yield checkpointOf(values);
}
