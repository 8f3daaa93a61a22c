import { describe, expect, test } from "vitest";
import { Retention } from "../../../src/ledger/retention.ts";
import { transactions } from "../../../src/ledger/rows.ts";
import { SqliteStore } from "../../../src/ledger/sqlite.ts";
import type { Write } from "../../../src/ledger/store.ts";
import { settle } from "../../support/clock.ts";
import {
  aLedger,
  anEntry,
  never,
  temporaryDirectory,
  type TestLedger,
  none,
} from "../../support/ledger.ts";
const MINUTE = 60_000;
const delivered = { kind: "delivered", sent: "", answer: "" } as const;
const failed = { kind: "retry", reason: "server", detail: "500", counted: true } as const;
const entries = (from: number, count: number, sinks: readonly string[] = ["ops"]) =>
  Array.from({ length: count }, (_, n) => anEntry(from + n, sinks));

/** The database may not grow by another page. */
function fill({ db }: TestLedger): void {
  const pages = db.prepare("PRAGMA page_count").get()?.["page_count"];
  db.exec(`PRAGMA max_page_count = ${Number(pages)}`);
}

function makeRoom({ db }: TestLedger): void {
  db.exec("PRAGMA max_page_count = 1000000");
}

/** So much fits in no free space of the last pages. */
const MUCH = 60;

describe("what is settled in a turn of the event loop", () => {
  test("is one transaction, after everything of that turn", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, history, clock } = aLedger({ dataDir });
    await outbox.add(entries(1, 3), [], never);
    const other = new SqliteStore(aLedger({ dataDir, clock }).db);
    other.version();
    const before = other.version();
    for (const id of ["d1", "d2", "d3"]) outbox.settle(id, { ...delivered, at: clock.now() });
    expect(history.counts().get("ops"), "not yet").toMatchObject({ pending: 3 });
    expect(other.version()).toBe(before);
    await settle();
    expect(history.counts().get("ops")).toMatchObject({ delivered: 3, pending: 0 });
    expect(other.version(), "one commit").toBe(before + 1);
  });

  test("goes with whatever is written first, and not twice", async () => {
    const { outbox, history, clock } = aLedger();
    await outbox.add(entries(1, 2), [], never);
    outbox.settle("d1", { ...failed, at: clock.now(), notBefore: clock.now() });
    await outbox.add(entries(3, 1), [], never);
    expect(history.deliveries({ name: "web-1" })).toMatchObject([{ attempts: 1 }]);
    await settle();
    expect(history.deliveries({ name: "web-1" })).toMatchObject([{ attempts: 1 }]);
  });

  test("is hidden from what is due, however many are settled and under way at once", async () => {
    const { outbox, clock } = aLedger();
    await outbox.add(entries(1, 6), [], never);
    for (const id of ["d1", "d2"]) outbox.settle(id, { ...delivered, at: clock.now() });
    const due = outbox.due("ops", clock.now(), 3, new Set(["d3"]));
    expect(due.map(({ id }) => id)).toEqual(["d4", "d5", "d6"]);
    expect(outbox.due("ops", clock.now(), 1, none).map(({ id }) => id)).toEqual(["d3"]);
  });

  test("that the disk refuses is due again at its time, once the disk is back", async () => {
    const ledger = aLedger({ dataDir: temporaryDirectory() });
    const { outbox, clock, db } = ledger;
    await outbox.add(entries(1, 2), [], never);
    db.exec("PRAGMA query_only = ON");
    outbox.settle("d1", { ...failed, at: clock.now(), notBefore: clock.now() + MINUTE });
    await settle();
    expect(outbox.troubled).toBe(true);
    db.exec("PRAGMA query_only = OFF");
    await clock.advance(1_000);
    expect(outbox.troubled).toBe(false);
    expect(outbox.due("ops", clock.now(), 9, none).map(({ id }) => id)).toEqual(["d2"]);
    await clock.advance(MINUTE);
    expect(outbox.due("ops", clock.now(), 9, none)).toMatchObject([
      { id: "d2", attempts: 0 },
      { id: "d1", attempts: 1 },
    ]);
  });
});

