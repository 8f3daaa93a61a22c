import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { EVERYTHING, type HistoryReader } from "../../../src/history/history.ts";
import { openMysqlReaderHere } from "../../../src/history/mysql/open.ts";
import { openReaderHere } from "../../../src/history/open.ts";
import type { DeliveryRow, HistoryFilter, HistoryRow, Outbox } from "../../../src/ledger/ledger.ts";
import { FakeClock } from "../../support/clock.ts";
import { until } from "../../support/crier.ts";
import { databaseIn } from "../../support/damage.ts";
import { anyone, NOON, seen, take } from "../../support/history.ts";
import { aLedger, none, temporaryDirectory } from "../../support/ledger.ts";
import { databaseNames, haveMariadb, Mariadb } from "../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../support/mysql-ledger.ts";

/** What the ledger holds, its readers, and a person who edits it. */
interface Edited {
  readonly outbox: Outbox;
  readonly history: {
    events(filter: HistoryFilter): Promise<readonly HistoryRow[]> | readonly HistoryRow[];
    deliveries(filter: HistoryFilter): Promise<readonly DeliveryRow[]> | readonly DeliveryRow[];
    discard(
      ids: readonly string[],
      sink: string | null,
      visible: readonly string[],
    ): Promise<number> | number;
  };
  /** @param change `TABLE SET …` */
  readonly edit: (change: string) => Promise<void>;
  readonly reader: () => HistoryReader;
  /** Another process, after this one has ended. */
  readonly restarted: () => Promise<Outbox>;
}

const clock = () => new FakeClock("2026-11-20T12:00:00Z");
const closing = (reader: HistoryReader) => {
  onTestFinished(() => reader.close());
  return reader;
};

function inAFile(): Promise<Edited> {
  const dataDir = temporaryDirectory();
  const ledger = aLedger({ dataDir, clock: clock() });
  return Promise.resolve({
    ...ledger,
    edit: (change) => {
      const db = new DatabaseSync(databaseIn(dataDir));
      db.exec(`UPDATE ${change}`);
      db.close();
      return Promise.resolve();
    },
    reader: () => closing(openReaderHere(dataDir, systemClock)),
    restarted: () => Promise.resolve(aLedger({ dataDir, clock: clock() }).outbox),
  });
}

const started: Promise<Mariadb>[] = [];
const names = databaseNames();
afterAll(async () => {
  for (const server of started) await (await server).destroy();
});

async function inMariadb(): Promise<Edited> {
  const server = await (started[0] ??= Mariadb.start());
  const name = names();
  const target = await aDatabase(server, name);
  const ledger = await aMysqlLedger(target, { clock: clock() });
  return {
    ...ledger,
    edit: async (change) => void (await server.sql(`UPDATE kube_crier_${change}`, name)),
    reader: () => closing(openMysqlReaderHere(target, systemClock)),
    restarted: async () => {
      await ledger.close();
      return (await aMysqlLedger(target, { clock: clock() })).outbox;
    },
  };
}

const LEDGERS: readonly (readonly [string, () => Promise<Edited>])[] = [
  ["SQLite", inAFile],
  ...(haveMariadb ? ([["MySQL (MariaDB)", inMariadb]] as const) : []),
];

const BROKEN = [
  ["cut off", `'{"key":"x'`],
  ["empty", "''"],
  ["null", "'null'"],
  ["a list", "'[]'"],
  ["another object", `'{"key":"x@1","object":{}}'`],
] as const;

const timeline = { by: "reason", step: null, top: 9 } as const;
const three = () => [1, 2, 3].map((n) => seen(n, NOON - n * 1_000));

