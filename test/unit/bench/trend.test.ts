import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Sample, trendOf } from "../../../bench/soak/trend.ts";
import { seeded } from "../../support/life.ts";

const HOUR = 3_600;
/** Every ten seconds, for so many minutes. */
const series = (minutes: number, value: (seconds: number, index: number) => number): Sample[] =>
  Array.from({ length: minutes * 6 }, (_, index) => [index * 10, value(index * 10, index)]);

/** Normal, by Box and Muller. */
function noise(seed: number): () => number {
  const random = seeded(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** As memory does: each value resembles the one before. */
function sluggish(seed: number, resemblance: number, size: number): () => number {
  const next = noise(seed);
  let value = 0;
  return () => (value = value * resemblance + next() * size);
}

describe("the trend of a series", () => {
  it("is that of a straight line, exactly", () => {
    const { slope, atLeast, growth } = trendOf(series(60, (seconds) => 80 + seconds / 360));
    expect(slope * HOUR).toBeCloseTo(10);
    expect(atLeast * HOUR).toBeCloseTo(10);
    expect(growth).toBeCloseTo(3_590 / 360);
  });

  it("is none where nothing changes", () => {
    expect(trendOf(series(60, () => 95))).toEqual({ slope: 0, atLeast: 0, growth: 0 });
  });

  it("is found under noise: 10 MiB in an hour, with 5 MiB to and fro", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const jitter = noise(seed);
      const rising = series(120, (seconds) => 90 + seconds / 360 + 5 * jitter());
      const { slope, growth } = trendOf(rising);
      expect(slope * HOUR).toBeGreaterThan(8);
      expect(slope * HOUR).toBeLessThan(12);
      expect(growth).toBeGreaterThan(15);
    }
  });

  it("is found under the saw of a garbage collector, and in steps", () => {
    const saw = (seconds: number) => (seconds % 70) / 7;
    expect(trendOf(series(120, (s) => 90 + saw(s) + s / 720)).growth).toBeGreaterThan(8);
    const steps = series(120, (seconds) => 90 + 4 * Math.floor(seconds / 1_200));
    expect(trendOf(steps).growth).toBeGreaterThan(8);
  });

  it("is not seen in noise, nor in a saw, nor after one step at the beginning or one outlier", () => {
    const saw = series(120, (seconds) => 90 + (seconds % 70) / 7);
    expect(trendOf(saw).growth).toBeLessThan(0.5);
    const early = series(120, (seconds) => (seconds < 300 ? 80 : 95));
    expect(trendOf(early).growth).toBe(0);
    const outlier = series(5, (_, index) => (index === 28 ? 300 : 95));
    expect(trendOf(outlier).growth).toBe(0);
    let found = 0;
    for (let seed = 1; seed <= 100; seed += 1) {
      const jitter = noise(seed);
      if (trendOf(series(60, () => 95 + 5 * jitter())).growth > 0.5) found += 1;
    }
    // One in forty has a lower bound above nothing; few of them by half a MiB.
    expect(found).toBeLessThanOrEqual(3);
  });

  it("is seldom seen in what only resembles its neighbours, as memory does", () => {
    let rising = 0;
    for (let seed = 1; seed <= 100; seed += 1) {
      const wander = sluggish(seed, 0.9, 1);
      if (trendOf(series(60, () => 95 + wander())).growth > 0) rising += 1;
    }
    expect(rising).toBeLessThanOrEqual(8);
  });

  it("asks for several samples before it says anything", () => {
    for (const count of [0, 1, 2, 3]) {
      const few = series(1, (seconds) => seconds).slice(0, count);
      expect(trendOf(few).growth).toBe(0);
    }
  });

  it("does not depend on the level, and turns with the sign", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { minLength: 5, maxLength: 40 }),
        fc.integer({ min: -1_000, max: 1_000 }),
        (values, level) => {
          const plain = trendOf(values.map((value, index) => [index * 10, value]));
          const raised = trendOf(values.map((value, index) => [index * 10, value + level]));
          const turned = trendOf(values.map((value, index) => [index * 10, -value]));
          expect(raised.slope).toBeCloseTo(plain.slope, 6);
          expect(turned.slope).toBeCloseTo(-plain.slope, 6);
          expect(plain.atLeast).toBeLessThanOrEqual(plain.slope);
        },
      ),
    );
  });
});
