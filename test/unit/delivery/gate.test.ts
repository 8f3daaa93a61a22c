import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { Lane } from "../../../src/delivery/lane.ts";
import type { Sender } from "../../../src/delivery/sender.ts";
import { accepted } from "../../../src/sink/verdict.ts";
import { SqliteStore } from "../../../src/ledger/sqlite.ts";
import { StoreOutbox } from "../../../src/ledger/outbox.ts";
import { openDatabase } from "../../../src/ledger/database.ts";
import { anEntry, countingIds, never } from "../../support/ledger.ts";
import { recordingObserver } from "../../support/observer.ts";
import { busiest } from "./support.ts";

// p-queue keeps the system's time, so here it is the system's time that is faked.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const RATE = { count: 5, perMs: 1_000 };

describe("a lane with p-queue's strict rate besides the budget", () => {
  test("delivers at the rate, neither more nor visibly less", async () => {
    const db = openDatabase(":memory:", 0);
    const { observer } = recordingObserver();
    const makeId = countingIds();
    const outbox = new StoreOutbox(new SqliteStore(db), {
      clock: systemClock,
      observer,
      makeId,
      bound: 100,
    });
    const times: number[] = [];
    const sender: Sender = {
      send: (_delivery, _signal, now) => {
        times.push(now);
        return Promise.resolve({ verdict: accepted, sent: "", answer: "" });
      },
      close: () => Promise.resolve(),
    };
    const lane = new Lane(
      {
        name: "ops",
        rates: [RATE],
        concurrency: 2,
        throttledMs: 1_000,
        timeoutMs: 1_000,
        giveUpAfterMs: 3_600_000,
        digest: false,
        digestEveryMs: 5_000,
        gate: RATE,
      },
      { sender, outbox, observer, clock: systemClock, random: () => 0.5 },
    );
    await outbox.add(
      Array.from({ length: 30 }, (_, n) => anEntry(n, ["ops"])),
      [],
      never,
    );
    const start = Date.now();
    lane.start();
    for (let step = 0; step < 700; step += 1) {
      await vi.advanceTimersByTimeAsync(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(times.length).toBe(30);
    expect(busiest(times, RATE.perMs)).toBe(5);
    expect((times.at(-1) ?? 0) - start).toBeLessThan(5_500);
    await lane.stop();
    outbox.close();
    db.close();
  });
});
