import type { Compaction } from "./care.ts";
import { diskBytes } from "./check.ts";
import { dataDirError, openDatabase, openReadOnly } from "./database.ts";
import { remedyOf, storageTrouble } from "./failure.ts";
import { lockDataDir } from "./lock.ts";

const BUSY_MS = 5_000;

/**
 * Gives what the ledger does not use any more back to the disk, by SQLite's own VACUUM: all of it or nothing. It writes the whole file
 * anew and lets nobody else write meanwhile, so it is not done under a running process.
 * @throws ConfigError where that is not possible now
 */
export function vacuumLedger(dataDir: string): Compaction {
  // By reading first: a ledger is not made, and not brought to another version, by caring for it.
  const reader = openReadOnly(dataDir);
  const free = Number(
    reader
      .prepare(
        "SELECT f.freelist_count * s.page_size AS n FROM pragma_freelist_count f, pragma_page_size s",
      )
      .get()?.["n"],
  );
  reader.close();
  const unlock = lockDataDir(dataDir, {
    message: `a running kube-crier writes to it; ${free} bytes in it are free and will be used again before it grows`,
    hint: "where the disk needs them back, stop that one first: nobody can write for as long as it takes",
  });
  try {
    const db = openDatabase(dataDir, BUSY_MS);
    try {
      const before = diskBytes(dataDir);
      // Where the root file system is read-only there is no other place for what does not fit into memory.
      db.exec(`PRAGMA temp_store_directory = '${dataDir.replaceAll("'", "''")}'`);
      db.exec("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
      return { before, after: diskBytes(dataDir) };
    } catch (error) {
      const trouble = storageTrouble(error);
      if (trouble === null) throw error;
      const message = `the ledger cannot be compacted, and is as it was: ${trouble}`;
      throw dataDirError(dataDir, message, remedyOf(error));
    } finally {
      db.close();
    }
  } finally {
    unlock();
  }
}
