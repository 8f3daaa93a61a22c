import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { EVERYTHING } from "../../../src/history/history.ts";
import { indexPath, openReaderHere, placesIn } from "../../../src/history/open.ts";
import { Engine } from "../../../src/history/sqlite/engine.ts";
import { Retention } from "../../../src/ledger/retention.ts";
import { settle } from "../../support/clock.ts";
import { anyone, HOUR, NOON, seen, take } from "../../support/history.ts";
import { aLedger, temporaryDirectory } from "../../support/ledger.ts";
import { databaseIn } from "../../support/damage.ts";
import { FakeClock } from "../../support/clock.ts";

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/ledger");
const timeline = { by: "reason", step: null, top: 8 } as const;

function ledgerIn(dataDir: string) {
  return aLedger({ dataDir, clock: new FakeClock("2026-11-20T12:00:00Z") });
}

/** What a fresh look at the directory shows: names of objects, and how many the timeline counts. */
async function look(dataDir: string) {
  const reader = openReaderHere(dataDir, systemClock);
  try {
    const { rows, refine } = await reader.events(EVERYTHING, 1000, null, anyone);
    const { total } = await reader.timeline(EVERYTHING, timeline, anyone);
    const { rows: found } = await reader.events(
      { ...EVERYTHING, words: ["restarting"] },
      1000,
      null,
      anyone,
    );
    return {
      names: rows.map(({ event }) => event.object.name),
      total,
      found: found.length,
      refine,
    };
  } finally {
    await reader.close();
  }
}

function inIndex(dataDir: string, sql: string): unknown {
  const db = new DatabaseSync(indexPath(dataDir), { readOnly: true });
  try {
    return Object.values(db.prepare(sql).get() ?? {})[0];
  } finally {
    db.close();
  }
}

