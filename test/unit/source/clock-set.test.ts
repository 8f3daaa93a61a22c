import { beforeEach, describe, expect, it } from "vitest";
import { Backoff } from "../../../src/source/kubernetes/backoff.ts";
import { type FakeApiServer } from "../../support/apiserver.ts";
import { AdjustedClock } from "../../support/clock.ts";
import { useServer } from "../../support/source.ts";

const DAY = 86_400_000;

/** Somebody, or NTP, sets the time of day while a cluster is watched. */
describe("a clock that is set", () => {
  const { server: current, watching } = useServer();
  let server: FakeApiServer;
  beforeEach(() => {
    server = current();
  });

  it.each([
    ["a day back", -DAY],
    ["an hour back", -3_600_000],
    ["a day forward", DAY],
  ])("%s: a connection that falls silent is replaced as soon as ever", async (_, ms) => {
    const clock = new AdjustedClock();
    const source = await watching({ clock });
    await clock.advance(10_000);
    clock.ahead = ms;
    server.fallSilent();
    server.create("unheard");
    await clock.advance(319_000);
    expect(server.asked("watch")).toHaveLength(1);
    server.speakAgain();
    await clock.advance(2_000);
    await source.until(() => source.events.length === 1);
    expect(source.called("sourceFailed").map((call) => call[2])).toEqual(["stalled"]);
    expect(source.names).toEqual(["unheard@1"]);
    expect(source.gaps).toEqual([]);
  });

  it.each([
    ["back", -DAY],
    ["forward", DAY],
  ])("%s: a watch that speaks is left alone, and its end is as usual", async (_, ms) => {
    const clock = new AdjustedClock();
    const source = await watching({ clock });
    await clock.advance(200_000);
    clock.ahead = ms;
    // Beyond its time by far: it says something now and then.
    for (let time = 1; time <= 12; time += 1) {
      await clock.advance(25_000);
      server.create(`event-${time}`);
      await source.until(() => source.events.length === time);
    }
    expect(server.asked("watch")).toHaveLength(1);
    server.closeWatches();
    await server.until(() => server.asked("watch").length === 2 && server.watching === 1);
    expect(source.called("sourceFailed")).toEqual([]);
  });

  it("back: a quiet watch that ends after its five minutes is not taken for one that ends at once", async () => {
    const clock = new AdjustedClock();
    const source = await watching({ clock });
    await clock.advance(150_000);
    clock.ahead = -DAY;
    await clock.advance(150_000);
    server.closeWatches();
    await server.until(() => server.asked("watch").length === 2 && server.watching === 1);
    expect(source.called("sourceFailed")).toEqual([]);
  });

  it("back: what was down for long before is not waited for longest all day", async () => {
    const clock = new AdjustedClock();
    const backoff = new Backoff(clock, () => 0);
    for (let time = 0; time < 10; time += 1) await clock.advance(backoff.next());
    clock.ahead = -DAY;
    await clock.advance(3_600_000);
    // A connection that is lost once an hour.
    for (let time = 0; time < 3; time += 1) {
      expect(backoff.next()).toBe(800);
      await clock.advance(3_600_000);
    }
  });

  it("back while a server is down: it is waited for longer and longer still", async () => {
    const clock = new AdjustedClock();
    const backoff = new Backoff(clock, () => 0);
    const waits: number[] = [];
    for (let time = 0; time < 8; time += 1) {
      if (time === 2) clock.ahead = -DAY;
      waits.push(backoff.next());
      await clock.advance(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([800, 1600, 800, 1600, 3200, 6400, 12_800, 25_600]);
  });
});
