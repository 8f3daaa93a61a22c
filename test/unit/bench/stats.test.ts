import { array, assert, integer, nat, property, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  account,
  type Arrival,
  disorder,
  percentile,
  percentiles,
  ranges,
} from "../../../bench/harness/stats.ts";

const booked = (seq: number, t = 1_000 + seq, acked = t + 5) => ({ seq, t, acked });
const arrival = (seq: number, after: number, status = 200): Arrival => [
  seq,
  1_000 + seq,
  1_000 + seq + after,
  status,
];

describe("percentiles", () => {
  it("are by nearest rank: a value that was measured, and none made up between two", () => {
    // The example of https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method
    const values = [15, 20, 35, 40, 50];
    expect([5, 30, 40, 50, 100].map((p) => percentile(values, p))).toEqual([15, 20, 20, 35, 50]);
  });

  it("of nothing are nothing, of one value that value", () => {
    expect(percentile([], 50)).toBeNull();
    expect(percentiles([])).toEqual({ p50: null, p90: null, p99: null, max: null });
    expect(percentiles([7])).toEqual({ p50: 7, p90: 7, p99: 7, max: 7 });
  });

  it("do not depend on the order, and lie among the values", () => {
    assert(
      property(array(integer(), { minLength: 1 }), (values) => {
        const found = percentiles(values);
        expect(found).toEqual(percentiles(values.toReversed()));
        expect(found.max).toBe(Math.max(...values));
        for (const value of Object.values(found)) expect(values).toContain(value);
        expect((found.p50 ?? 0) <= (found.p99 ?? 0)).toBe(true);
      }),
    );
  });
});

describe("ranges", () => {
  it("say which were lost, shortly", () => {
    expect(ranges([])).toBe("");
    expect(ranges([7, 3, 1, 2])).toBe("1-3,7");
    expect(ranges([5, 5, 5])).toBe("5");
    const even = Array.from({ length: 20 }, (_, index) => index * 2);
    expect(ranges(even)).toBe("0,2,4,6,8,10,12,14,16,18,20,22,...(20 ranges)");
  });

  it("hold every number once", () => {
    assert(
      property(uniqueArray(nat(40), { maxLength: 12 }), (numbers) => {
        const again = ranges(numbers)
          .split(",")
          .filter((part) => part !== "")
          .flatMap((part) => {
            const [from = 0, to = from] = part.split("-").map(Number);
            return Array.from({ length: to - from + 1 }, (_, index) => from + index);
          });
        expect(again).toEqual(numbers.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe("the account of a scenario", () => {
  it("tells what was delivered, lost and sent twice; latency counts to the first acceptance", () => {
    const books = [booked(0), booked(1), booked(2), booked(3, 1_003, 0)];
    const arrivals = [arrival(0, 10), arrival(1, 30), arrival(1, 90)];
    const { summary, lost, first } = account(books, arrivals);
    expect(summary).toMatchObject({
      created: 3,
      createErrors: 1,
      delivered: 2,
      lost: 1,
      duplicated: 1,
      attempts: 3,
      latencyMs: { p50: 10, max: 30 },
      deliverySpanMs: 91,
    });
    expect(lost.map(({ seq }) => seq)).toEqual([2]);
    expect([...first]).toEqual([
      [0, 10],
      [1, 30],
    ]);
  });

  it("takes no refusal and no silence for a delivery, nor what follows them for a second one", () => {
    const arrivals = [
      arrival(0, 10, 500),
      arrival(0, 20, 200),
      arrival(1, 10, 0),
      arrival(1, 40, 204),
      arrival(2, 10, 429),
    ];
    const { summary } = account([booked(0), booked(1), booked(2)], arrivals);
    expect(summary).toMatchObject({
      delivered: 2,
      lost: 1,
      duplicated: 0,
      refusedAttempts: 2,
      refusedEvents: 2,
      refusedEventsLaterDelivered: 1,
      unansweredAttempts: 1,
      unansweredEventsLaterDelivered: 1,
      latencyMs: { p50: 20, max: 40 },
    });
  });

  it("of nothing at all has no latency and no span", () => {
    const { summary } = account([], []);
    expect(summary).toMatchObject({ created: 0, lost: 0, deliverySpanMs: null });
    expect(summary.latencyMs.p50).toBeNull();
  });
});

describe("disorder", () => {
  const objectOf = ([seq]: Arrival) => Math.floor(seq / 10);
  const placeOf = ([seq]: Arrival) => seq;
  const late = (...seqs: number[]) =>
    disorder(
      seqs.map((seq) => arrival(seq, 1)),
      objectOf,
      placeOf,
    );

  it("is counted within an object, not between two", () => {
    expect(late(0, 10, 1, 11, 2, 12)).toBe(0);
    expect(late(10, 0, 20, 1)).toBe(0);
    expect(late(0, 2, 1, 3)).toBe(1);
    expect(late(3, 0, 1, 2)).toBe(3);
  });

  it("is no matter of what was refused, nor of what came twice in its place", () => {
    const arrivals = [arrival(1, 1, 500), arrival(0, 1), arrival(0, 2), arrival(1, 3)];
    expect(disorder(arrivals, objectOf, placeOf)).toBe(0);
  });
});
