import { rmSync } from "node:fs";
import { openDatabase } from "../../src/ledger/database.ts";
import { SqliteHistory } from "../../src/ledger/history.ts";
import type { DeliveryRow, Outbox } from "../../src/ledger/ledger.ts";
import { openMysqlLedger } from "../../src/ledger/mysql/open.ts";
import type { MysqlOutbox } from "../../src/ledger/mysql/outbox.ts";
import { MysqlRetention } from "../../src/ledger/mysql/retention.ts";
import { Session } from "../../src/ledger/mysql/session.ts";
import { StoreOutbox } from "../../src/ledger/outbox.ts";
import { Retention } from "../../src/ledger/retention.ts";
import { SqliteStore } from "../../src/ledger/sqlite.ts";
import { StorageError, type Store } from "../../src/ledger/store.ts";
import { FakeClock } from "./clock.ts";
import { CuttableWay } from "./cuttable.ts";
import { never } from "./ledger.ts";
import type { Mariadb } from "./mariadb.ts";
import { targetOf } from "./mysql-ledger.ts";
import { recordingObserver } from "./observer.ts";

/** What a ledger can be made to do here. */
export interface Can {
  /** It can be read, and takes no write. */
  readonly refuse: boolean;
}

/** A ledger of any kind, as the model test drives it. */
export interface LedgerRig {
  /** How long it may take until what it was told shows. */
  readonly patienceMs: number;
  readonly clock: FakeClock;
  readonly outbox: Outbox;
  /** The ids it has made so far, in order. */
  readonly made: readonly string[];
  deliveries(): Promise<readonly DeliveryRow[]>;
  retry(sink: string, now: number): Promise<number>;
  /** From now on it takes no write; what it has can be read, unless it is gone altogether. */
  refuse(what: "writes" | "all"): void;
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
function fragile(store: Store): { store: Store; refuses: "nothing" | "writes" | "all" } {
  const disk: ReturnType<typeof fragile> = {
    refuses: "nothing",
    store: new Proxy(store, {
      get(target, name: keyof Store) {
        const method = target[name] as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          if (disk.refuses === "all" || (disk.refuses === "writes" && name === "write"))
            throw new StorageError("it refuses", null);
          return method.apply(target, args);
        };
      },
    }),
  };
  return disk;
}

/** In MySQL: the way there is cut for a process that dies. */
export async function mysqlRig(
  mariadb: Mariadb,
  database: string,
  away: "bypass" | "block" = "bypass",
): Promise<LedgerRig> {
  const made: string[] = [];
  const clock = new FakeClock();
  const makeId = () => {
    made.push(`d${made.length + 1}`);
    return made.at(-1) ?? "";
  };
  await mariadb.sql(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
  const open = async () => {
    const way = await CuttableWay.to(mariadb.port);
    const target = targetOf({ port: way.port }, database);
    const { observer } = recordingObserver();
    const common = { clock, observer, makeId, historyMs: 7 * 86_400_000, maxBytes: 2 ** 30 };
    const options = { ...common, target, away };
    return { way, ledger: await inTime(openMysqlLedger(options, never)) };
  };
  /** Time goes on while it waits for the lock of one that has died. */
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    const over = { yet: false };
    const end = () => (over.yet = true);
    work.then(end, end);
    while (!over.yet) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (!over.yet) await clock.advance(100);
    }
    return work;
  };
  /** By whoever has the ledger, on a connection of its own. */
  const trimmed = async <T>(work: (retention: MysqlRetention) => Promise<T>): Promise<T> => {
    const session = new Session(targetOf(mariadb, database));
    try {
      const [[holder] = []] = await session.query("SELECT holder FROM kube_crier_ledger");
      return await work(new MysqlRetention(session, String(holder)));
    } finally {
      await session.end();
    }
  };
  let life = await open();
  const die = async () => {
    await life.way.close();
    await inTime(life.ledger.close());
  };
  return {
    patienceMs: 5_000,
    clock,
    made,
    get outbox() {
      return life.ledger.outbox;
    },
    async deliveries() {
      return life.ledger.history.deliveries({ limit: 100_000 });
    },
    async retry(sink, now) {
      return life.ledger.history.retry([], sink, now);
    },
    refuse() {
      life.way.cut();
    },
    async mend() {
      life.way.mend();
      while (!life.ledger.healthy()) {
        await clock.advance(100);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async die() {
      await die();
      life = await open();
    },
    async restart() {
      const lost = await inTime(life.ledger.close());
      await life.way.close();
      life = await open();
      return lost;
    },
    async prune(before, now) {
      await trimmed(async (retention) => {
        let cursor: number | null = 0;
        // Small steps, as its keeper does.
        while (cursor !== null) ({ cursor } = await retention.prune(before, now, cursor, 3));
        await retention.pruneSummaries(before, now, 1_000);
      });
    },
    async overflow(limit, at) {
      const given = await trimmed((retention) => retention.overflow(limit, at));
      const ids = given.map(({ id }) => id);
      // As the keeper does.
      (life.ledger.outbox as MysqlOutbox).forget(ids);
      return ids;
    },
    async end() {
      await die();
      await mariadb.sql(`DROP DATABASE ${database}`);
    },
  };
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
    life.disk.refuses = "all";
    life.outbox.close();
    life.db.close();
  };
  return {
    patienceMs: 0,
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
    refuse(what) {
      life.disk.refuses = what;
    },
    async mend() {
      life.disk.refuses = "nothing";
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
      while (cursor !== null) ({ cursor } = life.retention.prune(before, now, cursor, 3));
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
