import { afterAll, describe, expect, test } from "vitest";
import { printCursor, readCursor } from "../../src/history/cursor.ts";
import { type Cursor, EVERYTHING, type Filter } from "../../src/history/history.ts";
import {
  anyone,
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

  test("a place in one list is the same place in any other: a cursor of another filter goes on from there", async () => {
    const kept = await open();
    await takeAll(
      kept,
      Array.from({ length: 12 }, (_, n) =>
        seen(n, NOON - n * MINUTE, { reason: n % 2 === 0 ? "Failed" : "BackOff" }),
      ),
    );
    const pageFrom = async (changes: Partial<Filter>, before: Cursor | null, limit = 2) => {
      const page = await kept.reader.events({ ...EVERYTHING, ...changes }, limit, before, anyone);
      return { names: namesOf(page.rows), next: page.next };
    };
    const { names, next } = await pageFrom({ reasons: ["Failed"] }, null);
    expect(names).toEqual(["web-0", "web-2"]);
    expect((await pageFrom({}, next)).names).toEqual(["web-3", "web-4"]);
    expect((await pageFrom({ reasons: ["BackOff"] }, next)).names).toEqual(["web-3", "web-5"]);
    expect((await pageFrom({ words: ["restarting"] }, next)).names).toEqual(["web-3", "web-4"]);
    expect((await pageFrom({ names: ["web-1*"] }, next)).names).toEqual(["web-10", "web-11"]);
    expect((await pageFrom({ states: ["pending"] }, next)).names).toEqual(["web-3", "web-4"]);
    // Of a time that begins after it nothing is left; one that ends before it begins with its newest.
    expect(await pageFrom({ from: NOON - 2 * MINUTE }, next)).toEqual({ names: [], next: null });
    expect((await pageFrom({ to: NOON - 7 * MINUTE }, next)).names).toEqual(["web-8", "web-9"]);
  });

  test("a cursor before all there is shows nothing, one behind it everything, however it was made up", async () => {
    const kept = await open();
    await takeAll(
      kept,
      Array.from({ length: 3 }, (_, n) => seen(n, NOON - n * MINUTE)),
    );
    const all = ["web-0", "web-1", "web-2"];
    for (const changes of [{}, { names: ["web-*"] }, { states: ["pending"] }] as const)
      for (const [cursor, shows] of [
        ["1.0.0", []],
        [printCursor({ at: NOON - 3 * MINUTE, tie: 0 }), []],
        [printCursor({ at: NOON - MINUTE, tie: 0 }), ["web-2"]],
        [printCursor({ at: NOON + MINUTE, tie: 0 }), all],
        // The last moment there is.
        [printCursor({ at: 8.64e15, tie: 0 }), all],
      ] as const) {
        const page = await kept.reader.events(
          { ...EVERYTHING, ...changes },
          50,
          readCursor(cursor),
          anyone,
        );
        expect([cursor, namesOf(page.rows)]).toEqual([cursor, shows]);
        expect(page).toMatchObject({ next: null, refine: null });
      }
    // The highest number of one moment that can be written: wherever it leads to, there is an answer.
    const far = readCursor("1.0.zzzzzzzzzz");
    expect(far).not.toBeNull();
    expect(await kept.reader.events(EVERYTHING, 50, far, anyone)).toMatchObject({ refine: null });
  });

  test("the time between two ends has what happened at the first, and not what happened at the last", async () => {
    const kept = await open();
    // To the millisecond, though the index knows seconds only.
    const [from, to] = [NOON - MINUTE + 250, NOON - MINUTE + 750];
    await takeAll(
      kept,
      [from - 1, from, from + 1, to - 1, to, to + 1].map((at, n) => seen(n, at)),
    );
    const within = ["web-3", "web-2", "web-1"];
    for (const way of [
      {},
      { names: ["web-*"] },
      { words: ["restarting"] },
      { states: ["pending"] },
    ] as const)
      for (const size of [1, 2, 3, 4])
        expect(await shown(kept, { ...way, from, to }, size)).toEqual(within);
    expect(await shown(kept, { from, to: from + 1 }, 9)).toEqual(["web-1"]);
    expect(await shown(kept, { from: to }, 9)).toEqual(["web-5", "web-4"]);
    expect(await shown(kept, { to: from }, 9)).toEqual(["web-0"]);
  });
});
