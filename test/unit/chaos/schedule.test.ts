import { describe, expect, it } from "vitest";
import {
  describeSchedule,
  INJECTIONS,
  type Injection,
  schedule,
  type Track,
} from "../../chaos/schedule.ts";

const steps = (seed: number, seconds = 60, without?: ReadonlySet<Injection>) =>
  Object.values(schedule(seed, seconds, without).tracks).flat();

describe("a schedule", () => {
  it("is the same for the same seed and another for another", () => {
    expect(schedule(7, 60)).toEqual(schedule(7, 60));
    expect(schedule(7, 60).tracks).not.toEqual(schedule(8, 60).tracks);
  });

  it("of a shorter time is the beginning of a longer one", () => {
    for (const track of Object.keys(INJECTIONS) as Track[]) {
      const short = schedule(7, 30).tracks[track];
      expect(schedule(7, 90).tracks[track].slice(0, short.length)).toEqual(short);
    }
  });

  it("stays within its time, in order on each track", () => {
    for (let seed = 1; seed <= 50; seed += 1)
      for (const track of Object.values(schedule(seed, 40).tracks)) {
        const times = track.map(({ at }) => at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(times.every((at) => at >= 0 && at < 40_000)).toBe(true);
      }
  });

  it("knows each injection within twenty seeds, and a cluster that forgets only where nobody else's Events are watched", () => {
    const seen = new Set<string>();
    const scopes = new Set<string>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const { scope, tracks } = schedule(seed, 35);
      scopes.add(scope);
      for (const { what } of Object.values(tracks).flat()) {
        seen.add(what);
        expect(scope === "all" && what === "forget").toBe(false);
      }
    }
    const all = Object.values(INJECTIONS).flat();
    expect([...seen].toSorted()).toEqual(
      [...new Set<string>(all)].filter((what) => what !== "none").toSorted(),
    );
    expect(scopes.size).toBe(2);
  });

  it("keeps the ledger in a file or in a database, whose disk is not ours to fill", () => {
    const ledgers = new Map<string, string[]>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const { ledger, tracks } = schedule(seed, 120);
      const what = tracks.process.map((step) => step.what);
      ledgers.set(ledger, [...(ledgers.get(ledger) ?? []), ...what]);
      expect(schedule(seed, 120, new Set(["mysql down"])).ledger).toBe("file");
    }
    expect([...ledgers.keys()].toSorted()).toEqual(["block", "bypass", "file"]);
    expect(ledgers.get("file")).toContain("disk full");
    for (const database of ["block", "bypass"])
      expect(ledgers.get(database)).not.toContain("disk full");
  });

  it("has two replicas now and then, on a database, and then what happens to those", () => {
    const many = Array.from({ length: 20 }, (_, index) => schedule(index + 1, 120));
    const pairs = many.filter(({ replicas }) => replicas === 2);
    expect(new Set(pairs.map(({ ledger }) => ledger))).toEqual(new Set(["bypass", "block"]));
    expect(pairs.every(({ tracks }) => tracks.process.length === 0)).toBe(true);
    const what = pairs.flatMap(({ tracks }) => tracks.pair.map((step) => step.what));
    expect([...new Set(what)].toSorted()).toEqual(
      ["clock", "cut off", "freeze", "kill", "terminate"].toSorted(),
    );
    const alone = many.filter(({ replicas }) => replicas === 1);
    expect(alone.length).toBeGreaterThan(pairs.length);
    expect(alone.every(({ tracks }) => tracks.pair.length === 0)).toBe(true);
    expect(describeSchedule(pairs[0] ?? schedule(1, 1))).toContain("two replicas");
  });

  it("has a short --max-age now and then, of one process, and then times nobody sees", () => {
    const many = Array.from({ length: 20 }, (_, index) => schedule(index + 1, 60));
    const short = many.filter(({ maxAgeMs }) => maxAgeMs !== null);
    expect(new Set(short.map(({ scope }) => scope)).size).toBe(2);
    expect(short.every(({ replicas }) => replicas === 1)).toBe(true);
    for (const { tracks, maxAgeMs } of many) {
      expect(tracks.blind.length > 0).toBe(maxAgeMs !== null);
      const forgets = tracks.cluster.some(({ what }) => what === "forget");
      expect(forgets && maxAgeMs !== null).toBe(false);
    }
    expect(describeSchedule(short[0] ?? schedule(2, 1))).toContain("older than 2 s in digests");
  });

  it("leaves out what cannot be had, and moves nothing else", () => {
    const without = new Set<Injection>(["disk full", "clock"]);
    expect(steps(3, 60, without)).toEqual(steps(3).filter(({ what }) => !without.has(what)));
  });

  it("is told with the way to have it again", () => {
    const told = describeSchedule(schedule(12, 40));
    expect(told).toContain("again: CHAOS_SEED=12 CHAOS_SECONDS=40");
    expect(told.split("\n")).toHaveLength(1 + steps(12, 40).length);
  });
});
