import { describe, expect, it } from "vitest";
import { Reunion } from "../../../src/source/kubernetes/reunion.ts";
import type { Gap } from "../../../src/source/source.ts";
import { FakeClock, settle } from "../../support/clock.ts";

const gap = (since: string, until: string, cause: Gap["cause"] = "downtime"): Gap => ({
  since: `2026-11-20T${since}:00.000Z`,
  until: `2026-11-20T${until}:00.000Z`,
  cause,
  listed: true,
});

function meeting(...scopes: string[]) {
  const clock = new FakeClock();
  const told: (Gap | null)[] = [];
  const story: string[] = [];
  const stop = new AbortController();
  const reunion = new Reunion(scopes, clock, (one) => void told.push(one));
  const listed = (scope: string, one: Gap | null) =>
    void reunion.listed(scope, one, stop.signal).then(
      () => story.push(`${scope} goes on`),
      () => story.push(`${scope} stops`),
    );
  return { clock, told, story, stop, reunion, listed };
}

describe("the streams of one source after a break", () => {
  it("of one: told at once", async () => {
    const { told, story, listed } = meeting("all");
    listed("all", null);
    await settle();
    expect(told).toEqual([null]);
    expect(story).toEqual(["all goes on"]);
  });

  it("wait for each other, and tell one gap as wide as all of theirs", async () => {
    const { told, story, reunion, listed } = meeting("shop", "pay", "bank");
    listed("shop", gap("08:10", "08:30"));
    listed("pay", gap("08:00", "08:20", "expired"));
    await settle();
    expect([told, story]).toEqual([[], []]);
    reunion.back("bank");
    await settle();
    expect(told).toEqual([gap("08:00", "08:30")]);
    expect(story).toEqual(["shop goes on", "pay goes on"]);
  });

  const unlisted = (one: Gap): Gap => ({ ...one, listed: false });
  it.each<[string, Gap | null, Gap | null, Gap | null]>([
    ["none has one", null, null, null],
    ["only the first has one", gap("08:10", "08:20"), null, gap("08:10", "08:20")],
    ["only the last has one", null, gap("08:10", "08:20"), gap("08:10", "08:20")],
    ["the first is the wider", gap("08:00", "08:40"), gap("08:10", "08:20"), gap("08:00", "08:40")],
    ["the last is the wider", gap("08:10", "08:20"), gap("08:00", "08:40"), gap("08:00", "08:40")],
    ["the last is later", gap("08:00", "08:10"), gap("08:20", "08:30"), gap("08:00", "08:30")],
    [
      "one of them was listed",
      unlisted(gap("08:00", "08:10")),
      gap("08:00", "08:10"),
      gap("08:00", "08:10"),
    ],
  ])("tell one gap where %s", async (_, first, last, expected) => {
    const { told, story, listed } = meeting("shop", "pay");
    listed("shop", first);
    listed("pay", last);
    await settle();
    expect(told).toEqual([expected]);
    expect(story).toEqual(["shop goes on", "pay goes on"]);
  });

  it("wait half a minute anew at each break, whatever was left of the one before", async () => {
    const { clock, told, story, reunion, listed } = meeting("shop", "pay");
    listed("shop", gap("08:00", "08:20"));
    await clock.advance(20_000);
    reunion.back("pay");
    await settle();
    expect(told).toHaveLength(1);
    for (const scope of ["shop", "pay"]) reunion.away(scope);
    listed("shop", gap("09:00", "09:20"));
    await clock.advance(29_999);
    expect(told).toHaveLength(1);
    await clock.advance(1);
    expect(told).toEqual([gap("08:00", "08:20"), gap("09:00", "09:20")]);
    expect(story).toEqual(["shop goes on", "shop goes on"]);
  });

  it("wait half a minute for one that cannot come, which then tells for itself", async () => {
    const { clock, told, story, listed } = meeting("shop", "pay");
    listed("shop", gap("08:00", "08:20"));
    await clock.advance(29_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual([gap("08:00", "08:20")]);
    expect(story).toEqual(["shop goes on"]);
    listed("pay", null);
    await settle();
    expect(told).toHaveLength(2);
    await clock.advance(60_000);
    expect(told).toHaveLength(2);
  });

  it("do not wait for those that watch", async () => {
    const { told, reunion, listed } = meeting("shop", "pay");
    reunion.back("pay");
    reunion.back("shop");
    expect(told, "nothing was listed").toEqual([]);
    reunion.away("shop");
    listed("shop", null);
    await settle();
    expect(told).toEqual([null]);
  });

  it("tell nothing any more once all are told to stop", async () => {
    const { clock, told, story, stop, listed } = meeting("shop", "pay");
    listed("shop", gap("08:00", "08:20"));
    stop.abort();
    await clock.advance(60_000);
    expect(told).toEqual([]);
    expect(story).toEqual(["shop stops"]);
    expect(clock.sleeping).toBe(0);
  });
});