describe.each(LEDGERS)("a row of %s whose event is no event", { timeout: 60_000 }, (_, open) => {
  test.each(BROKEN)(
    "%s: is shown as unreadable, and counted; what else there is, is indexed, found and told of",
    async (_what, text) => {
      const ledger = await open();
      await take(ledger, three());
      await ledger.outbox.written();
      await ledger.edit(`occurrence SET event = ${text} WHERE seq = 2`);
      const reader = ledger.reader();
      const { rows, refine } = await reader.events(EVERYTHING, 9, null, anyone);
      expect(refine).toBeNull();
      expect(rows.map(({ event }) => event.object.name).toSorted()).toEqual([
        "unreadable",
        "web-1",
        "web-3",
      ]);
      const broken = rows.find(({ event }) => event.reason === "Unreadable");
      expect(broken?.event.message).toContain("`kube-crier ledger check` names it");
      expect(broken, "as of when it arrived").toMatchObject({ at: NOON, receivedAt: NOON });
      expect(await reader.timeline(EVERYTHING, timeline, anyone)).toMatchObject({ total: 3 });
      const worded = await reader.events({ ...EVERYTHING, words: ["web-3"] }, 9, null, anyone);
      expect(worded.rows).toHaveLength(1);
      const tail = await reader.tail(EVERYTHING, 0, 9, anyone);
      expect(tail).toMatchObject({ mark: 3 });
      expect(tail.rows).toHaveLength(3);
      const pending = { state: "pending", sink: null, limit: 9 } as const;
      expect((await reader.deliveries(pending, null, anyone)).rows).toHaveLength(3);
    },
  );

  test("is for those who may see all", async () => {
    const ledger = await open();
    await take(ledger, three());
    await ledger.outbox.written();
    await ledger.edit("occurrence SET event = '{' WHERE seq = 2");
    const reader = ledger.reader();
    const visible = [seen(1, NOON).eventNamespace];
    const some = { ...anyone, visible };
    expect((await reader.events(EVERYTHING, 9, null, some)).rows).toHaveLength(2);
    const pending = { state: "pending", sink: null, limit: 9 } as const;
    expect((await reader.deliveries(pending, null, some)).rows).toHaveLength(2);
    expect(await reader.sinks(some)).toMatchObject([{ sink: "ops", pending: 2 }]);
    await ledger.edit("delivery SET state = 'dead', reason = 'auth', settled_at = 7");
    expect(await ledger.history.discard([], null, visible), "the others can be").toBe(2);
  });

  test("broken after it was indexed keeps no page, and no story of its object, from anybody", async () => {
    const ledger = await open();
    const again = { ...seen(9, NOON), object: seen(1, NOON).object };
    await take(ledger, [...three(), again]);
    await ledger.outbox.written();
    const reader = ledger.reader();
    const { rows } = await reader.events({ ...EVERYTHING, names: ["web-1"] }, 9, null, anyone);
    expect(rows).toHaveLength(2);
    await ledger.edit("occurrence SET event = '{' WHERE seq = 1");
    expect((await reader.events(EVERYTHING, 9, null, anyone)).rows).toHaveLength(4);
    const story = await reader.event(rows[0]?.id ?? "", anyone);
    expect(story?.row.event.uid).toBe(again.uid);
  });

  test("what is owed of it, and what has no readable alert, is told as that after the next start; the others as ever", async () => {
    const ledger = await open();
    await take(ledger, three());
    await ledger.outbox.written();
    await ledger.edit("occurrence SET event = '{' WHERE seq = 1");
    await ledger.edit("delivery SET alert = 'gone' WHERE id = 'd2'");
    const outbox = await ledger.restarted();
    await until(() => (outbox.due("ops", NOON, 9, none).length === 3 ? true : undefined), "due");
    const due = outbox.due("ops", NOON, 9, none);
    const told = due.map(({ alert }) => (alert.kind === "event" ? alert.event.reason : alert.kind));
    expect(told).toEqual(["Unreadable", "Unreadable", "BackOff"]);
    expect(due[0]).toMatchObject({
      id: "d1",
      alert: { event: { lastSeen: "2026-11-20T12:00:00.000Z" } },
    });
  });

  test("is listed with the others by the ledger's own history", async () => {
    const ledger = await open();
    await take(ledger, three());
    await ledger.outbox.written();
    await ledger.edit("occurrence SET event = '' WHERE seq = 3");
    const events = await ledger.history.events({});
    expect(events.map(({ event }) => event.reason)).toEqual(["Unreadable", "BackOff", "BackOff"]);
    expect(events[0]).toMatchObject({ receivedAt: NOON, deliveries: [{ id: "d3" }] });
    expect(await ledger.history.deliveries({})).toHaveLength(3);
  });
});
