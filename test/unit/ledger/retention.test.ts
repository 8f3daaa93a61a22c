import { describe, expect, test } from "vitest";
import { Retention } from "../../../src/ledger/retention.ts";
import { settle } from "../../support/clock.ts";
import { aLedger, anEntry, never, none } from "../../support/ledger.ts";
import { aDigestOf } from "../../support/alerts.ts";
const MINUTE = 60_000;
const delivered = { kind: "delivered", sent: "", answer: "" } as const;

function aRetention() {
  const ledger = aLedger();
  return { ...ledger, retention: new Retention(ledger.db) };
}

/** Prunes to the end, in batches of two. */
function pruneAll(retention: Retention, before: number, now = before): number {
  let removed = 0;
  for (let cursor: number | null = 0; cursor !== null;) {
    const step: ReturnType<Retention["prune"]> = retention.prune(before, now, cursor, 2);
    removed += step.removed;
    cursor = step.cursor;
  }
  return removed;
}

describe("forgetting", () => {
  test("takes what came and was settled before the time, and nothing else", async () => {
    const { outbox, history, clock, retention } = aRetention();
    await outbox.add(
      [1, 2, 3, 4, 5].map((n) => anEntry(n, ["ops"])),
      [],
      never,
    );
    await outbox.add([anEntry(6, [])], [], never);
    for (const id of ["d1", "d4"]) outbox.settle(id, { ...delivered, at: clock.now() });
    await clock.advance(10 * MINUTE);
    outbox.settle("d2", { ...delivered, at: clock.now() });
    await outbox.add([anEntry(7, [])], [], never);
    await settle();
    expect(pruneAll(retention, clock.now())).toBe(3);
    expect(history.events({}).map(({ event }) => event.object.name)).toEqual([
      "web-7",
      "web-5",
      "web-3",
      "web-2",
    ]);
    expect(history.deliveries({}).map(({ id }) => id)).toEqual(["d5", "d3", "d2"]);
    // What is forgotten counts as new again; what is not, does not.
    expect(await outbox.add([anEntry(1, []), anEntry(2, [])], [], never)).toEqual([
      "enqueued",
      "duplicate",
    ]);
  });

  test("an occurrence owed to two sinks stays until both are settled", async () => {
    const { outbox, history, clock, retention } = aRetention();
    await outbox.add([anEntry(1, ["ops", "dev"])], [], never);
    outbox.settle("d1", { ...delivered, at: clock.now() });
    await clock.advance(MINUTE);
    expect(pruneAll(retention, clock.now())).toBe(0);
    outbox.settle("d2", { ...delivered, at: clock.now() });
    await clock.advance(MINUTE);
    expect(pruneAll(retention, clock.now())).toBe(1);
    expect(history.deliveries({})).toEqual([]);
  });

  test("many that must stay do not hide what may go", async () => {
    const { outbox, clock, retention } = aRetention();
    await outbox.add(
      Array.from({ length: 21 }, (_, n) => anEntry(n, ["ops"])),
      [],
      never,
    );
    outbox.settle("d21", { ...delivered, at: clock.now() });
    await clock.advance(MINUTE);
    expect(pruneAll(retention, clock.now())).toBe(1);
  });

  test("digests go by the time they were settled, attempts when no budget asks for them", async () => {
    const { outbox, history, clock, retention } = aRetention();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    const { id } = outbox.fold("ops", ["d1", "d2"], aDigestOf(2), clock.now());
    outbox.attempting("ops", clock.now());
    const now = clock.now();
    expect(retention.pruneSummaries(now + 1, now, 10)).toBe(0);
    outbox.settle(id, { ...delivered, at: now });
    await settle();
    expect(retention.pruneSummaries(now, now, 10)).toBe(0);
    expect(retention.pruneSummaries(now + 1, now, 10)).toBe(1);
    expect(history.deliveries({}).map((row) => row.state)).toEqual(["folded", "folded"]);
    expect(outbox.recentAttempts("ops", 0)).toEqual([now]);
    retention.pruneSummaries(0, now + 26 * 60 * MINUTE, 10);
    expect(outbox.recentAttempts("ops", 0)).toEqual([]);
  });
});

