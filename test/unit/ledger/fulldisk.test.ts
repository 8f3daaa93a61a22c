import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settle } from "../../support/clock.ts";
import {
  aLedger,
  anEntry,
  never,
  temporaryDirectory,
  type TestLedger,
  none,
} from "../../support/ledger.ts";
import { aDigestOf } from "../../support/alerts.ts";

/** The disk is full: the database may not grow by another page. */
function fill({ db }: TestLedger): void {
  const pages = db.prepare("PRAGMA page_count").get()?.["page_count"];
  db.exec(`PRAGMA max_page_count = ${Number(pages)}`);
}

/** Somebody made room. */
function makeRoom({ db }: TestLedger): void {
  db.exec("PRAGMA max_page_count = 1000000");
}
const entries = (from: number, count: number, sinks: readonly string[] = ["ops"]) =>
  Array.from({ length: count }, (_, n) => anEntry(from + n, sinks));
const delivered = { kind: "delivered", sent: "{}", answer: "ok" } as const;
const checkpoint = (resourceVersion: string) => ({
  scope: "kubernetes:*",
  cluster: "9f2",
  resourceVersion,
  at: 7,
});

/** Full, and noticed: a hundred more than fit into the free space of the last pages. */
async function fullLedger(options: Parameters<typeof aLedger>[0] = {}): Promise<TestLedger> {
  const ledger = aLedger({ dataDir: temporaryDirectory(), ...options });
  await ledger.outbox.add(entries(0, 10), [checkpoint("1")], never);
  fill(ledger);
  await ledger.outbox.add(entries(10, 40), [checkpoint("2")], never);
  return ledger;
}

describe("a full disk", () => {
  test("is said once, and what is owed goes on from memory", async () => {
    const ledger = await fullLedger();
    const { outbox, clock, recorded } = ledger;
    expect(recorded.of("ledgerTrouble")).toEqual([
      [expect.stringMatching(/^the disk is full \(SQLite 13/u)],
    ]);
    expect(outbox.troubled).toBe(true);
    expect(recorded.of("ledgerHeld").at(-1)).toEqual([40]);
    expect(await outbox.add(entries(50, 5), [checkpoint("3")], never)).toEqual(
      Array.from({ length: 5 }, () => "enqueued"),
    );
    expect(outbox.pending("ops", clock.now())).toMatchObject({ due: 55, total: 55 });
    expect(outbox.due("ops", clock.now(), 100, none).length).toBe(55);
    await clock.advance(10_000);
    expect(recorded.of("ledgerTrouble").length).toBe(1);
    expect(recorded.of("ledgerRecovered")).toEqual([]);
  });

  test("recovers: everything held is on the disk, in order, the checkpoint with it", async () => {
    const dataDir = temporaryDirectory();
    const ledger = await fullLedger({ dataDir });
    const { outbox, clock, recorded } = ledger;
    for (const id of ["d1", "d11", "d12"]) outbox.settle(id, { ...delivered, at: clock.now() });
    const later = { at: clock.now(), notBefore: clock.now() + 60_000 };
    const retry = { kind: "retry", reason: "server", detail: "500", counted: true } as const;
    outbox.settle("d2", { ...retry, ...later });
    outbox.settle("d13", { ...retry, ...later });
    makeRoom(ledger);
    await clock.advance(1_000);
    expect(recorded.of("ledgerRecovered").length).toBe(1);
    expect(recorded.of("ledgerHeld").at(-1)).toEqual([0]);
    expect(outbox.troubled).toBe(false);

    // Killed here: what the next process finds is what there was.
    const after = aLedger({ dataDir, clock });
    expect(after.history.counts().get("ops")).toMatchObject({ delivered: 3, pending: 47 });
    expect(after.outbox.checkpoints().get("kubernetes:*")).toEqual(checkpoint("2"));
    const due = after.outbox.due("ops", clock.now(), 100, none).map(({ id }) => id);
    expect(due.length).toBe(45);
    expect(due).not.toContain("d2");
    expect(after.outbox.due("ops", clock.now() + 60_000, 100, none).slice(-2)).toMatchObject([
      { id: "d2", attempts: 1 },
      { id: "d13", attempts: 1 },
    ]);
  });

  test("a death before the recovery loses no event: the checkpoint on the disk is from before them", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock } = await fullLedger({ dataDir });
    const after = aLedger({ dataDir, clock });
    expect(outbox.checkpoints().get("kubernetes:*")).toEqual(checkpoint("2"));
    expect(after.outbox.checkpoints().get("kubernetes:*")).toEqual(checkpoint("1"));
    expect(after.outbox.pending("ops", clock.now()).total).toBe(10);
  });

  test("an occurrence is still taken once, whether the disk or memory knows it", async () => {
    const { outbox } = await fullLedger();
    expect(await outbox.add([anEntry(3, ["ops"]), anEntry(20, ["ops"])], [], never)).toEqual([
      "duplicate",
      "duplicate",
    ]);
  });

  test("at the bound add waits, and goes on when there is room", async () => {
    const ledger = await fullLedger({ bound: 50 });
    let taken: readonly string[] | null = null;
    await ledger.outbox.add(entries(50, 10), [], never);
    const waiting = ledger.outbox.add(entries(60, 5), [], never).then((answer) => (taken = answer));
    await ledger.clock.advance(60_000);
    expect(taken).toBeNull();
    // What is held is delivered meanwhile.
    expect(ledger.outbox.due("ops", ledger.clock.now(), 100, none).length).toBe(60);
    makeRoom(ledger);
    await ledger.clock.advance(1_000);
    await waiting;
    expect(taken).toEqual(Array.from({ length: 5 }, () => "enqueued"));
    expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBe(65);
  });

  test("an add that waits ends with its signal, and has taken nothing", async () => {
    const { outbox, clock } = await fullLedger({ bound: 40 });
    const stopping = new AbortController();
    const waiting = outbox.add(entries(50, 5), [], stopping.signal);
    stopping.abort(new Error("stopping"));
    await expect(waiting).rejects.toThrow("stopping");
    expect(outbox.pending("ops", clock.now()).total).toBe(50);
  });

  test("a digest made meanwhile replaces what it tells, on the disk and in memory", async () => {
    const ledger = await fullLedger();
    const { outbox, clock, history } = ledger;
    const made = outbox.fold("ops", ["d1", "d11"], aDigestOf(2), clock.now());
    const ids = () => outbox.due("ops", clock.now(), 100, none).map(({ id }) => id);
    expect(ids()).toContain(made.id);
    expect(ids()).not.toContain("d1");
    expect(ids()).not.toContain("d11");
    makeRoom(ledger);
    await clock.advance(1_000);
    expect(ids().length).toBe(49);
    expect(history.counts().get("ops")).toMatchObject({ pending: 49, folded: 2 });
  });

  test("hours of retries do not grow what is held, and every failed attempt is counted", async () => {
    const ledger = await fullLedger();
    const { outbox, clock, recorded } = ledger;
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const at = { at: clock.now(), notBefore: clock.now() + 10 };
      const outcome = { kind: "retry", reason: "network", detail: "-", counted: true } as const;
      outbox.settle("d1", { ...outcome, ...at });
      outbox.settle("d30", { ...outcome, ...at });
      await clock.advance(10);
    }
    makeRoom(ledger);
    await clock.advance(1_000);
    expect(recorded.of("ledgerRecovered")[0]?.[0]).toBeLessThan(50);
    const attempts = outbox
      .due("ops", clock.now(), 100, none)
      .filter(({ id }) => id === "d1" || id === "d30")
      .map((delivery) => delivery.attempts);
    expect(attempts).toEqual([200, 200]);
  });

  test("closing tells how much only memory knew", async () => {
    const ledger = await fullLedger();
    expect(ledger.outbox.close()).toBe(40);
    const roomy = await fullLedger();
    makeRoom(roomy);
    expect(roomy.outbox.close()).toBe(0);
    const told = await fullLedger();
    for (let n = 1; n <= 45; n += 1)
      told.outbox.settle(`d${n}`, {
        kind: "delivered",
        at: told.clock.now(),
        sent: "",
        answer: "",
      });
    expect(told.outbox.close(), "what arrived is not lost, only its record").toBe(5);
  });

  test("thousands are caught up with without losing what is added meanwhile", async () => {
    const ledger = await fullLedger();
    const { outbox, clock, history } = ledger;
    for (let from = 50; from < 3_050; from += 100) await outbox.add(entries(from, 100), [], never);
    makeRoom(ledger);
    const catching = clock.advance(1_000);
    await outbox.add(entries(3_050, 50), [], never);
    await catching;
    await settle();
    expect(outbox.troubled).toBe(false);
    expect(history.counts().get("ops")?.pending).toBe(3_100);
  });
});

