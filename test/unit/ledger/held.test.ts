import { describe, expect, onTestFinished, test } from "vitest";
import type { Delivery } from "../../../src/event/delivery.ts";
import { openDatabase } from "../../../src/ledger/database.ts";
import { Held } from "../../../src/ledger/held.ts";
import { SqliteStore } from "../../../src/ledger/sqlite.ts";
import { settlement, type Write } from "../../../src/ledger/store.ts";
import { anEvent } from "../../support/events.ts";
import { none } from "../../support/ledger.ts";

const NOW = 1_000_000;
const LATER = NOW + 60_000;

function aStore(writes: readonly Write[] = []): SqliteStore {
  const db = openDatabase(":memory:", 10);
  onTestFinished(() => db.close());
  const store = new SqliteStore(db);
  store.write(writes);
  return store;
}

function aDelivery(id: string, sink = "ops", owedAt = NOW, notBefore = owedAt): Delivery {
  const event = anEvent({ uid: id });
  return { id, sink, alert: { kind: "event", event }, attempts: 0, owedAt, notBefore };
}

function take(...deliveries: readonly Delivery[]): Write {
  const [first] = deliveries;
  const event = first?.alert.kind === "event" ? first.alert.event : null;
  return { kind: "take", event, receivedAt: NOW, deliveries, force: false };
}

const retry = (id: string, notBefore = LATER, counted = true): Write =>
  settlement(id, { kind: "retry", at: NOW, notBefore, reason: "server", detail: "500", counted });
const delivered = (id: string): Write =>
  settlement(id, { kind: "delivered", at: NOW, sent: "{}", answer: "ok" });
const checkpoint = (scope: string, resourceVersion: string): Write => ({
  kind: "checkpoint",
  checkpoint: { scope, cluster: "9f2", resourceVersion, at: 7 },
});
const idsOf = (deliveries: readonly Delivery[]) => deliveries.map(({ id }) => id);

describe("due, with what memory knows laid over the disk", () => {
  test("is in the order it was owed, wherever it is kept", () => {
    const onDisk = [aDelivery("b", "ops", NOW - 20), aDelivery("d", "ops", NOW - 5)];
    const held = new Held(aStore(onDisk.map((one) => take(one))));
    for (const one of [aDelivery("c", "ops", NOW - 10), aDelivery("a", "ops", NOW - 30)])
      held.apply(take(one));
    expect(idsOf(held.due("ops", NOW, 10, none))).toEqual(["a", "b", "c", "d"]);
    expect(idsOf(held.due("ops", NOW, 3, none))).toEqual(["a", "b", "c"]);
  });

  test("among those due at the same moment the longest owed comes first", () => {
    const onDisk = aDelivery("young", "ops", NOW - 1, NOW);
    const held = new Held(aStore([take(onDisk)]));
    held.apply(take(aDelivery("old", "ops", NOW - 100, NOW)));
    held.apply(take(aDelivery("middle", "ops", NOW - 50, NOW)));
    expect(idsOf(held.due("ops", NOW, 10, none))).toEqual(["old", "middle", "young"]);
  });

  test("what was owed in the same moment keeps the order of its arrival", () => {
    const ids = ["e", "a", "d", "b", "c"];
    const held = new Held(aStore(ids.map((id) => take(aDelivery(id)))));
    expect(idsOf(held.due("ops", NOW, 10, none))).toEqual(ids);
  });

  test("leaves out what is not due yet, on the disk and in memory", () => {
    const held = new Held(aStore([take(aDelivery("disk", "ops", NOW, LATER))]));
    held.apply(take(aDelivery("memory", "ops", NOW, LATER)));
    expect(held.due("ops", NOW, 10, none)).toEqual([]);
    expect(held.due("ops", LATER - 1, 10, none)).toEqual([]);
    expect(idsOf(held.due("ops", LATER, 10, none))).toEqual(["disk", "memory"]);
  });

  test("leaves out what is under way, on the disk and in memory", () => {
    const held = new Held(aStore([take(aDelivery("d1")), take(aDelivery("d2"))]));
    held.apply(take(aDelivery("m1")));
    held.apply(take(aDelivery("m2")));
    expect(idsOf(held.due("ops", NOW, 10, new Set(["d1", "m1"])))).toEqual(["d2", "m2"]);
  });

  test("what is under way does not use up the number asked for", () => {
    const held = new Held(aStore(["d1", "d2", "d3"].map((id) => take(aDelivery(id)))));
    expect(idsOf(held.due("ops", NOW, 2, new Set(["d1", "d2"])))).toEqual(["d3"]);
  });

  test("is each sink's own", () => {
    const held = new Held(aStore([take(aDelivery("d1", "ops"))]));
    held.apply(take(aDelivery("m1", "dev"), aDelivery("m2", "ops")));
    expect(idsOf(held.due("ops", NOW, 10, none))).toEqual(["d1", "m2"]);
    expect(idsOf(held.due("dev", NOW, 10, none))).toEqual(["m1"]);
    expect(held.due("nobody", NOW, 10, none)).toEqual([]);
  });

  test("gives the delivery itself, with the attempts of both", () => {
    const held = new Held(aStore([take(aDelivery("d1")), retry("d1", NOW)]));
    held.apply(retry("d1", NOW));
    expect(held.due("ops", NOW, 10, none)).toEqual([{ ...aDelivery("d1"), attempts: 2 }]);
  });
});

