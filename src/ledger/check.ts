import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { FAILURE_REASONS } from "../event/reason.ts";
import type { CheckReport, Contents, Finding } from "./care.ts";
import { databasePath, openingError, openReader } from "./database.ts";
import { isDamage, storageTrouble } from "./failure.ts";
import { isStoredKey } from "./key.ts";
import { SqliteHistory } from "./history.ts";
import { versionOf } from "./schema.ts";

/** Problems of the file that are told one by one. */
const TOLD = 20;
const EXAMPLES = 3;
const REASONS = Object.keys(FAILURE_REASONS)
  .map((reason) => `'${reason}'`)
  .join(", ");

interface Law {
  /** What it means that there are such rows. */
  readonly what: string;
  readonly from: string;
  /** How a row is named. */
  readonly id: string;
  readonly broken: string;
}

const delivery = (what: string, broken: string): Law => ({
  what,
  from: "delivery d",
  id: "d.id",
  broken,
});

/** What holds for every row, whatever happened to the process. */
const LAWS: readonly Law[] = [
  delivery(
    "deliveries in a state that does not exist",
    "d.state NOT IN ('pending', 'delivered', 'dead', 'folded')",
  ),
  delivery("pending deliveries that were settled", "d.state = 'pending' AND d.settled_at NOT NULL"),
  delivery("settled deliveries without a time", "d.state <> 'pending' AND d.settled_at IS NULL"),
  delivery(
    "dead letters without a reason",
    `d.state = 'dead' AND (d.reason IS NULL OR d.reason NOT IN (${REASONS}))`,
  ),
  delivery(
    "delivered deliveries with a reason of a failure",
    "d.state = 'delivered' AND d.reason NOT NULL",
  ),
  delivery(
    "deliveries folded into nothing, or not folded and yet in a digest",
    "(d.state = 'folded') <> (d.folded_into NOT NULL)",
  ),
  // The digest may be forgotten before what it told.
  delivery(
    "deliveries folded into what is no digest of their sink",
    `d.folded_into NOT NULL AND EXISTS
       (SELECT 1 FROM delivery t WHERE t.id = d.folded_into AND (t.alert IS NULL OR t.sink <> d.sink))`,
  ),
  delivery("deliveries about nothing", "d.occurrence IS NULL AND d.alert IS NULL"),
  delivery("deliveries with numbers below zero", "d.attempts < 0 OR d.owed_at < 0"),
  delivery("deliveries whose alert is not JSON", "d.alert NOT NULL AND NOT json_valid(d.alert)"),
  {
    what: "events that are not JSON, or not those of their key",
    from: "occurrence o",
    id: "o.key",
    broken: `CASE WHEN json_valid(o.event)
       THEN NOT ${isStoredKey("o.key", "json_extract(o.event, '$.key')")} ELSE 1 END`,
  },
  {
    what: "checkpoints that lead nowhere",
    from: "checkpoint c",
    id: "c.scope",
    broken: "c.resource_version = '' OR c.at <= 0",
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
