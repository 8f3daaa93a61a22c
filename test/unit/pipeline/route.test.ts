import { describe, expect, it } from "vitest";
import { Tally } from "../../../src/delivery/tally.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import { jsonLog } from "../../../src/observe/log.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createObserver } from "../../../src/observe/observe.ts";
import { pump } from "../../../src/pipeline/pump.ts";
import { besideCanaries, createRouter } from "../../../src/pipeline/route.ts";
import type { Checkpoint, SourceItem } from "../../../src/source/source.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { aLedger } from "../../support/ledger.ts";

const isWarning = (event: KubeEvent) => event.type === "Warning";
const inShop = (event: KubeEvent) => event.object.namespace === "shop";

describe("the router", () => {
  const route = createRouter(isWarning, [
    { name: "ops", matches: () => true },
    { name: "shop", matches: inShop },
  ]);

  it("owes an event to every sink whose own filter matches, in the order of the sinks", () => {
    expect(route(anEvent())).toEqual({ kind: "owed", sinks: ["ops", "shop"] });
    expect(route(anEvent({ object: { namespace: "bank" } }))).toEqual({
      kind: "owed",
      sinks: ["ops"],
    });
  });

  it("drops what the global filter excludes, whatever the sinks would say", () => {
    expect(route(anEvent({ type: "Normal" }))).toEqual({ kind: "drop", reason: "globalFilter" });
  });

  it("drops what no sink wants, and says that this was the reason", () => {
    const shopOnly = createRouter(isWarning, [{ name: "shop", matches: inShop }]);
    const bank = anEvent({ object: { namespace: "bank" } });
    expect(shopOnly(bank)).toEqual({ kind: "drop", reason: "noSink" });
    expect(createRouter(isWarning, [])(anEvent())).toEqual({ kind: "drop", reason: "noSink" });
  });
});

describe("the pump over a real ledger", () => {
  const at = (resourceVersion: string): Checkpoint => ({
    scope: "kubernetes:*",
    cluster: "c1",
    resourceVersion,
    at: 0,
  });

  function house() {
    const ledger = aLedger();
    const { observer, tally } = createObserver(
      jsonLog("error", { write: () => undefined }),
      createMetrics("0", ["kubernetes"], ["shop"]),
      new FakeClock(),
    );
    const route = createRouter(isWarning, [{ name: "shop", matches: inShop }]);
    const run = async (...batches: (readonly SourceItem[])[]) => {
      const synced: string[] = [];
      await pump(
        {
          name: "kubernetes",
          async *batches() {
            yield* batches;
          },
        },
        {
          outbox: ledger.outbox,
          untold: () => [],
          route,
          observer,
          cluster: "prod-a",
          sinks: ["shop"],
          singly: new Set(),
          makeTally: () => new Tally(),
          synced: (name) => void synced.push(name),
        },
        new AbortController().signal,
      );
      await settle();
      return synced;
    };
    return { ...ledger, tally, run };
  }

  it("owes the event itself, as it was received", async () => {
    const { run, outbox, clock } = house();
    const event = anEvent();
    await run([{ kind: "event", event, checkpoint: at("7") }]);
    expect(outbox.due("shop", clock.now(), 9, new Set())).toMatchObject([
      { sink: "shop", alert: { kind: "event", event } },
    ]);
    expect(outbox.checkpoints().get("kubernetes:*")).toEqual(at("7"));
  });

  it("keeps nothing of an event without a checkpoint but the event: a file has none", async () => {
    const { run, outbox } = house();
    await run([{ kind: "event", event: anEvent(), checkpoint: null }]);
    expect(outbox.checkpoints().size).toBe(0);
  });

  it("writes nothing for a batch in which nothing happened", async () => {
    const { run, db } = house();
    const before = db.prepare("SELECT total_changes() AS n").get()?.["n"];
    expect(await run([], [{ kind: "synced" }])).toEqual(["kubernetes"]);
    expect(db.prepare("SELECT total_changes() AS n").get()?.["n"]).toBe(before);
  });

  it("says that it has caught up only when the source says so", async () => {
    const { run } = house();
    expect(await run([{ kind: "checkpoint", checkpoint: at("9") }])).toEqual([]);
  });

  it("counts each event once, by what became of it", async () => {
    const { run, tally } = house();
    const event = (uid: string, changes: Parameters<typeof anEvent>[0] = {}): SourceItem => ({
      kind: "event",
      event: anEvent({ uid, ...changes }),
      checkpoint: at("1"),
    });
    await run(
      [event("a"), event("b", { type: "Normal" }), event("c", { object: { namespace: "bank" } })],
      [event("a"), event("d")],
    );
    expect(tally).toMatchObject({ received: 5, filtered: 2, suppressed: 1, enqueued: 2 });
  });

  it("keeps the order of a batch: gaps between the events they lie between", async () => {
    const { run, outbox, clock } = house();
    const gap: SourceItem = {
      kind: "relisted",
      gap: {
        since: "2026-11-20T07:00:00Z",
        until: "2026-11-20T08:00:00Z",
        cause: "futureVersion",
        listed: true,
      },
    };
    const event = (uid: string): SourceItem => ({
      kind: "event",
      event: anEvent({ uid }),
      checkpoint: null,
    });
    await run([event("a"), gap, event("b")]);
    const told = outbox.due("shop", clock.now(), 9, new Set()).map(({ alert }) => alert);
    expect(told.map(({ kind }) => kind)).toEqual(["event", "gap", "event"]);
    expect(told[1]).toMatchObject({ kind: "gap", cluster: "prod-a", cause: "futureVersion" });
  });
});

describe("a canary", () => {
  const canary = (changes: Parameters<typeof anEvent>[0] = {}) =>
    anEvent({
      type: "Normal",
      reason: "KubeCrierCanary",
      reporter: { component: "kube-crier" },
      ...changes,
    });
  const warnings = createRouter(isWarning, [{ name: "all", matches: () => true }]);

  it("of ours goes where it is followed to, past every filter", () => {
    expect(besideCanaries(warnings, () => ["ops"])(canary())).toEqual({
      kind: "owed",
      sinks: ["ops"],
    });
    expect(besideCanaries(warnings, () => [])(canary())).toEqual({ kind: "owed", sinks: [] });
  });

  it.each(["KubeCrierCanary", "KubeCrierCanaryMissing", "KubeCrierCanaryBack"])(
    "that is not ours is told to nobody, be it called %s and a warning",
    (reason) => {
      const route = besideCanaries(warnings, () => null);
      expect(route(canary({ reason, type: "Warning" }))).toEqual({
        kind: "drop",
        reason: "canary",
      });
    },
  );

  it("is nothing that only has its reason, or only its reporter", () => {
    const route = besideCanaries(warnings, () => null);
    const all = { kind: "owed", sinks: ["all"] };
    expect(route(anEvent({ reason: "KubeCrierCanary" }))).toEqual(all);
    expect(route(anEvent({ reporter: { component: "kube-crier" } }))).toEqual(all);
  });
});
