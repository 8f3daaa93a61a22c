import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LeaseError, type LeaseRecord, sameRecord } from "../../../src/election/lease.ts";
import { electionTimes, failoverMs, JITTER } from "../../../src/election/times.ts";

const record: LeaseRecord = {
  holder: "a_1",
  durationMs: 15_000,
  acquired: "2026-11-20T08:00:00.000000Z",
  renewed: "2026-11-20T08:00:02.000000Z",
  transitions: 3,
  object: { metadata: { resourceVersion: "7" } },
};

describe("the times of an election", () => {
  const lease = fc.integer({ min: 4_000, max: 3_600_000 });

  it("that follow from the lease's are client-go's for its 15 seconds", () => {
    expect(electionTimes(15_000, undefined, undefined)).toEqual({
      leaseMs: 15_000,
      renewMs: 10_000,
      retryMs: 2_000,
    });
  });

  it("are whole milliseconds, and leave a leader time to try again and a new one time to wait", () => {
    fc.assert(
      fc.property(lease, (leaseMs) => {
        const times = electionTimes(leaseMs, undefined, undefined);
        expect(Object.values(times).every(Number.isInteger)).toBe(true);
        // The old leader has stopped a second before anybody else may begin.
        expect(times.renewMs).toBeLessThanOrEqual(leaseMs - 1_000);
        expect(times.retryMs * JITTER).toBeLessThan(times.renewMs);
        // Four renewals may be lost and the fifth one saves it.
        expect(4 * times.retryMs * JITTER).toBeLessThan(times.renewMs);
      }),
    );
  });

  it("that are given are not changed, and change no other", () => {
    fc.assert(
      fc.property(lease, fc.integer({ min: 1 }), (leaseMs, given) => {
        const usual = electionTimes(leaseMs, undefined, undefined);
        expect(electionTimes(leaseMs, given, undefined)).toEqual({ ...usual, renewMs: given });
        expect(electionTimes(leaseMs, undefined, given)).toEqual({ ...usual, retryMs: given });
      }),
    );
  });

  it("make a failover that takes longer than the lease, and than any look in between", () => {
    fc.assert(
      fc.property(lease, (leaseMs) => {
        const times = electionTimes(leaseMs, undefined, undefined);
        expect(failoverMs(times)).toBeGreaterThan(leaseMs);
        expect(failoverMs({ ...times, retryMs: times.retryMs + 1 })).toBeGreaterThan(
          failoverMs(times),
        );
      }),
    );
    expect(failoverMs(electionTimes(15_000, undefined, undefined))).toBe(17_400);
  });
});

describe("a record of a Lease", () => {
  it("is the same when somebody only labelled the object: that is no sign of life", () => {
    const labelled = { ...record, object: { metadata: { resourceVersion: "8", labels: {} } } };
    expect(sameRecord(record, labelled)).toBe(true);
    expect(sameRecord(labelled, record)).toBe(true);
  });

  it.each<[keyof LeaseRecord, Partial<LeaseRecord>]>([
    ["holder", { holder: "a_2" }],
    ["holder", { holder: "" }],
    ["durationMs", { durationMs: 16_000 }],
    ["durationMs", { durationMs: null }],
    ["acquired", { acquired: "2026-11-20T08:00:01.000000Z" }],
    ["renewed", { renewed: "2026-11-20T08:00:02.000001Z" }],
    // The clock of the holder was set back: it lives all the same.
    ["renewed", { renewed: "2026-11-20T07:00:02.000000Z" }],
    ["transitions", { transitions: 4 }],
  ])("is another by its %s alone: %j", (_, change) => {
    expect(sameRecord(record, { ...record, ...change })).toBe(false);
    expect(sameRecord({ ...record, ...change }, record)).toBe(false);
  });
});

it("a Lease that cannot be had says which kind of failure it is, by a name of its own", () => {
  const error = new LeaseError("forbidden", "may not get leases");
  expect(error).toBeInstanceOf(Error);
  expect([error.name, error.failure, error.message]).toEqual([
    "LeaseError",
    "forbidden",
    "may not get leases",
  ]);
});
