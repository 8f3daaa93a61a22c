import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Tally } from "../../../src/delivery/tally.ts";
import type { Outbox, Wanted } from "../../../src/ledger/ledger.ts";
import { SqliteStore } from "../../../src/ledger/sqlite.ts";
import { untoldIn } from "../../../src/ledger/untold.ts";
import { jsonLog } from "../../../src/observe/log.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createObserver } from "../../../src/observe/observe.ts";
import { pump } from "../../../src/pipeline/pump.ts";
import { createRouter } from "../../../src/pipeline/route.ts";
import type { Source, SourceItem } from "../../../src/source/source.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { aLedger, countingIds, temporaryDirectory, type TestLedger } from "../../support/ledger.ts";
import { total } from "../../support/laws.ts";

const SCOPE = "kubernetes:*";
const SINKS = ["ding", "hook"];
const GAP = {
  since: "2026-11-20T07:00:00Z",
  until: "2026-11-20T08:00:00Z",
  cause: "expired" as const,
  listed: true,
};

/** What a stream may bring; the n-th item has the version n. */
type Step =
  | {
      readonly do: "event";
      readonly uid: number;
      readonly count: number;
      readonly where: "shop" | "quiet";
      readonly type: "Normal" | "Warning";
      readonly listed: "young" | "old" | null;
      readonly mark: boolean;
    }
  | { readonly do: "checkpoint" | "synced" | "relisted" | "gap" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("event" as const),
      // Few, so that the same occurrence comes again and again.
      uid: fc.nat(6),
      count: fc.integer({ min: 1, max: 2 }),
      where: fc.constantFrom("shop" as const, "shop" as const, "quiet" as const),
      type: fc.constantFrom("Normal" as const, "Warning" as const),
      listed: fc.option(fc.constantFrom("young" as const, "old" as const)),
      mark: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "checkpoint" as const,
        "synced" as const,
        "relisted" as const,
        "gap" as const,
      ),
    }),
  },
);

const checkpoint = (n: number) => ({
  scope: SCOPE,
  cluster: "c1",
  resourceVersion: String(n),
  at: 0,
});

function itemOf(one: Step, n: number): SourceItem {
  switch (one.do) {
    case "event": {
      const { uid, count, where, type, listed, mark } = one;
      // What an occurrence says of itself does not change when it comes again.
      const event = anEvent({
        uid: `${where}-${type}-${uid}`,
        count,
        type,
        object: { namespace: where },
      });
      const from = listed === null ? {} : { listed };
      return { kind: "event", event, checkpoint: mark ? checkpoint(n) : null, ...from };
    }
    case "checkpoint":
      return { kind: "checkpoint", checkpoint: checkpoint(n) };
    case "synced":
      return { kind: "synced" };
    case "relisted":
    case "gap":
      return { kind: "relisted", gap: one.do === "gap" ? GAP : null };
  }
}

/** Begins behind the checkpoint, as every source does; breaks off before the batch `until`, as if the process died. */
function sourceOf(
  steps: readonly Step[],
  sizes: readonly number[],
  until: number,
): Source & { read: number[] } {
  const read: number[] = [];
  return {
    name: "kubernetes",
    read,
    async *batches(resume) {
      const from = Number(resume.get(SCOPE)?.resourceVersion ?? -1) + 1;
      let at = from;
      for (let batch = 0; at < steps.length && batch < until; batch += 1) {
        const size = sizes[batch % sizes.length] ?? 1;
        const numbers = steps.map((_, n) => n).slice(at, at + size);
        at += size;
        read.push(...numbers);
        yield numbers.map((n) => itemOf(steps[n] ?? { do: "synced" }, n));
      }
    },
  };
}

/** One process: its ledger, its counters, and what it finds wrong with the order of writing. */
function aLife(dataDir: string, steps: readonly Step[], life: number, singly: boolean) {
  const ledger = aLedger({ dataDir, makeId: countingIds(`${life}-`) });
  const metrics = createMetrics("0", ["kubernetes"], SINKS);
  const log = jsonLog("error", { write: () => undefined });
  const { observer, tally } = createObserver(log, metrics, new FakeClock());
  const wrong: string[] = [];
  const outbox: Pick<Outbox, "add" | "checkpoints"> = {
    checkpoints: () => ledger.outbox.checkpoints(),
    async add(...given) {
      const taken = await ledger.outbox.add(...given);
      wrong.push(...unseen(ledger, steps));
      return taken;
    },
  };
  const store = new SqliteStore(ledger.db);
  const route = createRouter(
    (event) => event.object.namespace !== "quiet",
    [
      { name: "ding", matches: (event) => event.type !== "Normal" },
      { name: "hook", matches: () => true },
    ],
  );
  const ports = {
    outbox,
    untold: (wanted: readonly Wanted[]) => untoldIn(store, wanted),
    route,
    observer,
    cluster: "prod-a",
    sinks: SINKS,
    singly: new Set(singly ? ["hook"] : []),
    makeTally: () => new Tally(),
    synced: () => undefined,
  };
  return { ledger, metrics, tally, wrong, ports };
}

