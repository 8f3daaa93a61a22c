import { systemClock } from "../../src/clock.ts";
import type { HistoryReader } from "../../src/history/history.ts";
import { Engine as MysqlEngine } from "../../src/history/mysql/engine.ts";
import { openMysqlReaderHere } from "../../src/history/mysql/open.ts";
import { openReaderHere, openReaderOver, placesIn } from "../../src/history/open.ts";
import { Engine } from "../../src/history/sqlite/engine.ts";
import type { Outbox } from "../../src/ledger/ledger.ts";
import { MysqlRetention } from "../../src/ledger/mysql/retention.ts";
import { Session } from "../../src/ledger/mysql/session.ts";
import { Retention } from "../../src/ledger/retention.ts";
import { FakeClock } from "./clock.ts";
import { NOON, written } from "./history.ts";
import { type Happened, SINKS } from "./history-model.ts";
import { aLedger, countingIds, never, temporaryDirectory } from "./ledger.ts";
import { databaseNames, haveMariadb, Mariadb } from "./mariadb.ts";
import { aDatabase, aMysqlLedger } from "./mysql-ledger.ts";

const RUNS = Number(process.env["MODEL_RUNS"] ?? 150);
const NOON_TIME = new Date(NOON).toISOString();

/** One kind of ledger, and how its history is looked at. */
export interface HistoryKind {
  readonly numRuns: number;
  /** Questions to the large one. */
  readonly questions: number;
  readonly open: (where: "small" | "large") => Promise<HistoryRig>;
}

export interface HistoryRig {
  readonly clock: FakeClock;
  readonly outbox: Outbox;
  /** Retention: what was taken and settled before then goes. */
  readonly forget: (before: number) => Promise<void>;
  readonly look: () => HistoryReader;
  /** All that is there is indexed, and whoever did it has ended. */
  readonly index: () => Promise<void>;
  readonly end: () => Promise<void>;
}

const SQLITE: HistoryKind = {
  numRuns: RUNS,
  questions: RUNS,
  open: async (where) => {
    const dataDir = temporaryDirectory();
    const clock = new FakeClock(NOON_TIME);
    const { outbox, db } = aLedger({
      ...(where === "large" ? { dataDir } : {}),
      clock,
      makeId: countingIds(),
    });
    return {
      clock,
      outbox,
      forget: async (before) => void new Retention(db).prune(before, before, 0, 10_000),
      look: () =>
        where === "large" ? openReaderHere(dataDir, systemClock) : openReaderOver(db, systemClock),
      index: async () => {
        const engine = new Engine(placesIn(dataDir), systemClock);
        while (engine.work());
        await engine.close();
      },
      end: async () => {
        outbox.close();
        db.close();
      },
    };
  },
};

const started: Promise<Mariadb>[] = [];
const names = databaseNames();

/** Slower by far, and no other process. */
const MYSQL: HistoryKind = {
  numRuns: Math.ceil(RUNS / 15),
  questions: RUNS,
  open: async () => {
    const server = await (started[0] ??= Mariadb.start());
    const target = await aDatabase(server, names());
    const clock = new FakeClock(NOON_TIME);
    const ledger = await aMysqlLedger(target, { clock, makeId: countingIds() });
    return {
      clock,
      outbox: ledger.outbox,
      forget: async (before) => {
        const session = new Session(target);
        const [[holder] = []] = await session.query("SELECT holder FROM kube_crier_ledger");
        await new MysqlRetention(session, String(holder)).prune(before, before, 0, 10_000);
        await session.end();
      },
      look: () => openMysqlReaderHere(target, systemClock),
      index: async () => {
        const engine = new MysqlEngine(target, systemClock);
        while (await engine.work());
        await engine.close();
      },
      end: async () => void (await ledger.close()),
    };
  },
};

/** Every kind there is here. */
export const HISTORIES: readonly (readonly [string, HistoryKind])[] = [
  ["SQLite", SQLITE],
  ...(haveMariadb ? [["MySQL", MYSQL] as const] : []),
];

export async function endRigs(): Promise<void> {
  for (const server of started) await (await server).destroy();
}

/**
 * They are taken, and become what they are to become.
 * @param firstId the number of the first delivery @returns that of the next
 */
export async function keep(
  rig: HistoryRig,
  all: readonly Happened[],
  firstId: number,
): Promise<number> {
  const { outbox } = rig;
  let id = firstId;
  const settled: (readonly [string, "dead" | "delivered"])[] = [];
  const entries = all.map(({ event, told, suppressed }) => {
    for (const sink of SINKS) {
      const state = told.get(sink);
      if (state === undefined) continue;
      if (state === "dead" || state === "delivered") settled.push([`d${id}`, state]);
      id += 1;
    }
    const alert = { kind: "event", event } as const;
    return {
      event,
      alert,
      sinks: [...told.keys()],
      ...(suppressed === null ? {} : { suppressed }),
    };
  });
  for (let from = 0; from < entries.length; from += 500)
    await outbox.add(entries.slice(from, from + 500), [], never);
  for (const [delivery, state] of settled)
    outbox.settle(
      delivery,
      state === "dead"
        ? { kind: "dead", at: NOON, reason: "auth", detail: "", counted: true }
        : { kind: "delivered", at: NOON, sent: "", answer: "ok" },
    );
  await written(rig);
  return id;
}