describe("the bound of what is held", () => {
  test("lets in what is larger than the bound where nothing is held: it would wait for ever", async () => {
    const ledger = aLedger({ dataDir: temporaryDirectory(), bound: 10 });
    await ledger.outbox.add(entries(1, 1), [], never);
    fill(ledger);
    const taken = await ledger.outbox.add(entries(10, MUCH), [], never);
    expect(taken.length).toBe(MUCH);
    expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBe(MUCH + 1);
  });

  test("counts what is owed to each sink", async () => {
    const ledger = aLedger({ dataDir: temporaryDirectory(), bound: 3 * MUCH });
    fill(ledger);
    await ledger.outbox.add(entries(1, MUCH, ["ops", "dev"]), [], never);
    let taken = false;
    const waiting = ledger.outbox
      .add(entries(1_000, MUCH, ["ops", "dev"]), [], never)
      .then(() => (taken = true));
    await settle();
    expect(taken).toBe(false);
    await ledger.outbox.add(entries(2_000, MUCH), [], never);
    makeRoom(ledger);
    await ledger.clock.advance(1_000);
    await waiting;
    expect(ledger.outbox.pending("dev", ledger.clock.now()).total).toBe(2 * MUCH);
  });

  test("is waited for as often as it takes, while the disk catches up part by part", async () => {
    const ledger = aLedger({ dataDir: temporaryDirectory(), bound: 700 });
    fill(ledger);
    await ledger.outbox.add(entries(1, 2_000), [], never);
    const waiting = ledger.outbox.add(entries(5_000, 600), [], never);
    makeRoom(ledger);
    await ledger.clock.advance(1_000);
    await waiting;
    await settle();
    expect(ledger.history.counts().get("ops")?.pending).toBe(2_600);
  });

  test("many who wait end with their own signal, and leave the others waiting", async () => {
    const ledger = aLedger({ dataDir: temporaryDirectory(), bound: MUCH });
    fill(ledger);
    await ledger.outbox.add(entries(1, MUCH), [], never);
    const stopping = new AbortController();
    const first = ledger.outbox.add(entries(100, 5), [], stopping.signal);
    const second = ledger.outbox.add(entries(200, 5), [], never);
    stopping.abort(new Error("the source ends"));
    await expect(first).rejects.toThrow("the source ends");
    makeRoom(ledger);
    await ledger.clock.advance(1_000);
    expect((await second).length).toBe(5);
    expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBe(MUCH + 5);
  });
});

describe("the recovery of the disk", () => {
  test("says how much is held as it goes down, and how much it has written, each time afresh", async () => {
    const ledger = aLedger({ dataDir: temporaryDirectory() });
    const { outbox, clock, recorded } = ledger;
    for (const round of [1, 2]) {
      fill(ledger);
      await outbox.add(entries(round * 10_000, 1_200), [], never);
      recorded.calls.length = 0;
      makeRoom(ledger);
      await clock.advance(1_000);
      await settle();
      expect(recorded.of("ledgerHeld"), `${round}`).toEqual([[700], [200], [0]]);
      expect(recorded.of("ledgerRecovered"), `${round}`).toEqual([[1_200]]);
      expect(outbox.troubled).toBe(false);
    }
  });

  test("is tried about every second, and not after the end", async () => {
    const ledger = aLedger({ dataDir: temporaryDirectory() });
    const { outbox, clock, recorded } = ledger;
    fill(ledger);
    await outbox.add(entries(1, MUCH), [], never);
    makeRoom(ledger);
    await clock.advance(999);
    expect(recorded.of("ledgerRecovered")).toEqual([]);
    await clock.advance(1);
    expect(recorded.of("ledgerRecovered").length).toBe(1);
    expect(clock.sleeping, "nothing is left to try").toBe(0);

    fill(ledger);
    await outbox.add(entries(1_000, 600), [], never);
    expect(clock.sleeping).toBe(1);
    outbox.close();
    await settle();
    expect(clock.sleeping).toBe(0);
  });
});

