import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Budget } from "../../../src/delivery/budget.ts";
import { busiest } from "./support.ts";

const MINUTE = 60_000;
const DINGTALK = [{ count: 20, perMs: MINUTE }];
const LARK = [
  { count: 100, perMs: MINUTE },
  { count: 5, perMs: 1_000 },
];

/** So many requests, each answered at once. */
function spend(budget: Budget, count: number, now: number): void {
  for (let request = 0; request < count; request += 1) {
    budget.start();
    budget.end(now);
  }
}

describe("a budget", () => {
  test("gives as many as the rate, then nothing until the window has passed", () => {
    const budget = new Budget(DINGTALK);
    expect(budget.available(0)).toBe(20);
    expect(budget.nextSlotAt(0)).toBe(0);
    spend(budget, 20, 0);
    expect(budget.available(0)).toBe(0);
    expect(budget.available(MINUTE)).toBe(0);
    expect(budget.nextSlotAt(0)).toBe(MINUTE + 1);
    expect(budget.available(MINUTE + 1)).toBe(20);
  });

  test("the window slides: slots come back one by one", () => {
    const budget = new Budget(DINGTALK);
    for (let second = 0; second < 20; second += 1) spend(budget, 1, second * 1_000);
    expect(budget.available(30_000)).toBe(0);
    expect(budget.nextSlotAt(30_000)).toBe(MINUTE + 1);
    expect(budget.available(MINUTE + 1)).toBe(1);
    expect(budget.available(MINUTE + 4_001)).toBe(5);
  });

  test("of several rates the tightest counts", () => {
    const budget = new Budget(LARK);
    let now = 0;
    for (; now < 20_000; now += 1_001) spend(budget, budget.available(now), now);
    expect(budget.available(now)).toBe(0);
    expect(budget.nextSlotAt(now)).toBe(MINUTE + 1);
  });

  test("a request under way holds its slot, and then the window from its answer", () => {
    const budget = new Budget([{ count: 1, perMs: 1_000 }]);
    budget.start();
    expect(budget.available(5_000)).toBe(0);
    budget.end(9_000);
    expect(budget.available(10_000)).toBe(0);
    expect(budget.available(10_001)).toBe(1);
  });

  test("what was sent before a restart counts", () => {
    const before = Array.from({ length: 15 }, (_, n) => n * 100);
    expect(new Budget(DINGTALK, before).available(30_000)).toBe(5);
    expect(new Budget(DINGTALK, before.toReversed()).available(30_000)).toBe(5);
    const more = Array.from({ length: 50 }, (_, n) => n * 100);
    expect(new Budget(DINGTALK, more).available(30_000)).toBe(0);
  });

  test("slots within a time: those now, and those that come back", () => {
    const budget = new Budget(DINGTALK);
    expect(budget.slotsWithin(0, 30_000, 1_000)).toBe(20);
    spend(budget, 8, 0);
    spend(budget, 12, 50_000);
    expect(budget.slotsWithin(50_000, 5_000, 1_000)).toBe(0);
    expect(budget.slotsWithin(50_000, 30_000, 1_000)).toBe(8);
    expect(budget.slotsWithin(50_000, 30_000, 3)).toBe(3);
    expect(new Budget(LARK).slotsWithin(0, 3_100, 1_000)).toBe(20);
  });

  test("without rates everything is allowed, and nothing is remembered", () => {
    const budget = new Budget([]);
    spend(budget, 10_000, 0);
    expect(budget.available(0)).toBe(Number.POSITIVE_INFINITY);
    expect(budget.slotsWithin(0, 1_000, 7)).toBe(7);
    expect(budget.nextSlotAt(3)).toBe(3);
  });

  test("a clock set back by an hour does not close it for an hour", () => {
    const budget = new Budget(DINGTALK);
    spend(budget, 20, 3_600_000);
    expect(budget.available(0)).toBe(0);
    expect(budget.nextSlotAt(0)).toBe(MINUTE + 1);
    expect(budget.available(MINUTE + 1)).toBe(20);
  });

  test("no window of the platform's ever sees too many, whenever within a request it counts it", () => {
    const rate = fc.record({
      count: fc.integer({ min: 1, max: 8 }),
      perMs: fc.integer({ min: 10, max: 2_000 }),
    });
    const request = fc.record({
      wait: fc.integer({ min: 0, max: 300 }),
      latency: fc.integer({ min: 0, max: 500 }),
      seen: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(rate, { minLength: 1, maxLength: 3 }),
        fc.array(request, { maxLength: 60 }),
        (rates, requests) => {
          const budget = new Budget(rates);
          const received: number[] = [];
          let underWay: number[] = [];
          let now = 0;
          const finish = (until: number) => {
            for (const at of underWay.toSorted((a, b) => a - b)) if (at <= until) budget.end(at);
            underWay = underWay.filter((at) => at > until);
          };
          for (const { wait, latency, seen } of requests) {
            now += wait;
            finish(now);
            if (budget.available(now) === 0) continue;
            budget.start();
            underWay.push(now + latency);
            received.push(now + latency * seen);
          }
          for (const { count, perMs } of rates) {
            expect(busiest(received, perMs)).toBeLessThanOrEqual(count);
          }
        },
      ),
    );
  });

  test("when it says a slot comes back, one is there, and none before", () => {
    const times = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(times, (ended) => {
        const budget = new Budget(
          [
            { count: 4, perMs: 1_000 },
            { count: 9, perMs: 3_000 },
          ],
          ended,
        );
        const next = budget.nextSlotAt(5_000);
        expect(budget.available(next)).toBeGreaterThan(0);
        expect(next === 5_000 || budget.available(next - 1) === 0).toBe(true);
        expect(budget.slotsWithin(5_000, next - 5_000, 1)).toBe(1);
      }),
    );
  });
});

