import { describe, expect, test, vi } from "vitest";
import type { Alert } from "../../../src/event/alert.ts";
import { accepted, retryable, throttled } from "../../../src/sink/verdict.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { aLedger, anEntry, never } from "../../support/ledger.ts";
import { aLane, busiest, DINGTALK, LARK, type Request } from "./support.ts";

const SECOND = 1_000;
const MINUTE = 60_000;

const digests = (requests: readonly Request[]) =>
  requests.map(({ alert }) => alert).filter((alert) => alert.kind === "digest");
const singles = (requests: readonly Request[]) =>
  requests.filter(({ alert }) => alert.kind === "event");
/** Every occurrence told, one by one or in a digest. */
const toldOf = (requests: readonly Request[]) =>
  requests.reduce((sum, { alert }) => sum + (alert.kind === "digest" ? alert.total : 1), 0);

describe("more than a robot takes", () => {
  test("at 0 s 50 are owed to a robot of 20 a minute: 19 go at once, 5 s later a digest tells the other 31", async () => {
    const { lane, owe, platform, clock, recorded, history, name } = aLane(DINGTALK);
    const start = clock.now();
    await owe(50);
    lane.start();
    await platform.quiet();
    expect(platform.told.length).toBe(19);
    await clock.advance(4_999);
    expect(platform.told.length).toBe(19);
    await clock.advance(1);
    expect(platform.told.length).toBe(20);
    expect(digests(platform.told)).toMatchObject([
      { total: 31, lines: [{ count: 31, reason: "BackOff", namespace: "shop" }], moreKinds: 0 },
    ]);
    expect(platform.secondsSince(start).at(-1)).toBe(5);
    expect(recorded.of("folded")).toEqual([[name, 31]]);
    await clock.advance(10 * MINUTE);
    expect(platform.requests.length).toBe(20);
    expect(history.counts().get(name)).toEqual({
      pending: 0,
      delivered: 20,
      dead: 0,
      folded: 31,
      discarded: 0,
    });
  });

  test("a canary among them takes a slot of the robot's, is in no digest, and does not wait for one", async () => {
    const { lane, owe, platform, clock, outbox, name } = aLane(DINGTALK);
    await owe(50);
    const canary = anEvent({
      uid: "a-canary",
      type: "Normal",
      reason: "KubeCrierCanary",
      reporter: { component: "kube-crier" },
    });
    await outbox.add(
      [{ event: canary, alert: { kind: "event", event: canary }, sinks: [name] }],
      [],
      never,
    );
    lane.start();
    await platform.quiet();
    const reasons = () =>
      singles(platform.told).map(({ alert }) => alert.kind === "event" && alert.event.reason);
    expect(platform.told.length).toBe(19);
    expect(reasons()[0]).toBe("KubeCrierCanary");
    await clock.advance(5_000);
    expect(digests(platform.told)).toMatchObject([{ total: 32, lines: [{ reason: "BackOff" }] }]);
    expect(digests(platform.told)[0]?.lines).toHaveLength(1);
  });

  test("what comes while a digest is awaited is not read until then, nor counted", async () => {
    const { lane, owe, platform, clock, outbox, recorded, name } = aLane({
      ...DINGTALK,
      digestEveryMs: MINUTE,
    });
    await owe(50);
    lane.start();
    await clock.advance(6 * SECOND);
    expect(digests(platform.told)).toMatchObject([{ total: 31 }]);
    const read = vi.spyOn(outbox, "due");
    const counted = vi.spyOn(outbox, "pending");
    for (let batch = 0; batch < 200; batch += 1) {
      await owe(5);
      await clock.advance(10);
    }
    expect(read.mock.calls.length + counted.mock.calls.length).toBeLessThan(10);
    await clock.advance(2 * MINUTE);
    expect(toldOf(platform.told)).toBe(1_050);
    expect(recorded.of("folded").length).toBeLessThan(5);
    expect(recorded.of("folded")[0]).toEqual([name, 31]);
  });

  test("a clock that is set back leaves nobody waiting for the time it showed before", async () => {
    class Adjusted extends FakeClock {
      ahead = 0;
      override now(): number {
        return super.now() - this.ahead;
      }
    }
    const clock = new Adjusted();
    const { lane, owe, platform } = aLane(
      { ...DINGTALK, digestEveryMs: MINUTE },
      { ledger: aLedger({ clock }) },
    );
    const minutes = async (count: number) => {
      for (let minute = 0; minute < count; minute += 1) {
        await clock.advance(MINUTE);
        await platform.quiet();
      }
    };
    await owe(50);
    lane.start();
    await platform.quiet();
    await clock.advance(6 * SECOND);
    await platform.quiet();
    expect(toldOf(platform.told)).toBe(50);
    await owe(40);
    await platform.quiet();
    clock.ahead = 3_600_000;
    await owe(10);
    await minutes(3);
    expect(toldOf(platform.told)).toBe(100);
  });

  test("without digests a long queue is told at its rate, and not counted with each event", async () => {
    const { lane, owe, platform, clock, outbox } = aLane({ ...DINGTALK, digest: false });
    const counted = vi.spyOn(outbox, "pending");
    lane.start();
    for (let batch = 0; batch < 20; batch += 1) {
      await owe(5);
      await clock.advance(10);
    }
    expect(platform.told.length).toBe(20);
    expect(counted).not.toHaveBeenCalled();
    await clock.advance(4 * MINUTE + 10 * SECOND);
    expect(singles(platform.told).length).toBe(100);
  });

  test("what fits is told one by one, with no digest and no waiting", async () => {
    const { lane, owe, platform } = aLane(DINGTALK);
    await owe(20);
    lane.start();
    await platform.quiet();
    expect(singles(platform.told).length).toBe(20);
  });

  test("what comes when the minute is used up waits for the next, and still comes singly if it fits", async () => {
    const { lane, owe, platform, clock } = aLane(DINGTALK);
    const start = clock.now();
    lane.start();
    await owe(20);
    await platform.quiet();
    await clock.advance(10 * SECOND);
    await owe(5);
    await clock.advance(49 * SECOND);
    expect(platform.told.length).toBe(20);
    await clock.advance(2 * SECOND);
    expect(singles(platform.told).length).toBe(25);
    expect(platform.secondsSince(start).at(-1)).toBeCloseTo(60, 1);
  });

  test("the worst goes singly, the rest into the digest", async () => {
    const { lane, owe, platform, clock } = aLane(DINGTALK);
    await owe(60);
    await owe(5, "OOMKilling");
    lane.start();
    await clock.advance(5 * SECOND);
    const reasons = singles(platform.told).map(({ alert }) =>
      alert.kind === "event" ? alert.event.reason : "",
    );
    expect(reasons.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => "OOMKilling"));
    expect(digests(platform.told)).toMatchObject([{ total: 46, lines: [{ reason: "BackOff" }] }]);
  });

  test("one that exceeds the budget by a single message is not told by a digest of one", async () => {
    const { lane, owe, platform, clock } = aLane(DINGTALK);
    await owe(21);
    lane.start();
    await clock.advance(5 * SECOND);
    expect(toldOf(platform.told)).toBe(21);
    for (const { total } of digests(platform.told)) expect(total).toBeGreaterThan(1);
  });

  test("without digests the excess waits, in order, and the rate is kept", async () => {
    const { lane, owe, platform, clock } = aLane({ ...DINGTALK, digest: false });
    const start = clock.now();
    await owe(50);
    lane.start();
    await platform.quiet();
    expect(platform.told.length).toBe(20);
    await clock.advance(MINUTE + SECOND);
    await platform.quiet();
    expect(platform.told.length).toBe(40);
    await clock.advance(MINUTE + SECOND);
    expect(singles(platform.told).length).toBe(50);
    expect(platform.secondsSince(start).at(-1)).toBeGreaterThan(120);
    expect(platform.told.map(({ id }) => id)).toEqual(
      Array.from({ length: 50 }, (_, index) => `d${index + 1}`),
    );
  });

  test("a flood of ten minutes: everything is told, the rate is never exceeded, the worst wait is short", async () => {
    const { lane, owe, platform, clock } = aLane(DINGTALK);
    platform.latencyMs = 80;
    lane.start();
    for (let second = 0; second < 600; second += 1) {
      await owe(2);
      await clock.advance(SECOND);
    }
    await clock.advance(2 * MINUTE);
    expect(toldOf(platform.told)).toBe(1_200);
    expect(
      busiest(
        platform.requests.map(({ at }) => at),
        MINUTE,
      ),
    ).toBeLessThanOrEqual(20);
    // Some are still told by themselves.
    expect(singles(platform.told).length).toBeGreaterThan(100);
    expect(digests(platform.told).length).toBeLessThan(60);
  });

  test("digests come no more often than asked for, and the first as soon as the rate allows", async () => {
    const { lane, owe, platform, clock } = aLane({ ...DINGTALK, digestEveryMs: 2 * MINUTE });
    const start = clock.now();
    lane.start();
    for (let second = 0; second < 600; second += 1) {
      await owe(2);
      await clock.advance(SECOND);
    }
    await clock.advance(4 * MINUTE);
    expect(toldOf(platform.told)).toBe(1_200);
    const times = platform.told.filter(({ alert }) => alert.kind === "digest").map(({ at }) => at);
    expect(times.length).toBeGreaterThan(3);
    expect((times[0] ?? Infinity) - start).toBeLessThan(MINUTE + SECOND);
    for (const [index, at] of times.slice(1).entries())
      expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(2 * MINUTE);
    expect(
      busiest(
        platform.requests.map(({ at }) => at),
        MINUTE,
      ),
    ).toBeLessThanOrEqual(20);
  });

  test("every one of several rates holds", async () => {
    const { lane, owe, platform, clock } = aLane({ ...LARK, digest: false });
    await owe(300);
    lane.start();
    await clock.advance(4 * MINUTE);
    expect(platform.told.length).toBe(300);
    const times = platform.requests.map(({ at }) => at);
    expect(busiest(times, SECOND)).toBe(5);
    expect(busiest(times, MINUTE)).toBe(100);
  });

  test("300 to a chat of one a second: a digest soon, and single ones meanwhile", async () => {
    const { lane, owe, platform, clock } = aLane({
      rates: [{ count: 1, perMs: SECOND }],
      concurrency: 1,
    });
    await owe(300);
    lane.start();
    await clock.advance(40 * SECOND);
    expect(toldOf(platform.told)).toBe(300);
    expect(digests(platform.told).length).toBe(1);
    expect(singles(platform.told).length).toBeGreaterThan(25);
    expect(
      busiest(
        platform.requests.map(({ at }) => at),
        SECOND,
      ),
    ).toBe(1);
  });

  test("a gap is never folded, and goes first", async () => {
    const { lane, owe, platform, outbox, name } = aLane(DINGTALK);
    const gap: Alert = {
      kind: "gap",
      cluster: "prod-a",
      since: "2026-11-20T07:00:00Z",
      until: "2026-11-20T08:00:00Z",
      cause: "downtime",
    };
    await owe(50);
    await outbox.add([{ event: null, alert: gap, sinks: [name] }], [], never);
    lane.start();
    await platform.quiet();
    expect(platform.told[0]?.alert).toEqual(gap);
  });

  test("a digest the platform did not take is kept, and told with what came meanwhile", async () => {
    const { lane, owe, platform, clock, history, name } = aLane(DINGTALK);
    platform.answer = ({ alert }, now) =>
      alert.kind === "digest" && now < start + MINUTE ? retryable("server", "busy") : accepted;
    const start = clock.now();
    await owe(50);
    lane.start();
    await clock.advance(30 * SECOND);
    await owe(60);
    await clock.advance(5 * MINUTE);
    await platform.quiet();
    expect(toldOf(platform.told)).toBe(110);
    expect(
      busiest(
        platform.requests.map(({ at }) => at),
        MINUTE,
      ),
    ).toBeLessThanOrEqual(20);
    expect(history.counts().get(name)).toMatchObject({ pending: 0, dead: 0 });
  });

  test("a backlog of thousands becomes one digest, part by part", async () => {
    const { lane, platform, clock, outbox, recorded, name } = aLane(DINGTALK);
    for (let from = 0; from < 5_000; from += 500) {
      const entries = Array.from({ length: 500 }, (_, n) => anEntry(from + n, [name]));
      await outbox.add(entries, [], never);
    }
    await clock.advance(MINUTE);
    lane.start();
    await platform.quiet();
    await clock.advance(SECOND);
    expect(digests(platform.told).length).toBe(1);
    await clock.advance(2 * MINUTE);
    expect(toldOf(platform.told)).toBe(5_000);
    expect(platform.requests.length).toBeLessThanOrEqual(40);
    expect(recorded.of("folded").length).toBe(3);
  });

  test("after a mute of ten minutes the excess is folded at once", async () => {
    const { lane, owe, platform, clock } = aLane(DINGTALK);
    const start = clock.now();
    platform.answer = (_, now) => (now === start ? throttled(null, "130101") : accepted);
    await owe(1);
    lane.start();
    await settle();
    for (let minute = 0; minute < 10; minute += 1) {
      await owe(30);
      await clock.advance(MINUTE);
    }
    await platform.quiet();
    expect(digests(platform.told).length).toBe(1);
    expect(toldOf(platform.told)).toBe(301);
  });
});

describe("a restart", () => {
  test("does not spend the budget twice", async () => {
    const clock = new FakeClock();
    const ledger = aLedger({ clock });
    const before = aLane(DINGTALK, { ledger });
    await before.owe(20);
    before.lane.start();
    await before.platform.quiet();
    expect(before.platform.told.length).toBe(20);
    await before.lane.stop();
    await clock.advance(10 * SECOND);

    const after = aLane(DINGTALK, { ledger });
    const entries = Array.from({ length: 15 }, (_, n) => anEntry(1_000 + n, [after.name]));
    await ledger.outbox.add(entries, [], never);
    after.lane.start();
    await clock.advance(45 * SECOND);
    expect(after.platform.requests).toEqual([]);
    await clock.advance(30 * SECOND);
    expect(after.platform.told.length).toBe(15);
  });
});
