import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { aCanary, begun, REFUSED } from "./support.ts";

/** What comes in another order than one thinks, and again and again. */
describe("a canary", () => {
  it("that the sink accepts before the pump hears of the ledger has arrived all the same", async () => {
    const { canary, event, recorded, pass, news, end } = await begun();
    await pass(1);
    expect(canary.sinksOf(event(1))).toEqual(["ops"]);
    canary.accepted(event(1));
    canary.taken(event(1));
    await pass(0);
    expect(recorded.of("canaryArrived")).toEqual([["kubernetes", 1, true]]);
    await pass(60);
    expect([canary.trouble, news]).toEqual([null, []]);
    await end();
  });

  it("that came on the watch while its write still seemed to fail is written no more", async () => {
    const { world, synced, comes, pass, counts, end } = aCanary();
    world.answer = REFUSED;
    synced.resolve();
    await pass(0);
    comes(1);
    await pass(200);
    expect(counts()).toEqual([1]);
    await end();
  });

  it("that is stuck at the sink is not blamed on what the API server said of it before", async () => {
    const { canary, world, synced, comes, pass, end } = aCanary();
    world.answer = REFUSED;
    synced.resolve();
    await pass(0);
    comes(1);
    await pass(60);
    expect(canary.trouble).toBe("it is in the ledger, and ops has not accepted it");
    await end();
  });

  it("that the API server never takes is written as one, never beside the one before", async () => {
    const { world, synced, written, pass, end } = aCanary();
    world.answer = REFUSED;
    synced.resolve();
    await pass(1_000);
    const counts = written.map(({ count }) => count);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(counts)).toEqual(new Set([1, 2, 3, 4]));
    // 1, 2, 4, 8, 16 and 30 s apart, each anew.
    const last = written.filter(({ count }) => count === 3).map(({ at }) => at);
    const apart = last.slice(1).map((at, index) => (at - (last[index] ?? 0)) / 1000);
    expect(apart.slice(0, 6)).toEqual([1, 2, 4, 8, 16, 30]);
    await end();
  });

  it("that is late is followed at once by one that proves the way open, each time after one in time", async () => {
    const { arrives, pass, counts, canary, end } = await begun();
    await pass(100);
    arrives(1);
    await pass(0);
    expect(counts(), "late").toEqual([1, 2]);
    arrives(2);
    await pass(300);
    expect([counts(), canary.trouble], "in time").toEqual([[1, 2, 3], null]);
    await pass(100);
    arrives(3);
    await pass(0);
    expect(counts(), "late once more").toEqual([1, 2, 3, 4]);
    await end();
  });

  it("after many others, in time and late, has left nothing behind", async () => {
    const { arrives, pass, counts, clock, stop, end } = await begun();
    const alive: number[] = [];
    for (let count = 1; count <= 60; count += 1) {
      await pass(count % 3 === 0 ? 90 : 5);
      arrives(count);
      for (let second = 0; second < 600 && counts().length === count; second += 5) await pass(5);
      expect(counts().length).toBe(count + 1);
      alive.push(clock.sleeping + getEventListeners(stop.signal, "abort").length);
    }
    expect(Math.max(...alive.slice(30)), "no more than at first").toBeLessThanOrEqual(
      Math.max(...alive.slice(0, 30)),
    );
    await end();
    expect(clock.sleeping).toBe(0);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  });
});
