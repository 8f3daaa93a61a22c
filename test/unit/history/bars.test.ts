import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Bars, frameOf } from "../../../src/history/bars.ts";
import { HOUR, MINUTE, NOON } from "../../support/history.ts";

const DAY = 24 * HOUR;
const moments = fc.integer({ min: NOON - 400 * DAY, max: NOON });
const steps = fc.constantFrom(null, MINUTE, 5 * MINUTE, HOUR, DAY);
const shortest = (range: number) => frameOf(null, NOON, NOON + range).step;

describe("the bars of a timeline", () => {
  test("are whole, cover all of the time, and are never more than can be drawn", () => {
    fc.assert(
      fc.property(moments, moments, steps, (one, other, asked) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const { from, to, step } = frameOf(asked, low, high);
        expect([from % step, to % step, step % MINUTE]).toEqual([0, 0, 0]);
        expect(from <= low && low - from < step).toBe(true);
        expect(to >= high && to - high < step).toBe(true);
        // Those at both ends are cut by the time that was asked for.
        expect((to - from) / step).toBeLessThanOrEqual((asked === null ? 120 : 2_000) + 2);
        expect(step).toBeGreaterThanOrEqual(asked ?? MINUTE);
      }),
    );
  });

  test.each([
    [119 * MINUTE, MINUTE],
    [120 * MINUTE, MINUTE],
    [121 * MINUTE, 2 * MINUTE],
    [DAY, 15 * MINUTE],
    [7 * DAY, 2 * HOUR],
    [120 * DAY, DAY],
    [121 * DAY, 2 * DAY],
    [5 * 365 * DAY, 16 * DAY],
  ])("of %i ms are as short as fits a page, of %i ms each", (range, step) => {
    expect(shortest(range)).toBe(step);
  });

  test("are as short as somebody asks, up to two thousand of them", () => {
    expect(frameOf(MINUTE, NOON, NOON + 2_000 * MINUTE).step).toBe(MINUTE);
    expect(frameOf(MINUTE, NOON, NOON + 2_001 * MINUTE).step).toBe(2 * MINUTE);
    expect(frameOf(HOUR, NOON, NOON).step).toBe(HOUR);
  });

  test("count everything within them once, the most frequent by name and the rest as one", () => {
    const happened = fc.array(
      fc.tuple(
        fc.constantFrom("BackOff", "Failed", "扩容失败", "Started", "Killing"),
        fc.integer({ min: -HOUR, max: 3 * HOUR }),
        fc.integer({ min: 1, max: 5 }),
      ),
    );
    fc.assert(
      fc.property(happened, fc.integer({ min: 1, max: 6 }), (all, top) => {
        const frame = frameOf(5 * MINUTE, NOON, NOON + 2 * HOUR);
        const bars = new Bars(frame);
        for (const [value, after, n] of all) bars.add(value, NOON + after, n);
        const within = all.filter(([, after]) => after >= 0 && after < 2 * HOUR);
        const totalOf = (some: typeof all) => some.reduce((sum, [, , n]) => sum + n, 0);
        const { total, series, from, to } = bars.shaped(top);
        expect([from, to, total]).toEqual([frame.from, frame.to, totalOf(within)]);
        const named = new Set(series.flatMap(({ value }) => value ?? []));
        for (const one of series) {
          const mine = within.filter(([value]) =>
            one.value === null ? !named.has(value) : value === one.value,
          );
          expect(one.total).toBe(totalOf(mine));
          expect(one.counts).toEqual(
            Array.from({ length: 24 }, (_, bar) =>
              totalOf(mine.filter(([, after]) => Math.floor(after / (5 * MINUTE)) === bar)),
            ),
          );
        }
        const values = new Set(within.map(([value]) => value));
        expect(named.size).toBe(Math.min(top, values.size));
        expect(series.some(({ value }) => value === null)).toBe(values.size > top);
        const totals = series.filter(({ value }) => value !== null).map((one) => one.total);
        expect(totals).toEqual(totals.toSorted((a, b) => b - a));
      }),
    );
  });
});
