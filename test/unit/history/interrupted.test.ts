import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { EVERYTHING } from "../../../src/history/history.ts";
import { openReaderHere } from "../../../src/history/open.ts";
import { databaseIn } from "../../support/damage.ts";
import { anyone, HOUR, NOON, seen, take } from "../../support/history.ts";
import { aLedger, temporaryDirectory } from "../../support/ledger.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => seen(from + n, NOON - HOUR + (from + n) * 1000));

/** How many a fresh look finds: as rows, as counts, and by a word. */
async function found(dataDir: string) {
  const reader = openReaderHere(dataDir, systemClock);
  try {
    const worded = { ...EVERYTHING, words: ["restarting"] };
    const { rows, refine } = await reader.events(EVERYTHING, 1000, null, anyone);
    const timeline = { by: "reason", step: null, top: 8 } as const;
    const { total } = await reader.timeline(EVERYTHING, timeline, anyone);
    const byWord = await reader.events(worded, 1000, null, anyone);
    const different = new Set(rows.map(({ id }) => id)).size;
    return { rows: rows.length, different, total, byWord: byWord.rows.length, refine };
  } finally {
    await reader.close();
  }
}

describe("indexing that is killed (kill -9)", () => {
  function indexing(dataDir: string, env: Readonly<Record<string, string>>) {
    const preload = path.join(ROOT, "test/support/die-at-write.ts");
    const program = path.join(ROOT, "test/support/index-all.ts");
    return spawnSync(process.execPath, ["--import", preload, program, dataDir], {
      env: { ...process.env, ...env },
      timeout: 60_000,
    });
  }

  test(
    "at any write leaves an index that is gone on with, everything in it once",
    { timeout: 120_000 },
    async () => {
      const original = temporaryDirectory();
      const ledger = aLedger({ dataDir: original });
      await take(ledger, many(1, 600));
      ledger.outbox.close();
      ledger.db.close();
      const copy = () => {
        const dataDir = temporaryDirectory();
        copyFileSync(databaseIn(original), databaseIn(dataDir));
        return dataDir;
      };
      const log = path.join(temporaryDirectory(), "points");
      const whole = copy();
      expect(indexing(whole, { DIE_LOG: log }).status).toBe(0);
      const points = readFileSync(log, "utf8").trim().split("\n").length;
      const all = { rows: 600, different: 600, total: 600, byWord: 600, refine: null };
      expect(await found(whole)).toEqual(all);
      const count = process.env["CRASH_POINTS"] === "all" ? 60 : 6;
      for (let n = 0; n < count; n += 1) {
        const at = Math.floor(((n + 0.5) / count) * points);
        const dataDir = copy();
        expect(indexing(dataDir, { DIE_AT: String(at) }).signal).toBe("SIGKILL");
        expect(await found(dataDir), `killed at ${at} of ${points}`).toEqual(all);
      }
    },
  );
});

describe("a full disk", () => {
  /** SQLite itself refuses to grow the index. */
  function disk() {
    const exec = vi.spyOn(DatabaseSync.prototype, "exec");
    onTestFinished(() => exec.mockRestore());
    return (pages: (now: number) => number) => {
      for (const db of new Set(exec.mock.contexts as DatabaseSync[])) {
        if (!db.isOpen || db.location()?.endsWith("history.db") !== true) continue;
        const now = Number(db.prepare("PRAGMA page_count").get()?.["page_count"]);
        db.exec(`PRAGMA max_page_count = ${pages(now)}`);
      }
    };
  }

  test("shows what was indexed and says that there is more; with room again everything is there", async () => {
    const limit = disk();
    const dataDir = temporaryDirectory();
    const ledger = aLedger({ dataDir });
    await take(ledger, many(1, 300));
    const reader = openReaderHere(dataDir, systemClock);
    onTestFinished(() => reader.close());
    expect((await reader.events(EVERYTHING, 1000, null, anyone)).rows).toHaveLength(300);
    limit((now) => now);
    await take(ledger, many(301, 400));
    const some = await reader.events(EVERYTHING, 1000, null, anyone);
    expect(some.rows.length).toBeGreaterThanOrEqual(300);
    expect(some.rows.length).toBeLessThan(700);
    expect(some.refine).toMatchObject({ cause: "indexing" });
    limit(() => 1_000_000);
    const all = await reader.events(EVERYTHING, 1000, null, anyone);
    expect(all.rows).toHaveLength(700);
    expect(new Set(all.rows.map(({ id }) => id)).size).toBe(700);
    expect(all.refine).toBeNull();
  });
});
