import { copyFileSync, existsSync, readdirSync, renameSync, statSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { checkLedger } from "../../../src/ledger/check.ts";
import { vacuumLedger } from "../../../src/ledger/vacuum.ts";
import { settle } from "../../support/clock.ts";
import { databaseIn, flip, PAGE } from "../../support/damage.ts";
import { anEntry, aRunningLedger, never, temporaryDirectory, none } from "../../support/ledger.ts";

const MIB = 2 ** 20;
const BATCH = 100;

function open(dataDir: string) {
  const ledger = aRunningLedger(dataDir);
  let next = 0;
  return {
    ...ledger,
    taken: () => next,
    /** A hundred events more, in one transaction. */
    async add(): Promise<void> {
      const entries = Array.from({ length: BATCH }, (_, n) => anEntry(next + n, ["ops"]));
      next += BATCH;
      await ledger.outbox.add(entries, [], never);
    },
  };
}
type Open = ReturnType<typeof open>;

const logOf = (dataDir: string) => statSync(`${databaseIn(dataDir)}-wal`).size;

/** How many events the database file holds by itself, without its log. */
function inFile(dataDir: string): number {
  const alone = path.join(temporaryDirectory(), "alone.db");
  copyFileSync(databaseIn(dataDir), alone);
  const db = new DatabaseSync(alone);
  try {
    const tables = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'occurrence'").get();
    if (tables === undefined) return 0;
    return Number(db.prepare("SELECT COUNT(*) AS n FROM occurrence").get()?.["n"]);
  } finally {
    db.close();
  }
}

/** What a process that is killed now leaves behind, in another directory. */
function killed(dataDir: string): string {
  const copy = temporaryDirectory();
  for (const part of ["", "-wal"])
    copyFileSync(databaseIn(dataDir) + part, databaseIn(copy) + part);
  return copy;
}

/** As many batches as make it due, with some to spare. */
const DUE = 90;
const PATIENCE_MS = 30_000;

/** Events until the log has to be taken into the file, and then as much time as the disk takes. */
async function untilTaken(dataDir: string, ledger: Open): Promise<void> {
  const size = () => statSync(databaseIn(dataDir)).size;
  const [before, until] = [size(), performance.now() + PATIENCE_MS];
  for (let round = 0; size() === before; round += 1) {
    if (performance.now() > until) throw new Error("the log was never taken into the file");
    if (round < DUE) await ledger.add();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

vi.setConfig({ testTimeout: 4 * PATIENCE_MS });

describe("a ledger's write-ahead log", () => {
  test("is taken into the file again and again, and stays at some 16 MB", async () => {
    const dataDir = temporaryDirectory();
    const ledger = open(dataDir);
    for (let time = 0; time < 3; time += 1) await untilTaken(dataDir, ledger);
    expect(logOf(dataDir)).toBeGreaterThan(4 * MIB);
    expect(logOf(dataDir)).toBeLessThan(24 * MIB);
    expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBe(ledger.taken());
    expect(checkLedger(dataDir).findings).toEqual([]);
  });

  test("is never taken while an event is being written: who delivers goes on", async () => {
    const dataDir = temporaryDirectory();
    const ledger = open(dataDir);
    // Without a turn of the event loop between them, far beyond where it becomes due.
    for (let batch = 0; batch < 150; batch += 1) await ledger.add();
    expect(logOf(dataDir)).toBeGreaterThan(20 * MIB);
    expect(inFile(dataDir)).toBe(0);
    await untilTaken(dataDir, ledger);
    expect(inFile(dataDir)).toBeGreaterThanOrEqual(150 * BATCH);
  });

  test("is taken by SQLite itself at 64 MB, should nobody else come to it", async () => {
    const dataDir = temporaryDirectory();
    const ledger = open(dataDir);
    for (let batch = 0; batch < 800 && inFile(dataDir) === 0; batch += 10)
      for (let n = 0; n < 10; n += 1) await ledger.add();
    expect(inFile(dataDir)).toBeGreaterThan(0);
    expect(logOf(dataDir)).toBeLessThan(72 * MIB);
  });
});

describe("while the log is being brought to the disk", () => {
  /** As many as make it due, and not a turn more. */
  async function due(dataDir: string): Promise<Open> {
    const ledger = open(dataDir);
    for (let batch = 0; batch < 80; batch += 1) await ledger.add();
    return ledger;
  }

  test("a killed process loses nothing", async () => {
    const dataDir = temporaryDirectory();
    const ledger = await due(dataDir);
    for (let turn = 0; turn < 20; turn += 1) {
      await ledger.add();
      const after = open(killed(dataDir));
      expect(after.outbox.pending("ops", after.clock.now()).total).toBe(ledger.taken());
      expect(after.recorded.of("ledgerReplaced")).toEqual([]);
      await after.close();
      await settle();
    }
  });

  test("the ledger can be closed: all of it is in the file, and nothing beside it", async () => {
    const dataDir = temporaryDirectory();
    const ledger = await due(dataDir);
    expect(await ledger.close()).toBe(0);
    expect(inFile(dataDir)).toBe(ledger.taken());
    expect(readdirSync(dataDir).toSorted()).toEqual(["ledger.db", "run.lock"]);
    // What was under way ends after it, and finds nothing to do.
    for (let turn = 0; turn < 20; turn += 1) await settle();
    expect(readdirSync(dataDir).toSorted()).toEqual(["ledger.db", "run.lock"]);
    expect(vacuumLedger(dataDir).after).toBe(statSync(databaseIn(dataDir)).size);
    const again = open(dataDir);
    expect(again.outbox.pending("ops", again.clock.now()).total).toBe(ledger.taken());
  });

  test("a damaged file is set aside as ever, and the log of the new one is taken in its turn", async () => {
    const dataDir = temporaryDirectory();
    const ledger = await due(dataDir);
    await untilTaken(dataDir, ledger);
    flip(databaseIn(dataDir), PAGE);
    // Another's pages in memory would hide it: read what was not read before.
    expect(() => ledger.history.events({ limit: 100_000 })).not.toThrow();
    await settle();
    expect(ledger.recorded.of("ledgerReplaced").length).toBe(1);
    expect(inFile(dataDir)).toBe(0);
    await untilTaken(dataDir, ledger);
    expect(inFile(dataDir)).toBeGreaterThan(0);
    expect(checkLedger(dataDir).findings).toEqual([]);
  });

  test("somebody who reads for long keeps it as it is, and is not disturbed; afterwards it is taken", async () => {
    const dataDir = temporaryDirectory();
    const ledger = open(dataDir);
    await ledger.add();
    const reader = new DatabaseSync(databaseIn(dataDir), { readOnly: true });
    onTestFinished(() => reader.close());
    const count = reader.prepare("SELECT COUNT(*) AS n FROM occurrence");
    reader.exec("BEGIN");
    expect(count.get()?.["n"]).toBe(BATCH);
    for (let batch = 0; batch < 100; batch += 1) {
      await ledger.add();
      await settle();
    }
    expect(count.get()?.["n"], "one moment of the ledger").toBe(BATCH);
    expect(inFile(dataDir)).toBeLessThanOrEqual(BATCH);
    expect(ledger.healthy()).toBe(true);
    reader.exec("COMMIT");
    await untilTaken(dataDir, ledger);
    expect(inFile(dataDir)).toBeGreaterThan(80 * BATCH);
  });

  test("another writer, and a log that somebody moved away, end nothing", async () => {
    const dataDir = temporaryDirectory();
    const ledger = await due(dataDir);
    const other = new DatabaseSync(databaseIn(dataDir));
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    for (let turn = 0; turn < 20; turn += 1) await settle();
    expect(ledger.healthy()).toBe(true);
    other.exec("ROLLBACK");
    renameSync(`${databaseIn(dataDir)}-wal`, path.join(dataDir, "moved"));
    for (let batch = 0; batch < 80; batch += 1) await ledger.add();
    for (let turn = 0; turn < 20; turn += 1) await settle();
    expect(ledger.outbox.due("ops", ledger.clock.now(), 1, none).length).toBe(1);
    expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBe(ledger.taken());
  });
});

test("a ledger in memory has no log, however much it takes", async () => {
  const ledger = open(":memory:");
  for (let batch = 0; batch < 90; batch += 1) await ledger.add();
  await settle();
  expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBe(ledger.taken());
  expect(existsSync(":memory:-wal")).toBe(false);
});
