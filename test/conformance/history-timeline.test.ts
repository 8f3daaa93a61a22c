import { afterAll, describe, expect, test } from "vitest";
import { EVERYTHING, type Filter, type TimelineQuery } from "../../src/history/history.ts";
import {
  anyone,
  endServers,
  HOUR,
  type Kept,
  MINUTE,
  NOON,
  READERS,
  seen,
  take,
} from "../support/history.ts";

const DAY = 24 * HOUR;
const query = { by: "reason", step: null, top: 8 } as const;

afterAll(endServers);

function counted({ reader }: Kept, changes: Partial<Filter>, asks: Partial<TimelineQuery> = {}) {
  return reader.timeline({ ...EVERYTHING, ...changes }, { ...query, ...asks }, anyone);
}

/** Each finds what `take` took, by another way through the store. */
const WAYS: readonly Partial<Filter>[] = [
  {},
  { names: ["web-*"] },
  { words: ["restarting"] },
  { states: ["pending"] },
  { sinks: ["ops"], types: ["Warning"] },
  { names: ["web-*"], words: ["restarting"], states: ["pending", "delivered"] },
];

describe.each(READERS)("%s, the ends of a timeline", { timeout: 90_000 }, (_, open) => {
  test("what happened at its beginning counts, what happened at its end does not, however it is looked for", async () => {
    const kept = await open();
    const [from, to] = [NOON - 3 * MINUTE, NOON - MINUTE];
    const moments = [from - 1, from, from + MINUTE - 1, from + MINUTE, to - 1, to];
    await take(
      kept,
      moments.map((at, n) => seen(n, at)),
    );
    for (const way of WAYS)
      expect(await counted(kept, { ...way, from, to }), JSON.stringify(way)).toMatchObject({
        from,
        to,
        step: MINUTE,
        total: 4,
        series: [{ value: "BackOff", total: 4, counts: [2, 2] }],
        refine: null,
      });
  });

  test("a range of a second is the bar that it lies in, and one across a minute's end is both of them", async () => {
    const kept = await open();
    const at = NOON - 10 * MINUTE;
    await take(kept, [seen(1, at + 30_000), seen(2, at + MINUTE)]);
    const within = await counted(kept, { from: at + 30_000, to: at + 31_000 });
    expect(within).toMatchObject({ from: at, to: at + MINUTE, total: 1 });
    expect(within.series[0]?.counts).toEqual([1]);
    const across = await counted(kept, { from: at + MINUTE - 1, to: at + MINUTE + 1 });
    expect(across).toMatchObject({ from: at, to: at + 2 * MINUTE, total: 2 });
    expect(across.series[0]?.counts).toEqual([1, 1]);
  });

  test("a range of years is in bars of days, with what happened at both ends of it", async () => {
    const kept = await open();
    const first = NOON - 3 * 365 * DAY;
    await take(kept, [seen(1, first), seen(2, NOON - 365 * DAY), seen(3, NOON)]);
    for (const way of WAYS) {
      const years = await counted(kept, { ...way, from: first, to: NOON + 1 });
      const counts = years.series[0]?.counts ?? [];
      expect(years.step).toBe(10 * DAY);
      expect(counts).toHaveLength((years.to - years.from) / years.step);
      const bar = (at: number) => counts[Math.floor((at - years.from) / years.step)];
      expect([bar(first), bar(NOON - 365 * DAY), bar(NOON)]).toEqual([1, 1, 1]);
      expect(years.total).toBe(3);
    }
    // Too many to draw: longer ones than were asked for.
    const fine = await counted(kept, { from: first, to: NOON + 1 }, { step: MINUTE });
    expect([fine.step, fine.total]).toEqual([DAY, 3]);
  });

  test("without times it is from the first that is there to the last, both of them counted", async () => {
    const kept = await open();
    await take(kept, [seen(1, NOON - 90 * MINUTE), seen(2, NOON - 30 * MINUTE)]);
    const whole = await counted(kept, {});
    expect(whole).toMatchObject({
      from: NOON - 90 * MINUTE,
      to: NOON - 29 * MINUTE,
      total: 2,
    });
    expect(whole.series[0]?.counts.at(0)).toBe(1);
    expect(whole.series[0]?.counts.at(-1)).toBe(1);
    expect(await counted(kept, { from: NOON - 30 * MINUTE })).toMatchObject({ total: 1 });
    expect(await counted(kept, { to: NOON - 30 * MINUTE })).toMatchObject({
      from: NOON - 90 * MINUTE,
      to: NOON - 30 * MINUTE,
      total: 1,
    });
  });

  test("that ends before anything happened counts nothing, and neither does one that begins after", async () => {
    const kept = await open();
    await take(kept, [seen(1, NOON - HOUR + 30_000), seen(2, NOON - HOUR + 40_000)]);
    for (const way of WAYS) {
      const early = await counted(kept, { ...way, to: NOON - DAY });
      expect({ way, total: early.total, series: early.series }).toEqual({
        way,
        total: 0,
        series: [],
      });
      expect(early.to).toBe(NOON - DAY);
      const late = await counted(kept, { ...way, from: NOON + HOUR });
      expect([late.total, late.series, late.from]).toEqual([0, [], NOON + HOUR]);
    }
  });

  test("an empty history counts nothing, for any time or none", async () => {
    const kept = await open();
    for (const way of WAYS)
      for (const time of [{}, { from: NOON - HOUR }, { to: NOON }, { from: NOON - 1, to: NOON }])
        expect(await counted(kept, { ...way, ...time })).toMatchObject({
          total: 0,
          series: [],
          refine: null,
        });
  });

  test("of more values than are shown the others are one, those that are as many by their names", async () => {
    const kept = await open();
    const at = NOON - MINUTE;
    const namespaces = Array.from({ length: 60 }, (_value, n) => `team-${String(n + 10)}`);
    await take(
      kept,
      [...namespaces.toReversed(), "team-40", "team-40"].map((namespace, n) =>
        seen(n, at, { eventNamespace: namespace, object: { namespace } }),
      ),
    );
    const range = { from: at, to: NOON };
    const shown = async (top: number, way: Partial<Filter> = {}) => {
      const { series } = await counted(kept, { ...range, ...way }, { by: "namespace", top });
      return series.map(({ value, total, counts }) => [value, total, ...counts]);
    };
    expect(await shown(1)).toEqual([
      ["team-40", 3, 3],
      [null, 59, 59],
    ]);
    for (const way of WAYS)
      expect(await shown(3, way)).toEqual([
        ["team-40", 3, 3],
        ["team-10", 1, 1],
        ["team-11", 1, 1],
        [null, 57, 57],
      ]);
    const all = await shown(60);
    expect(all.map(([value]) => value)).toEqual([
      "team-40",
      ...namespaces.filter((namespace) => namespace !== "team-40"),
    ]);
    expect(await shown(59)).toHaveLength(60);
    expect((await shown(59)).at(-1)).toEqual([null, 1, 1]);
    // Those that were not asked for, or may not be seen, are not among the others.
    const some = { namespaces: ["team-12", "team-13"] };
    expect(await shown(1, some)).toEqual([
      ["team-12", 1, 1],
      [null, 1, 1],
    ]);
    const few = { ...anyone, visible: ["team-69"] };
    const seenByOne = await kept.reader.timeline(
      { ...EVERYTHING, ...range },
      { ...query, by: "namespace" },
      few,
    );
    expect(seenByOne.series).toEqual([{ value: "team-69", total: 1, counts: [1] }]);
  });
});
