import { describe, expect, test } from "vitest";
import { accepted, retryable, throttled } from "../../../src/sink/verdict.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { aLedger } from "../../support/ledger.ts";
import { aLane } from "./support.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const none: ReadonlySet<string> = new Set();

describe("a throttled lane", () => {
  test("pauses for as long as the platform says, and does not count the attempt", async () => {
    const { lane, owe, platform, recorded, clock, name } = aLane({ concurrency: 1 });
    const start = clock.now();
    platform.answer = (_, now) => (now < start + 1 ? throttled(30 * SECOND, "HTTP 429") : accepted);
    await owe(3);
    lane.start();
    await settle();
    expect(lane.state).toBe("paused");
    expect(recorded.of("lanePaused")).toEqual([[name, start + 30 * SECOND, "HTTP 429"]]);
    await owe(2);
    await clock.advance(30 * SECOND - 1);
    expect(platform.requests.length).toBe(1);
    await clock.advance(1);
    expect(recorded.of("laneResumed")).toEqual([[name]]);
    expect(platform.told.length).toBe(5);
  });

  test("pauses for the sink's own time where the platform does not say", async () => {
    const { lane, owe, platform, clock } = aLane({ throttledMs: 10 * MINUTE });
    const start = clock.now();
    platform.answer = (_, now) => (now === start ? throttled(null, "130101") : accepted);
    await owe(1);
    lane.start();
    await clock.advance(10 * MINUTE - 1);
    expect(platform.requests.length).toBe(1);
    await clock.advance(1);
    expect(platform.told.length).toBe(1);
  });

  test("a platform that says `at once` is still given a second", async () => {
    const { lane, owe, platform, clock } = aLane();
    platform.answer = () => throttled(0, "HTTP 429");
    await owe(1);
    lane.start();
    await clock.advance(10 * SECOND);
    expect(platform.requests.length).toBeLessThanOrEqual(11);
  });

  test("stays paused over a restart", async () => {
    const clock = new FakeClock();
    const before = aLane({ throttledMs: 10 * MINUTE }, { ledger: aLedger({ clock }) });
    before.platform.answer = () => throttled(null, "130101");
    await before.owe(5);
    before.lane.start();
    await settle();
    await before.lane.stop();
    const asked = before.platform.requests.length;
    const after = aLane({ throttledMs: 10 * MINUTE }, { ledger: before });
    after.lane.start();
    await clock.advance(9 * MINUTE);
    expect(after.platform.requests).toEqual([]);
    expect(asked).toBe(4);
    await clock.advance(MINUTE);
    expect(after.platform.told.length).toBe(5);
  });
});

describe("a lane that is stopped", () => {
  test("waits for what is under way, takes nothing new, and closes its sink", async () => {
    const { lane, owe, platform, clock, outbox, name } = aLane({ concurrency: 2 });
    platform.latencyMs = 3 * SECOND;
    await owe(5);
    lane.start();
    await settle();
    let drained = false;
    const draining = lane.drain(clock.now() + 25 * SECOND).then(() => (drained = true));
    await clock.advance(2 * SECOND);
    expect(drained).toBe(false);
    await clock.advance(SECOND);
    await draining;
    expect(platform.told.length).toBe(2);
    expect(platform.closed).toBe(true);
    expect(outbox.pending(name, clock.now()).total).toBe(3);
  });

  test("interrupts what is still under way at the deadline: it stays owed, uncounted, and makes no dead letter", async () => {
    const { lane, owe, platform, clock, outbox, recorded, name } = aLane({ timeoutMs: MINUTE });
    platform.answer = () => new Promise(() => undefined);
    await owe(1);
    lane.start();
    await settle();
    const draining = lane.drain(clock.now() + 25 * SECOND);
    await clock.advance(25 * SECOND);
    await draining;
    expect(recorded.of("attemptFailed")).toEqual([]);
    expect(recorded.of("dead")).toEqual([]);
    expect(outbox.due(name, clock.now(), 10, none)).toMatchObject([{ id: "d1", attempts: 0 }]);
  });

  test("with nothing under way it stops at once", async () => {
    const { lane, platform } = aLane();
    lane.start();
    await lane.stop();
    expect(platform.closed).toBe(true);
  });
});

test("who waits for a lane to be idle is not left waiting when it is stopped", async () => {
  const { lane, owe, platform } = aLane();
  platform.answer = () => throttled(null, "429");
  await owe(1);
  lane.start();
  const idle = lane.idle();
  await lane.stop();
  await expect(idle).resolves.toBeUndefined();
});

describe("a clock that is set back by an hour", () => {
  const HOUR = 60 * MINUTE;

  test("does not make a pause of ten minutes one of an hour", async () => {
    const { lane, owe, platform, clock } = aLane({ throttledMs: 10 * MINUTE, concurrency: 1 });
    const start = clock.now();
    platform.answer = (_, now) => (now === start ? throttled(null, "130101") : accepted);
    await owe(1);
    lane.start();
    await clock.advance(MINUTE);
    expect(platform.requests.length).toBe(1);
    clock.setBack(HOUR);
    await owe(2);
    await clock.advance(8 * MINUTE);
    expect(platform.requests.length, "it lasts for as long as the platform said").toBe(1);
    await clock.advance(2 * MINUTE);
    expect(platform.told.length, "what came meanwhile is told after it").toBe(2);
    expect(lane.state).toBe("open");
  });

  test("does not keep a sink that was down closed for an hour", async () => {
    const { lane, owe, platform, clock } = aLane({ concurrency: 1 });
    platform.answer = () => retryable("network", "refused");
    await owe(1);
    lane.start();
    await clock.advance(30 * SECOND);
    clock.setBack(HOUR);
    platform.answer = () => accepted;
    await owe(3);
    await clock.advance(6 * SECOND);
    expect(platform.told.length, "its end is noticed within five seconds, as ever").toBe(3);
  });

  test("and once more: a pause never lasts longer than the platform said and twice that", async () => {
    const { lane, owe, platform, clock } = aLane({ throttledMs: 10 * MINUTE, concurrency: 1 });
    const start = clock.now();
    platform.answer = (_, now) => (now === start ? throttled(null, "130101") : accepted);
    await owe(1);
    lane.start();
    await settle();
    clock.setBack(HOUR);
    await clock.advance(5 * MINUTE);
    clock.setBack(HOUR);
    await owe(1);
    await clock.advance(15 * MINUTE);
    expect(platform.told.length).toBe(1);
  });

  test("makes no attempt shorter than nothing, and no delivery younger", async () => {
    const { lane, owe, platform, clock, recorded, name } = aLane({ concurrency: 1 });
    platform.answer = () => {
      clock.setBack(HOUR);
      return accepted;
    };
    await owe(1);
    lane.start();
    await platform.quiet();
    expect(recorded.of("delivered")).toEqual([[name, platform.told[0]?.id, 0, 0]]);
  });
});
