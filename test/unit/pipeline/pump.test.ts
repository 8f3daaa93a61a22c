import { describe, expect, it } from "vitest";
import { Tally } from "../../../src/delivery/tally.ts";
import type { GapCause } from "../../../src/event/alert.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import type { AskUntold, Entry, Taken } from "../../../src/ledger/ledger.ts";
import { jsonLog } from "../../../src/observe/log.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createObserver } from "../../../src/observe/observe.ts";
import { pump } from "../../../src/pipeline/pump.ts";
import { createRouter } from "../../../src/pipeline/route.ts";
import type { Checkpoint, Source, SourceItem } from "../../../src/source/source.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";

const at = (resourceVersion: string): Checkpoint => ({
  scope: "kubernetes:*",
  cluster: "c1",
  resourceVersion,
  at: 0,
});
const item = (event: KubeEvent): SourceItem => ({
  kind: "event",
  event,
  checkpoint: at(event.resourceVersion),
});

/** A source that plays what it is given and notes when it was asked for more. */
function played(batches: readonly (readonly SourceItem[])[], asked: string[] = []): Source {
  return {
    name: "kubernetes",
    async *batches() {
      for (const [index, batch] of batches.entries()) {
        asked.push(`batch ${index}`);
        yield batch;
      }
    },
  };
}

/** A ledger in a list: what was added, in which order, and what was already there. */
function shelf(known: readonly string[] = []) {
  const keys = new Set(known);
  const added: { entries: readonly Entry[]; checkpoints: readonly Checkpoint[] }[] = [];
  return {
    added,
    checkpoints: () => new Map<string, Checkpoint>(),
    async add(
      entries: readonly Entry[],
      checkpoints: readonly Checkpoint[],
    ): Promise<readonly Taken[]> {
      added.push({ entries, checkpoints });
      return entries.map((entry) => {
        if (entry.event === null) return "enqueued";
        if (keys.has(entry.event.key)) return "duplicate";
        keys.add(entry.event.key);
        return "enqueued";
      });
    },
  };
}

function house(outbox: ReturnType<typeof shelf>) {
  const synced: string[] = [];
  const { observer, tally } = createObserver(
    jsonLog("error", { write: () => undefined }),
    createMetrics("0", ["kubernetes"], ["ding", "hook"]),
    new FakeClock(),
  );
  const route = createRouter(
    (event) => event.object.namespace !== "quiet",
    [
      { name: "ding", matches: (event) => event.type !== "Normal" },
      { name: "hook", matches: () => true },
    ],
  );
  return {
    tally,
    synced,
    ports: {
      outbox,
      untold: () => [],
      route,
      observer,
      cluster: "prod-a",
      sinks: ["ding", "hook"],
      singly: new Set<string>(),
      makeTally: () => new Tally(),
      synced: (name: string) => void synced.push(name),
    },
  };
}

