import { rmSync } from "node:fs";
import { openDatabase } from "../../src/ledger/database.ts";
import { SqliteHistory } from "../../src/ledger/history.ts";
import type { DeliveryRow, Outbox } from "../../src/ledger/ledger.ts";
import { StoreOutbox } from "../../src/ledger/outbox.ts";
import { Retention } from "../../src/ledger/retention.ts";
import { SqliteStore } from "../../src/ledger/sqlite.ts";
import { StorageError, type Store } from "../../src/ledger/store.ts";
import { FakeClock } from "./clock.ts";
import { recordingObserver } from "./observer.ts";

/** A ledger of any kind, as the model test drives it. */
export interface LedgerRig {
  readonly clock: FakeClock;
  readonly outbox: Outbox;
  /** The ids it has made so far, in order. */
  readonly made: readonly string[];
  deliveries(): Promise<readonly DeliveryRow[]>;
  retry(sink: string, now: number): Promise<number>;
  /** From now on it takes no write; what it has can be read. */
  refuse(): void;
  /** It takes writes again, and has taken what was held. */
  mend(): Promise<void>;
  /** The process dies; the next one opens what there is. */
  die(): Promise<void>;
  /** It ends as told to. @returns how many deliveries still owed are lost */
  restart(): Promise<number>;
  prune(before: number, now: number): Promise<void>;
  overflow(limit: number, at: number): Promise<readonly string[]>;
  end(): Promise<void>;
}

/** A store whose disk can be made to refuse, and to be gone with its process. */
function fragile(store: Store): { store: Store; refuses: boolean } {
  const disk = {
    refuses: false,
    store: new Proxy(store, {
      get(target, name: keyof Store) {
        const method = target[name] as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          if (disk.refuses && name === "write") throw new StorageError("it refuses", null);
          return method.apply(target, args);
        };
      },
    }),
  };
  return disk;
}

/** SQLite in a file. */
export function sqliteRig(dataDir: string): LedgerRig {
  const made: string[] = [];
  const clock = new FakeClock();
  const makeId = () => {
    made.push(`d${made.length + 1}`);
    return made.at(-1) ?? "";
  };
  const open = () => {
    const db = openDatabase(dataDir, 10);
    const disk = fragile(new SqliteStore(db));
    const { observer } = recordingObserver();
    const outbox = new StoreOutbox(disk.store, { clock, observer, makeId, bound: 100_000 });
    return { db, disk, outbox, history: new SqliteHistory(db), retention: new Retention(db) };
  };
  let life = open();
  const die = () => {
    // Whatever it still tries comes to nothing.
    life.disk.refuses = true;
    life.outbox.close();
    life.db.close();
  };
  return {
    clock,
    made,
    get outbox() {
      return life.outbox;
    },
    async deliveries() {
      return life.history.deliveries({ limit: 100_000 });
    },
    async retry(sink, now) {
      const count = life.history.retry([], sink, now);
      life.outbox.tellAll();
      return count;
    },
    refuse() {
      life.disk.refuses = true;
    },
    async mend() {
      life.disk.refuses = false;
      await clock.advance(1_000);
    },
    async die() {
      die();
      life = open();
    },
    async restart() {
      const lost = life.outbox.close();
      life.db.close();
      life = open();
      return lost;
    },
    async prune(before, now) {
      let cursor: number | null = 0;
      // Small steps, as its keeper does.
      while (cursor !== null) ({ cursor } = life.retention.prune(before, cursor, 3));
      while (life.retention.pruneSummaries(before, now, 3) === 3);
    },
    async overflow(limit, at) {
      const given = life.retention.overflow(limit, at);
      // As the keeper does.
      if (given.length > 0) life.outbox.tellAll();
      return given.map(({ id }) => id);
    },
    async end() {
      die();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
