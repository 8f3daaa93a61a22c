import type { Clock } from "../clock.ts";
import type { Observer } from "../observe/observer.ts";
import { dataDirError, openDatabase, openReadOnly } from "./database.ts";
import { storageTrouble } from "./failure.ts";
import { SqliteHistory } from "./history.ts";
import { keep } from "./keeper.ts";
import type { History, Outbox } from "./ledger.ts";
import { lockDataDir } from "./lock.ts";
import { StoreOutbox } from "./outbox.ts";
import { Retention } from "./retention.ts";
import { SqliteStore } from "./sqlite.ts";

/** Deliveries held in memory while the disk refuses. */
const HELD_MAX = 10_000;
/** Another process writes for milliseconds; waiting for it stops everything else here. */
const RUN_BUSY_MS = 1_000;
const CLI_BUSY_MS = 5_000;

export interface LedgerOptions {
  /** A directory, or `:memory:`. */
  readonly dataDir: string;
  /** How long what is settled is kept; two hours at least, so that what the cluster still holds is not told again. */
  readonly historyMs: number;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Makes the id of a delivery (`crypto.randomUUID`). */
  readonly makeId: () => string;
}

export interface Ledger {
  readonly outbox: Outbox;
  readonly history: History;
  /** False while the disk refuses and memory holds what is owed. */
  healthy(): boolean;
  /** In use on disk, in bytes. */
  bytes(): number;
  /** Writes what is left and lets the directory go. @returns how many deliveries still owed only memory knew; they are lost */
  close(): Promise<number>;
}

/**
 * The ledger of `run`, alone on its data directory.
 * @throws ConfigError where the directory cannot be used, is in use by another process, or its file is damaged
 */
export function openLedger(options: LedgerOptions): Ledger {
  const { dataDir, clock, observer, makeId, historyMs, maxBytes } = options;
  const unlock = lockDataDir(dataDir);
  const db = orElse(unlock, () => openDatabase(dataDir, RUN_BUSY_MS));
  const store = new SqliteStore(db);
  const outbox = new StoreOutbox(store, { clock, observer, makeId, bound: HELD_MAX });
  const history = readable(dataDir, new SqliteHistory(db));
  const retention = new Retention(db);
  const closing = new AbortController();
  const changed = () => outbox.tellAll();
  const keeping = keep(
    { store, retention, clock, observer, historyMs, maxBytes, changed },
    closing.signal,
  );
  return {
    outbox,
    history: {
      ...history,
      retry: (ids, sink, now) => {
        const retried = history.retry(ids, sink, now);
        if (retried > 0) changed();
        return retried;
      },
    },
    healthy: () => !outbox.troubled,
    bytes: () => retention.usedBytes(),
    close: async () => {
      if (closing.signal.aborted) return 0;
      closing.abort();
      await keeping;
      const lost = outbox.close();
      db.close();
      unlock();
      return lost;
    },
  };
}

/**
 * The history of a data directory for the command line, while `run` may be using it. `write` is for `dead retry` alone.
 * @throws ConfigError where there is no readable ledger
 */
export function openHistory(
  dataDir: string,
  mode: "read" | "write",
): History & { readonly close: () => void } {
  // Opening for reading first: a history must not be made by looking for it.
  let db = openReadOnly(dataDir);
  if (mode === "write") {
    db.close();
    db = openDatabase(dataDir, CLI_BUSY_MS);
  }
  return { ...readable(dataDir, new SqliteHistory(db)), close: () => db.close() };
}

/** Damage may show only where a page is read: it is a problem of the directory, and none of this program. */
function readable(dataDir: string, history: History): History {
  const told = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      const trouble = storageTrouble(error);
      if (trouble === null) throw error;
      throw dataDirError(
        dataDir,
        `the ledger cannot be read: ${trouble}`,
        "try again if it is locked; a damaged ledger.db can be moved away, what it still owed is then lost",
      );
    }
  };
  return {
    events: (filter) => told(() => history.events(filter)),
    deliveries: (filter) => told(() => history.deliveries(filter)),
    counts: () => told(() => history.counts()),
    retry: (ids, sink, now) => told(() => history.retry(ids, sink, now)),
  };
}

function orElse<T>(undo: () => void, work: () => T): T {
  try {
    return work();
  } catch (error) {
    undo();
    throw error;
  }
}
