import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Lane } from "../../../src/delivery/lane.ts";
import {
  accepted,
  permanent,
  retryable,
  throttled,
  type Verdict,
} from "../../../src/sink/verdict.ts";
import { FakeClock } from "../../support/clock.ts";
import { aLedger, anEntry, countingIds, never, temporaryDirectory } from "../../support/ledger.ts";
import { busiest, FakePlatform } from "./support.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const RATES = [
  { count: 12, perMs: MINUTE },
  { count: 3, perMs: 2 * SECOND },
];

/** One process from its start until it is killed: its time stops with it, and whatever was under way never comes back. */
function aLife(dataDir: string, start: number, life: number, rates: typeof RATES) {
  const clock = new FakeClock(new Date(start).toISOString());
  const ledger = aLedger({ dataDir, clock, makeId: countingIds(`${life}-`) });
  const platform = new FakePlatform(clock);
  const lane = new Lane(
    {
      name: "chat",
      rates,
      concurrency: 2,
      throttledMs: 30 * SECOND,
      timeoutMs: 2 * SECOND,
      giveUpAfterMs: 20 * MINUTE,
      digest: true,
      digestEveryMs: 5_000,
      gate: null,
    },
    {
      sender: platform,
      outbox: ledger.outbox,
      observer: ledger.recorded.observer,
      clock,
      random: () => 0.5,
    },
  );
  lane.start();
  return { ...ledger, clock, platform };
}

const verdict: fc.Arbitrary<Verdict> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(accepted) },
  { weight: 2, arbitrary: fc.constant(retryable("server", "500")) },
  { weight: 1, arbitrary: fc.constant(retryable("unknown", "?")) },
  { weight: 1, arbitrary: fc.constant(throttled(5 * SECOND, "429")) },
  { weight: 1, arbitrary: fc.constant(permanent("rejected", "400")) },
);

const step = fc.record({
  owe: fc.integer({ min: 0, max: 25 }),
  /** What the platform answers until the next step, in turn. */
  answers: fc.array(verdict, { minLength: 1, maxLength: 5 }),
  latencyMs: fc.constantFrom(0, 0, 50, 900, 3_000),
  waitMs: fc.integer({ min: 0, max: 90 * SECOND }),
  kill: fc.boolean(),
});

describe("whatever the platform answers, and whenever the process is killed", () => {
  test.each([
    ["with rates", RATES],
    ["without", []],
  ])("%s: nothing is lost, no rate is exceeded", { timeout: 120_000 }, async (_, rates) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const dataDir = temporaryDirectory();
        let life = aLife(dataDir, Date.parse("2026-11-20T08:00:00Z"), 0, rates);
        const platforms = [life.platform];
        let owed = 0;
        const underWay = new Set<string>();
        for (const [index, { owe, answers, latencyMs, waitMs, kill }] of steps.entries()) {
          let asked = 0;
          life.platform.answer = () => answers[(asked += 1) % answers.length] ?? accepted;
          life.platform.latencyMs = latencyMs;
          const entries = Array.from({ length: owe }, () => anEntry((owed += 1), ["chat"]));
          await life.outbox.add(entries, [], never);
          await life.clock.advance(waitMs);
          if (!kill) continue;
          for (const id of life.platform.unanswered()) underWay.add(id);
          life.platform.cut();
          life = aLife(dataDir, life.clock.now() + 100, index + 1, rates);
          platforms.push(life.platform);
        }
        life.platform.answer = () => accepted;
        life.platform.latencyMs = 0;
        await life.clock.advance(40 * MINUTE);

        const counts = life.history.counts().get("chat");
        const rows = life.history.deliveries({ limit: 10_000 });
        const digests = rows.filter(({ alert }) => alert.kind === "digest");
        expect(rows.length).toBe(owed + digests.length);
        expect(counts?.pending ?? 0).toBe(0);
        // What is folded is told by a digest that was itself told, folded or given up.
        const ids = new Set(rows.map(({ id }) => id));
        const folded = rows.filter(({ state }) => state === "folded");
        expect(folded.filter(({ foldedInto }) => !ids.has(foldedInto ?? ""))).toEqual([]);
        // What may have arrived is told again as it was, and in no digest: its key says that it is the same.
        const isRated = rates.length > 0;
        expect(folded.filter(({ id }) => isRated && underWay.has(id))).toEqual([]);
        // Every occurrence is in exactly one message that ended, one way or the other.
        const ended = rows.filter(({ state }) => state !== "folded");
        const told = ended.map(({ alert }) => (alert.kind === "digest" ? alert.total : 1));
        expect(told.reduce((sum, one) => sum + one, 0)).toBe(owed);

        const times = platforms.flatMap(({ requests }) => requests.map(({ at }) => at));
        for (const { count, perMs } of rates) {
          expect(busiest(times, perMs)).toBeLessThanOrEqual(count);
        }
        // Twice only what was under way when the process was killed: two at a time.
        const accepts = platforms.flatMap((platform) => platform.told.map(({ id }) => id));
        const lives = platforms.length;
        expect(accepts.length - new Set(accepts).size).toBeLessThanOrEqual(2 * (lives - 1));
      }),
      { numRuns: 60 },
    );
  });
});
