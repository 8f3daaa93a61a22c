import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { RowDataPacket } from "mysql2/promise";
import { createTable } from "../sinks/mysql/columns.ts";
import { Mariadb } from "../test/support/mariadb.ts";

/**
 * The queries of docs/history.md on a table of 1,000,000 rows, with what EXPLAIN says of each and how long it takes:
 *   npm run bench:mysql-explain -- [ROWS] [--write]
 * Exits with 1 where one of them reads the table without an index.
 */
const write = process.argv.includes("--write");
const rows = Number(process.argv.slice(2).find((argument) => argument !== "--write") ?? 1_000_000);
const PAGE = path.resolve(import.meta.dirname, "../docs/history.md");
const page = readFileSync(PAGE, "utf8");
/** A query, and the line below it that says what EXPLAIN said. */
const QUERY = /^## (.+)\n(?:(?!^## )[^])*?```sql\n([^]*?)```\n\n(EXPLAIN: .*)\n/gm;
const queries = [...page.matchAll(QUERY)].map(([, title = "", sql = "", said = ""]) => ({
  title,
  said,
  // The two times of the page are long ago.
  sql: sql
    .replace(/^SET .*\n/, "")
    .trim()
    .replace(/;$/, ""),
}));

/** 90 days of 40 namespaces: most pods speak once, some problems last for days. */
const FILL = `INSERT INTO kube_event (cluster, namespace, kind, name, type, reason, message, event_id, first_occurrence_time, last_occurrence_time, count, component, host, object_uid)
SELECT 'prod-a',
  IF(seq % 100 = 0, '', CONCAT('team-', seq % 40)),
  IF(seq % 100 = 0, 'Node', 'Pod'),
  IF(seq % 100 = 0, CONCAT('node-', seq % 97), CONCAT('web-', seq % 2000, '-7d4b9c6f5d-', LPAD(CONV(seq, 10, 36), 5, 'x'))),
  IF(seq % 4 = 0, 'Warning', 'Normal'),
  IF(seq % 250000 = 7, 'FailedMount', ELT(1 + seq % 8, 'BackOff', 'Pulled', 'Started', 'Created', 'Unhealthy', 'Scheduled', 'Killing', 'FailedScheduling')),
  CONCAT('Back-off restarting failed container web in pod web-', seq),
  UUID(),
  NOW(6) - INTERVAL (seq * 7776000 / ${rows} + IF(seq % 50 = 0, seq % 300000, 0)) SECOND,
  NOW(6) - INTERVAL (seq * 7776000 / ${rows}) SECOND,
  1 + seq % 7, 'kubelet', CONCAT('node-', seq % 97), UUID()
FROM seq_1_to_${rows}`;

const db = await Mariadb.start();
let bad = 0;
try {
  await db.sql("CREATE DATABASE history");
  await db.sql(createTable("kube_event"), "history");
  await db.sql(FILL, "history");
  await db.sql("ANALYZE TABLE kube_event", "history");
  const connection = await db.root("history");
  await connection.query(
    "SET time_zone = '+00:00', @from = DATE_FORMAT(NOW() - INTERVAL 50 HOUR, '%Y-%m-%d %H:00:00'), @to = DATE_FORMAT(NOW() - INTERVAL 49 HOUR, '%Y-%m-%d %H:00:00')",
  );
  let told = page;
  for (const { title, sql, said } of queries) {
    const [plan] = await connection.query<RowDataPacket[]>(`EXPLAIN ${sql}`);
    const started = performance.now();
    await connection.query(sql);
    const ms = Math.round(performance.now() - started);
    const step = plan.find((one) => one["table"] === "kube_event");
    if (step === undefined || step["key"] === null) bad += 1;
    const line = `EXPLAIN: \`${step?.["type"]}\` on the index \`${step?.["key"]}\`, about ${Number(step?.["rows"]).toLocaleString("en")} rows, ${String(step?.["Extra"]).toLowerCase()}; ${ms} ms.`;
    process.stdout.write(`${title}\n  ${line}\n`);
    const at = told.indexOf(said, told.indexOf(`## ${title}\n`));
    told = told.slice(0, at) + line + told.slice(at + said.length);
  }
  await connection.end();
  if (write) writeFileSync(PAGE, told);
} finally {
  await db.destroy();
}
if (queries.length !== 6 || bad > 0) {
  process.stderr.write(`${queries.length} queries, ${bad} without an index\n`);
  process.exitCode = 1;
}