describe("the pump", () => {
  it("owes a warning to both sinks, a normal event to one, and a filtered event to none", async () => {
    const outbox = shelf();
    const { ports, tally } = house(outbox);
    const events = [
      anEvent({ uid: "a" }),
      anEvent({ uid: "b", type: "Normal" }),
      anEvent({ uid: "c", object: { namespace: "quiet" } }),
    ];
    await pump(played([events.map(item)]), ports, new AbortController().signal);
    expect(outbox.added[0]?.entries.map((entry) => [entry.event?.uid, entry.sinks])).toEqual([
      ["a", ["ding", "hook"]],
      ["b", ["hook"]],
    ]);
    expect(tally).toMatchObject({ received: 3, filtered: 1, enqueued: 2, suppressed: 0 });
  });

  it("keeps what nobody wants for history, where that is asked for, and counts it as what it is", async () => {
    const outbox = shelf();
    const { ports, tally } = house(outbox);
    const route = createRouter(
      (event) => event.object.namespace !== "quiet",
      [{ name: "ding", matches: (event) => event.type !== "Normal" }],
    );
    const events = [
      anEvent({ uid: "a" }),
      anEvent({ uid: "b", type: "Normal" }),
      anEvent({ uid: "c", object: { namespace: "quiet" } }),
    ];
    const foreign = { kind: "drop", reason: "canary" } as const;
    const keeping = { ...ports, route, keepsAll: true };
    await pump(played([events.map(item)]), keeping, new AbortController().signal);
    expect(
      outbox.added[0]?.entries.map(({ event, sinks, suppressed }) => [
        event?.uid,
        sinks,
        suppressed,
      ]),
    ).toEqual([
      ["a", ["ding"], undefined],
      ["b", [], "noSink"],
      ["c", [], "globalFilter"],
    ]);
    expect(tally).toMatchObject({ received: 3, filtered: 2, enqueued: 1, suppressed: 0 });
    const dropping = { ...keeping, route: () => foreign };
    await pump(played([[item(anEvent({ uid: "d" }))]]), dropping, new AbortController().signal);
    expect(outbox.added.flatMap(({ entries }) => entries)).toHaveLength(3);
    expect(tally).toMatchObject({ received: 4, filtered: 3 });
  });

  it("moves the checkpoint over filtered events too, once per batch and to the last of each scope", async () => {
    const outbox = shelf();
    const { ports } = house(outbox);
    const quiet = (version: string) =>
      item(anEvent({ uid: version, resourceVersion: version, object: { namespace: "quiet" } }));
    await pump(
      played([[quiet("5"), quiet("6"), { kind: "checkpoint", checkpoint: at("9") }]]),
      ports,
      new AbortController().signal,
    );
    expect(outbox.added).toEqual([{ entries: [], checkpoints: [at("9")] }]);
  });

  it("asks for more only after the ledger holds what was taken", async () => {
    const story: string[] = [];
    const outbox = shelf();
    const { ports } = house(outbox);
    const slow = {
      ...outbox,
      async add(entries: readonly Entry[], checkpoints: readonly Checkpoint[]) {
        await Promise.resolve();
        story.push(`written ${entries.length}`);
        return outbox.add(entries, checkpoints);
      },
    };
    await pump(
      played([[item(anEvent({ uid: "a" }))], [item(anEvent({ uid: "b" }))]], story),
      { ...ports, outbox: slow },
      new AbortController().signal,
    );
    expect(story).toEqual(["batch 0", "written 1", "batch 1", "written 1"]);
  });

  it("counts an occurrence that was already taken as suppressed, and keeps the law", async () => {
    const outbox = shelf(["a@12"]);
    const { ports, tally } = house(outbox);
    await pump(
      played([[item(anEvent({ uid: "a" })), item(anEvent({ uid: "a", count: 13 }))]]),
      ports,
      new AbortController().signal,
    );
    expect(tally).toMatchObject({ received: 2, suppressed: 1, enqueued: 1 });
    expect(tally.received).toBe(tally.filtered + tally.suppressed + tally.enqueued);
  });

  const when = { since: "2026-11-20T08:00:00Z", until: "2026-11-20T11:00:00Z" };
  const relisted = (cause: GapCause | null): SourceItem => ({
    kind: "relisted",
    gap: cause === null ? null : { ...when, cause, listed: true },
  });
  const found = (uid: string, listed: "young" | "old", changes = {}): SourceItem => ({
    kind: "event",
    event: anEvent({ uid, ...changes }),
    checkpoint: null,
    listed,
  });
  const summariesOf = (outbox: ReturnType<typeof shelf>) =>
    outbox.added
      .flatMap(({ entries }) => entries)
      .filter(({ alert }) => alert.kind !== "event")
      .map(({ alert, sinks }) => ({ alert, sinks }));

  it("tells every sink of a gap, and history in the form of an occurrence", async () => {
    const outbox = shelf();
    const { ports, tally } = house(outbox);
    await pump(played([[relisted("downtime")]]), ports, new AbortController().signal);
    const [entry] = outbox.added[0]?.entries ?? [];
    expect(entry).toMatchObject({
      event: { reason: "HistoryGap", object: { kind: "Cluster", name: "prod-a" } },
      alert: { kind: "gap", cluster: "prod-a", ...when, cause: "downtime", recovered: 0 },
      sinks: ["ding", "hook"],
    });
    expect(entry?.event?.message).toBe(
      "Events between 2026-11-20T08:00:00Z and 2026-11-20T11:00:00Z could not be seen: not running, or cut off, for longer than the cluster keeps events. 0 recovered by a relist, older ones unknown.",
    );
    expect(tally, "it is no event of the cluster").toMatchObject({ received: 0, enqueued: 0 });
  });

  it("keeps the first start for history, and tells no sink of it", async () => {
    const outbox = shelf();
    const { ports } = house(outbox);
    await pump(played([[relisted("firstStart")]]), ports, new AbortController().signal);
    expect(outbox.added[0]?.entries).toMatchObject([
      { event: { reason: "HistoryGap" }, alert: { cause: "firstStart" }, sinks: [] },
    ]);
  });

  it("counts what a gap owes, so that the law of deliveries holds as well", async () => {
    const owed: (readonly string[])[] = [];
    const { ports } = house(shelf());
    const observer = {
      ...ports.observer,
      noticeOwed: (sinks: readonly string[]) => void owed.push(sinks),
    };
    const source = played([[relisted("downtime")]]);
    await pump(source, { ...ports, observer }, new AbortController().signal);
    expect(owed).toEqual([["ding", "hook"]]);
  });

  it("counts as recovered what a list brought that was new and wanted, over several batches", async () => {
    const outbox = shelf(["known@12"]);
    const { ports } = house(outbox);
    await pump(
      played([
        [item(anEvent({ uid: "live" })), found("a", "young"), found("known", "young")],
        [found("quiet", "young", { object: { namespace: "quiet" } }), found("b", "young")],
        [found("c", "old"), relisted("expired"), item(anEvent({ uid: "later" }))],
        [relisted("downtime")],
      ]),
      ports,
      new AbortController().signal,
    );
    expect(
      summariesOf(outbox).map(({ alert }) =>
        alert.kind === "gap" ? [alert.cause, alert.recovered, alert.tooOld] : alert.kind,
      ),
    ).toEqual([["expired", 3, 1], "digest", "digest", ["downtime", 0, 0]]);
  });

  it("folds what is too old into one digest for each sink that wants it, and keeps it for history", async () => {
    const outbox = shelf();
    const { ports, tally } = house(outbox);
    await pump(
      played([
        [found("a", "old"), found("b", "old", { type: "Normal", reason: "Pulled" })],
        [found("c", "old"), found("c", "old"), found("d", "young"), relisted(null)],
      ]),
      ports,
      new AbortController().signal,
    );
    const entries = outbox.added.flatMap((one) => one.entries);
    expect(entries.map(({ event, sinks, suppressed }) => [event?.uid, sinks, suppressed])).toEqual([
      ["a", [], "tooOld"],
      ["b", [], "tooOld"],
      ["c", [], "tooOld"],
      ["c", [], "tooOld"],
      ["d", ["ding", "hook"], undefined],
      [undefined, ["ding"], undefined],
      [undefined, ["hook"], undefined],
    ]);
    expect(summariesOf(outbox)).toMatchObject([
      {
        sinks: ["ding"],
        alert: { tooOld: true, total: 2, lines: [{ reason: "BackOff", count: 2 }] },
      },
      {
        sinks: ["hook"],
        alert: {
          total: 3,
          lines: [
            { reason: "BackOff", count: 2 },
            { reason: "Pulled", count: 1 },
          ],
        },
      },
    ]);
    expect(tally).toMatchObject({ received: 5, filtered: 0, suppressed: 4, enqueued: 1 });
  });

  it("also what a list had written that was broken off with its process, once, and only where nobody was told", async () => {
    const asked: unknown[] = [];
    const run = async (items: readonly SourceItem[], singly: readonly string[] = []) => {
      const outbox = shelf(["a@12", "b@12", "told@12", "whole@12", "young@12"]);
      const { ports, tally } = house(outbox);
      const untold: AskUntold = (wanted) => {
        asked.push(wanted.map(({ event, sinks }) => [event.uid, sinks]));
        return wanted.map(({ event }) => event.uid !== "told");
      };
      await pump(
        played([items.slice(0, 3), [...items.slice(3), relisted("expired")]]),
        { ...ports, untold, singly: new Set(singly) },
        new AbortController().signal,
      );
      return { told: summariesOf(outbox), tally };
    };
    const broken = (uid: string, listed: "young" | "old", changes = {}): SourceItem => ({
      ...(found(uid, listed, changes) as SourceItem & { kind: "event" }),
      unfinished: true,
    });
    const items = [
      broken("a", "old"),
      broken("b", "old", { type: "Normal", reason: "Pulled" }),
      broken("told", "old"),
      // By a list that knows no version before it: it may have been told long ago.
      found("whole", "old"),
      broken("young", "young"),
      broken("new", "old"),
      broken("a", "old"),
    ];
    const { told, tally } = await run(items);
    expect(told.map(({ alert, sinks }) => [sinks, alert])).toMatchObject([
      [["ding", "hook"], { kind: "gap", recovered: 3, tooOld: 3 }],
      [["ding"], { total: 2, tooOld: true, lines: [{ reason: "BackOff", count: 2 }] }],
      [["hook"], { total: 3, tooOld: true }],
    ]);
    expect(asked).toEqual([
      [
        ["a", ["ding", "hook"]],
        ["b", ["hook"]],
        ["told", ["ding", "hook"]],
      ],
      [["a", ["ding", "hook"]]],
    ]);
    expect(tally.received).toBe(tally.filtered + tally.suppressed + tally.enqueued);
    asked.length = 0;
    await run(items.slice(0, 2), ["hook"]);
    expect(asked, "of sinks with a digest").toEqual([[["a", ["ding"]]]]);
  });

  it("owes what is too old to a sink that takes no digest: a store wants all of it", async () => {
    const outbox = shelf();
    const { ports, tally } = house(outbox);
    await pump(
      played([[found("a", "old"), relisted(null)]]),
      { ...ports, singly: new Set(["hook"]) },
      new AbortController().signal,
    );
    const entries = outbox.added.flatMap((one) => one.entries);
    expect(entries.map(({ alert, sinks }) => [alert.kind, sinks])).toEqual([
      ["event", ["hook"]],
      ["digest", ["ding"]],
    ]);
    expect(tally).toMatchObject({ received: 1, suppressed: 0, enqueued: 1 });
  });

  it("writes the checkpoint after a list together with what is said of the list, or later", async () => {
    const outbox = shelf();
    const { ports } = house(outbox);
    await pump(
      played([
        [found("a", "old"), relisted("expired"), { kind: "checkpoint", checkpoint: at("9") }],
      ]),
      ports,
      new AbortController().signal,
    );
    expect(outbox.added.map(({ entries, checkpoints }) => [entries.length, checkpoints])).toEqual([
      [1, []],
      [3, [at("9")]],
    ]);
  });

  it("says when the source has caught up, after what came before is written", async () => {
    const outbox = shelf();
    const { ports, synced } = house(outbox);
    await pump(
      played([[item(anEvent()), { kind: "synced" }]]),
      ports,
      new AbortController().signal,
    );
    expect(synced).toEqual(["kubernetes"]);
    expect(outbox.added).toHaveLength(1);
  });

  it("lets an error of the source be seen", async () => {
    const outbox = shelf();
    const { ports } = house(outbox);
    const broken: Source = {
      name: "kubernetes",
      async *batches() {
        yield [item(anEvent())];
        throw new Error("the disk holding the file is gone");
      },
    };
    await expect(pump(broken, ports, new AbortController().signal)).rejects.toThrow(
      "the disk holding the file is gone",
    );
  });
});
