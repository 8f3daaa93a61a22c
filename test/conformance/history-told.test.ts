import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { KubeEvent } from "../../src/event/event.ts";
import { type Ask, EVERYTHING, type HistoryReader } from "../../src/history/history.ts";
import { storedKey } from "../../src/ledger/key.ts";
import { anyone, NOON, paged } from "../support/history.ts";
import {
  filters,
  type Happened,
  histories,
  isMeant,
  sights,
  SINKS,
} from "../support/history-model.ts";
import { endRigs, HISTORIES, keep } from "../support/history-rig.ts";

afterAll(endRigs);

interface Owed {
  readonly id: string;
  readonly sink: string;
  readonly state: string;
  readonly of: Happened;
}

/** In the order they were owed. */
function owedIn(all: readonly Happened[]): readonly Owed[] {
  return all
    .flatMap((of) =>
      SINKS.flatMap((sink) => {
        const state = of.told.get(sink);
        return state === undefined ? [] : [{ sink, state, of }];
      }),
    )
    .map((owed, index) => ({ id: `d${index + 1}`, ...owed }));
}

function maySee({ eventNamespace }: KubeEvent, { visible }: Ask): boolean {
  return visible === "all" || visible.includes(eventNamespace);
}

const idOf = ({ event }: Happened) => storedKey(event);
const sorted = (ids: readonly string[]) => ids.toSorted();

/** Of each event: its deliveries, its other counts, and what else befell the object of that name, there. */
async function checkStories(reader: HistoryReader, all: readonly Happened[], ask: Ask) {
  const owed = owedIn(all);
  for (const one of all) {
    const story = await reader.event(idOf(one), ask);
    expect(story !== null).toBe(maySee(one.event, ask));
    if (story === null) continue;
    expect(story.row.id).toBe(idOf(one));
    expect(story.row.event).toEqual(one.event);
    expect(story.row.suppressed).toBe(one.suppressed);
    expect(story.row.deliveries.map(({ id, state }) => [id, state])).toEqual(
      owed.filter(({ of }) => of === one).map(({ id, state }) => [id, state]),
    );
    const others = all.filter((other) => other !== one && maySee(other.event, ask));
    const counts = others.filter(({ event }) => event.uid === one.event.uid);
    expect(story.occurrences.map(({ id }) => id)).toEqual(
      counts.toSorted((a, b) => b.event.count - a.event.count).map(idOf),
    );
    const { object, cluster, uid } = one.event;
    const ofObject = others.filter(
      ({ event }) =>
        event.uid !== uid &&
        event.cluster === cluster &&
        event.object.kind === object.kind &&
        event.object.name === object.name &&
        event.object.namespace === object.namespace,
    );
    const found = story.object;
    expect(sorted(found.map(({ id }) => id))).toEqual(sorted(ofObject.map(idOf)));
    const seconds = found.map(({ at }) => Math.floor(at / 1_000));
    expect(seconds, "newest first").toEqual(seconds.toSorted((a, b) => b - a));
  }
}

/** What is owed and what was given up: each, by pages, and as numbers for each sink. */
async function checkDeliveries(
  reader: HistoryReader,
  all: readonly Happened[],
  ask: Ask,
  limit: number,
) {
  const owed = owedIn(all);
  for (const one of owed) {
    const story = await reader.delivery(one.id, ask);
    const { id, sink, state } = one;
    expect(story !== null).toBe(maySee(one.of.event, ask));
    if (story === null) continue;
    expect(story).toMatchObject({ row: { id, sink, state }, event: idOf(one.of), folded: [] });
  }
  const seen = owed.filter(({ of }) => maySee(of.event, ask));
  for (const state of ["pending", "dead"] as const)
    for (const sink of [null, ...SINKS]) {
      const ids: string[] = [];
      let before: number | null = null;
      do {
        const page: Awaited<ReturnType<HistoryReader["deliveries"]>> = await reader.deliveries(
          { state, sink, limit },
          before,
          ask,
        );
        expect(page.rows.length).toBeLessThanOrEqual(limit);
        ids.push(...page.rows.map(({ id }) => id));
        before = page.next;
      } while (before !== null);
      const meant = seen.filter((one) => one.state === state && (sink ?? one.sink) === one.sink);
      expect(ids, `${state} ${sink}`).toEqual(meant.map(({ id }) => id).toReversed());
    }
  const count = (sink: string, state: string) =>
    seen.filter((one) => one.sink === sink && one.state === state).length;
  const numbers = SINKS.map((sink) => ({
    sink,
    pending: count(sink, "pending"),
    dead: count(sink, "dead"),
    capped: false,
    oldestOwedAt: count(sink, "pending") === 0 ? null : NOON,
  })).filter(({ pending, dead }) => pending + dead > 0);
  expect(await reader.sinks(ask)).toEqual(numbers);
}

