import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/event/delivery.ts";
import type { Outbox } from "../../../src/ledger/ledger.ts";
import { setBacks } from "../../../src/ledger/set-back.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { databaseIn } from "../../support/damage.ts";
import { anEntry, aRunningLedger, never, none, temporaryDirectory } from "../../support/ledger.ts";
import { databaseNames, haveMariadb, Mariadb } from "../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../support/mysql-ledger.ts";
import { eventually } from "./mysql/support.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

interface Kept {
  readonly outbox: Outbox;
  readonly clock: FakeClock;
  /** Until when something waits, as the database has it. */
  readonly latest: () => Promise<number>;
  /** The same ledger for another process, by the same clock. */
  readonly restarted: () => Promise<Outbox>;
}

function inAFile(): Promise<Kept> {
  const dataDir = temporaryDirectory();
  const clock = new FakeClock();
  const ledger = aRunningLedger(dataDir, { clock });
  return Promise.resolve({
    ...ledger,
    latest: () => {
      const db = new DatabaseSync(databaseIn(dataDir), { readOnly: true });
      const row = db.prepare("SELECT MAX(not_before) AS at FROM delivery").get();
      db.close();
      return Promise.resolve(Number(row?.["at"]));
    },
    restarted: async () => {
      await ledger.close();
      return aRunningLedger(dataDir, { clock }).outbox;
    },
  });
}

const started: Promise<Mariadb>[] = [];
const names = databaseNames();
afterAll(async () => {
  for (const server of started) await (await server).destroy();
});

async function inMariadb(): Promise<Kept> {
  const server = await (started[0] ??= Mariadb.start());
  const name = names();
  const target = await aDatabase(server, name);
  const ledger = await aMysqlLedger(target);
  const latest = "SELECT MAX(not_before) AS at FROM kube_crier_delivery";
  return {
    ...ledger,
    latest: async () => Number((await server.sql(latest, name))[0]?.["at"]),
    restarted: async () => {
      await ledger.close();
      return (await aMysqlLedger(target, { clock: ledger.clock })).outbox;
    },
  };
}

const LEDGERS: readonly (readonly [string, () => Promise<Kept>])[] = [
  ["SQLite", inAFile],
  ...(haveMariadb ? ([["MySQL (MariaDB)", inMariadb]] as const) : []),
];

const waits = (at: number, ms: number, reason: "server" | "throttled" = "server"): Outcome => ({
  kind: "retry",
  at,
  notBefore: at + ms,
  reason,
  detail: "not now",
  counted: reason === "server",
});

const add = async ({ outbox }: Pick<Kept, "outbox">, ...numbers: readonly number[]) => {
  await outbox.add(
    numbers.map((n) => anEntry(n, ["ops"])),
    [],
    never,
  );
  await outbox.written();
};

const dueIn = (outbox: Outbox, clock: FakeClock) =>
  outbox.due("ops", clock.now(), 99, none).map(({ id }) => id);

/** When something falls due, where nothing is due before. */
const nextIn = (outbox: Outbox, clock: FakeClock) =>
  dueIn(outbox, clock).length > 0 ? null : outbox.nextAt("ops", clock.now());

describe.each(LEDGERS)("a clock that is set back (%s)", { timeout: 60_000 }, (_, open) => {
  test("has a retry wait for what was left of its time, and not for an hour more", async () => {
    const ledger = await open();
    const { outbox, clock } = ledger;
    await add(ledger, 1);
    outbox.settle("d1", waits(clock.now(), 10 * MINUTE));
    await settle();
    await outbox.written();
    await clock.advance(SECOND);
    clock.setBack(HOUR);
    const left = () => (outbox.nextAt("ops", clock.now()) ?? Infinity) - clock.now();
    await eventually(clock, () => left() <= 10 * MINUTE, "it to be noticed");
    expect(left(), "nor at once").toBeGreaterThan(8 * MINUTE);
    expect(dueIn(outbox, clock)).toEqual([]);
    await clock.advance(left());
    await eventually(clock, () => dueIn(outbox, clock).length === 1, "it to fall due");
  });

  test("leaves what was due before due: it is owed since a time that has not come yet", async () => {
    const ledger = await open();
    const { outbox, clock } = ledger;
    await clock.advance(MINUTE);
    await add(ledger, 1, 2, 3);
    clock.setBack(HOUR);
    expect(dueIn(outbox, clock).length).toBeLessThanOrEqual(3);
    await eventually(clock, () => dueIn(outbox, clock).length === 3, "it to be due");
    expect(dueIn(outbox, clock)).toEqual(["d1", "d2", "d3"]);
    await add(ledger, 4);
    expect(dueIn(outbox, clock), "in the order in which they were owed").toHaveLength(4);
  });

  test("tells whoever waits for it, and leaves a platform alone for as long as it asked, not longer", async () => {
    const ledger = await open();
    const { outbox, clock } = ledger;
    await add(ledger, 1);
    outbox.settle("d1", waits(clock.now(), 20 * MINUTE, "throttled"));
    await settle();
    await outbox.written();
    let told = 0;
    outbox.onAdded("ops", () => (told += 1));
    const until = () => outbox.throttledUntil("ops", clock.now()) ?? clock.now();
    const before = until() - clock.now();
    expect(before).toBe(20 * MINUTE);
    await clock.advance(2 * SECOND);
    clock.setBack(30 * MINUTE);
    await eventually(clock, () => until() - clock.now() <= before, "it to be noticed");
    expect(until() - clock.now()).toBeGreaterThan(18 * MINUTE);
    expect(told).toBeGreaterThan(0);
  });

  test("by less than a second, or forward, changes no wait", async () => {
    const ledger = await open();
    const { outbox, clock } = ledger;
    await add(ledger, 1);
    const at = clock.now() + HOUR;
    outbox.settle("d1", waits(clock.now(), HOUR));
    await settle();
    await outbox.written();
    clock.setBack(400);
    await clock.advance(5 * SECOND);
    clock.setBack(-10 * MINUTE);
    await clock.advance(5 * SECOND);
    expect(outbox.nextAt("ops", clock.now())).toBe(at);
  });

  test("is written, for whoever has the ledger next", async () => {
    const ledger = await open();
    const { outbox, clock, latest } = ledger;
    await add(ledger, 1, 2);
    outbox.settle("d1", waits(clock.now(), MINUTE));
    await settle();
    await outbox.written();
    clock.setBack(24 * HOUR);
    const soon = (next: number | null) => next !== null && next - clock.now() <= 2 * MINUTE;
    await eventually(clock, () => soon(outbox.nextAt("ops", clock.now())), "it to be noticed");
    await eventually(clock, async () => soon(await latest()), "it to be written");
    const again = await ledger.restarted();
    await eventually(clock, () => dueIn(again, clock).includes("d2"), "what was due to be due");
    await clock.advance(2 * MINUTE);
    await eventually(clock, () => dueIn(again, clock).length === 2, "the other one to be due");
    expect(dueIn(again, clock)).toEqual(["d2", "d1"]);
  });
});

