import { afterAll, describe, expect, test } from "vitest";
import type { Filter } from "../../src/history/history.ts";
import {
  endServers,
  HOUR,
  type Kept,
  MINUTE,
  namesOf,
  NOON,
  paged,
  READERS,
  seen,
  takeAll,
  written,
} from "../support/history.ts";

afterAll(endServers);

/** Names in the order they were shown, page after page. */
const shown = async ({ reader }: Kept, changes: Partial<Filter>, size: number) =>
  namesOf(await paged(reader, changes, size));

const newestFirst = (count: number) =>
  Array.from({ length: count }, (_, n) => `web-${count - 1 - n}`);

describe.each(READERS)("%s, page after page", { timeout: 90_000 }, (_, open) => {
  test.each([50, 250, 500])(
    "what is owed since one and the same second is all there, %i at a time",
    async (size) => {
      const kept = await open();
      await takeAll(
        kept,
        Array.from({ length: 620 }, (_, n) => seen(n, NOON + n)),
      );
      expect(await shown(kept, { states: ["pending"] }, size)).toEqual(newestFirst(620));
      expect(await shown(kept, { states: ["pending", "dead"], sinks: ["ops"] }, size)).toEqual(
        newestFirst(620),
      );
      expect(await shown(kept, { states: ["dead"] }, size)).toEqual([]);
      expect(await shown(kept, { kinds: ["Pod"] }, size)).toEqual(newestFirst(620));
    },
  );

  test("what is owed is shown once, though the clock was put back by an hour meanwhile", async () => {
    const kept = await open();
    const before = Array.from({ length: 320 }, (_, n) => seen(n, NOON - 10 * MINUTE + n * 1000));
    await takeAll(kept, before);
    await kept.clock.advance(-HOUR);
    const after = Array.from({ length: 320 }, (_, n) => seen(1_000 + n, NOON - HOUR));
    await takeAll(kept, after);
    const expected = [...after, ...before].map(({ object }) => object.name).toReversed();
    for (const size of [50, 250])
      expect(await shown(kept, { states: ["pending"] }, size)).toEqual(expected);
  });

  test("what was given up long ago stands where it happened, among what happened since", async () => {
    const kept = await open();
    // Every other one came late: a list after a break brought it.
    const events = Array.from({ length: 600 }, (_, n) =>
      seen(n, n % 2 === 0 ? NOON - HOUR + n * 1000 : NOON - 2 * HOUR - n * 1000),
    );
    await takeAll(kept, events);
    for (let n = 1; n <= 600; n += 3)
      kept.outbox.settle(`d${n}`, {
        kind: "dead",
        at: NOON,
        reason: "expired",
        detail: "old",
        counted: false,
      });
    await written(kept);
    const inOrder = events
      .map((event, n) => ({ event, isDead: n % 3 === 0 }))
      .toSorted((a, b) => b.event.lastSeen.localeCompare(a.event.lastSeen));
    const names = (isDead: boolean | null) =>
      inOrder
        .filter((one) => isDead === null || one.isDead === isDead)
        .map(({ event }) => event.object.name);
    expect(await shown(kept, { states: ["dead"] }, 50)).toEqual(names(true));
    expect(await shown(kept, { states: ["pending"] }, 50)).toEqual(names(false));
    expect(await shown(kept, { states: ["pending", "dead"] }, 50)).toEqual(names(null));
  });
});