describe("what is pending, with what memory knows laid over the disk", () => {
  test("is counted once, by what is due and what is not, with the next time and the oldest", () => {
    const onDisk = [aDelivery("d1", "ops", NOW - 300), aDelivery("d2", "ops", NOW - 200, LATER)];
    const held = new Held(aStore(onDisk.map((one) => take(one))));
    held.apply(take(aDelivery("m1", "ops", NOW - 100)));
    held.apply(retry("d1", LATER + 500));
    expect(held.pending("ops", NOW)).toEqual({
      due: 1,
      total: 3,
      nextAt: LATER,
      oldestOwedAt: NOW - 300,
    });
    held.apply(retry("d2", LATER + 900));
    expect(held.pending("ops", NOW).nextAt).toBe(LATER + 500);
    held.apply(delivered("d1"));
    expect(held.pending("ops", NOW)).toEqual({
      due: 1,
      total: 2,
      nextAt: LATER + 900,
      oldestOwedAt: NOW - 200,
    });
  });

  test("is nothing where nothing is owed", () => {
    const nothing = { due: 0, total: 0, nextAt: null, oldestOwedAt: null };
    const held = new Held(aStore([take(aDelivery("d1", "dev"))]));
    expect(held.pending("ops", NOW)).toEqual(nothing);
    held.apply(delivered("d1"));
    expect(held.pending("dev", NOW)).toEqual(nothing);
  });

  test("what falls due this very moment is due", () => {
    const held = new Held(aStore());
    held.apply(take(aDelivery("m1", "ops", NOW, LATER)));
    expect(held.pending("ops", LATER - 1)).toMatchObject({ due: 0, nextAt: LATER });
    expect(held.pending("ops", LATER)).toMatchObject({ due: 1, nextAt: null });
  });
});

describe("checkpoints and attempts, with what memory knows laid over the disk", () => {
  test("a scope that memory says nothing of keeps the disk's checkpoint", () => {
    const held = new Held(aStore([checkpoint("shop", "5"), checkpoint("bank", "6")]));
    held.apply(checkpoint("shop", "9"));
    const versions = [...held.checkpoints().values()].map((one) => [
      one.scope,
      one.resourceVersion,
    ]);
    expect(Object.fromEntries(versions)).toEqual({ shop: "9", bank: "6" });
  });

  test("attempts are those of the sink since the time, the disk's first", () => {
    const attempt = (sink: string, at: number): Write => ({ kind: "attempt", sink, at });
    const held = new Held(aStore([attempt("ops", 10), attempt("ops", 20), attempt("dev", 25)]));
    for (const write of [attempt("ops", 5), attempt("ops", 30), attempt("dev", 35)])
      held.apply(write);
    expect(held.recentAttempts("ops", 20)).toEqual([20, 30]);
    expect(held.recentAttempts("ops", 30)).toEqual([30]);
    expect(held.recentAttempts("ops", 31)).toEqual([]);
  });

  test("of very many attempts the last thousand are remembered: memory stays flat", () => {
    const held = new Held(aStore());
    for (let at = 1; at <= 1_500; at += 1) held.apply({ kind: "attempt", sink: "ops", at });
    const known = held.recentAttempts("ops", 0);
    expect(known.length).toBe(1_000);
    expect([known[0], known.at(-1)]).toEqual([501, 1_500]);
  });
});

describe("how much is held", () => {
  const sizes = (store: SqliteStore, writes: readonly Write[]) => {
    const held = new Held(store);
    return writes.map((write) => {
      held.apply(write);
      return held.size;
    });
  };

  test("counts deliveries; an occurrence that nobody is owed counts as one", () => {
    const gap: Write = { kind: "take", event: null, receivedAt: NOW, deliveries: [], force: false };
    const two = take(aDelivery("a"), aDelivery("b", "dev"));
    expect(sizes(aStore(), [two, take(aDelivery("c")), gap])).toEqual([2, 3, 4]);
  });

  test("does not grow by an occurrence known already", () => {
    const store = aStore([take(aDelivery("disk"))]);
    const same = take(aDelivery("memory"));
    expect(sizes(store, [take(aDelivery("disk")), same, same])).toEqual([0, 1, 1]);
  });

  test("does not grow by settling what is held, however often", () => {
    const writes = [take(aDelivery("m1")), retry("m1"), retry("m1"), retry("m1"), delivered("m1")];
    expect(sizes(aStore(), writes)).toEqual([1, 1, 1, 1, 1]);
  });

  test("grows by one for each delivery of the disk's that is settled, however often", () => {
    const store = aStore([take(aDelivery("d1")), take(aDelivery("d2"))]);
    const writes = [retry("d1"), retry("d1"), retry("d2"), delivered("d1"), delivered("d2")];
    expect(sizes(store, writes)).toEqual([1, 1, 2, 2, 2]);
  });

  test("grows by one for a digest, whatever it tells", () => {
    const fold: Write = { kind: "fold", ids: ["d1", "d2"], delivery: aDelivery("f"), at: NOW };
    const store = aStore([take(aDelivery("d1")), take(aDelivery("d2"))]);
    expect(sizes(store, [fold, retry("f"), delivered("f")])).toEqual([1, 1, 1]);
  });

  test("does not grow by checkpoints and attempts", () => {
    const attempt: Write = { kind: "attempt", sink: "ops", at: 1 };
    expect(sizes(aStore(), [checkpoint("shop", "1"), attempt])).toEqual([0, 0]);
  });
});