const wanted = (one: Step): one is Step & { do: "event" } =>
  one.do === "event" && one.where === "shop";
const keyOf = ({ where, type, uid, count }: Step & { do: "event" }) =>
  `${where}-${type}-${uid}@${count}`;

/** Wanted occurrences up to the checkpoint that the ledger does not hold. */
function unseen({ outbox, history }: TestLedger, steps: readonly Step[]): readonly string[] {
  const upTo = Number(outbox.checkpoints().get(SCOPE)?.resourceVersion ?? -1);
  const held = new Set(history.events({ limit: 10_000 }).map(({ event }) => event.key));
  return steps
    .slice(0, upTo + 1)
    .filter(wanted)
    .map(keyOf)
    .filter((key) => !held.has(key));
}

describe("the pump, whatever comes in whatever order, and wherever the process dies", () => {
  test("takes each occurrence once, owes it to whom it should, and never lets a checkpoint go before what it covers", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(6), { maxLength: 3 }),
        fc.boolean(),
        async (steps, sizes, deaths, singly) => {
          const dataDir = temporaryDirectory();
          const lives = [...deaths, Number.POSITIVE_INFINITY];
          const read = new Set<number>();
          let enqueued = 0;
          for (const [life, until] of lives.entries()) {
            const { ledger, metrics, wrong, ports } = aLife(dataDir, steps, life, singly);
            const source = sourceOf(steps, sizes, until);
            await pump(source, ports, new AbortController().signal);
            for (const n of source.read) read.add(n);
            expect(wrong, "a checkpoint before what it covers").toEqual([]);
            const received = await total(metrics.received);
            const one = await total(metrics.enqueued);
            const rest = (await total(metrics.filtered)) + (await total(metrics.suppressed));
            expect(received, "received = filtered + suppressed + enqueued").toBe(one + rest);
            expect(received).toBe(source.read.filter((n) => steps[n]?.do === "event").length);
            enqueued += one;
            ledger.db.close();
          }
          const { history, db } = aLedger({ dataDir, makeId: countingIds("end-") });
          const rows = history
            .events({ limit: 10_000 })
            .filter(({ event }) => event.reason !== "HistoryGap");
          const digests = history
            .deliveries({ limit: 10_000 })
            .filter(({ alert }) => alert.kind === "digest");
          db.close();
          const keys = steps.filter(wanted).map(keyOf);
          expect(rows.map(({ event }) => event.key).toSorted()).toEqual(
            [...new Set(keys)].toSorted(),
          );
          expect(enqueued).toBe(rows.filter(({ suppressed }) => suppressed === null).length);
          for (const { event, suppressed, deliveries } of rows) {
            const to = deliveries.map(({ sink }) => sink).toSorted();
            const all = event.type === "Normal" ? ["hook"] : SINKS;
            // What is too old for a chat is told to whoever takes events singly; where nobody does, it is said why nobody is.
            const old = singly ? ["hook"] : [];
            expect([all, old]).toContainEqual(to);
            expect(suppressed).toBe(to.length === 0 ? "tooOld" : null);
          }
          if (deaths.length > 0) return;
          // Every old one is in one digest of each chat that would have been told of it, once the list has ended.
          const told = digests.reduce(
            (sum, { alert }) => sum + (alert.kind === "digest" ? alert.total : 0),
            0,
          );
          const single = rows.flatMap(({ deliveries }) => deliveries).length;
          const ends = steps.findLastIndex((one) => one.do === "gap" || one.do === "relisted");
          const untold = steps.slice(ends + 1).filter((one) => wanted(one) && one.listed === "old");
          const due = rows.reduce((sum, { event }) => sum + (event.type === "Normal" ? 1 : 2), 0);
          expect(untold.length > 0 || told + single === due).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
