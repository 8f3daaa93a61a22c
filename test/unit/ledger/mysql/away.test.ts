import { describe, expect, test } from "vitest";
import type { Outbox } from "../../../../src/ledger/ledger.ts";
import { settle } from "../../../support/clock.ts";
import { DIGEST } from "../../../support/ledger-model.ts";
import { anEntry, countingIds, never, none } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger, type TestMysqlLedger } from "../../../support/mysql-ledger.ts";
import { aServer, eventually } from "./support.ts";
const entries = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => anEntry(from + index, ["ops"]));
const ids = ({ outbox, clock }: TestMysqlLedger) =>
  outbox.due("ops", clock.now(), 100, none).map(({ id }) => id);

function deliver(outbox: Outbox, id: string, at: number): void {
  outbox.settle(id, { kind: "delivered", at, sent: "{}", answer: "HTTP 200" });
}

describe.skipIf(!haveMariadb)("a database that goes away while it is used", () => {
  const { server, next } = aServer();

  test("bypass: what comes is delivered from memory, told, and written when it is back", async () => {
    const target = await aDatabase(server(), next());
    const ledger = await aMysqlLedger(target, { away: "bypass" });
    const { outbox, clock, recorded } = ledger;
    await outbox.add(entries(1, 2), [], never);
    await server().down();

    const mark = { scope: "kubernetes:*", cluster: "9f2", resourceVersion: "9", at: 9 };
    expect(await outbox.add(entries(3, 4), [mark], never)).toEqual(["enqueued", "enqueued"]);
    expect(ids(ledger)).toEqual(["d1", "d2", "d3", "d4"]);
    expect(recorded.of("ledgerTrouble").length).toBe(1);
    expect(recorded.of("ledgerTrouble")[0]?.[1]).toBe("bypass");
    expect(recorded.of("ledgerHeld").at(-1)).toEqual([2]);
    expect(ledger.healthy()).toBe(false);
    // What came before the outage, and what came in it, are known.
    expect(await outbox.add([anEntry(2, ["ops"]), anEntry(4, ["ops"])], [], never)).toEqual([
      "duplicate",
      "duplicate",
    ]);
    for (const id of ["d1", "d3"]) deliver(outbox, id, clock.now());
    expect(outbox.written()).toBeNull();
    expect(ids(ledger)).toEqual(["d2", "d4"]);

    await server().up();
    await eventually(clock, () => ledger.healthy(), "the ledger to be written again");
    expect(recorded.of("ledgerRecovered").length).toBe(1);
    expect(recorded.of("ledgerTrouble").length).toBe(1);
    expect(recorded.of("ledgerHeld").at(-1)).toEqual([0]);
    expect(ids(ledger)).toEqual(["d2", "d4"]);
    expect((await ledger.history.counts()).get("ops")).toEqual({
      pending: 2,
      delivered: 2,
      dead: 0,
      folded: 0,
      discarded: 0,
    });
    expect((await ledger.history.events({})).map(({ event }) => event.object.name)).toEqual([
      "web-4",
      "web-3",
      "web-2",
      "web-1",
    ]);
    expect(await ledger.close()).toBe(0);
    const after = await aMysqlLedger(target, { makeId: countingIds("n") });
    expect([...after.outbox.checkpoints().values()]).toEqual([mark]);
    expect(await after.outbox.add(entries(1, 4), [], never)).toEqual(
      Array.from({ length: 4 }, () => "duplicate"),
    );
  });

  test("bypass: memory takes so much and no more; what comes then waits for the database", async () => {
    const target = await aDatabase(server(), next());
    const ledger = await aMysqlLedger(target, { away: "bypass", bound: 5 });
    const { outbox, clock } = ledger;
    await server().down();
    await outbox.add(entries(1, 4), [], never);
    let taken = false;
    const waiting = outbox.add(entries(5, 6), [], never).then(() => (taken = true));
    const stopping = new AbortController();
    const givenUp = outbox.add(entries(7, 8), [], stopping.signal);
    await settle();
    expect(taken).toBe(false);
    expect(ids(ledger).length).toBe(4);
    stopping.abort(new Error("told to stop"));
    await expect(givenUp).rejects.toThrow("told to stop");
    await server().up();
    await eventually(clock, () => taken, "the waiting add");
    await waiting;
    expect(ids(ledger).length).toBe(6);
    await eventually(clock, () => ledger.healthy(), "the ledger to be written again");
    expect((await ledger.history.counts()).get("ops")?.pending).toBe(6);
  });

  test("bypass: an end that comes before the database is back says what is lost", async () => {
    const target = await aDatabase(server(), next());
    const ledger = await aMysqlLedger(target, { away: "bypass" });
    const { outbox, clock } = ledger;
    await server().down();
    await outbox.add(entries(1, 3), [], never);
    deliver(outbox, "d2", clock.now());
    const closing = ledger.close();
    await clock.advance(10_000);
    expect(await closing).toBe(2);
    await server().up();
  });

  test("bypass: so it does of a digest that tells of what memory alone had", async () => {
    const target = await aDatabase(server(), next());
    const ledger = await aMysqlLedger(target, { away: "bypass" });
    const { outbox, clock } = ledger;
    await server().down();
    await outbox.add(entries(1, 3), [], never);
    const digest = outbox.fold("ops", ["d1", "d2", "d3"], DIGEST, clock.now());
    expect(ids(ledger)).toEqual([digest.id]);
    const closing = ledger.close();
    await clock.advance(10_000);
    expect(await closing).toBe(1);
    await server().up();
  });

  test("block: nothing is taken or sent that is not written; what is owed waits, and all goes on", async () => {
    const target = await aDatabase(server(), next());
    const ledger = await aMysqlLedger(target, { away: "block" });
    const { outbox, clock, recorded } = ledger;
    await outbox.add(entries(1, 2), [], never);
    await server().down();
    let taken = false;
    const adding = outbox.add(entries(3, 4), [], never).then(() => (taken = true));
    deliver(outbox, "d1", clock.now());
    let freed = false;
    void outbox.written()?.then(() => (freed = true));
    await eventually(clock, () => recorded.of("ledgerTrouble").length === 1, "it to be told");
    await clock.advance(30_000);
    expect([taken, freed]).toEqual([false, false]);
    expect(ids(ledger)).toEqual(["d2"]);
    expect(recorded.of("ledgerTrouble")[0]?.[1]).toBe("block");
    expect(ledger.healthy()).toBe(false);
    await server().up();
    await eventually(clock, () => taken && freed, "it to go on");
    await adding;
    expect(ids(ledger)).toEqual(["d2", "d3", "d4"]);
    expect(ledger.healthy()).toBe(true);
    expect((await ledger.history.counts()).get("ops")).toMatchObject({ delivered: 1, pending: 3 });
  });

  test("one that goes away while nothing is written is noticed all the same", async () => {
    const target = await aDatabase(server(), next());
    const ledger = await aMysqlLedger(target);
    await server().kill();
    await eventually(ledger.clock, () => !ledger.healthy(), "the outage to be noticed");
    await server().up();
    await eventually(ledger.clock, () => ledger.healthy(), "its end to be noticed");
    expect(ledger.recorded.of("ledgerTrouble").length).toBe(1);
    expect(ledger.recorded.of("ledgerRecovered").length).toBe(1);
  });

  test("one that is there and says nothing is away as well", async () => {
    const ledger = await aMysqlLedger(await aDatabase(server(), next()));
    const { outbox, clock, recorded } = ledger;
    await outbox.add(entries(1, 2), [], never);
    server().pause();
    expect(await outbox.add(entries(3, 4), [], never)).toEqual(["enqueued", "enqueued"]);
    expect(recorded.of("ledgerTrouble")[0]?.[0]).toMatch(/^127\.0\.0\.1:\d+/);
    expect(ids(ledger)).toEqual(["d1", "d2", "d3", "d4"]);
    server().goOn();
    await eventually(clock, () => ledger.healthy(), "the ledger to be written again");
    expect((await ledger.history.counts()).get("ops")?.pending).toBe(4);
  }, 60_000);

  test("killed again and again under load it loses nothing, and owes nothing twice", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    const ledger = await aMysqlLedger(target, { away: "block" });
    const { outbox, clock } = ledger;
    const sent = new Map<string, number>();
    let added = 0;
    let over = false;
    const adding = (async () => {
      for (let from = 1; from <= 600; from += 20) {
        await outbox.add(entries(from, from + 19), [], never);
        added += 20;
      }
      over = true;
    })();
    const sending = (async () => {
      while (sent.size < 600) {
        for (const { id, alert } of outbox.due("ops", clock.now(), 10, none)) {
          const what = alert.kind === "event" ? alert.event.key : id;
          sent.set(what, (sent.get(what) ?? 0) + 1);
          deliver(outbox, id, clock.now());
        }
        await (outbox.written() ?? settle());
      }
    })();
    for (const at of [60, 200, 400]) {
      await eventually(clock, () => added >= at, `${at} events`);
      await server().kill();
      await server().up();
    }
    await eventually(clock, () => over, "the last event");
    await eventually(clock, () => ledger.healthy(), "the ledger to be written");
    await Promise.all([adding, sending]);
    expect(sent.size).toBe(600);
    expect([...sent.values()].every((times) => times === 1)).toBe(true);
    const counts = await ledger.history.counts();
    expect(counts.get("ops")).toEqual({
      pending: 0,
      delivered: 600,
      dead: 0,
      folded: 0,
      discarded: 0,
    });
  }, 60_000);
});
