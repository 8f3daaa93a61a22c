import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigError } from "../config/config.ts";
import { DamagedError, isDamage, remedyOf, storageTrouble } from "./failure.ts";
import { MIGRATIONS, migrate, missingParts, versionOf } from "./schema.ts";

const MEMORY = ":memory:";
/** Nothing shorter is a database. */
const HEADER_BYTES = 100;
const READ_BUSY_MS = 5_000;

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
  return opened(dataDir, () => openFile(dataDir, busyMs));
}

/** The same, with SQLite's own errors: whether it is damage decides what is done about it. */
export function openFile(dataDir: string, busyMs: number): DatabaseSync {
  const path = databasePath(dataDir);
  if (path !== MEMORY) {
    if (isThere(path, dataDir)) refuseOthers(path, busyMs, dataDir);
    else renameSync(prepareFile(path), path);
  }
  const db = new DatabaseSync(path, { timeout: busyMs });
  try {
    if (path !== MEMORY) chmodSync(path, 0o600);
    // NORMAL: a commit is in the operating system's hands (safe from our death), and reaches the disk at the next WAL checkpoint.
    // That one waits for the disk, and everything here with it: the checkpointer has it done better, and sooner than SQLite would after 64 MB.
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 16000;
      PRAGMA foreign_keys = ON;
      PRAGMA journal_size_limit = 67108864;
    `);
    migrate(db, versionOf(db));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * What a start would find damaged, and set aside; `null`: nothing. Looked at beside a running process, and left as it is.
 * @throws ConfigError for what would end a start
 */
export function damageIn(dataDir: string): string | null {
  const path = databasePath(dataDir);
  try {
    if (path !== MEMORY && isThere(path, dataDir)) refuseOthers(path, READ_BUSY_MS, dataDir);
    return null;
  } catch (error) {
    if (isDamage(error)) return storageTrouble(error);
    throw openingError(dataDir, error);
  }
}

/** Under another name first, and whole: so an empty `ledger.db` is never one whose making was interrupted, but one that was lost. */
export function prepareFile(path: string): string {
  const fresh = `${path}.new`;
  for (const part of ["", "-journal"]) rmSync(fresh + part, { force: true });
  const db = new DatabaseSync(fresh);
  try {
    chmodSync(fresh, 0o600);
    migrate(db, 0);
  } finally {
    db.close();
  }
  return fresh;
}

/** @throws DamagedError for what SQLite would take for a new database: an empty file, or the log of one that is gone */
function isThere(path: string, dataDir: string): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (file === undefined && (log?.size ?? 0) > 0)
    throw new DamagedError("the database file is gone, only its write-ahead log is left");
  if (file?.isFile() === false)
    throw dataDirError(dataDir, "ledger.db in it is no file", "move it away, or name another one");
  if (file !== undefined && file.size < HEADER_BYTES)
    throw new DamagedError(`the database file has ${file.size} bytes: it was cut off`);
  return file !== undefined;
}

/** By a connection that only reads: it leaves file and log as they are, while one that writes takes the log into the file when it is closed. */
function refuseOthers(path: string, busyMs: number, dataDir: string): void {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  try {
    knownVersion(db, dataDir);
  } finally {
    db.close();
  }
}

/** @throws ConfigError for what a newer kube-crier has written; DamagedError for what is no ledger */
function knownVersion(db: DatabaseSync, dataDir: string): number {
  const found = versionOf(db);
  if (found > MIGRATIONS.length) throw tooNew(dataDir, found);
  if (found < 0) throw new DamagedError(`the database file says to be of version ${found}`);
  const wrong = missingParts(db, found);
  if (wrong.length === 0) return found;
  throw new DamagedError(
    found === 0
      ? `the database file is no ledger: it holds ${wrong.join(", ")}`
      : `the database file has lost ${wrong.join(", ")}`,
  );
}

/**
 * The same file for looking only; `run` may be writing it meanwhile.
 * @throws ConfigError where there is no ledger, or not one this version can read
 */
export function openReadOnly(dataDir: string): DatabaseSync {
  return opened(dataDir, () => openReader(dataDir));
}

/** The same, with SQLite's own errors. */
export function openReader(dataDir: string): DatabaseSync {
  const path = databasePath(dataDir);
  if (!isThere(path, dataDir)) {
    throw dataDirError(dataDir, "there is no ledger.db in it", "name the directory `run` uses");
  }
  const db = new DatabaseSync(path, { readOnly: true, timeout: READ_BUSY_MS });
  try {
    const version = knownVersion(db, dataDir);
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
    throw openingError(dataDir, error);
  }
}

/** In the words of a configuration problem where it is one; otherwise as it is. */
export function openingError(dataDir: string, error: unknown): unknown {
  const trouble = storageTrouble(error);
  if (trouble === null && !(error instanceof Error && "syscall" in error)) return error;
  return dataDirError(
    dataDir,
    `the ledger cannot be opened: ${trouble ?? (error as Error).message}`,
    remedyOf(error),
  );
}
