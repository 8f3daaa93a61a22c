import { describe, expect, it } from "vitest";
import { setImmediate as nextTurn } from "node:timers/promises";
import { endOfTurn } from "../../src/turn.ts";

/** As those do who take in: on with it when the promise settles, some promises later. */
async function takesIn(said: string[], name: string, then: () => void = () => undefined) {
  await new Promise<void>((resolve) => endOfTurn.takeIn(resolve));
  for (let step = 0; step < 20; step += 1) await Promise.resolve();
  said.push(name);
  then();
}

describe("the end of a turn", () => {
  it("takes in all there is before it gives anything out, in whatever order they asked", async () => {
    const said: string[] = [];
    endOfTurn.giveOut(() => said.push("out 1"));
    void takesIn(said, "in 1");
    endOfTurn.giveOut(() => said.push("out 2"));
    void takesIn(said, "in 2");
    expect(said).toEqual([]);
    await nextTurn();
    expect(said).toEqual(["in 1", "in 2", "out 1", "out 2"]);
  });

  it("gives out in this very turn what was taken in within it", async () => {
    const said: string[] = [];
    void takesIn(said, "in", () => endOfTurn.giveOut(() => said.push("out")));
    await nextTurn();
    expect(said).toEqual(["in", "out"]);
  });

  it("leaves to the next turn what is asked for while it gives out, so that the network has its turn", async () => {
    const said: string[] = [];
    endOfTurn.giveOut(() => {
      said.push("out");
      endOfTurn.giveOut(() => said.push("later"));
      void takesIn(said, "in");
    });
    await nextTurn();
    expect(said).toEqual(["out"]);
    await nextTurn();
    expect(said).toEqual(["out", "in", "later"]);
  });

  it("forgets nobody who asks to take in while others are at it", async () => {
    const said: string[] = [];
    void takesIn(said, "in", () => void takesIn(said, "again"));
    await nextTurn();
    await nextTurn();
    expect(said).toEqual(["in", "again"]);
  });

  it("has nothing to do in a turn in which nobody asked", async () => {
    const said: string[] = [];
    endOfTurn.giveOut(() => said.push("once"));
    await nextTurn();
    await nextTurn();
    expect(said).toEqual(["once"]);
  });
});
