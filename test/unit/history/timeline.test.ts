import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { EVERYTHING, type Filter } from "../../../src/history/history.ts";
import { openReaderHere } from "../../../src/history/open.ts";
import { FakeClock } from "../../support/clock.ts";
import { anyone, HOUR, MINUTE, NOON, seen, takeAll } from "../../support/history.ts";
import { aLedger, temporaryDirectory } from "../../support/ledger.ts";

const EVENTS = 2_500;
/** An event a minute, the newest at noon. */
const momentOf = (n: number) => NOON - n * MINUTE;

/** A history that is indexed to the end, and a reader for which a millisecond passes whenever it looks at its clock. */
async function aHistory() {
  const dataDir = temporaryDirectory();
  const ledger = aLedger({ dataDir, clock: new FakeClock("2026-11-20T12:00:00Z") });
  await takeAll(
    ledger,
    Array.from({ length: EVENTS }, (_, n) =>
      seen(n, momentOf(n), {
        reason: n % 5 === 0 ? "Failed" : "BackOff",
        message: "the disk is on fire",
      }),
    ),
  );
  const patient = openReaderHere(dataDir, systemClock);
  onTestFinished(() => patient.close());
  await patient.events(EVERYTHING, 1, null, anyone);
  let now = 0;
  const hasty = openReaderHere(dataDir, { ...systemClock, now: () => (now += 1) });
  onTestFinished(() => hasty.close());
  return { patient, hasty };
}

const fires = (changes: Partial<Filter>) => ({ ...EVERYTHING, ...changes });
const byReason = { by: "reason", step: MINUTE, top: 8 } as const;

describe("a timeline for which there is too little time", { timeout: 60_000 }, () => {
  // By the counts, and by rows that are read one by one: those are few enough.
  test.each([
    ["all there is", {}],
    ["one reason", { reasons: ["Failed"] }],
    ["few rows by their words", { reasons: ["Failed"], words: ["fire"] }],
  ] as const)("of %s is whole since a time that it names", async (_, changes) => {
    const { patient, hasty } = await aHistory();
    const filter = fires({ ...changes, from: momentOf(EVENTS), to: NOON + MINUTE });
    const whole = await patient.timeline(filter, byReason, anyone);
    expect(whole).toMatchObject({ exact: true, refine: null });
    const parts = new Set<number>();
    for (const deadlineMs of [3, 4, 6]) {
      const part = await hasty.timeline(filter, byReason, { ...anyone, deadlineMs });
      expect(part).toMatchObject({
        from: whole.from,
        to: whole.to,
        step: whole.step,
        exact: true,
        refine: { cause: "deadline" },
      });
      const since = part.refine?.since ?? Number.NaN;
      expect(since).toBeGreaterThan(whole.from);
      expect(since).toBeLessThanOrEqual(NOON);
      // Up to that time nothing, and from then on as much as there is.
      const bar = (since - whole.from) / whole.step;
      for (const { value, counts } of whole.series) {
        const found = part.series.find((one) => one.value === value)?.counts ?? [];
        expect(found.slice(Math.ceil(bar))).toEqual(counts.slice(Math.ceil(bar)));
        expect(found.slice(0, Math.floor(bar)).every((n) => n === 0)).toBe(true);
      }
      expect(part.total).toBeLessThan(whole.total);
      parts.add(part.total);
    }
    // With more time more is counted.
    expect([...parts]).toEqual([...parts].toSorted((a, b) => a - b));
    expect(parts.size).toBeGreaterThan(1);
  });

  test("of what is found in no order is a part, and says so without a time", async () => {
    const { hasty, patient } = await aHistory();
    const filter = fires({ names: ["web-*"] });
    const ask = { ...anyone, deadlineMs: 3 };
    const part = await hasty.timeline(filter, { ...byReason, step: null }, ask);
    expect(part.refine).toEqual({ cause: "deadline", since: null });
    expect(part.total).toBeGreaterThan(0);
    expect(part.total).toBeLessThan(EVENTS);
    expect((await patient.timeline(filter, byReason, anyone)).total).toBe(EVENTS);
  });
});

describe("a timeline of words that are frequent", { timeout: 60_000 }, () => {
  test("is counted by their index, says that it is not exact, and ends where it was to end", async () => {
    const { patient } = await aHistory();
    const words = ["fire"];
    const all = await patient.timeline(fires({ words }), { ...byReason, step: HOUR }, anyone);
    expect(all).toMatchObject({ total: EVENTS, exact: false, refine: null });
    expect(all.series.map(({ value, total }) => [value, total])).toEqual([
      ["BackOff", 2_000],
      ["Failed", 500],
    ]);
    // A minute at both ends: the first is in it, the last is not.
    const [from, to] = [momentOf(2_400), momentOf(100)];
    const some = await patient.timeline(fires({ words, from, to }), byReason, anyone);
    const counted = await patient.timeline(fires({ from, to }), byReason, anyone);
    expect(some).toMatchObject({ from, to: counted.to, total: 2_300, exact: false });
    expect(some.series).toEqual(counted.series);
    // Those that are dead are none of them, whatever they say.
    const dead = { words, states: ["dead"] } as const;
    expect(await patient.timeline(fires(dead), byReason, anyone)).toMatchObject({
      total: 0,
      series: [],
    });
    const owed = { words, states: ["pending", "delivered"] } as const;
    expect(await patient.timeline(fires(owed), byReason, anyone)).toMatchObject({ total: EVENTS });
    expect(
      await patient.timeline(fires({ words, names: ["web-1*"], from }), byReason, anyone),
    ).toMatchObject({ total: namesBelow(2_400) });
  });
});

/** How many of web-0 up to `last` begin with a one. */
function namesBelow(last: number): number {
  return Array.from({ length: last + 1 }, (_, n) => String(n)).filter((n) => n.startsWith("1"))
    .length;
}
