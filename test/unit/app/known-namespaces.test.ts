import { describe, expect, it } from "vitest";
import { knownNamespaces } from "../../../src/app/known-namespaces.ts";
import { BusyError, UnreadableError } from "../../../src/history/history.ts";
import { FakeClock } from "../../support/clock.ts";
import { anyone } from "../../support/history.ts";

/** A history that answers what the test says, and counts how often it is asked. */
function aHistory(...answers: (readonly string[] | Error)[]) {
  const clock = new FakeClock();
  const arrived = new Set<string>();
  let asked = 0;
  const namespaces = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const known = knownNamespaces({ namespaces }, arrived, anyone, clock);
  return { clock, arrived, known, asked: () => asked };
}

describe("the namespaces that rights are asked about", () => {
  it("are those of the history and those of what came since, in order, each once", async () => {
    const { known, arrived } = aHistory(["shop", "pay"]);
    arrived.add("shop").add("data");
    expect(await known()).toEqual(["data", "pay", "shop"]);
  });

  it("do not count what the house itself tells of, which is stored nowhere", async () => {
    const { known, arrived } = aHistory(["shop"]);
    arrived.add("");
    expect(await known()).toEqual(["shop"]);
  });

  it("are asked of the store once in ten seconds, however many readers there are", async () => {
    const { known, clock, asked } = aHistory(["shop"], ["shop", "pay"]);
    await Promise.all(Array.from({ length: 200 }, known));
    await clock.advance(9_999);
    expect(await known()).toEqual(["shop"]);
    expect(asked()).toBe(1);
    await clock.advance(1);
    expect(await known()).toEqual(["pay", "shop"]);
    expect(asked()).toBe(2);
  });

  it("are asked again where the clock was set back, not an hour later", async () => {
    const { known, clock, asked } = aHistory(["shop"], ["shop", "pay"]);
    await known();
    clock.setBack(3_600_000);
    expect(await known()).toEqual(["pay", "shop"]);
    expect(await known()).toEqual(["pay", "shop"]);
    expect(asked()).toBe(2);
  });

  it("have those that arrive at once", async () => {
    const { known, arrived, asked } = aHistory(["shop"]);
    await known();
    arrived.add("brand-new");
    expect(await known()).toEqual(["brand-new", "shop"]);
    expect(asked()).toBe(1);
  });

  it.each([new UnreadableError("the disk is gone"), new BusyError(256)])(
    "are the last ones known while the store cannot answer (%s), and it is asked again",
    async (away) => {
      const { known, clock } = aHistory(["shop"], away, ["shop", "pay"]);
      await known();
      await clock.advance(10_000);
      expect(await known()).toEqual(["shop"]);
      expect(await known()).toEqual(["pay", "shop"]);
    },
  );

  it("hide no fault of ours", async () => {
    const { known } = aHistory(new TypeError("a fault"));
    await expect(known()).rejects.toThrow("a fault");
  });
});