describe.each(LEDGERS)(
  "a clock that is set back while nobody runs (%s)",
  { timeout: 60_000 },
  (_, open) => {
    const taken = async ({ outbox, clock }: Kept) => {
      const checkpoint = { scope: "s", cluster: "c", resourceVersion: "1", at: clock.now() };
      await outbox.add([anEntry(1, ["ops"])], [checkpoint], never);
      await outbox.written();
    };

    test("has a retry wait for its time, and not for a day more", async () => {
      const ledger = await open();
      const { outbox, clock } = ledger;
      await taken(ledger);
      outbox.settle("d1", waits(clock.now(), 10 * MINUTE));
      await settle();
      await outbox.written();
      clock.setBack(24 * HOUR);
      const at = clock.now() + 10 * MINUTE;
      const again = await ledger.restarted();
      await eventually(clock, () => nextIn(again, clock) === at, "it to be read");
      await clock.advance(10 * MINUTE);
      await eventually(clock, () => dueIn(again, clock).length === 1, "it to fall due");
      expect(clock.now()).toBeLessThan(at + MINUTE);
    });

    test("leaves a platform alone for as long as it asked, from the first moment, not longer", async () => {
      const ledger = await open();
      const { outbox, clock } = ledger;
      await taken(ledger);
      outbox.settle("d1", waits(clock.now(), 20 * MINUTE, "throttled"));
      await settle();
      await outbox.written();
      clock.setBack(3 * HOUR);
      const again = await ledger.restarted();
      expect(again.throttledUntil("ops", clock.now())).toBe(clock.now() + 20 * MINUTE);
    });

    test("takes nothing off what waits where it was not set back", async () => {
      const ledger = await open();
      const { outbox, clock } = ledger;
      await taken(ledger);
      const at = clock.now() + HOUR;
      outbox.settle("d1", waits(clock.now(), HOUR));
      await settle();
      await outbox.written();
      await clock.advance(5 * MINUTE);
      const again = await ledger.restarted();
      await eventually(clock, () => nextIn(again, clock) === at, "it to be read");
      expect(clock.now()).toBeLessThan(at);
    });
  },
);

describe("a clock that is set back while the disk refuses", () => {
  test("counts once the disk is back", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock } = aRunningLedger(dataDir);
    await add({ outbox }, 1);
    outbox.settle("d1", waits(clock.now(), 5 * MINUTE));
    await settle();
    const other = new DatabaseSync(databaseIn(dataDir));
    other.exec("BEGIN IMMEDIATE");
    clock.setBack(HOUR);
    await clock.advance(SECOND);
    const left = () => (outbox.nextAt("ops", clock.now()) ?? Infinity) - clock.now();
    expect(left()).toBeGreaterThan(HOUR);
    other.exec("ROLLBACK");
    other.close();
    await clock.advance(2 * SECOND);
    expect(left()).toBeLessThanOrEqual(5 * MINUTE);
  });
});

describe("how far a clock was set back", () => {
  test("is what is missing of the time that has passed since it was last asked; once", async () => {
    const clock = new FakeClock();
    const back = setBacks(clock);
    await clock.advance(SECOND);
    expect(back(SECOND)).toBe(0);
    clock.setBack(HOUR);
    await clock.advance(SECOND);
    expect(back(SECOND)).toBe(HOUR);
    await clock.advance(SECOND);
    expect(back(SECOND)).toBe(0);
    clock.setBack(-HOUR);
    expect(back(SECOND), "forward").toBe(0);
    expect(back(0), "no time has passed").toBe(0);
  });
});