describe("the index beside the ledger", () => {
  test("is for its owner alone, and is gone on with by whoever looks next", async () => {
    const dataDir = temporaryDirectory();
    const ledger = ledgerIn(dataDir);
    await take(ledger, [seen(1, NOON)]);
    expect(await look(dataDir)).toEqual({ names: ["web-1"], total: 1, found: 1, refine: null });
    expect(statSync(indexPath(dataDir)).mode & 0o777).toBe(0o600);
    await take(ledger, [seen(2, NOON + 1000), seen(3, NOON - HOUR)]);
    expect(await look(dataDir)).toEqual({
      names: ["web-2", "web-1", "web-3"],
      total: 3,
      found: 3,
      refine: null,
    });
    expect(inIndex(dataDir, "SELECT COUNT(*) FROM entry")).toBe(3);
  });

  test("is made of ledgers that are older than it, of every version there was", async () => {
    for (const version of [1, 2]) {
      const dataDir = temporaryDirectory();
      copyFileSync(path.join(FIXTURES, `v${version}.db`), databaseIn(dataDir));
      ledgerIn(dataDir).db.close();
      expect(await look(dataDir)).toEqual({
        names: ["web-4", "web-3", "web-2", "web-1"],
        total: 4,
        found: 0,
        refine: null,
      });
    }
  });

  test.each([
    ["is cut off", (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 5_000))],
    ["is no database", (file: string) => writeFileSync(file, "x".repeat(9_000))],
    ["is empty", (file: string) => writeFileSync(file, "")],
    ["was removed", (file: string) => rmSync(file)],
    [
      "is of another version",
      (file: string) => {
        const db = new DatabaseSync(file);
        db.exec("PRAGMA user_version = 999; DROP TABLE minute");
        db.close();
      },
    ],
    [
      "has lost a table",
      (file: string) => {
        const db = new DatabaseSync(file);
        db.exec("DROP TABLE covered");
        db.close();
      },
    ],
  ])("one that %s is made anew", async (_what, spoil) => {
    const dataDir = temporaryDirectory();
    await take(ledgerIn(dataDir), [seen(1, NOON), seen(2, NOON)]);
    await look(dataDir);
    for (const part of ["-wal", "-shm"]) rmSync(indexPath(dataDir) + part, { force: true });
    spoil(indexPath(dataDir));
    expect(await look(dataDir)).toEqual({
      names: ["web-2", "web-1"],
      total: 2,
      found: 2,
      refine: null,
    });
  });

  test("goes with its ledger: a new one that took the place of a damaged one is not mixed with it", async () => {
    const dataDir = temporaryDirectory();
    const first = ledgerIn(dataDir);
    await take(first, [seen(1, NOON), seen(2, NOON)]);
    const reader = openReaderHere(dataDir, systemClock);
    onTestFinished(() => reader.close());
    expect((await reader.events(EVERYTHING, 9, null, anyone)).rows).toHaveLength(2);
    first.db.close();
    for (const part of ["", "-wal", "-shm"]) rmSync(databaseIn(dataDir) + part, { force: true });
    await take(ledgerIn(dataDir), [seen(7, NOON)]);
    const { rows } = await reader.events(EVERYTHING, 9, null, anyone);
    expect(rows.map(({ event }) => event.object.name)).toEqual(["web-7"]);
    expect((await reader.timeline(EVERYTHING, timeline, anyone)).total).toBe(1);
  });

  test("follows a ledger that was put back to an earlier state", async () => {
    const dataDir = temporaryDirectory();
    const first = ledgerIn(dataDir);
    await take(first, [seen(1, NOON)]);
    first.db.close();
    copyFileSync(databaseIn(dataDir), path.join(dataDir, "backup.db"));
    const second = ledgerIn(dataDir);
    await take(second, [seen(2, NOON), seen(3, NOON)]);
    await look(dataDir);
    second.db.close();
    copyFileSync(path.join(dataDir, "backup.db"), databaseIn(dataDir));
    await take(ledgerIn(dataDir), [seen(4, NOON), seen(5, NOON)]);
    expect(await look(dataDir)).toMatchObject({
      names: ["web-5", "web-4", "web-1"],
      total: 3,
      found: 3,
    });
  });

  test("forgets what the ledger has forgotten, down to the counts and the words", async () => {
    const dataDir = temporaryDirectory();
    const ledger = ledgerIn(dataDir);
    await take(
      ledger,
      Array.from({ length: 300 }, (_, n) => seen(n, NOON - HOUR + n * 1000)),
    );
    for (let n = 1; n <= 290; n += 1)
      ledger.outbox.settle(`d${n}`, { kind: "delivered", at: NOON, sent: "", answer: "" });
    await settle();
    expect((await look(dataDir)).total).toBe(300);
    const retention = new Retention(ledger.db);
    for (let cursor: number | null = 0; cursor !== null;)
      ({ cursor } = retention.prune(NOON + HOUR, NOON + HOUR, cursor, 100));
    const engine = new Engine(placesIn(dataDir), systemClock);
    while (engine.work());
    await engine.close();
    expect(await look(dataDir)).toMatchObject({ total: 10, found: 10, refine: null });
    expect(inIndex(dataDir, "SELECT COUNT(*) FROM entry")).toBe(10);
    expect(inIndex(dataDir, "SELECT COUNT(*) FROM minute")).toBe(1);
    expect(inIndex(dataDir, "SELECT COUNT(*) FROM word WHERE word MATCH '\"res\"'")).toBe(10);
  });

  test("an answer before all is indexed shows the newest, and says since when it is whole", async () => {
    const dataDir = temporaryDirectory();
    const ledger = ledgerIn(dataDir);
    await take(
      ledger,
      Array.from({ length: 3_000 }, (_, n) => seen(n, NOON - n)),
    );
    let now = 0;
    const hasty = { ...systemClock, now: () => (now += 1) };
    const reader = openReaderHere(dataDir, hasty);
    onTestFinished(() => reader.close());
    const who = { ...anyone, deadlineMs: 20 };
    const filter = { ...EVERYTHING, names: ["web-*"] };
    const { total, refine } = await reader.timeline(filter, timeline, who);
    expect(refine).toMatchObject({ cause: "indexing", since: NOON });
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThan(3_000);
    expect((await look(dataDir)).refine).toBeNull();
  });

  test("where the directory cannot be written it is made in memory, for this once", async () => {
    const dataDir = temporaryDirectory();
    await take(ledgerIn(dataDir), [seen(1, NOON)]);
    // What no user may open, not even root: a directory of that name.
    mkdirSync(indexPath(dataDir));
    expect(await look(dataDir)).toMatchObject({ names: ["web-1"], total: 1, found: 1 });
    expect(statSync(indexPath(dataDir)).isDirectory()).toBe(true);
  });

  test("two who look at once index everything once", async () => {
    const dataDir = temporaryDirectory();
    await take(
      ledgerIn(dataDir),
      Array.from({ length: 2_000 }, (_, n) => seen(n, NOON - n * 1000)),
    );
    const [one, two] = await Promise.all([look(dataDir), look(dataDir)]);
    expect(one.total).toBe(2_000);
    expect(two.total).toBe(2_000);
    expect(inIndex(dataDir, "SELECT COUNT(DISTINCT seq) FROM entry")).toBe(2_000);
  });

  test("a directory without a ledger is named, and none is made", async () => {
    const dataDir = temporaryDirectory();
    await expect(look(dataDir)).rejects.toThrow("there is no ledger.db in it");
    expect(existsSync(indexPath(dataDir))).toBe(false);
  });
});
