import { StorageError } from "./store.ts";

/** SQLite's primary result codes that say something about the disk and nothing about our statement, and what cures each. */
const STORAGE_CODES: ReadonlyMap<number, readonly [words: string, remedy: Remedy]> = new Map([
  [5, ["locked by another process", "locked"]],
  [6, ["locked", "locked"]],
  [7, ["out of memory", "memory"]],
  [8, ["not writable", "access"]],
  [10, ["disk I/O error", "device"]],
  [11, ["the database file is damaged", "damage"]],
  [13, ["the disk is full", "room"]],
  [14, ["the database file cannot be opened", "access"]],
  [26, ["not a database file", "damage"]],
]);

type Remedy = keyof typeof REMEDIES;

const REMEDIES = {
  locked: "another program has it open: end it, or wait until it is done, and try again",
  memory: "give the process more memory",
  access: "give a directory this user may write, on a volume that is not mounted read-only",
  device: "look at the volume and at the kernel's log; nothing was changed",
  damage:
    "the next start of `run` sets the file aside and begins a new one; what it still owed is then lost",
  room: "make room, or enlarge the volume, and try again",
} as const;

/** A file that SQLite can open and that is no ledger all the same. */
export class DamagedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DamagedError";
  }
}

/** What SQLite says about the disk, in words; `null` for every other error. */
export function storageTrouble(error: unknown): string | null {
  if (error instanceof DamagedError || error instanceof StorageError) return error.message;
  const known = codeOf(error);
  return known === undefined
    ? null
    : `${known[0]} (SQLite ${known.errcode}: ${(error as Error).message})`;
}

/** What a person can do about it. */
export function remedyOf(error: unknown): string {
  if (error instanceof StorageError) return remedyOf(error.cause);
  if (error instanceof DamagedError) return REMEDIES.damage;
  return REMEDIES[codeOf(error)?.[1] ?? "access"];
}

/**
 * Whether the file itself is broken, so that no waiting helps. A file that is locked, unreadable, or on a full, read-only or
 * failing disk is not: there it may be whole.
 */
export function isDamage(error: unknown): boolean {
  if (error instanceof StorageError) return isDamage(error.cause);
  return error instanceof DamagedError || codeOf(error)?.[1] === "damage";
}

/** Runs `work`; an error of the disk becomes a StorageError, any other stays what it is. */
export function onStorage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const trouble = storageTrouble(error);
    throw trouble === null ? error : new StorageError(trouble, error);
  }
}

function codeOf(error: unknown) {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  const errcode = Number(error.errcode);
  const known = STORAGE_CODES.get(errcode & 0xff);
  return known && Object.assign([...known] as [string, Remedy], { errcode });
}
