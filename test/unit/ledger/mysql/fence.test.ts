import { describe, expect, test } from "vitest";
import { FencedError } from "../../../../src/ledger/mysql/session.ts";
import { anEntry, countingIds, never, none } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { aServer, eventually } from "./support.ts";
import { aDigestOf } from "../../../support/alerts.ts";

describe.skipIf(!haveMariadb)("a ledger that another has taken", () => {
  const { server, next } = aServer();

  test("an old leader that wakes writes not a single row, says so once, and nothing more is due", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    const old = await aMysqlLedger(target, { term: 1 });
    let fenced = 0;
    old.onFenced(() => (fenced += 1));
    await old.outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    expect(old.outbox.due("ops", old.clock.now(), 10, none).length).toBe(2);

    const leader = await aMysqlLedger(target, { term: 2, makeId: countingIds("n") });
    await leader.outbox.add([anEntry(3, ["ops"])], [], never);

    // It knows nothing of this, and has an answer of its sink and a new event at once.
    const { outbox, clock } = old;
    outbox.settle("d1", { kind: "delivered", at: clock.now(), sent: "{}", answer: "" });
    outbox.attempting("ops", clock.now());
    outbox.fold("ops", ["d2"], aDigestOf(1), clock.now());
    const stopping = new AbortController();
    const mark = { scope: "kubernetes:*", cluster: "9f2", resourceVersion: "7", at: 7 };
    const adding = outbox.add([anEntry(4, ["ops"])], [mark], stopping.signal);
    await outbox.written();
    await eventually(clock, () => fenced === 1, "the old leader to be told");
    expect(outbox.due("ops", clock.now(), 10, none)).toEqual([]);
    expect(outbox.nextAt("ops", 0)).toBeNull();
    expect(outbox.written()).toBeNull();
    expect(old.healthy()).toBe(false);
    stopping.abort(new Error("told to stop"));
    await expect(adding).rejects.toThrow("told to stop");

    const count = async (table: string) =>
      Number((await server().sql(`SELECT COUNT(*) AS n FROM kube_crier_${table}`, name))[0]?.["n"]);
    expect([await count("occurrence"), await count("delivery")]).toEqual([3, 3]);
    expect([await count("attempt"), await count("checkpoint")]).toEqual([0, 0]);
    expect((await leader.history.counts()).get("ops")?.pending).toBe(3);
    expect(leader.healthy()).toBe(true);
    expect(fenced).toBe(1);
  });

  test("the new leader is owed what the old one left, and counts on from there", async () => {
    const target = await aDatabase(server(), next());
    const old = await aMysqlLedger(target, { term: 1 });
    await old.outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    const leader = await aMysqlLedger(target, { term: 2, makeId: countingIds("n") });
    const { outbox, clock } = leader;
    const due = () => outbox.due("ops", clock.now(), 10, none).map(({ id }) => id);
    await eventually(clock, () => due().length === 2, "what is owed to be read");
    expect(due()).toEqual(["d1", "d2"]);
    expect(await outbox.add([anEntry(2, ["ops"]), anEntry(3, ["ops"])], [], never)).toEqual([
      "duplicate",
      "enqueued",
    ]);
    expect(due().length).toBe(3);
  });

  test("a term no higher than another's is refused", async () => {
    const target = await aDatabase(server(), next());
    await aMysqlLedger(target, { term: 5 });
    await expect(aMysqlLedger(target, { term: 5 })).rejects.toBeInstanceOf(FencedError);
    await expect(aMysqlLedger(target, { term: 4 })).rejects.toBeInstanceOf(FencedError);
    const leader = await aMysqlLedger(target, { term: 6 });
    expect(leader.healthy()).toBe(true);
  });

  test("one that was asleep asks whether it is still the leader before it sends anything", async () => {
    const target = await aDatabase(server(), next());
    const old = await aMysqlLedger(target, { term: 1 });
    await old.outbox.add([anEntry(1, ["ops"])], [], never);
    await aMysqlLedger(target, { term: 2, makeId: countingIds("n") });
    const { outbox, clock } = old;
    // What it has in memory is due, and a long time has gone by.
    const asleep = clock.now() + 60_000;
    expect(outbox.due("ops", asleep, 10, none)).toEqual([]);
  });

  test("without an election the ledger belongs to who runs on it, and is free when that one has ended", async () => {
    const target = await aDatabase(server(), next());
    const first = await aMysqlLedger(target);
    const { clock } = first;
    let said = "";
    const second = aMysqlLedger(target, { clock, makeId: countingIds("n") });
    second.catch((error: unknown) => (said = String(error)));
    await eventually(clock, () => said !== "", "the second to be refused");
    expect(said).toContain("another kube-crier is running on it");
    await first.outbox.add([anEntry(1, ["ops"])], [], never);
    await first.close();
    const third = await aMysqlLedger(target, { clock, makeId: countingIds("t") });
    expect((await third.history.counts()).get("ops")?.pending).toBe(1);
  });
});
