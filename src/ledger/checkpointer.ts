import { open } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { onStorage } from "./failure.ts";
import { StorageError } from "./store.ts";

/** 16 MB: a page that changes with each event is written once for some hundred of them. */
const DUE_PAGES = 4_000;
/** What a transaction adds to the log, about: the last page of each table and index, and a share of one for each write. */
const PAGES_A_COMMIT = 5;
const PAGES_A_WRITE = 0.5;

/**
 * Takes the write-ahead log into the database file before SQLite would do so within a commit. A checkpoint waits until log and file
 * are on the disk, and it can only run on the thread that delivers; three quarters of that time are the log's. So the log is
 * brought there first, from the thread pool, while everything goes on; the checkpoint finds next to nothing of it left to do.
 * It still makes sure itself: what we did before is for speed alone.
 */
export class Checkpointer {
  readonly #log: string;
  readonly #checkpoint;
  #pages = 0;
  #isUnderWay = false;
  #isClosed = false;

  /** @param path of the database file */
  constructor(db: DatabaseSync, path: string) {
    this.#log = `${path}-wal`;
    this.#checkpoint = db.prepare("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /** A transaction of so many writes was committed. */
  committed(writes: number): void {
    this.#pages += PAGES_A_COMMIT + writes * PAGES_A_WRITE;
    if (this.#pages >= DUE_PAGES && !this.#isUnderWay) void this.#run();
  }

  /** The database is about to be closed. */
  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<void> {
    this.#isUnderWay = true;
    await bringToDisk(this.#log);
    this.#isUnderWay = false;
    this.#pages = 0;
    if (this.#isClosed) return;
    try {
      onStorage(() => this.#checkpoint.get());
    } catch (error) {
      // All of it is still in the log, and the next write says what is wrong with the disk.
      if (!(error instanceof StorageError)) throw error;
    }
  }
}

/** Of an error SQLite hears as well: the system tells it to everyone who had the file open then. */
async function bringToDisk(file: string): Promise<void> {
  try {
    const handle = await open(file, "r+");
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch {
    // The checkpoint does it again, and knows what to make of it.
  }
}
