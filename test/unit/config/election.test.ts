import { describe, expect, it } from "vitest";
import type { FlagValues } from "../../../src/config/flags.ts";
import { failoverMs } from "../../../src/election/times.ts";
import { load, problemsOf } from "../../support/config.ts";

const timesOf = (flags: FlagValues) => load({ flags }).config.election.times;
/** What is wrong besides what the test is not about. */
const wrong = (flags: FlagValues) =>
  problemsOf({ flags: { leaderElect: true, ledger: SHARED, ...flags } })
    .split("\n")
    .filter((line) => line !== "");
const SHARED = "mysql://crier:made-up@db.example.com/crier";

describe("the times of an election", () => {
  it("are client-go's", () => {
    expect(timesOf({})).toEqual({ leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 });
  });

  it("follow from the duration, in the same proportions", () => {
    expect(timesOf({ leaderElectLeaseDuration: "30s" })).toEqual({
      leaseMs: 30_000,
      renewMs: 20_000,
      retryMs: 4_000,
    });
    expect(timesOf({ leaderElectLeaseDuration: "4s" })).toEqual({
      leaseMs: 4_000,
      renewMs: 2_667,
      retryMs: 533,
    });
  });

  it("may be given each", () => {
    expect(
      timesOf({
        leaderElectLeaseDuration: "20s",
        leaderElectRenewDeadline: "15s",
        leaderElectRetryPeriod: "1s",
      }),
    ).toEqual({ leaseMs: 20_000, renewMs: 15_000, retryMs: 1_000 });
  });

  it("make a failover below 20 seconds by default, and below 5 with the shortest", () => {
    expect(failoverMs(timesOf({}))).toBeLessThan(20_000);
    expect(failoverMs(timesOf({ leaderElectLeaseDuration: "4s" }))).toBeLessThan(5_000);
  });
});

describe("mistakes with the election", () => {
  it("a deadline so late that the old leader may send beside the new one", () => {
    expect(wrong({ leaderElectRenewDeadline: "15s" })).toEqual([
      "--leader-elect-renew-deadline: an old leader may still be sending (it gives up after 15 s) when a new one begins (after 15 s) (give at most 14 s, or a longer leaderElectLeaseDuration)",
    ]);
    expect(wrong({ leaderElectRenewDeadline: "14001ms" })).toHaveLength(1);
    expect(wrong({ leaderElectRenewDeadline: "14s" })).toEqual([]);
  });

  it("a period so long that a leader would give up before it tries again", () => {
    expect(wrong({ leaderElectRetryPeriod: "9s" })).toEqual([
      "--leader-elect-retry-period: a leader would give up (after 10 s) before it has tried again (after up to 10.8 s) (give less than 8.333 s, or a longer leaderElectRenewDeadline)",
    ]);
    expect(wrong({ leaderElectRetryPeriod: "8s" })).toEqual([]);
  });

  it("a duration that a Lease cannot state, and one so short that a slow answer ends a leader", () => {
    for (const duration of ["4500ms", "3s", "3999ms"])
      expect(wrong({ leaderElectLeaseDuration: duration }), duration).toEqual([
        expect.stringMatching(
          /^--leader-elect-lease-duration: .*expected whole seconds, at least 4s/,
        ) as string,
      ]);
    expect(wrong({ leaderElectLeaseDuration: "4s" })).toEqual([]);
  });

  it("looks so close together that they are a flood", () => {
    expect(wrong({ leaderElectRetryPeriod: "249ms" })).toEqual([
      expect.stringMatching(/^--leader-elect-retry-period: .*expected at least 250ms/) as string,
    ]);
    expect(wrong({ leaderElectRetryPeriod: "250ms" })).toEqual([]);
  });

  it("a ledger of one process", () => {
    expect(problemsOf({ flags: { leaderElect: true } })).toBe(
      "--leader-elect: a SQLite ledger belongs to one process: a standby could not go on where the leader ended (use --ledger=mysql://… for all replicas, or one replica without --leader-elect)",
    );
    expect(problemsOf({}, "# two\nleaderElect: true")).toMatch(
      /^file1\.yaml:2:14: leaderElect: a SQLite ledger belongs to one process/,
    );
    expect(wrong({})).toEqual([]);
  });

  it("no cluster for a Lease", () => {
    expect(wrong({ source: ["file:-"] })).toEqual([
      "--leader-elect: there is no cluster for a Lease (it needs a kubernetes source)",
    ]);
  });

  it("options of an election that is not held are no mistake, but said", () => {
    const { warnings, config } = load({
      flags: { leaderElectLeaseDuration: "4s", leaderElectResourceName: "other" },
    });
    expect(config.election.enabled).toBe(false);
    expect(warnings.map(({ where, message }) => `${where}: ${message}`)).toEqual([
      "--leader-elect-lease-duration: does nothing without leaderElect",
      "--leader-elect-resource-name: does nothing without leaderElect",
    ]);
  });
});
