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
