import { DatabaseSync } from "node:sqlite";

/**
 * The tables, as numbered forward-only migrations: entry n brings version n to n + 1 (`PRAGMA user_version`). An entry that was
 * released is never changed; `scripts/store-ledger.ts` keeps a ledger of each version for the tests. Times are milliseconds since the epoch. An event is stored once per occurrence; a delivery has an
 * `alert` of its own only where it is no single occurrence (digest, gap).
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE occurrence (
    seq         INTEGER PRIMARY KEY,
    key         TEXT    NOT NULL UNIQUE,
    received_at INTEGER NOT NULL,
    namespace   TEXT,
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    event       TEXT    NOT NULL
  ) STRICT;

  CREATE TABLE delivery (
    seq         INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    sink        TEXT    NOT NULL,
    occurrence  INTEGER REFERENCES occurrence (seq),
    alert       TEXT,
    state       TEXT    NOT NULL,
    attempts    INTEGER NOT NULL,
    owed_at     INTEGER NOT NULL,
    not_before  INTEGER NOT NULL,
    settled_at  INTEGER,
    reason      TEXT,
    detail      TEXT,
    sent        TEXT,
    answer      TEXT,
    folded_into TEXT
  ) STRICT;
  CREATE INDEX delivery_pending    ON delivery (sink, not_before, owed_at) WHERE state = 'pending';
  CREATE INDEX delivery_dead       ON delivery (sink) WHERE state = 'dead';
  CREATE INDEX delivery_occurrence ON delivery (occurrence) WHERE occurrence IS NOT NULL;
  CREATE INDEX delivery_summary    ON delivery (settled_at) WHERE occurrence IS NULL;

  CREATE TABLE checkpoint (
    scope            TEXT    NOT NULL PRIMARY KEY,
    cluster          TEXT    NOT NULL,
    resource_version TEXT    NOT NULL,
    at               INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE attempt (sink TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE INDEX attempt_at ON attempt (at, sink);
  `,
  // Why an occurrence is kept for history alone.
  "ALTER TABLE occurrence ADD COLUMN suppressed TEXT",
  // What is new is known by `storedKey`; what was there stays as it is, because to write all of it again would need the disk twice.
  "/* no table changes */",
  // An Event that was there at the checkpoint, as JSON.
  "ALTER TABLE checkpoint ADD COLUMN witness TEXT",
  // Which ledger this is, for what is derived from it; and of each attempt, what became of it.
  `
  CREATE TABLE identity (id TEXT NOT NULL) STRICT;
  INSERT INTO identity VALUES (lower(hex(randomblob(16))));
  ALTER TABLE delivery ADD COLUMN took INTEGER;
  ALTER TABLE delivery ADD COLUMN tries TEXT;
  `,
];

/** Brings the tables from version `found` to the newest, each step with its number in one transaction. */
export function migrate(db: DatabaseSync, found: number, steps = MIGRATIONS): void {
  for (const [index, step] of steps.entries()) {
    if (index < found) continue;
    db.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

export function versionOf(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

/** What of a ledger of this version is not there: names of tables and indexes; and, where it says to be none, what is. */
export function missingParts(db: DatabaseSync, version: number): readonly string[] {
  const found = namesIn(db);
  if (version === 0) return found;
  const model = new DatabaseSync(":memory:");
  try {
    for (const step of MIGRATIONS.slice(0, version)) model.exec(step);
    return namesIn(model).filter((name) => !found.includes(name));
  } finally {
    model.close();
  }
}

function namesIn(db: DatabaseSync): readonly string[] {
  return db
    .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")
    .all()
    .map(({ name }) => String(name));
}
