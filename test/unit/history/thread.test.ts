import { monitorEventLoopDelay } from "node:perf_hooks";
import { rmSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { EVERYTHING, UnreadableError } from "../../../src/history/history.ts";
import { indexPath, openReaderBeside } from "../../../src/history/open.ts";
import type { Question } from "../../../src/history/question.ts";
import { Thread } from "../../../src/history/thread.ts";
import { FakeClock } from "../../support/clock.ts";
import { threadsOfOurs } from "../../support/threads.ts";
import { databaseIn, flip, PAGE } from "../../support/damage.ts";
import { anyone, NOON, seen, take } from "../../support/history.ts";
import { aLedger, never, temporaryDirectory } from "../../support/ledger.ts";

const ask = {
  kind: "events",
  filter: EVERYTHING,
  limit: 9,
  before: null,
  visible: "all",
  deadlineMs: 30_000,
} as const satisfies Question;

function aThread(dataDir: string, clock = new FakeClock()) {
  const thread = new Thread({ dataDir }, clock);
  onTestFinished(() => thread.close());
  return { thread, clock };
}

describe("the history's thread", () => {
  test("begins with the first question, ends when nobody asks any more, and begins again", async () => {
    const dataDir = temporaryDirectory();
    await take(aLedger({ dataDir }), [seen(1, NOON)]);
    const { thread, clock } = aThread(dataDir);
    expect(thread.running).toBe(false);
    await thread.answer(ask, never);
    await clock.advance(59_000);
    expect(thread.running).toBe(true);
    await thread.answer(ask, never);
    await clock.advance(59_000);
    expect(thread.running).toBe(true);
    await clock.advance(1_000);
    expect(thread.running).toBe(false);
    expect(await thread.answer(ask, never)).toMatchObject({
      rows: [{ event: { uid: expect.any(String) } }],
    });
  });

  test.runIf(process.platform === "linux")(
    "has a lower priority than the one that delivers, which keeps its own",
    async () => {
      const dataDir = temporaryDirectory();
      await take(aLedger({ dataDir }), [seen(1, NOON)]);
      const own = threadsOfOurs().find(({ id }) => id === String(process.pid))?.nice;
      const before = new Set(threadsOfOurs().map(({ id }) => id));
      const { thread } = aThread(dataDir);
      await thread.answer(ask, never);
      const after = threadsOfOurs();
      expect(after.find(({ id }) => id === String(process.pid))?.nice).toBe(own);
      const lower = Math.max(10, own ?? 0);
      expect(after.filter(({ id }) => !before.has(id)).map(({ nice }) => nice)).toContain(lower);
    },
  );

  test("leaves this one free: a long search does not stop what is done here", async () => {
    const dataDir = temporaryDirectory();
    const ledger = aLedger({ dataDir });
    await take(
      ledger,
      Array.from({ length: 4_000 }, (_, n) => seen(n, NOON - n * 1000)),
    );
    const { thread } = aThread(dataDir);
    await thread.answer(ask, never);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    let turns = 0;
    const going = new AbortController();
    void (async () => {
      while (!going.signal.aborted) {
        turns += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await thread.answer({ ...ask, filter: { ...EVERYTHING, words: ["zz"] } }, never);
    going.abort();
    delay.disable();
    expect(turns).toBeGreaterThan(100);
  });

  test("that dies answers with what happened, and the next question is answered again", async () => {
    const dataDir = temporaryDirectory();
    await take(aLedger({ dataDir }), [seen(1, NOON)]);
    const { thread } = aThread(dataDir);
    await thread.answer(ask, never);
    const asked = thread.answer({ ...ask, kind: "nonsense" } as unknown as Question, never);
    await expect(asked).rejects.toThrow("undefined");
    expect(await thread.answer(ask, never)).toMatchObject({ rows: [{}] });
  });

  test("that does not come back in time is ended, whoever asked is told, and the next gets a new one", async () => {
    const dataDir = temporaryDirectory();
    await take(aLedger({ dataDir }), [seen(1, NOON)]);
    const { thread, clock } = aThread(dataDir);
    const asked = thread.answer({ ...ask, deadlineMs: 1_000 }, never);
    // The fake clock runs past the deadline long before a thread has started.
    const moved = clock.advance(7_000);
    await expect(asked).rejects.toThrow(UnreadableError);
    await moved;
    expect(await thread.answer(ask, never)).toMatchObject({ rows: [{}] });
  });

  test("tells of a damaged ledger as what it is, and reads the one that takes its place", async () => {
    const dataDir = temporaryDirectory();
    const ledger = aLedger({ dataDir });
    await take(
      ledger,
      Array.from({ length: 300 }, (_, n) => seen(n, NOON)),
    );
    ledger.outbox.close();
    ledger.db.close();
    flip(databaseIn(dataDir), PAGE);
    const { thread } = aThread(dataDir);
    await expect(thread.answer(ask, never)).rejects.toThrow(/damaged|malformed|cannot be read/);
    for (const part of ["", "-wal", "-shm"]) rmSync(databaseIn(dataDir) + part, { force: true });
    await take(aLedger({ dataDir }), [seen(1, NOON)]);
    expect(await thread.answer(ask, never)).toMatchObject({ rows: [{}] });
  });
});

describe("what arrives is indexed", () => {
  test("beside, when there is much of it, before anybody asks", async () => {
    const dataDir = temporaryDirectory();
    await take(
      aLedger({ dataDir }),
      Array.from({ length: 1_500 }, (_, n) => seen(n, NOON - n)),
    );
    const clock = new FakeClock();
    const reader = openReaderBeside(dataDir, () => 1_500, clock);
    onTestFinished(() => reader.close());
    await clock.advance(9_000);
    expect(await sizeOf(indexPath(dataDir))).toBe(0);
    await clock.advance(1_000);
    await expect.poll(() => sizeOf(indexPath(dataDir)), { timeout: 30_000 }).toBe(1_500);
  });
});

async function sizeOf(file: string): Promise<number> {
  const { DatabaseSync } = await import("node:sqlite");
  try {
    const db = new DatabaseSync(file, { readOnly: true });
    const row = db.prepare("SELECT COUNT(*) AS n FROM entry").get();
    db.close();
    return Number(row?.["n"]);
  } catch {
    return 0;
  }
}

test("a reader without a thread has nothing to close", async () => {
  const reader = openReaderBeside(temporaryDirectory(), () => 0, systemClock);
  await reader.close();
  await expect(reader.sinks(anyone)).rejects.toThrow("there is no ledger.db in it");
  await reader.close();
});
