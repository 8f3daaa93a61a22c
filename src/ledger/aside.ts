import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** SQLite's files beside a database; they belong together. */
const PARTS = ["", "-wal", "-shm"] as const;
/** A disk that breaks one ledger after the other must not be filled with them. */
const KEPT = 3;

/** A ledger that could not be read any more, and was put out of the way. */
export interface Loss {
  /** What was wrong with it. */
  readonly detail: string;
  /** The file it lies in now. */
  readonly aside: string;
  /** Since when something may be missing: milliseconds since the epoch. */
  readonly since: number;
  /** When it was found out. */
  readonly at: number;
  /** How many deliveries it still owed; `null` where even that cannot be read. */
  readonly owed: number | null;
}

/** Renames a database with its log to `….damaged-TIME`; the three newest such are kept. Nobody may have it open for writing. */
export function setAside(path: string, detail: string, now: number): Loss {
  const written = Math.max(...["", "-wal"].map((part) => modifiedAt(path + part)));
  const aside = freeName(`${path}.damaged-${stamp(now)}`);
  for (const part of PARTS) if (existsSync(path + part)) renameSync(path + part, aside + part);
  forgetOldest(path, aside);
  const { owed, oldest } = legible(aside, now);
  const last = written === 0 || written > now ? now : written;
  return { detail, aside, at: now, owed, since: Math.min(last, oldest ?? last) };
}

/** `20261121T155749Z` */
function stamp(now: number): string {
  return new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function freeName(name: string): string {
  for (let n = 1; ; n += 1) {
    const candidate = n === 1 ? name : `${name}.${n}`;
    if (!PARTS.some((part) => existsSync(candidate + part))) return candidate;
  }
}

/** @param newest is kept, whatever its name says: the clock may have been ahead when the others were named */
function forgetOldest(path: string, newest: string): void {
  const prefix = `${basename(path)}.damaged-`;
  const names = readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.replace(/-(wal|shm)$/, ""))
    .filter((name) => name !== basename(newest));
  for (const name of [...new Set(names)].toSorted().slice(0, 1 - KEPT))
    for (const part of PARTS) rmSync(join(dirname(path), name + part), { force: true });
}

/** Whole milliseconds; 0 where there is no such file. An empty log is what a look at the file has made. */
function modifiedAt(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  const isMade = found?.size === 0 && file.endsWith("-wal");
  return found === undefined || isMade ? 0 : Math.floor(found.mtimeMs);
}

/** What it owed, as far as it can still be read. A time that makes no sense is part of the damage. */
function legible(file: string, now: number): { owed: number | null; oldest: number | null } {
  try {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    try {
      const row = db
        .prepare("SELECT COUNT(*) AS n, MIN(owed_at) AS at FROM delivery WHERE state = 'pending'")
        .get();
      const at = Number(row?.["at"]);
      return { owed: Number(row?.["n"]), oldest: at > 0 && at <= now ? at : null };
    } finally {
      db.close();
    }
  } catch {
    return { owed: null, oldest: null };
  }
}
