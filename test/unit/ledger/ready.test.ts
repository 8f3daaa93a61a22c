import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Delivery, Outcome } from "../../../src/event/delivery.ts";
import { READ_AHEAD, Ready } from "../../../src/ledger/ready.ts";
import { SqliteStore } from "../../../src/ledger/sqlite.ts";
import { settle } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { aLedger, anEntry, never, type TestLedger, none } from "../../support/ledger.ts";
import { aDigestOf } from "../../support/alerts.ts";
const delivered = { kind: "delivered", sent: "", answer: "" } as const;
const failed = { kind: "retry", reason: "server", detail: "500", counted: true } as const;
const digest = aDigestOf(2);
const ids = (deliveries: readonly Delivery[] | null | undefined) => deliveries?.map(({ id }) => id);
const dueOf = ({ outbox, clock }: TestLedger, max = 10, except = none) =>
  ids(outbox.due("ops", clock.now(), max, except));
const add = ({ outbox }: TestLedger, from: number, count = 1, sinks: readonly string[] = ["ops"]) =>
  outbox.add(
    Array.from({ length: count }, (_, n) => anEntry(from + n, sinks)),
    [],
    never,
  );

describe("what is due, in memory", () => {
  test("is the event that was added itself, not one read back", async () => {
    const { outbox, clock } = aLedger();
    outbox.due("ops", clock.now(), 1, none);
    const entry = anEntry(1, ["ops"]);
    await outbox.add([entry], [], never);
    expect(outbox.due("ops", clock.now(), 1, none)[0]?.alert).toBe(entry.alert);
  });

  test("an occurrence that was there already is not due again", async () => {
    const ledger = aLedger();
    await add(ledger, 1);
    ledger.outbox.settle(dueOf(ledger)?.[0] ?? "", { ...delivered, at: ledger.clock.now() });
    await add(ledger, 1);
    expect(dueOf(ledger)).toEqual([]);
  });

  test("what was handed out and not settled is handed out again", async () => {
    const ledger = aLedger();
    await add(ledger, 1, 2);
    expect(dueOf(ledger)).toEqual(["d1", "d2"]);
    expect(dueOf(ledger, 10, new Set(["d1"]))).toEqual(["d2"]);
    expect(dueOf(ledger)).toEqual(["d1", "d2"]);
  });

  test("a retry comes at its time, behind what fell due before it and before what came later", async () => {
    const ledger = aLedger();
    const { outbox, clock } = ledger;
    await add(ledger, 1, 2);
    dueOf(ledger);
    outbox.settle("d1", { ...failed, at: clock.now(), notBefore: clock.now() + 1_000 });
    expect(dueOf(ledger)).toEqual(["d2"]);
    expect(outbox.nextAt("ops", clock.now())).toBe(clock.now() + 1_000);
    await clock.advance(2_000);
    await add(ledger, 3);
    expect(dueOf(ledger)).toEqual(["d2", "d1", "d3"]);
    expect(outbox.nextAt("ops", clock.now())).toBeNull();
  });

  test("of two retries the second is not forgotten for the first", async () => {
    const ledger = aLedger();
    const { outbox, clock } = ledger;
    await add(ledger, 1, 2);
    dueOf(ledger);
    outbox.settle("d2", { ...failed, at: clock.now(), notBefore: clock.now() + 5_000 });
    outbox.settle("d1", { ...failed, at: clock.now(), notBefore: clock.now() + 1_000 });
    expect(dueOf(ledger)).toEqual([]);
    await clock.advance(1_000);
    expect(dueOf(ledger)).toEqual(["d1"]);
    expect(outbox.nextAt("ops", clock.now())).toBe(clock.now() + 4_000);
    await clock.advance(4_000);
    expect(dueOf(ledger)).toEqual(["d1", "d2"]);
  });

  test("sinks do not see each other's", async () => {
    const ledger = aLedger();
    const { outbox, clock } = ledger;
    await add(ledger, 1, 1, ["ops", "audit"]);
    await add(ledger, 2, 1, ["audit"]);
    expect(dueOf(ledger)).toEqual(["d1"]);
    expect(ids(outbox.due("audit", clock.now(), 10, none))).toEqual(["d2", "d3"]);
  });

  test("a digest takes the place of what it tells", async () => {
    const ledger = aLedger();
    await add(ledger, 1, 3);
    dueOf(ledger);
    ledger.outbox.fold("ops", ["d1", "d2"], digest, ledger.clock.now());
    expect(dueOf(ledger)).toEqual(["d3", "d4"]);
  });

  test("what another process made pending again is due once everyone is told to look", async () => {
    const ledger = aLedger();
    const { outbox, history, clock } = ledger;
    await add(ledger, 1);
    dueOf(ledger);
    outbox.settle("d1", {
      kind: "dead",
      reason: "auth",
      detail: "",
      counted: true,
      at: clock.now(),
    });
    expect(dueOf(ledger)).toEqual([]);
    await settle();
    history.retry([], null, clock.now());
    outbox.tellAll();
    expect(dueOf(ledger)).toEqual(["d1"]);
  });

  test("settlements are written before anything more is due", async () => {
    const ledger = aLedger();
    const { outbox, history, clock } = ledger;
    await add(ledger, 1, 2);
    dueOf(ledger, 1);
    outbox.settle("d1", { ...delivered, at: clock.now() });
    expect(history.counts().get("ops")).toMatchObject({ delivered: 0 });
    expect(dueOf(ledger)).toEqual(["d2"]);
    expect(history.counts().get("ops")).toMatchObject({ delivered: 1 });
  });

  test("is what the ledger holds, in its order, whatever happens", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("add" as const), count: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ kind: fc.constant("settle" as const), take: fc.integer({ min: 1, max: 8 }) }),
      fc.record({
        kind: fc.constant("retry" as const),
        take: fc.integer({ min: 1, max: 8 }),
        ms: fc.integer({ min: 0, max: 5_000 }),
      }),
      fc.record({ kind: fc.constant("time" as const), ms: fc.integer({ min: 0, max: 3_000 }) }),
      fc.record({ kind: fc.constant("fold" as const), take: fc.integer({ min: 2, max: 5 }) }),
      fc.record({ kind: fc.constant("look" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const ledger = aLedger();
        const { outbox, clock, db } = ledger;
        const truth = new SqliteStore(db);
        let n = 0;
        for (const what of steps) {
          const at = clock.now();
          if (what.kind === "add") await add(ledger, (n += what.count), what.count);
          else if (what.kind === "time") await clock.advance(what.ms);
          else if (what.kind === "look") outbox.tellAll();
          else {
            const due = dueOf(ledger, what.take) ?? [];
            if (what.kind === "fold") outbox.fold("ops", due, digest, at);
            else {
              const outcome: Outcome =
                what.kind === "settle"
                  ? { ...delivered, at }
                  : { ...failed, at, notBefore: at + what.ms };
              for (const id of due) outbox.settle(id, outcome);
            }
          }
          await settle();
          const now = clock.now();
          expect(dueOf(ledger, 50)).toEqual(ids(truth.due("ops", now, 50)));
          expect(outbox.nextAt("ops", now)).toBe(truth.nextAt("ops", now));
          expect(outbox.nextAt("ops", 0)).toBe(truth.nextAt("ops", 0));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("the memory it takes", () => {
  const aDelivery = (n: number, message: string): Delivery => ({
    id: `d${n}`,
    sink: "ops",
    alert: { kind: "event", event: anEvent({ message }) },
    attempts: 0,
    owedAt: n,
    notBefore: n,
  });

  test("is bounded: of many only the first are kept, and the rest is asked for", () => {
    const ready = new Ready();
    ready.read("ops", [], null);
    for (let n = 0; n < 5_000; n += 1) ready.added(aDelivery(n, "x"));
    const kept = [1, 100, 900, 1_000, 5_000].map(
      (max) => ready.take("ops", 5_000, max, none)?.length,
    );
    expect(kept).toEqual([1, 100, 900, undefined, undefined]);
    expect(ready.laterThan("ops", 5_000), "what else there is, only the store knows").toBe(
      undefined,
    );
  });

  test("counts long messages for what they are", () => {
    const ready = new Ready();
    const long = "x".repeat(400_000);
    ready.read("ops", [aDelivery(1, long), aDelivery(2, long), aDelivery(3, long)], null);
    expect(ids(ready.take("ops", 10, 2, none))).toEqual(["d1", "d2"]);
    expect(ready.take("ops", 10, 3, none)).toBeNull();
  });

  test("is free again once something is settled", () => {
    const ready = new Ready();
    const long = "x".repeat(900_000);
    ready.read("ops", [], null);
    for (let n = 0; n < 5; n += 1) {
      ready.added(aDelivery(n, long));
      expect(ids(ready.take("ops", 10, 8, none))).toEqual([`d${n}`]);
      ready.settled(`d${n}`, null);
    }
  });

  test("a backlog beyond it comes in its order, a part at a time", async () => {
    const ledger = aLedger();
    const { outbox, clock } = ledger;
    const total = 3 * READ_AHEAD;
    await add(ledger, 1, total);
    const told: string[] = [];
    for (;;) {
      const [next] = outbox.due("ops", clock.now(), 1, none);
      if (next === undefined) break;
      told.push(next.id);
      outbox.settle(next.id, { ...delivered, at: clock.now() });
    }
    expect(told).toEqual(Array.from({ length: total }, (_, n) => `d${n + 1}`));
  });
});
