import { describe, expect, test, vi } from "vitest";
import { LOOK, takeDue } from "../../../src/delivery/due.ts";
import { settle } from "../../support/clock.ts";
import { aLedger, anEntry, never } from "../../support/ledger.ts";

const MINUTE = 60_000;
const none: ReadonlySet<string> = new Set();

/** Three that are owed since the beginning, and one since ten minutes later. */
async function aSink() {
  const { outbox, clock, recorded, history } = aLedger();
  await outbox.add(
    [1, 2, 3].map((n) => anEntry(n, ["ops"])),
    [],
    never,
  );
  await clock.advance(10 * MINUTE);
  await outbox.add([anEntry(4, ["ops"])], [], never);
  const look = (max: number, except = none) =>
    takeDue(
      { outbox, observer: recorded.observer },
      { name: "ops", giveUpAfterMs: 15 * MINUTE },
      clock.now(),
      max,
      except,
    );
  const take = (max: number, except = none) => look(max, except).due.map(({ id }) => id);
  return { clock, recorded, history, outbox, look, take };
}

describe("what is due at a sink", () => {
  test("is the oldest first, as much as is asked for, without what is under way", async () => {
    const { take, recorded } = await aSink();
    expect(take(2)).toEqual(["d1", "d2"]);
    expect(take(2, new Set(["d1", "d2"]))).toEqual(["d3", "d4"]);
    expect([take(0), take(-1)]).toEqual([[], []]);
    expect(recorded.of("dead")).toEqual([]);
  });

  test("is given up at its age, to the millisecond, and said so", async () => {
    const { clock, take, recorded, history } = await aSink();
    await clock.advance(5 * MINUTE - 1);
    expect(take(9)).toEqual(["d1", "d2", "d3", "d4"]);
    await clock.advance(1);
    // One is asked for: the old ones before it do not stand in its way.
    expect(take(1)).toEqual(["d4"]);
    const detail = "not accepted within 15 min";
    expect(recorded.of("dead")).toEqual(
      ["d1", "d2", "d3"].map((id) => ["ops", id, "expired", detail]),
    );
    await settle();
    expect(history.deliveries({ state: "dead" })).toMatchObject(
      ["d3", "d2", "d1"].map((id) => ({ id, reason: "expired", detail, attempts: 0, tries: [] })),
    );
  });

  test.each([
    [500, "500 ms"],
    [20_000, "20 s"],
    [90_000, "1 min 30 s"],
    [10 * MINUTE, "10 min"],
    [24 * 60 * MINUTE, "1 d"],
  ])("that is older than %d ms is said to be older than %s", async (giveUpAfterMs, words) => {
    const { clock, outbox, recorded } = await aSink();
    const now = clock.now() + giveUpAfterMs;
    takeDue({ outbox, observer: recorded.observer }, { name: "ops", giveUpAfterMs }, now, 1, none);
    const said = recorded.of("dead").map(([, , , detail]) => detail);
    expect(new Set(said)).toEqual(new Set([`not accepted within ${words}`]));
  });

  test("of an outage of days is given up in parts, between which others have their turn, and what came last is told", async () => {
    const { clock, look, recorded, outbox } = await aSink();
    const many = Array.from({ length: 2 * LOOK + 10 }, (_, n) => anEntry(10 + n, ["ops"]));
    await outbox.add(many, [], never);
    await clock.advance(15 * MINUTE);
    await outbox.add([anEntry(9_000, ["ops"])], [], never);
    const looks = [look(3), look(3), look(3)];
    expect(looks.map(({ due, isMore }) => [due.length, isMore])).toEqual([
      [0, true],
      [0, true],
      [1, false],
    ]);
    expect(looks[2]?.due).toMatchObject([{ id: `d${2 * LOOK + 15}` }]);
    // None of them twice, and none left out.
    const dead = recorded.of("dead").map(([, id]) => id);
    expect(new Set(dead).size).toBe(2 * LOOK + 14);
    expect(dead).toHaveLength(2 * LOOK + 14);
  });

  test("is looked for in parts of a bounded size, and in few of them, however much is too old", async () => {
    const { clock, look, take, recorded, outbox } = await aSink();
    const many = Array.from({ length: 4_500 }, (_, n) => anEntry(10 + n, ["ops"]));
    await outbox.add(many, [], never);
    await clock.advance(15 * MINUTE);
    const looked = vi.spyOn(outbox, "due");
    let looks = 1;
    while (look(3).isMore) looks += 1;
    expect(looks).toBe(3);
    expect(recorded.of("dead")).toHaveLength(4_504);
    // Each time the first few, then two thousand; at last a look that finds nothing.
    expect(looked.mock.calls.map(([, , limit]) => limit)).toEqual([
      3, 2_000, 3, 2_000, 3, 2_000, 2_000,
    ]);
    // Who asks for more than that gets it.
    await outbox.add([anEntry(9_000, ["ops"])], [], never);
    expect(take(5_000)).toHaveLength(1);
    expect(looked.mock.lastCall?.[2]).toBe(5_000);
  });
});
