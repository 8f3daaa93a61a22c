import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { KubeEvent } from "../../src/event/event.ts";
import {
  type Cursor,
  type Dimension,
  DIMENSIONS,
  EVERYTHING,
  type EventPage,
  type Filter,
  type HistoryReader,
} from "../../src/history/history.ts";
import { storedKey } from "../../src/ledger/key.ts";
import { anyone, HOUR, MINUTE } from "../support/history.ts";
import { filters, type Happened, histories, isMeant, sights } from "../support/history-model.ts";
import { endRigs, HISTORIES, keep } from "../support/history-rig.ts";

/** The newest second first; within one, the last to arrive. */
function expected(all: readonly Happened[], filter: Filter, visible: typeof anyone.visible) {
  return all
    .map((one, arrival) => ({ one, arrival, second: Math.floor(one.at / 1000) }))
    .filter(({ one }) => isMeant(one, filter, visible))
    .toSorted((a, b) => b.second - a.second || b.arrival - a.arrival)
    .map(({ one }) => one);
}

const asked = fc.record({
  filter: filters,
  visible: sights,
  size: fc.integer({ min: 1, max: 60 }),
  by: fc.constantFrom(...DIMENSIONS),
  step: fc.constantFrom(null, MINUTE, 5 * MINUTE, HOUR),
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

const PAGES = 4;
const WHOLE = { from: null, to: null };

/** Ids of the first pages, with `null` behind the last row of all; and how much each bar counts. */
interface Answers {
  readonly ids: readonly (string | null)[];
  readonly bars: ReadonlyMap<string, number>;
}

async function idsOf(reader: HistoryReader, { filter, visible, size }: Asked) {
  const ids: (string | null)[] = [];
  let before: Cursor | null = null;
  for (let page = 0; page < PAGES; page += 1) {
    const found: EventPage = await reader.events(filter, size, before, { ...anyone, visible });
    ids.push(...found.rows.map(({ id }) => id), ...(found.refine === null ? [] : ["a part"]));
    before = found.next;
    if (before === null) return [...ids, null];
  }
  return ids;
}

/** What the list says, and what the history does, as far as it promises to be exact. */
async function bothOf(
  reader: HistoryReader,
  all: readonly Happened[],
  question: Asked,
): Promise<{ readonly found: Answers; readonly model: Answers }> {
  const { filter, visible, size, by, step } = question;
  const meant = expected(all, filter, visible);
  const ids = meant.slice(0, PAGES * size).map(({ event }) => storedKey(event));
  const rest = meant.length < PAGES * size ? [null] : [];

  const timeline = await reader.timeline(filter, { by, step, top: 50 }, { ...anyone, visible });
  const bars = barsOf(meant, by, timeline.step);
  const counted = new Map<string, number>();
  for (const { value, counts } of timeline.series)
    for (const [index, n] of counts.entries())
      if (n > 0) counted.set(`${value} ${timeline.from + index * timeline.step}`, n);
  // Whole bars are counted, and trigrams alone find what only looks like it: more, never less; and nothing but what fits otherwise.
  const most = expected(all, { ...filter, ...WHOLE, words: [] }, visible);
  const loose = barsOf(most, by, timeline.step);
  const exact = timeline.exact && isWhole(filter, timeline.step);
  const isMore = [...counted].some(([bar, n]) => n > (loose.get(bar) ?? 0));
  const held =
    exact || isMore
      ? counted
      : new Map([...bars].map(([bar, n]) => [bar, Math.min(n, counted.get(bar) ?? 0)]));

  const found = await idsOf(reader, question);
  // A full last page may be followed by one that holds nothing.
  const shown = rest.length === 0 ? found.slice(0, ids.length) : found;
  return { found: { ids: shown, bars: held }, model: { ids: [...ids, ...rest], bars } };
}

/** How often each value happened in each bar. */
function barsOf(all: readonly Happened[], by: Dimension, step: number): Map<string, number> {
  const bars = new Map<string, number>();
  for (const { event, at } of all) {
    const bar = `${valueOf(event, by)} ${Math.floor(at / step) * step}`;
    bars.set(bar, (bars.get(bar) ?? 0) + 1);
  }
  return bars;
}

function valueOf({ object, reporter, type, reason }: KubeEvent, by: Dimension): string {
  const { component } = reporter;
  return { reason, type, namespace: object.namespace, kind: object.kind, component }[by] ?? "-";
}

/** A bar that a time of the filter cuts in two is counted as a whole. */
function isWhole({ from, to }: Filter, step: number): boolean {
  return (from ?? 0) % step === 0 && (to ?? 0) % step === 0;
}

afterAll(endRigs);

describe.each(HISTORIES)(
  "a history in %s, beside a list of what happened",
  (_, { numRuns, questions: many, open }) => {
    test(
      "of any few events finds what the list finds, in its order, and counts the same",
      { timeout: 60_000 + numRuns * 5_000 },
      async () => {
        await fc.assert(
          fc.asyncProperty(
            histories(0, 60),
            fc.nat(60),
            fc.array(asked, { minLength: 6, maxLength: 6 }),
            async (all, first, questions) => {
              const rig = await open("small");
              // What was there before anybody looked is indexed backwards, the rest as it comes.
              const id = await keep(rig, all.slice(0, first), 1);
              const reader = rig.look();
              await reader.events(EVERYTHING, 1, null, anyone);
              await keep(rig, all.slice(first), id);
              for (const question of questions) {
                const { found, model } = await bothOf(reader, all, question);
                expect(found, JSON.stringify(question)).toEqual(model);
              }
              await reader.close();
              await rig.end();
            },
          ),
          { numRuns },
        );
      },
    );

    test(
      "of thousands, where words are found by their index, does too, and goes on with what is there",
      { timeout: 120_000 },
      async () => {
        await fc.assert(
          fc.asyncProperty(
            histories(3_000, 3_000),
            fc.array(asked, { minLength: many, maxLength: many }),
            async (all, questions) => {
              const rig = await open("large");
              const id = await keep(rig, all.slice(0, 2_000), 1);
              await rig.index();
              await keep(rig, all.slice(2_000), id);
              const reader = rig.look();
              for (const question of questions) {
                const { found, model } = await bothOf(reader, all, question);
                expect(found, JSON.stringify(question)).toEqual(model);
              }
              await reader.close();
              await rig.end();
            },
          ),
          { numRuns: 1, endOnFailure: true },
        );
      },
    );
  },
);
