import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accepted, permanent, retryable, type Verdict } from "../../../src/sink/verdict.ts";
import { settle } from "../../support/clock.ts";
import { aLane, type FakePlatform, type TestLane } from "./support.ts";

const SECOND = 1_000;
const BOUND = 25 * SECOND;

/** In real time, that of those who are asked and answer at once. */
async function drained({ lane, clock }: TestLane): Promise<void> {
  const done = lane.drain(clock.now() + BOUND);
  await clock.advance(BOUND);
  await done;
}

/** How often each was asked for. */
function asked(...platforms: readonly FakePlatform[]): ReadonlyMap<string, number> {
  const all = platforms.flatMap(({ requests }) => requests.map(({ id }) => id));
  return new Map([...Map.groupBy(all, (id) => id)].map(([id, of]) => [id, of.length]));
}

const verdict: fc.Arbitrary<Verdict> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(accepted) },
  { weight: 1, arbitrary: fc.constant(retryable("server", "500")) },
  { weight: 1, arbitrary: fc.constant(permanent("rejected", "400")) },
);

describe("told to stop at any moment, and started again", () => {
  test("each delivery is settled exactly once, whatever was answered when", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.integer({ min: 1, max: 30 }),
          concurrency: fc.integer({ min: 1, max: 5 }),
          answers: fc.array(verdict, { minLength: 1, maxLength: 6 }),
          latencyMs: fc.constantFrom(0, 10, 700, 9_000),
          runMs: fc.integer({ min: 0, max: 20 * SECOND }),
          stops: fc.integer({ min: 1, max: 3 }),
        }),
        async ({ count, concurrency, answers, latencyMs, runMs, stops }) => {
          const first = aLane({ concurrency });
          await first.owe(count);
          const platforms: FakePlatform[] = [];
          let turn = 0;
          for (let life = 0; life <= stops; life += 1) {
            const next = life === 0 ? first : aLane({ concurrency }, { ledger: first });
            const isLast = life === stops;
            platforms.push(next.platform);
            next.platform.answer = () =>
              isLast ? accepted : (answers[(turn += 1) % answers.length] ?? accepted);
            next.platform.latencyMs = isLast ? 0 : latencyMs;
            next.lane.start();
            await first.clock.advance(isLast ? 3_600 * SECOND : runMs);
            await drained(next);
            expect(next.platform.closed).toBe(true);
            const left = first.outbox.pending("chat", first.clock.now()).total;
            expect(left, "nothing is forgotten").toBe(
              count - first.recorded.of("delivered").length - first.recorded.of("dead").length,
            );
          }
          const ended = [...first.recorded.of("delivered"), ...first.recorded.of("dead")];
          const ids = ended.map(([, id]) => id);
          expect(new Set(ids).size, "none ends twice").toBe(ids.length);
          expect(ids).toHaveLength(count);
          const told = platforms.flatMap((one) => one.told.map(({ id }) => id));
          expect(new Set(told).size, "none is told twice").toBe(told.length);
          expect(first.recorded.of("delivered").map(([, id]) => id)).toEqual(
            expect.arrayContaining(told),
          );
          const states = first.history.deliveries({ limit: 1_000 }).map(({ state }) => state);
          expect(states.filter((state) => state !== "delivered" && state !== "dead")).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("what hangs at the bound costs no attempt, and is asked for again with its own id", async () => {
    const first = aLane({ concurrency: 3, timeoutMs: 60 * SECOND });
    first.platform.answer = () => new Promise(() => undefined);
    await first.owe(5);
    first.lane.start();
    await settle();
    const hanging = first.platform.unanswered();
    expect(hanging).toHaveLength(3);
    await drained(first);
    const next = aLane({ concurrency: 3 }, { ledger: first });
    next.lane.start();
    await next.platform.quiet();
    const counts = asked(first.platform, next.platform);
    expect([...counts].filter(([, times]) => times === 2).map(([id]) => id)).toEqual(hanging);
    expect(first.recorded.of("attemptFailed")).toEqual([]);
    expect(first.recorded.of("delivered")).toHaveLength(5);
    const rows = first.history.deliveries({ limit: 10 });
    expect(rows.map(({ attempts }) => attempts)).toEqual([0, 0, 0, 0, 0]);
  });

  test.each([
    ["before", BOUND - 1, [true]],
    ["in the very moment of", BOUND, [true, false]],
    ["after", BOUND + 1, [false]],
  ])(
    "an answer that comes %s the bound counts or is interrupted, and never both",
    async (_, latencyMs, counts) => {
      const one = aLane({ concurrency: 1, timeoutMs: 60 * SECOND });
      one.platform.latencyMs = latencyMs;
      await one.owe(1);
      one.lane.start();
      await settle();
      await drained(one);
      await one.clock.advance(SECOND);
      const isTold = one.recorded.of("delivered").length === 1;
      expect(counts).toContain(isTold);
      expect(one.outbox.pending("chat", one.clock.now()).total).toBe(isTold ? 0 : 1);
    },
  );

  test("draining and then stopping closes the sink once, and both end", async () => {
    const one = aLane({ timeoutMs: 60 * SECOND });
    one.platform.answer = () => new Promise(() => undefined);
    let closed = 0;
    one.platform.close = () => Promise.resolve(void (closed += 1));
    await one.owe(1);
    one.lane.start();
    await settle();
    // A leader that is deposed while it stops.
    const draining = one.lane.drain(one.clock.now() + BOUND);
    await one.lane.stop();
    await draining;
    expect(closed).toBe(1);
    expect(one.clock.sleeping, "no timer is left").toBe(0);
  });

  test("what is owed after it is told to stop is left to the next one", async () => {
    const one = aLane();
    one.lane.start();
    await drained(one);
    await one.owe(3);
    await one.clock.advance(60 * SECOND);
    expect(one.platform.requests).toEqual([]);
    expect(one.outbox.pending("chat", one.clock.now()).total).toBe(3);
  });

  test("a sink that cannot be closed is named, and the lane ends all the same", async () => {
    const one = aLane();
    one.platform.close = () => Promise.reject(new Error("socket gone"));
    one.lane.start();
    await expect(one.lane.stop()).resolves.toBeUndefined();
    await expect(one.lane.stop()).resolves.toBeUndefined();
    expect(one.recorded.of("error")).toEqual([["chat: cannot be closed: socket gone"]]);
  });
});
