import { describe, expect, it } from "vitest";
import { Lifecycle } from "../../src/lifecycle.ts";
import { FakeClock } from "../support/clock.ts";

function house() {
  const clock = new FakeClock();
  const errors: string[] = [];
  return {
    clock,
    errors,
    lifecycle: new Lifecycle(clock, { error: (message) => void errors.push(message) }),
  };
}

describe("stopping", () => {
  it("stops what was started last first", async () => {
    const { lifecycle } = house();
    const story: string[] = [];
    for (const name of ["ledger", "lanes", "source"])
      lifecycle.onStop(name, 1000, () => void story.push(name));
    expect(await lifecycle.stop()).toBe(true);
    expect(story).toEqual(["source", "lanes", "ledger"]);
  });

  it("is done once however often it is asked for", async () => {
    const { lifecycle } = house();
    const story: string[] = [];
    lifecycle.onStop("ledger", 1000, () => void story.push("ledger"));
    expect(await Promise.all([lifecycle.stop(), lifecycle.stop()])).toEqual([true, true]);
    expect(story).toEqual(["ledger"]);
  });

  it("passes over a step that hangs, names it, and still closes the ledger", async () => {
    const { lifecycle, clock, errors } = house();
    const story: string[] = [];
    lifecycle.onStop("ledger", 1000, () => void story.push("ledger"));
    lifecycle.onStop("lanes", 25_000, () => new Promise<void>(() => undefined));
    const stopped = lifecycle.stop();
    await clock.advance(24_999);
    expect(story).toEqual([]);
    await clock.advance(1);
    expect(await stopped).toBe(false);
    expect(story).toEqual(["ledger"]);
    expect(errors).toEqual(["stopping: lanes did not end within 25 s; going on without it"]);
  });

  it("passes over a step that throws, at once or later", async () => {
    const { lifecycle, errors } = house();
    const story: string[] = [];
    lifecycle.onStop("ledger", 1000, () => void story.push("ledger"));
    lifecycle.onStop("sinks", 1000, () => Promise.reject(new Error("socket gone")));
    lifecycle.onStop("source", 1000, () => {
      throw new Error("already closed");
    });
    expect(await lifecycle.stop()).toBe(false);
    expect(story).toEqual(["ledger"]);
    expect(errors).toEqual([
      "stopping: source failed: already closed",
      "stopping: sinks failed: socket gone",
    ]);
  });

  it("leaves no timer behind", async () => {
    const { lifecycle, clock } = house();
    lifecycle.onStop("ledger", 1000, () => undefined);
    await lifecycle.stop();
    expect(clock.sleeping).toBe(0);
  });
});