describe("one step", () => {
  /** Rows that `work` changes. */
  function changes({ db }: Pick<ReturnType<typeof aRetention>, "db">, work: () => void): number {
    const total = () => Number(db.prepare("SELECT total_changes() AS n").get()?.["n"]);
    const before = total();
    work();
    return total() - before;
  }

  async function settled(count: number, sinks: readonly string[]) {
    const ledger = aRetention();
    const { outbox, clock } = ledger;
    await outbox.add(
      Array.from({ length: count }, (_, n) => anEntry(n, sinks)),
      [],
      never,
    );
    for (let n = 1; n <= count * sinks.length; n += 1)
      outbox.settle(`d${n}`, { ...delivered, at: clock.now() });
    await clock.advance(MINUTE);
    return ledger;
  }

  test("of occurrences owed to many sinks is not larger for it", async () => {
    const sinks = Array.from({ length: 20 }, (_, n) => `sink-${n}`);
    const ledger = await settled(50, sinks);
    const { retention, clock } = ledger;
    const steps: number[] = [];
    for (let cursor: number | null = 0; cursor !== null;) {
      const from: number = cursor;
      const made: ReturnType<Retention["prune"]>[] = [];
      steps.push(
        changes(ledger, () => made.push(retention.prune(clock.now(), clock.now(), from, 30))),
      );
      cursor = made[0]?.cursor ?? null;
    }
    // Never more than asked for and the last one's own deliveries.
    expect(Math.max(...steps)).toBeLessThanOrEqual(30 + sinks.length + 2);
    expect(ledger.history.counts().size).toBe(0);
  });

  test("of attempts and digests is as small as it is asked to be, together", () => {
    const ledger = aRetention();
    const { outbox, clock, retention } = ledger;
    for (let n = 0; n < 25; n += 1) outbox.attempting("ops", clock.now());
    const later = clock.now() + 26 * 60 * MINUTE;
    const steps = [1, 2, 3].map(() =>
      changes(ledger, () => void retention.pruneSummaries(0, later, 10)),
    );
    expect(steps).toEqual([10, 10, 5]);
    expect(outbox.recentAttempts("ops", 0)).toEqual([]);
  });

  test("sees what stands behind one that came while the clock was wrong", async () => {
    const ledger = await settled(12, ["ops"]);
    const { db, clock, retention } = ledger;
    db.prepare("UPDATE occurrence SET received_at = ? WHERE seq = 1").run(clock.now() * 2);
    expect(pruneAll(retention, clock.now())).toBe(12);
  });
});

describe("the size", () => {
  test("grows with what is held, and freed space counts as free", async () => {
    const { outbox, clock, retention } = aRetention();
    const empty = retention.usedBytes();
    await outbox.add(
      Array.from({ length: 500 }, (_, n) => anEntry(n, ["ops"])),
      [],
      never,
    );
    const full = retention.usedBytes();
    expect(full - empty).toBeGreaterThan(500 * 500);
    for (const { id } of outbox.due("ops", clock.now(), 500, none)) {
      outbox.settle(id, { ...delivered, at: clock.now() });
    }
    await clock.advance(1);
    pruneAll(retention, clock.now());
    expect(retention.usedBytes() - empty).toBeLessThan((full - empty) / 10);
  });

  test("overflow gives up the oldest, of whichever sink, and tells which", async () => {
    const { outbox, history, clock, retention } = aRetention();
    for (const n of [1, 2, 3]) await outbox.add([anEntry(n, ["ops", "dev"])], [], never);
    expect(retention.overflow(3, clock.now())).toEqual([
      { id: "d1", sink: "ops" },
      { id: "d2", sink: "dev" },
      { id: "d3", sink: "ops" },
    ]);
    expect(history.deliveries({ state: "dead", sink: "dev" })).toMatchObject([
      { id: "d2", reason: "overflow", detail: "the ledger had reached its size", attempts: 0 },
    ]);
    expect(outbox.pending("ops", clock.now()).total).toBe(1);
    expect(retention.overflow(10, clock.now()).length).toBe(3);
    expect(retention.overflow(10, clock.now())).toEqual([]);
  });

  test("what was given up while its request was under way, and arrived, counts as delivered", async () => {
    const { outbox, history, clock, retention } = aRetention();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    retention.overflow(1, clock.now());
    outbox.settle("d1", { ...delivered, at: clock.now() });
    await settle();
    expect(history.deliveries({})).toMatchObject([{ state: "delivered", reason: null }]);
  });
});