describe("what several share", () => {
  test("counts what each of them sends, and holds for each", () => {
    const robot = new Budget(DINGTALK);
    const [one, other] = [new Budget(DINGTALK, [], robot), new Budget(DINGTALK, [], robot)];
    for (let n = 0; n < 15; n += 1) one.start();
    expect([one.available(0), other.available(0)]).toEqual([5, 5]);
    for (let n = 0; n < 5; n += 1) other.start();
    expect([one.available(0), other.available(0)]).toEqual([0, 0]);
    for (let n = 0; n < 15; n += 1) one.end(1_000);
    expect(other.available(60_000)).toBe(0);
    expect(other.nextSlotAt(60_000)).toBe(61_001);
    expect(other.slotsWithin(60_000, 2_000, 100)).toBe(15);
    expect([one.available(61_001), other.available(61_001)]).toEqual([15, 15]);
  });

  test("is no more than one's own rate allows", () => {
    const robot = new Budget(DINGTALK);
    const own = new Budget([{ count: 5, perMs: 60_000 }], [], robot);
    expect(own.available(0)).toBe(5);
    for (let n = 0; n < 5; n += 1) own.start();
    expect(own.available(0)).toBe(0);
    expect(robot.available(0)).toBe(15);
    expect(new Budget(DINGTALK, [], robot).slotsWithin(0, 1_000, 100)).toBe(15);
  });

  test("knows what each of them sent before a restart", () => {
    const robot = new Budget(DINGTALK);
    const one = new Budget(DINGTALK, [10, 20, 30], robot);
    const other = new Budget(DINGTALK, [15, 25], robot);
    expect([one.available(40), other.available(40)]).toEqual([15, 15]);
    expect(one.nextSlotAt(40)).toBe(40);
    expect(one.available(60_016)).toBe(17);
  });

  test("no window of the platform's sees too many, however they take turns", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(
          fc.record({
            who: fc.integer({ min: 0, max: 2 }),
            after: fc.integer({ min: 0, max: 700 }),
            lasts: fc.integer({ min: 0, max: 500 }),
          }),
          { maxLength: 120 },
        ),
        (count, tries) => {
          const rates = [{ count, perMs: 1_000 }];
          const robot = new Budget(rates);
          const all = [0, 1, 2].map(() => new Budget(rates, [], robot));
          const ends: { at: number; of: Budget }[] = [];
          const started: number[] = [];
          let now = 0;
          for (const { who, after, lasts } of tries) {
            now += after;
            for (const { at, of } of ends.filter((end) => end.at <= now)) of.end(at);
            ends.splice(0, ends.length, ...ends.filter((end) => end.at > now));
            const budget = all[who];
            if (budget === undefined || budget.available(now) === 0) continue;
            budget.start();
            started.push(now);
            ends.push({ at: now + lasts, of: budget });
            ends.sort((a, b) => a.at - b.at);
          }
          for (const from of started)
            expect(
              started.filter((at) => at >= from && at < from + 1_000).length,
            ).toBeLessThanOrEqual(count);
        },
      ),
    );
  });
});
