import { renameSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../clock.ts";
import { type Loss, setAside } from "./aside.ts";
import { Checkpointer } from "./checkpointer.ts";
import { databasePath, makeDataDir, openFile, openingError, prepareFile } from "./database.ts";
import { isDamage, storageTrouble } from "./failure.ts";
import { type FileHistory, SqliteHistory } from "./history.ts";
import { Retention, type Trimmer } from "./retention.ts";
import { SqliteStore } from "./sqlite.ts";
import { StorageError, type Store } from "./store.ts";

/** Another process writes for milliseconds; waiting for it stops everything else here. */
const BUSY_MS = 1_000;
/** A disk that breaks every file is waited for like one that takes none. */
const REPLACE_EVERY_MS = 60_000;

export interface LiveOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** Called soon after a damaged database was set aside while in use; `loss` has what was found at the start. */
  readonly replaced: (loss: Loss) => void;
}

/** What works on one open database. */
interface Parts {
  readonly db: DatabaseSync;
  readonly store: Store;
  readonly retention: Trimmer;
  readonly history: FileHistory;
  /** `null`: in memory there is no log. */
  readonly checkpointer: Checkpointer | null;
}

/**
 * The database in use. One that turns out to be damaged, at the start or years later, is set aside, and a new one takes its place under
 * everyone's feet: what was asked is asked of the new one. Its owner must hold the lock of the data directory.
 */
export class LiveDatabase {
  /** What was set aside at the start. */
  readonly loss: Loss | null;
  readonly store: Store = {
    write: (writes) =>
      this.#use(({ store, checkpointer }) => {
        const taken = store.write(writes);
        checkpointer?.committed(writes.length);
        return taken;
      }),
    has: (event) => this.#use(({ store }) => store.has(event)),
    unowed: (...asked) => this.#use(({ store }) => store.unowed(...asked)),
    get: (id) => this.#use(({ store }) => store.get(id)),
    due: (sink, now, limit) => this.#use(({ store }) => store.due(sink, now, limit)),
    backlog: (sink) => this.#use(({ store }) => store.backlog(sink)),
    pending: (sink, now) => this.#use(({ store }) => store.pending(sink, now)),
    nextAt: (sink, now) => this.#use(({ store }) => store.nextAt(sink, now)),
    throttledUntil: (sink, now) => this.#use(({ store }) => store.throttledUntil(sink, now)),
    recentAttempts: (sink, since) => this.#use(({ store }) => store.recentAttempts(sink, since)),
    checkpoints: () => this.#use(({ store }) => store.checkpoints()),
    setBack: (now, ms) => this.#use(({ store }) => store.setBack(now, ms)),
    version: () => this.#use(({ store }) => store.version()),
  };
  readonly retention: Trimmer = {
    prune: (...asked) => this.#use(({ retention }) => retention.prune(...asked)),
    pruneSummaries: (before, now, limit) =>
      this.#use(({ retention }) => retention.pruneSummaries(before, now, limit)),
    usedBytes: () => this.#use(({ retention }) => retention.usedBytes()),
    overflow: (limit, at) => this.#use(({ retention }) => retention.overflow(limit, at)),
  };
  readonly history: FileHistory = {
    events: (filter) => this.#use(({ history }) => history.events(filter)),
    deliveries: (filter) => this.#use(({ history }) => history.deliveries(filter)),
    retry: (ids, sink, now, visible) =>
      this.#use(({ history }) => history.retry(ids, sink, now, visible)),
    discard: (ids, sink, visible) =>
      this.#use(({ history }) => history.discard(ids, sink, visible)),
    counts: () => this.#use(({ history }) => history.counts()),
  };
  readonly #options: LiveOptions;
  /** `null` while the new one cannot be made: it is tried again with each use. */
  #parts: Parts | null = null;
  #replacedAt = Number.NEGATIVE_INFINITY;

  /** @throws ConfigError where the directory cannot be used, or a newer kube-crier has written the file */
  constructor(options: LiveOptions) {
    this.#options = options;
    const { dataDir } = options;
    makeDataDir(dataDir);
    this.loss = this.#start();
  }

  close(): void {
    this.#parts?.checkpointer?.close();
    this.#parts?.db.close();
  }

  #start(): Loss | null {
    const { dataDir } = this.#options;
    try {
      this.#open();
      return null;
    } catch (error) {
      if (!isDamage(error)) throw openingError(dataDir, error);
      try {
        const loss = this.#setAside(error);
        this.#open();
        return loss;
      } catch (again) {
        throw openingError(dataDir, again);
      }
    }
  }

  #open(): Parts {
    const { dataDir } = this.#options;
    const path = databasePath(dataDir);
    const db = openFile(dataDir, BUSY_MS);
    try {
      const parts = {
        db,
        store: new SqliteStore(db),
        retention: new Retention(db),
        history: new SqliteHistory(db),
        checkpointer: path === dataDir ? null : new Checkpointer(db, path),
      };
      this.#parts = parts;
      return parts;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #use<T>(work: (parts: Parts) => T): T {
    try {
      return work(this.#parts ?? this.#reopen());
    } catch (error) {
      if (!isDamage(error) || !this.#mayReplace()) throw error;
      const loss = this.#setAside(error);
      // Not within the work of whoever found it.
      setImmediate(() => this.#options.replaced(loss));
      return work(this.#reopen());
    }
  }

  #mayReplace(): boolean {
    const { dataDir, clock } = this.#options;
    const since = clock.now() - this.#replacedAt;
    // Less than nothing: the clock was set back.
    return databasePath(dataDir) !== dataDir && (since < 0 || since >= REPLACE_EVERY_MS);
  }

  /** The new one is made first: where that is not possible the old one stays, and is found again. */
  #setAside(error: unknown): Loss {
    const { dataDir, clock } = this.#options;
    const path = databasePath(dataDir);
    const detail = storageTrouble(error) ?? "";
    try {
      const fresh = prepareFile(path);
      this.close();
      this.#parts = null;
      const loss = setAside(path, detail, clock.now());
      renameSync(fresh, path);
      this.#replacedAt = clock.now();
      return loss;
    } catch (refused) {
      const why = storageTrouble(refused) ?? (refused as Error).message;
      throw new StorageError(`${detail}; and it cannot be replaced: ${why}`, refused);
    }
  }

  #reopen(): Parts {
    try {
      return this.#open();
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      throw new StorageError(storageTrouble(error) ?? trouble, error);
    }
  }
}