describe("a disk that fills and empties at random", () => {
  test("loses nothing and delivers nothing twice", { timeout: 60_000 }, async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("add" as const), count: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ do: fc.constant("deliver" as const), count: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ do: fc.constant("retry" as const), count: fc.integer({ min: 1, max: 10 }) }),
      fc.record({
        do: fc.constantFrom("fill" as const, "room" as const, "wait" as const),
        count: fc.constant(0),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const ledger = aLedger({ dataDir: temporaryDirectory() });
        const { outbox, clock, history } = ledger;
        const told = new Set<string>();
        let owed = 0;
        let twice = false;
        for (const { do: what, count } of steps) {
          const due = () => outbox.due("ops", clock.now(), count, none);
          switch (what) {
            case "add":
              await outbox.add(entries(owed, count), [], never);
              owed += count;
              break;
            case "deliver":
              for (const { id } of due()) {
                twice ||= told.has(id);
                told.add(id);
                outbox.settle(id, { ...delivered, at: clock.now() });
              }
              break;
            case "retry":
              for (const { id } of due()) {
                const at = { at: clock.now(), notBefore: clock.now() + 5_000 };
                outbox.settle(id, {
                  kind: "retry",
                  reason: "server",
                  detail: "",
                  counted: true,
                  ...at,
                });
              }
              break;
            case "fill":
              fill(ledger);
              break;
            case "room":
              makeRoom(ledger);
              break;
            case "wait":
              await clock.advance(1_000);
          }
          expect(outbox.pending("ops", clock.now()).total + told.size).toBe(owed);
        }
        expect(twice).toBe(false);
        makeRoom(ledger);
        await clock.advance(2_000);
        const counts = history.counts().get("ops");
        expect([counts?.delivered ?? 0, counts?.pending ?? 0]).toEqual([
          told.size,
          owed - told.size,
        ]);
        outbox.close();
        ledger.db.close();
      }),
      { numRuns: 40 },
    );
  });
});
