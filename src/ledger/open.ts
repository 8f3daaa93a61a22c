import type { Clock } from "../clock.ts";
import type { Observer } from "../observe/observer.ts";
import type { Loss } from "./aside.ts";
import { dataDirError, openDatabase, openReadOnly } from "./database.ts";
import { remedyOf, storageTrouble } from "./failure.ts";
import { type FileHistory, SqliteHistory } from "./history.ts";
import { keep } from "./keeper.ts";
import type { AskUntold, History, Outbox } from "./ledger.ts";
import { LiveDatabase } from "./live.ts";
import { lockDataDir } from "./lock.ts";
import { StoreOutbox } from "./outbox.ts";
import { setBackSince } from "./set-back.ts";
import { type Store, unlessRefused } from "./store.ts";
import { untoldIn } from "./untold.ts";

/** Deliveries held in memory while the disk refuses. */
const HELD_MAX = 10_000;
const CLI_BUSY_MS = 5_000;

export interface LedgerOptions {
  /** A directory, or `:memory:`. */
  readonly dataDir: string;
  /** How long what is settled is kept; two hours at least, so that what the cluster still holds is not told again. */
  readonly historyMs: number;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Makes the id of a delivery (`orderedId`). */
  readonly makeId: () => string;
  /** Of the leader: a higher one than every leader before had. `null`: nobody is elected. A file, which one process has alone, needs none. */
  readonly term?: number | null;
}

export interface Ledger {
  readonly outbox: Outbox;
  readonly history: History;
  readonly untold: AskUntold;
  /** False while the disk refuses and memory holds what is owed. */
  healthy(): boolean;
  /** In use on disk, in bytes. */
  bytes(): number;
  /** Calls back for a damaged ledger that was set aside and replaced: at once for one found when it was opened, and for each later one. */
  onLoss(callback: (loss: Loss) => void): void;
  /** Calls back, once, when another process with a higher term has taken the ledger: from then on nothing is written here, and nothing is due. */
  onFenced(callback: () => void): void;
  /** Writes what is left and lets the directory go. @returns how many deliveries still owed only memory knew; they are lost */
  close(): Promise<number>;
}

/** One in a file: its history answers at once. */
export interface FileLedger extends Ledger {
  readonly history: FileHistory;
}

/**
 * The ledger of `run`, alone on its data directory.
 * @throws ConfigError where the directory cannot be used, is in use by another process, or holds the ledger of a newer version
 */
export function openLedger(options: LedgerOptions): FileLedger {
  const { dataDir, clock, observer, makeId, historyMs, maxBytes } = options;
  const unlock = lockDataDir(dataDir);
  const told: ((loss: Loss) => void)[] = [];
  const replaced = (loss: Loss) => {
    if (closing.signal.aborted) return;
    report(loss, observer);
    for (const callback of told) callback(loss);
    changed();
  };
  const live = orElse(unlock, () => new LiveDatabase({ dataDir, clock, replaced }));
  const { store, retention } = live;
  catchUp(store, clock.now());
  const outbox = new StoreOutbox(store, { clock, observer, makeId, bound: HELD_MAX });
  const history = readable(dataDir, live.history);
  if (live.loss !== null) report(live.loss, observer);
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
      retry: (ids, sink, now, visible) => {
        const retried = history.retry(ids, sink, now, visible);
        if (retried > 0) changed();
        return retried;
      },
    },
    untold: (wanted) => untoldIn(store, wanted),
    healthy: () => !outbox.troubled,
    bytes: () => retention.usedBytes(),
    onLoss: (callback) => {
      told.push(callback);
      if (live.loss !== null) callback(live.loss);
    },
    onFenced: () => undefined,
    close: async () => {
      if (closing.signal.aborted) return 0;
      closing.abort();
      await keeping;
      const lost = outbox.close();
      live.close();
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
): FileHistory & { readonly close: () => void } {
  // Opening for reading first: a history must not be made by looking for it.
  let db = openReadOnly(dataDir);
  if (mode === "write") {
    db.close();
    db = openDatabase(dataDir, CLI_BUSY_MS);
  }
  return { ...readable(dataDir, new SqliteHistory(db)), close: () => db.close() };
}

/** Damage may show only where a page is read: it is a problem of the directory, and none of this program. */
function readable(dataDir: string, history: FileHistory): FileHistory {
  const told = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      const trouble = storageTrouble(error);
      if (trouble === null) throw error;
      throw dataDirError(dataDir, `the ledger cannot be read: ${trouble}`, remedyOf(error));
    }
  };
  return {
    events: (filter) => told(() => history.events(filter)),
    deliveries: (filter) => told(() => history.deliveries(filter)),
    counts: () => told(() => history.counts()),
    retry: (ids, sink, now, visible) => told(() => history.retry(ids, sink, now, visible)),
    discard: (ids, sink, visible) => told(() => history.discard(ids, sink, visible)),
  };
}

/** What waits for a moment waits no longer because the clock was set back while nobody ran. */
function catchUp(store: Store, now: number): void {
  const ms = setBackSince(
    unlessRefused(() => store.checkpoints(), new Map()),
    now,
  );
  if (ms > 0) unlessRefused(() => store.setBack(now, ms), false);
}

function report({ detail, aside, owed }: Loss, observer: Observer): void {
  observer.ledgerReplaced(detail, aside, owed);
}

function orElse<T>(undo: () => void, work: () => T): T {
  try {
    return work();
  } catch (error) {
    undo();
    throw error;
  }
}