describe("catching up", () => {
  /** Writes the next part, as the outbox does; answers its kinds. */
  function step(held: Held, store: SqliteStore, limit: number): { kinds: string; done: boolean } {
    const writes = held.next(limit);
    store.write(writes);
    return {
      kinds: writes.map((write) => write.kind).join(" "),
      done: held.written(limit),
    };
  }

  test("goes in parts, checkpoints in the last: they promise that what went before is safe", () => {
    const store = aStore();
    const held = new Held(store);
    held.apply(checkpoint("shop", "7"));
    held.apply({ kind: "attempt", sink: "ops", at: 1 });
    for (const id of ["a", "b", "c", "d", "e"]) held.apply(take(aDelivery(id)));
    expect(step(held, store, 2)).toEqual({ kinds: "take take", done: false });
    expect(held.size).toBe(3);
    expect(step(held, store, 2)).toEqual({ kinds: "take take", done: false });
    expect(held.size).toBe(1);
    expect(store.checkpoints().size).toBe(0);
    expect(step(held, store, 2)).toEqual({ kinds: "take attempt checkpoint", done: true });
    expect(store.checkpoints().get("shop")?.resourceVersion).toBe("7");
    expect(idsOf(store.due("ops", NOW, 10))).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("is done with exactly as many as fit into one part", () => {
    const store = aStore();
    const held = new Held(store);
    for (const id of ["a", "b"]) held.apply(take(aDelivery(id)));
    held.apply(checkpoint("shop", "7"));
    expect(step(held, store, 2)).toEqual({ kinds: "take take checkpoint", done: true });
  });

  test("a retry replaces the one before it, though part of what is held is written already", () => {
    const store = aStore(["a", "b", "c"].map((id) => take(aDelivery(id))));
    const held = new Held(store);
    for (const id of ["a", "b", "c"]) held.apply(retry(id));
    expect(step(held, store, 1)).toEqual({ kinds: "settle", done: false });
    // "a" is written: its next retry is new. "b" and "c" have one that waits: it is replaced.
    for (const id of ["a", "b", "c"]) held.apply(retry(id, LATER + 1));
    expect(step(held, store, 100)).toEqual({ kinds: "settle settle settle", done: true });
    expect(
      store
        .due("ops", LATER + 1, 10)
        .map(({ id, attempts, notBefore }) => [id, attempts, notBefore - LATER]),
    ).toEqual([
      ["a", 2, 1],
      ["b", 2, 1],
      ["c", 2, 1],
    ]);
  });

  test("an uncounted retry replaces a counted one and keeps its count", () => {
    const store = aStore([take(aDelivery("a"))]);
    const held = new Held(store);
    held.apply(retry("a"));
    held.apply(retry("a", LATER, false));
    step(held, store, 10);
    expect(store.get("a")?.attempts).toBe(1);
  });

  test("a delivery that was retried and then delivered counts each failed attempt once", () => {
    const store = aStore([take(aDelivery("a"))]);
    const held = new Held(store);
    held.apply(retry("a"));
    held.apply(retry("a"));
    held.apply(settlement("a", { kind: "dead", at: NOW, ...auth }));
    expect(held.next(10)).toMatchObject([{ kind: "settle", id: "a", failed: 3 }]);
  });
});

const auth = { reason: "auth", detail: "no", counted: true } as const;

test("what nobody wants takes no memory, and is written when the disk is back if it is told again", () => {
  const event = anEvent({ uid: "unwanted" });
  const unwanted: Write = {
    kind: "take",
    event,
    receivedAt: NOW,
    suppressed: "noSink",
    deliveries: [],
    force: false,
  };
  const known = { ...unwanted, event: anEvent({ uid: "known" }) };
  const held = new Held(aStore([known]));
  expect(held.apply(unwanted)).toBe(true);
  expect(held.apply(known)).toBe(false);
  expect(held.size).toBe(0);
  expect(held.next(10)).toEqual([]);
});
