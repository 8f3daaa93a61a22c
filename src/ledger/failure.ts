import { StorageError } from "./store.ts";

/** SQLite's primary result codes that say something about the disk and nothing about our statement. */
const STORAGE_CODES: ReadonlyMap<number, string> = new Map([
  [5, "locked by another process"],
  [6, "locked"],
  [7, "out of memory"],
  [8, "not writable"],
  [10, "disk I/O error"],
  [11, "the database file is damaged"],
  [13, "the disk is full"],
  [14, "the database file cannot be opened"],
  [26, "not a database file"],
]);

/** What SQLite says about the disk, in words; `null` for every other error. */
export function storageTrouble(error: unknown): string | null {
  if (!(error instanceof Error) || !("errcode" in error)) return null;
  const words = STORAGE_CODES.get(Number(error.errcode) & 0xff);
  return words === undefined
    ? null
    : `${words} (SQLite ${Number(error.errcode)}: ${error.message})`;
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
