import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigError } from "../config/config.ts";
import { storageTrouble } from "./failure.ts";
import { MIGRATIONS } from "./schema.ts";

const MEMORY = ":memory:";

/** The database file of a data directory; `:memory:` stays what it is. */
export function databasePath(dataDir: string): string {
  return dataDir === MEMORY ? MEMORY : join(dataDir, "ledger.db");
}

/** One problem of the data directory, in the words every configuration problem has. */
export function dataDirError(dataDir: string, message: string, hint: string): ConfigError {
  return new ConfigError([{ where: `--data-dir ${dataDir}`, message, hint }]);
}

/** Creates the directory (0700); fails with a ConfigError where it cannot be used. */
export function makeDataDir(dataDir: string): void {
  if (dataDir === MEMORY) return;
  try {
    makeDirectory(dataDir);
  } catch (error) {
    throw dataDirError(
      dataDir,
      `the directory cannot be made: ${error instanceof Error ? error.message : String(error)}`,
      "give a directory this user may write, or mount a volume there",
    );
  }
}

/** Node's own `recursive` never ends where the parent exists and yet takes no directory, as below a dangling link or in /proc. */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  mkdirSync(path, { mode: 0o700 });
}

/**
 * The ledger's database, migrated and ready to be written. `busyMs`: how long a statement waits for another process.
 * @throws ConfigError where the directory is not writable, the file is damaged, or a newer kube-crier has written it
 */
export function openDatabase(dataDir: string, busyMs: number): DatabaseSync {
  makeDataDir(dataDir);
  return opened(dataDir, () => {
    const path = databasePath(dataDir);
    const db = new DatabaseSync(path, { timeout: busyMs });
    try {
      if (path !== MEMORY) chmodSync(path, 0o600);
      // NORMAL: a commit is in the operating system's hands (safe from our death), and reaches the disk at the next WAL checkpoint.
      // That one waits for the disk, and everything here with it: so not every 4 MB, but every 16.
      db.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        PRAGMA wal_autocheckpoint = 4000;
        PRAGMA foreign_keys = ON;
        PRAGMA journal_size_limit = 67108864;
      `);
      migrate(db, dataDir);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/**
 * The same file for looking only; `run` may be writing it meanwhile.
 * @throws ConfigError where there is no ledger, or not one this version can read
 */
export function openReadOnly(dataDir: string): DatabaseSync {
  const path = databasePath(dataDir);
  if (!existsSync(path)) {
    throw dataDirError(dataDir, "there is no ledger.db in it", "name the directory `run` uses");
  }
  return opened(dataDir, () => {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    try {
      const version = versionOf(db);
      if (version > MIGRATIONS.length) throw tooNew(dataDir, version);
      if (version < MIGRATIONS.length) {
        throw dataDirError(
          dataDir,
          `the ledger has version ${version}, this program reads version ${MIGRATIONS.length}`,
          "start `run` once: it brings the file up to date",
        );
      }
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Brings the tables to the newest version, each step with its number in one transaction. */
function migrate(db: DatabaseSync, dataDir: string): void {
  const found = versionOf(db);
  if (found > MIGRATIONS.length) throw tooNew(dataDir, found);
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < found) continue;
    db.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function tooNew(dataDir: string, version: number): ConfigError {
  return dataDirError(
    dataDir,
    `the ledger has version ${version}, this program knows up to ${MIGRATIONS.length}`,
    "run the kube-crier that wrote it, or name another directory",
  );
}

function opened(dataDir: string, work: () => DatabaseSync): DatabaseSync {
  try {
    return work();
  } catch (error) {
    const trouble = storageTrouble(error);
    if (trouble === null && !(error instanceof Error && "syscall" in error)) throw error;
    throw dataDirError(
      dataDir,
      `the ledger cannot be opened: ${trouble ?? (error as Error).message}`,
      "give a directory this user may write; a damaged ledger.db can be moved away, what it still owed is then lost",
    );
  }
}
