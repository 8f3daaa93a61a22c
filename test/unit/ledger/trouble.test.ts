import { truncateSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { storageTrouble } from "../../../src/ledger/failure.ts";
import { settle } from "../../support/clock.ts";
import { aLedger, anEntry, never, temporaryDirectory, none } from "../../support/ledger.ts";
const delivered = { kind: "delivered", sent: "", answer: "" } as const;
const entries = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => anEntry(from + n, ["ops"]));

/** Another process that writes, and takes its time. */
function otherWriter(dataDir: string): DatabaseSync {
  const other = new DatabaseSync(path.join(dataDir, "ledger.db"));
  onTestFinished(() => {
    if (other.isOpen) other.close();
  });
  other.exec("BEGIN IMMEDIATE");
  return other;
}

describe("a ledger locked by another process for too long", () => {
  test("goes on from memory, and is written when the lock is gone", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock, recorded, history } = aLedger({ dataDir });
    await outbox.add(entries(0, 2), [], never);
    const other = otherWriter(dataDir);
    expect(await outbox.add(entries(2, 2), [], never)).toEqual(["enqueued", "enqueued"]);
    expect(recorded.of("ledgerTrouble")).toEqual([
      [expect.stringContaining("locked by another process")],
    ]);
    expect(outbox.due("ops", clock.now(), 10, none).length).toBe(4);
    other.exec("ROLLBACK");
    await clock.advance(1_000);
    expect(outbox.troubled).toBe(false);
    expect(history.counts().get("ops")?.pending).toBe(4);
  });

  test("a settlement is not lost by it", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock, history } = aLedger({ dataDir });
    await outbox.add(entries(0, 2), [], never);
    const other = otherWriter(dataDir);
    outbox.settle("d1", { ...delivered, at: clock.now() });
    await settle();
    expect(outbox.troubled).toBe(true);
    expect(outbox.due("ops", clock.now(), 10, none).map(({ id }) => id)).toEqual(["d2"]);
    expect(outbox.nextAt("ops", 0)).toBe(clock.now());
    other.exec("ROLLBACK");
    await clock.advance(1_000);
    expect(history.counts().get("ops")).toMatchObject({ delivered: 1, pending: 1 });
  });

  test("attempts are counted against the budget meanwhile, and after", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock } = aLedger({ dataDir });
    outbox.attempting("ops", 1);
    const other = otherWriter(dataDir);
    outbox.attempting("ops", 2);
    outbox.attempting("dev", 3);
    expect(outbox.recentAttempts("ops", 0)).toEqual([1, 2]);
    other.exec("ROLLBACK");
    await clock.advance(1_000);
    expect(outbox.recentAttempts("ops", 0)).toEqual([1, 2]);
    expect(aLedger({ dataDir, clock }).outbox.recentAttempts("dev", 0)).toEqual([3]);
  });

  test("who waits for a sink's deliveries is told when the disk is back", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock } = aLedger({ dataDir });
    let told = 0;
    outbox.onAdded("ops", () => (told += 1));
    const other = otherWriter(dataDir);
    await outbox.add(entries(0, 1), [], never);
    expect(told).toBe(1);
    other.exec("ROLLBACK");
    await clock.advance(1_000);
    expect(told).toBe(2);
  });
});

describe("a ledger whose file is destroyed under it", () => {
  test("says so once, and what comes is still delivered, from memory", async () => {
    const dataDir = temporaryDirectory();
    const { db, outbox, clock, recorded } = aLedger({ dataDir });
    await outbox.add(entries(0, 50), [], never);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.exec("PRAGMA cache_size = 0");
    truncateSync(path.join(dataDir, "ledger.db"), 4_096);
    expect(await outbox.add(entries(50, 3), [], never)).toEqual([
      "enqueued",
      "enqueued",
      "enqueued",
    ]);
    const due = outbox.due("ops", clock.now(), 100, none).map(({ id }) => id);
    expect(due).toEqual(["d51", "d52", "d53"]);
    outbox.settle("d51", { ...delivered, at: clock.now() });
    const retry = { kind: "retry", reason: "server", detail: "", counted: true } as const;
    outbox.settle("d52", { ...retry, at: clock.now(), notBefore: clock.now() + 5_000 });
    await clock.advance(5_000);
    expect(outbox.due("ops", clock.now(), 100, none)).toMatchObject([
      { id: "d53", attempts: 0 },
      { id: "d52", attempts: 1 },
    ]);
    expect(outbox.pending("ops", clock.now()).total).toBe(2);
    expect(outbox.checkpoints().size).toBe(0);
    expect(outbox.throttledUntil("ops", clock.now())).toBeNull();
    expect(recorded.of("ledgerTrouble").length).toBe(1);
    expect(outbox.close()).toBeGreaterThan(0);
  });
});

describe("what is the disk's fault", () => {
  const failing = (work: (db: DatabaseSync) => void) => {
    const db = new DatabaseSync(":memory:");
    try {
      work(db);
    } catch (error) {
      return storageTrouble(error);
    } finally {
      db.close();
    }
    throw new Error("it did not fail");
  };

  test("a full database is", () => {
    const full = failing((db) => {
      db.exec("CREATE TABLE t (x); PRAGMA max_page_count = 2");
      db.exec("INSERT INTO t SELECT randomblob(9000)");
    });
    expect(full).toBe("the disk is full (SQLite 13: database or disk is full)");
  });

  test("a wrong statement is not: it is a bug, and stays an error", () => {
    expect(failing((db) => db.exec("SELEKT 1"))).toBeNull();
    expect(
      failing((db) => db.exec("CREATE TABLE t (x UNIQUE); INSERT INTO t VALUES (1), (1)")),
    ).toBeNull();
    expect(storageTrouble(new TypeError("x"))).toBeNull();
    expect(storageTrouble("13")).toBeNull();
  });

  test("a bug in the ledger is thrown, and not taken for a full disk", async () => {
    const { db, outbox, recorded } = aLedger();
    db.exec("DROP TABLE delivery");
    await expect(outbox.add(entries(0, 1), [], never)).rejects.toThrow(/no such table/u);
    expect(recorded.of("ledgerTrouble")).toEqual([]);
  });
});

describe("settlements", () => {
  test("of one turn of the event loop are one transaction", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock, db } = aLedger({ dataDir });
    await outbox.add(entries(0, 100), [], never);
    const watcher = new DatabaseSync(path.join(dataDir, "ledger.db"), { readOnly: true });
    onTestFinished(() => watcher.close());
    const delivered = () =>
      Number(
        watcher.prepare("SELECT COUNT(*) AS n FROM delivery WHERE state = 'delivered'").get()?.[
          "n"
        ],
      );
    for (const { id } of outbox.due("ops", clock.now(), 100, none)) {
      outbox.settle(id, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    }
    expect(delivered()).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(delivered()).toBe(100);
    expect(db.isTransaction).toBe(false);
  });

  test("are not handed out again before they are written", async () => {
    const { outbox, clock } = aLedger();
    await outbox.add(entries(0, 5), [], never);
    outbox.settle("d1", { ...delivered, at: clock.now() });
    outbox.settle("d3", { ...delivered, at: clock.now() });
    const ids = outbox.due("ops", clock.now(), 2, new Set(["d2"])).map(({ id }) => id);
    expect(ids).toEqual(["d4", "d5"]);
  });
});