describe.each(HISTORIES)("a history in %s, asked about one thing", (name, { numRuns, open }) => {
  const timeout = 60_000 + numRuns * 5_000;

  test(
    "tells all of it to whoever may see it, and nothing to anybody else",
    { timeout },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          histories(0, 30),
          fc.nat(30),
          sights,
          filters,
          fc.integer({ min: 1, max: 8 }),
          async (all, first, visible, filter, size) => {
            const rig = await open("small");
            const ask = { ...anyone, visible };
            const reader = rig.look();
            const id = await keep(rig, all.slice(0, first), 1);
            let { rows, mark } = await reader.tail(filter, null, size, ask);
            expect(rows).toEqual([]);
            await keep(rig, all.slice(first), id);

            const live: string[] = [];
            for (let before = -1; before !== mark; live.push(...rows.map((row) => row.id))) {
              before = mark;
              ({ rows, mark } = await reader.tail(filter, mark, size, ask));
              expect(rows.length).toBeLessThanOrEqual(size);
            }
            const came = all.slice(first).filter((one) => isMeant(one, filter, visible));
            expect(live, "what follows live gets").toEqual(came.map(idOf));

            await checkStories(reader, all, ask);
            await checkDeliveries(reader, all, ask, size);
            const homes = all.map(({ event }) => event).filter((event) => maySee(event, ask));
            expect(await reader.namespaces(ask)).toEqual(
              sorted([...new Set(homes.map(({ eventNamespace }) => eventNamespace))]),
            );
            await reader.close();
            await rig.end();
          },
        ),
        { numRuns },
      );
    },
  );

  test(
    "what retention has forgotten is gone from it, and what is owed stays, however old",
    { timeout },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          histories(0, 30),
          fc.nat(30),
          fc.boolean(),
          async (all, first, isIndexed) => {
            const rig = await open("large");
            const id = await keep(rig, all.slice(0, first), 1);
            if (isIndexed) await rig.index();
            await rig.clock.advance(1);
            await keep(rig, all.slice(first), id);
            await rig.forget(NOON + 1);
            await rig.index();
            const reader = rig.look();
            const left = all.filter(
              ({ told }, n) => n >= first || [...told.values()].includes("pending"),
            );
            const shown = (await paged(reader, {}, 7)).map(({ id }) => id);
            expect(sorted(shown)).toEqual(sorted(left.map(idOf)));
            const gone = all.filter((one) => !left.includes(one));
            for (const one of gone) expect(await reader.event(idOf(one), anyone)).toBeNull();
            const query = { by: "reason", step: null, top: 9 } as const;
            const { total } = await reader.timeline(EVERYTHING, query, anyone);
            // A database forgets a day at a time.
            const kept = name === "SQLite" ? left : all;
            expect(total).toBeGreaterThanOrEqual(left.length);
            expect(total).toBeLessThanOrEqual(kept.length);
            await reader.close();
            await rig.end();
          },
        ),
        { numRuns: Math.ceil(numRuns / 3) },
      );
    },
  );
});
