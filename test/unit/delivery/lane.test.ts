import { describe, expect, test } from "vitest";
import { accepted, permanent, retryable } from "../../../src/sink/verdict.ts";
import { settle } from "../../support/clock.ts";
import { aLedger } from "../../support/ledger.ts";
import { aLane } from "./support.ts";

const SECOND = 1_000;
const MINUTE = 60_000;

describe("a lane", () => {
  test("delivers what is owed at once, oldest first, and says so", async () => {
    const { lane, owe, platform, recorded, history, name } = aLane({ concurrency: 1 });
    await owe(2);
    lane.start();
    await settle();
    await owe(1);
    await settle();
    expect(platform.requests.map(({ id }) => id)).toEqual(["d1", "d2", "d3"]);
    expect(recorded.of("delivered")).toEqual([
      [name, "d1", 0, 0],
      [name, "d2", 0, 0],
      [name, "d3", 0, 0],
    ]);
    expect(history.counts().get(name)?.delivered).toBe(3);
    expect(history.deliveries({ limit: 1 })).toMatchObject([{ sent: "{}", answer: "HTTP 200" }]);
  });

  test("keeps to its concurrency", async () => {
    const { lane, owe, platform, clock } = aLane({ concurrency: 3 });
    platform.latencyMs = 100;
    await owe(7);
    lane.start();
    await settle();
    expect(platform.requests.length).toBe(3);
    await clock.advance(100);
    expect(platform.requests.length).toBe(6);
    await clock.advance(200);
    expect(platform.told.length).toBe(7);
  });

  test("idle resolves when nothing is owed any more, retries included", async () => {
    const { lane, owe, platform, clock } = aLane();
    let idle = false;
    platform.answer = (_, now) => (now < start + 1 ? retryable("server", "HTTP 500") : accepted);
    const start = clock.now();
    await owe(1);
    lane.start();
    const waiting = lane.idle().then(() => (idle = true));
    await settle();
    expect(idle).toBe(false);
    await clock.advance(10 * SECOND);
    expect(idle).toBe(true);
    await waiting;
  });

  test("a refused message is dead at once, with its reason, and is not sent again", async () => {
    const { lane, owe, platform, recorded, history, clock, name } = aLane();
    platform.answer = () => permanent("auth", "310000: sign not match");
    await owe(1);
    lane.start();
    await clock.advance(2 * 60 * MINUTE);
    expect(platform.requests.length).toBe(1);
    expect(recorded.of("dead")).toEqual([[name, "d1", "auth", "310000: sign not match"]]);
    expect(recorded.of("attemptFailed")).toEqual([
      [name, "d1", "auth", "310000: sign not match", null, 0],
    ]);
    expect(history.deliveries({ state: "dead" })).toMatchObject([{ id: "d1", attempts: 1 }]);
  });

  test("one refused message does not keep the others", async () => {
    const { lane, owe, platform } = aLane();
    platform.answer = ({ id }) => (id === "d2" ? permanent("rejected", "no") : accepted);
    await owe(3);
    lane.start();
    await settle();
    expect(platform.told.map(({ id }) => id)).toEqual(["d1", "d3"]);
  });

  test("a poisonous message waits longer and longer, while the others go through", async () => {
    const { lane, owe, platform, clock } = aLane();
    platform.answer = ({ id }) => (id === "d1" ? retryable("server", "HTTP 500") : accepted);
    await owe(1);
    lane.start();
    for (let second = 0; second < 600; second += 1) {
      await owe(1);
      await clock.advance(SECOND);
    }
    expect(platform.told.length).toBe(600);
    const poisoned = platform.requests.filter(({ id }) => id === "d1");
    expect(poisoned.length).toBeGreaterThan(5);
    expect(poisoned.length).toBeLessThan(15);
  });

  test("it is given up after the give-up age, counted from when it was owed", async () => {
    const { lane, owe, platform, recorded, clock, name } = aLane({ giveUpAfterMs: 10 * MINUTE });
    platform.answer = () => retryable("network", "ECONNREFUSED");
    await owe(1);
    lane.start();
    await clock.advance(9 * MINUTE);
    expect(recorded.of("dead")).toEqual([]);
    await clock.advance(2 * MINUTE);
    expect(recorded.of("dead")).toEqual([[name, "d1", "expired", "not accepted within 10 min"]]);
    const requests = platform.requests.length;
    await clock.advance(60 * MINUTE);
    expect(platform.requests.length).toBe(requests);
  });

  test("what was made pending again by hand is delivered", async () => {
    const { lane, owe, platform, history, outbox, clock } = aLane();
    platform.answer = () => permanent("auth", "no");
    await owe(1);
    lane.start();
    await clock.advance(3 * 60 * MINUTE);
    platform.answer = () => accepted;
    expect(history.retry([], null, clock.now())).toBe(1);
    outbox.tellAll();
    await settle();
    expect(platform.told.map(({ id }) => id)).toEqual(["d1"]);
  });

  test("an unknown error is tried five times, then it is dead", async () => {
    const { lane, owe, platform, recorded, clock, name } = aLane();
    platform.answer = () => {
      throw new TypeError("x is not a function at https://hooks.example.com/token-123");
    };
    await owe(1);
    lane.start();
    await clock.advance(30 * MINUTE);
    expect(platform.requests.length).toBe(5);
    expect(recorded.of("dead")).toEqual([
      [name, "d1", "exhausted", "5 attempts; TypeError: x is not a function at <url>"],
    ]);
  });

  test("a sink that never answers costs its timeout and no more", async () => {
    const { lane, owe, platform, recorded, clock, name } = aLane({ timeoutMs: 10 * SECOND });
    platform.answer = ({ id }) => (id === "d1" ? new Promise(() => undefined) : accepted);
    await owe(1);
    lane.start();
    await clock.advance(9_999);
    expect(recorded.of("attemptFailed")).toEqual([]);
    await clock.advance(1);
    expect(recorded.of("attemptFailed")[0]?.slice(0, 4)).toEqual([
      name,
      "d1",
      "timeout",
      "no complete answer within 10000 ms",
    ]);
  });
});