describe("the store", () => {
  const take = (n: number, sinks: readonly string[], force: boolean): Write => {
    const { event, alert } = anEntry(n, []);
    const deliveries = sinks.map((sink) => ({
      id: `${sink}-${n}`,
      sink,
      alert,
      attempts: 0,
      owedAt: 5,
      notBefore: 5,
    }));
    return { kind: "take", event, receivedAt: 5, deliveries, force };
  };

  test("owes nothing for an occurrence it knows, unless memory had already owed it", () => {
    const { db, history } = aLedger();
    const store = new SqliteStore(db);
    expect(store.write([take(1, ["ops"], false)])).toEqual([true]);
    expect(store.write([take(1, ["dev"], false)])).toEqual([false]);
    expect(store.due("dev", 5, 9)).toEqual([]);
    expect(store.write([take(1, ["dev"], true), take(2, ["dev"], true)])).toEqual([true, true]);
    expect(store.due("dev", 5, 9).map(({ id }) => id)).toEqual(["dev-1", "dev-2"]);
    const rows = history
      .events({})
      .map((row) => [row.event.object.name, row.deliveries.map(({ sink }) => sink)]);
    expect(rows, "one occurrence, owed to both").toEqual([
      ["web-2", ["dev"]],
      ["web-1", ["ops", "dev"]],
    ]);
  });

  test("writes all of a transaction or nothing, and goes on after an error that is a bug", () => {
    const { db } = aLedger();
    const inTransaction = transactions(db);
    const owe = (n: number) => new SqliteStore(db).write([take(n, ["ops"], false)]);
    expect(() =>
      inTransaction(() => {
        db.exec("INSERT INTO attempt (sink, at) VALUES ('ops', 1)");
        throw new Error("a bug");
      }),
    ).toThrow("a bug");
    expect(db.isTransaction).toBe(false);
    expect(new SqliteStore(db).recentAttempts("ops", 0)).toEqual([]);
    expect(owe(1)).toEqual([true]);
    expect(inTransaction(() => 7)).toBe(7);
  });

  test("gives a pending delivery by its id, and none that is settled or unheard of", async () => {
    const { db, outbox, clock } = aLedger();
    await outbox.add(entries(1, 1), [], never);
    const store = new SqliteStore(db);
    expect(store.get("d1")).toMatchObject({ id: "d1", sink: "ops", attempts: 0 });
    expect(store.get("d2")).toBeNull();
    outbox.settle("d1", { ...delivered, at: clock.now() });
    await settle();
    expect(store.get("d1")).toBeNull();
  });

  test("reads a backlog only as far as it is asked, in the order it falls due", async () => {
    const { db, outbox, clock } = aLedger();
    const start = clock.now();
    await outbox.add(entries(1, 1), [], never);
    await clock.advance(10);
    await outbox.add(entries(2, 2), [], never);
    outbox.settle("d1", { ...failed, at: clock.now(), notBefore: clock.now() + 50 });
    await settle();
    const store = new SqliteStore(db);
    expect([...store.backlog("ops")]).toEqual([
      { id: "d2", notBefore: start + 10, owedAt: start + 10 },
      { id: "d3", notBefore: start + 10, owedAt: start + 10 },
      { id: "d1", notBefore: start + 60, owedAt: start },
    ]);
    for (const owed of store.backlog("ops")) {
      expect(owed.id).toBe("d2");
      break;
    }
    // A statement left half read would refuse this.
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    expect([...store.backlog("nobody")]).toEqual([]);
  });
});

describe("forgetting, step by step", () => {
  async function settled(count: number) {
    const ledger = aLedger();
    await ledger.outbox.add(entries(1, count), [], never);
    for (const { id } of ledger.outbox.due("ops", ledger.clock.now(), count, none))
      ledger.outbox.settle(id, { ...delivered, at: ledger.clock.now() });
    await settle();
    await ledger.clock.advance(MINUTE);
    return { ...ledger, retention: new Retention(ledger.db) };
  }

  test("tells where to go on as long as there is more that is old enough", async () => {
    const { retention, clock } = await settled(5);
    expect(retention.prune(clock.now(), clock.now(), 0, 2)).toEqual({ removed: 2, cursor: 2 });
    expect(retention.prune(clock.now(), clock.now(), 2, 2)).toEqual({ removed: 2, cursor: 4 });
    expect(retention.prune(clock.now(), clock.now(), 4, 2)).toEqual({ removed: 1, cursor: null });
    expect(retention.prune(clock.now(), clock.now(), 5, 2)).toEqual({ removed: 0, cursor: null });
  });

  test("a last step that is just full looks once more, and finds nothing", async () => {
    const { retention, clock } = await settled(2);
    expect(retention.prune(clock.now(), clock.now(), 0, 2)).toEqual({ removed: 2, cursor: 2 });
    expect(retention.prune(clock.now(), clock.now(), 2, 2)).toEqual({ removed: 0, cursor: null });
  });

  test("ends where all are too young", async () => {
    const { retention, outbox, clock } = await settled(1);
    await outbox.add(entries(100, 3), [], never);
    await clock.advance(10);
    const before = clock.now() - 10;
    expect(retention.prune(before, clock.now(), 0, 2)).toEqual({ removed: 1, cursor: 2 });
    expect(retention.prune(before, clock.now(), 2, 2)).toEqual({ removed: 0, cursor: null });
  });

  test("goes on over those that must stay", async () => {
    const { retention, outbox, clock } = await settled(2);
    await outbox.add(entries(100, 2), [], never);
    await clock.advance(10);
    expect(retention.prune(clock.now(), clock.now(), 0, 2)).toEqual({ removed: 2, cursor: 2 });
    expect(retention.prune(clock.now(), clock.now(), 2, 2)).toEqual({ removed: 0, cursor: 4 });
  });
});
