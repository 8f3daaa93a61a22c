import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { CheckReport, Contents, Finding } from "./care.ts";
import { databasePath, openingError, openReader } from "./database.ts";
import { isDamage, storageTrouble } from "./failure.ts";
import { isStoredKey } from "./key.ts";
import { SqliteHistory } from "./history.ts";
import { commonLaws, type Law } from "./laws.ts";
import { versionOf } from "./schema.ts";

/** Problems of the file that are told one by one. */
const TOLD = 20;
const EXAMPLES = 3;

const LAWS: readonly Law[] = [
  ...commonLaws(""),
  {
    what: "deliveries with numbers below zero",
    from: "delivery d",
    id: "d.id",
    broken: "d.attempts < 0 OR d.owed_at < 0",
  },
  {
    what: "events that are not JSON, or not those of their key",
    from: "occurrence o",
    id: "o.key",
    broken: `CASE WHEN json_valid(o.event)
       THEN NOT ${isStoredKey("o.key", "json_extract(o.event, '$.key')")} ELSE 1 END`,
  },
];

/**
 * Looks at every page and every row of a ledger, as of one moment; `run` may go on writing meanwhile.
 * @throws ConfigError where there is none that could be looked at; damage is a finding
 */
export function checkLedger(dataDir: string): CheckReport {
  try {
    const db = openReader(dataDir);
    try {
      db.exec("BEGIN");
      return {
        contents: readable(() => contentsOf(db, dataDir)),
        findings: once([
          ...told(() => pages(db)),
          ...told(() => orphans(db)),
          ...LAWS.flatMap((law) => told(() => broken(db, law))),
        ]),
      };
    } finally {
      db.close();
    }
  } catch (error) {
    if (!isDamage(error)) throw openingError(dataDir, error);
    return { contents: null, findings: [damage(error)] };
  }
}

function contentsOf(db: DatabaseSync, dataDir: string): Contents {
  const count = (table: string) =>
    Number(db.prepare(`SELECT COUNT(*) AS n FROM ${table}`).get()?.["n"]);
  const pragma = (name: string) => Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
  return {
    version: versionOf(db),
    bytes: diskBytes(dataDir),
    freeBytes: pragma("freelist_count") * pragma("page_size"),
    events: count("occurrence"),
    attempts: count("attempt"),
    checkpoints: count("checkpoint"),
    deliveries: new SqliteHistory(db).counts(),
  };
}

/** The file with its log. */
export function diskBytes(dataDir: string): number {
  const path = databasePath(dataDir);
  return ["", "-wal"].reduce(
    (sum, part) => sum + (statSync(path + part, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** What SQLite finds in the file. */
function pages(db: DatabaseSync): readonly Finding[] {
  return db
    .prepare(`PRAGMA integrity_check(${TOLD})`)
    .all()
    .map((row) => String(row["integrity_check"]))
    .filter((line) => line !== "ok")
    .map((line) => ({ what: `the file: ${line}`, count: null, examples: [] }));
}

function orphans(db: DatabaseSync): readonly Finding[] {
  const row = db.prepare("SELECT COUNT(*) AS n FROM pragma_foreign_key_check").get();
  const count = Number(row?.["n"]);
  return count === 0
    ? []
    : [{ what: "deliveries of events that are not there", count, examples: [] }];
}

function broken(db: DatabaseSync, { what, from, id, broken: where }: Law): readonly Finding[] {
  const rows = db
    .prepare(
      `SELECT COUNT(*) OVER () AS n, ${id} AS id FROM ${from} WHERE ${where} LIMIT ${EXAMPLES}`,
    )
    .all();
  if (rows.length === 0) return [];
  const examples = rows.map((row) => String(row["id"]));
  return [{ what, count: Number(rows[0]?.["n"]), examples }];
}

/** Every question that meets a torn page says the same. */
function once(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [finding.what, finding])).values()];
}

/** A page that cannot be read keeps the other questions from nothing. */
function told(work: () => readonly Finding[]): readonly Finding[] {
  try {
    return work();
  } catch (error) {
    return [damage(error)];
  }
}

function readable<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (!isDamage(error)) throw error;
    return null;
  }
}

/** @throws `error` where it is none */
function damage(error: unknown): Finding {
  if (!isDamage(error)) throw error;
  return { what: `the file: ${storageTrouble(error)}`, count: null, examples: [] };
}
