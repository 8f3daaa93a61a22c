import { describe, expect, it } from "vitest";
import { BucketLimit, SlidingLimit, unlimited } from "../../../src/simulate/limit.ts";

describe("SlidingLimit", () => {
  it("takes as many as fit and says when the oldest leaves the window", () => {
    const limit = new SlidingLimit([{ count: 2, perMs: 100 }]);
    expect([limit.take(0), limit.take(10), limit.take(20)]).toEqual([null, null, 100]);
    expect(limit.take(99)).toBe(100);
    expect(limit.take(100)).toBeNull();
    expect(limit.take(100)).toBe(110);
  });

  it("does not count what it refused", () => {
    const limit = new SlidingLimit([{ count: 1, perMs: 100 }]);
    limit.take(0);
    for (let now = 1; now < 100; now += 1) limit.take(now);
    expect(limit.take(100)).toBeNull();
  });

  it("holds all its windows, and names the latest time", () => {
    const limit = new SlidingLimit([
      { count: 1, perMs: 10 },
      { count: 2, perMs: 100 },
    ]);
    expect([limit.take(0), limit.take(5), limit.take(10), limit.take(20)]).toEqual([
      null,
      10,
      null,
      100,
    ]);
  });

  it("mutes for its time, which further attempts do not lengthen", () => {
    const limit = new SlidingLimit([{ count: 1, perMs: 100 }], 1000);
    expect([limit.take(0), limit.take(50), limit.take(900), limit.take(1049)]).toEqual([
      null,
      1050,
      1050,
      1050,
    ]);
    expect(limit.take(1050)).toBeNull();
  });

  it("forgets everything on reset", () => {
    const limit = new SlidingLimit([{ count: 1, perMs: 100 }], 1000);
    limit.take(0);
    limit.take(0);
    limit.reset();
    expect(limit.take(0)).toBeNull();
  });
});

describe("BucketLimit", () => {
  it("takes a burst, then one each interval", () => {
    const limit = new BucketLimit(2, 100);
    expect([limit.take(0), limit.take(0), limit.take(0)]).toEqual([null, null, 100]);
    expect([limit.take(100), limit.take(100)]).toEqual([null, 200]);
  });

  it("fills up no further than its size", () => {
    const limit = new BucketLimit(2, 100);
    limit.take(0);
    expect([limit.take(10_000), limit.take(10_000), limit.take(10_000)]).toEqual([
      null,
      null,
      10_100,
    ]);
  });

  it("is full again on reset", () => {
    const limit = new BucketLimit(1, 100);
    limit.take(0);
    limit.reset();
    expect(limit.take(0)).toBeNull();
  });
});

it("unlimited never refuses", () => {
  unlimited.reset();
  for (let index = 0; index < 1000; index += 1) expect(unlimited.take(0)).toBeNull();
});