describe("a lane whose sink is down", () => {
  test("tries one at a time, and is back at full speed within seconds of the end", async () => {
    const { lane, owe, platform, recorded, clock } = aLane({ concurrency: 4 });
    const start = clock.now();
    platform.answer = (_, now) =>
      now < start + 20 * SECOND ? retryable("network", "ECONNREFUSED") : accepted;
    await owe(500);
    lane.start();
    await clock.advance(20 * SECOND - 1);
    expect(lane.state).toBe("broken");
    // Four were under way when it went down; then one at a time.
    expect(platform.requests.length).toBeLessThan(15);
    await clock.advance(6 * SECOND);
    await platform.quiet();
    expect(platform.told.length).toBe(500);
    expect(new Set(platform.told.map(({ id }) => id)).size).toBe(500);
    expect(recorded.of("dead")).toEqual([]);
    expect(lane.state).toBe("open");
  });

  test("an outage of half an hour costs a request every few seconds, and nothing is lost", async () => {
    const { lane, owe, platform, clock } = aLane({ concurrency: 8 });
    const start = clock.now();
    platform.answer = (_, now) =>
      now < start + 30 * MINUTE ? retryable("server", "HTTP 502") : accepted;
    await owe(40);
    lane.start();
    await clock.advance(30 * MINUTE - 1);
    expect(platform.requests.length).toBeLessThan((30 * 60) / 2.5 + 20);
    await clock.advance(10 * SECOND);
    expect(platform.told.length).toBe(40);
  });

  test("does not delay another sink", async () => {
    const ledger = aLedger();
    const down = aLane({ name: "down" }, { ledger });
    const up = aLane({ name: "up" }, { ledger });
    down.platform.answer = () => retryable("network", "ETIMEDOUT");
    down.lane.start();
    up.lane.start();
    await down.owe(50);
    await ledger.clock.advance(5 * SECOND);
    const { event, alert } = { event: null, alert: down.platform.requests[0]?.alert };
    if (alert === undefined) throw new Error("nothing was tried");
    await ledger.outbox.add(
      [{ event, alert, sinks: ["up", "down"] }],
      [],
      new AbortController().signal,
    );
    await settle();
    expect(up.platform.told.length).toBe(1);
    expect(ledger.outbox.pending("down", ledger.clock.now()).total).toBe(51);
  });
});
