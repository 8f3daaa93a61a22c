import { describe, expect, test } from "vitest";
import { LOOK } from "../../../src/delivery/due.ts";
import { accepted } from "../../../src/sink/verdict.ts";
import { aLedger, anEntry, never } from "../../support/ledger.ts";
import { aLane, DINGTALK } from "./support.ts";

const HOUR = 3_600_000;
const OLD = 2 * LOOK + 10;

describe("a process that was away until nearly all it owed was too old", () => {
  test.each([
    ["a webhook", {}],
    ["a robot with digests", DINGTALK],
    ["a robot without digests", { ...DINGTALK, digest: false }],
  ])("gives it up, and tells what is not, to %s; no other sink waits for that", async (_, kind) => {
    const ledger = aLedger();
    const { clock, outbox, recorded, history } = ledger;
    const { lane, owe, platform, name } = aLane({ ...kind, giveUpAfterMs: HOUR }, { ledger });
    const other = aLane({ name: "other", giveUpAfterMs: HOUR }, { ledger });
    await owe(OLD);
    await clock.advance(HOUR);
    await owe(1);
    await outbox.add([anEntry(90_000, ["other"])], [], never);
    let givenUpBefore = Infinity;
    other.platform.answer = () => {
      givenUpBefore = recorded.of("dead").length;
      return accepted;
    };
    lane.start();
    other.lane.start();
    await platform.quiet();
    await other.platform.quiet();
    await clock.advance(60_000);
    expect(platform.told.map(({ id }) => id)).toEqual([`d${OLD + 1}`]);
    expect(other.platform.told.length).toBe(1);
    expect(givenUpBefore).toBeLessThan(OLD);
    expect(recorded.of("dead").length).toBe(OLD);
    expect(history.counts().get(name)).toMatchObject({ pending: 0, delivered: 1, dead: OLD });
  });

  test.each([
    ["a webhook", {}],
    ["a robot", DINGTALK],
  ])("and what comes later is told as ever, to %s that was left with nothing", async (_, kind) => {
    const { lane, owe, platform, clock, recorded } = aLane({ ...kind, giveUpAfterMs: HOUR });
    await owe(OLD);
    await clock.advance(HOUR);
    lane.start();
    await platform.quiet();
    await clock.advance(60_000);
    expect(platform.requests).toEqual([]);
    expect(recorded.of("dead").length).toBe(OLD);
    await owe(3);
    await platform.quiet();
    expect(platform.told.length).toBe(3);
  });
});
