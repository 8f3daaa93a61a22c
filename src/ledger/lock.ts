import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { dataDirError, makeDataDir } from "./database.ts";
import { isDamage, remedyOf, storageTrouble } from "./failure.ts";

const BUSY = {
  message: "another kube-crier is running on it",
  hint: "stop that one first, or give this one a directory of its own; of a Deployment with such a ledger there is one replica, and its strategy is Recreate (two need --ledger=mysql://… and --leader-elect)",
};

/**
 * Holds a data directory for this process alone: a second one is refused at once. The lock is the operating system's, taken by
 * SQLite on a file of its own, so it ends with the process however it dies, and readers of the ledger are not kept out.
 * @param busy what is said while another process holds it
 * @returns the way to let go; keep it, for the lock ends as well when it is garbage-collected
 * @throws ConfigError while another process holds it
 */
export function lockDataDir(dataDir: string, busy = BUSY): () => void {
  if (dataDir === ":memory:") return () => undefined;
  makeDataDir(dataDir);
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(join(dataDir, "run.lock"), { timeout: 0 });
    // Without a journal on the disk it can be held on a full one, too: `run` still delivers there.
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    const held = db;
    return () => held.close();
  } catch (error) {
    db?.close();
    const isHeld = error instanceof Error && "errcode" in error && Number(error.errcode) === 5;
    if (isHeld) throw dataDirError(dataDir, busy.message, busy.hint);
    const trouble = storageTrouble(error);
    if (trouble === null) throw error;
    throw dataDirError(
      dataDir,
      `the directory cannot be locked: ${trouble}`,
      // It may be somebody else's, so it is not ours to remove.
      isDamage(error)
        ? "run.lock in it is none of kube-crier's, or damaged: remove it if nothing else needs it"
        : remedyOf(error),
    );
  }
}
