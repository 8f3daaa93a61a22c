import { chmodSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { numbering } from "../numbers.ts";

/** Raised with every change of what is below: an index of another version is made anew. */
const VERSION = 3;
const BUSY_MS = 2_000;

/**
 * The index beside the ledger: derived from it, never needed to deliver, and made anew whenever in doubt. It has a file of its own
 * so that its writes never wait for those of the ledger, nor the ledger's for them.
 *
 * `entry.id` is the second it was last seen in, times `TIES`, plus a number that tells those of one second apart, by their arrival: in
 * the order of the page, for the rows, the words and the cursor alike. A `class` is a combination of everything that has few values; how often
 * each occurred is kept for every minute and every hour (`counts.ts`), a row for each: a week is read in milliseconds.
 */
const TABLES = `
  CREATE TABLE covered (source TEXT NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, high_key TEXT) STRICT;

  CREATE TABLE class (
    -- None is given twice: whoever still remembers one that is gone must not take another for it.
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    traits     TEXT NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE object (
    id        INTEGER PRIMARY KEY,
    name      TEXT NOT NULL,
    kind      TEXT NOT NULL,
    namespace TEXT NOT NULL,
    UNIQUE (name, kind, namespace)
  ) STRICT;

  CREATE TABLE entry (
    id     INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL,
    class  INTEGER NOT NULL,
    object INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX entry_object ON entry (object);
  CREATE UNIQUE INDEX entry_seq ON entry (seq);

  CREATE TABLE minute (bucket INTEGER PRIMARY KEY, counts BLOB NOT NULL) STRICT;
  CREATE TABLE hour   (bucket INTEGER PRIMARY KEY, counts BLOB NOT NULL) STRICT;

  CREATE VIRTUAL TABLE word USING fts5 (text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram');
`;

/** So many have room in one second; more run over into the next. Finer would cost: the index of words keeps the differences. */
const TIES = 4_096;
/** One second of numbers, and as far as a burst may run over. */
export const SECOND = TIES;
export const MOMENT = 60 * TIES;
export const { numberAt, timeOf, cursorOf, numberOf, rangeOf } = numbering(TIES);

/**
 * The index of a ledger, empty where it is new, of another version, damaged, or another ledger's.
 * @param path `:memory:`, or a file
 */
export function openIndex(path: string, source: string): DatabaseSync {
  try {
    return open(path, source);
  } catch (error) {
    if (path === ":memory:" || !isBroken(error)) throw error;
    removeIndex(path);
    return open(path, source);
  }
}

export function removeIndex(path: string): void {
  for (const part of ["", "-wal", "-shm", "-journal"]) rmSync(path + part, { force: true });
}

function open(path: string, source: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    if (path !== ":memory:") chmodSync(path, 0o600);
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA cache_size = -4000;
      PRAGMA journal_size_limit = 16777216;
    `);
    db.exec("BEGIN IMMEDIATE");
    if (!isOurs(db, source)) begin(db, source);
    db.exec("COMMIT");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isOurs(db: DatabaseSync, source: string): boolean {
  const version = db.prepare("PRAGMA user_version").get()?.["user_version"];
  if (version !== VERSION) return false;
  return db.prepare("SELECT source FROM covered").get()?.["source"] === source;
}

function begin(db: DatabaseSync, source: string): void {
  const tables = db
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'word_%'",
    )
    .all();
  for (const { name } of tables) db.exec(`DROP TABLE "${String(name)}"`);
  db.exec(TABLES);
  db.prepare("INSERT INTO covered VALUES (?, 0, 0, NULL)").run(source);
  db.exec(`PRAGMA user_version = ${VERSION}`);
}

function isBroken(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  // Corrupt; no database; and what only a table that is not as we made it answers.
  return code === 11 || code === 26 || code === 1;
}
