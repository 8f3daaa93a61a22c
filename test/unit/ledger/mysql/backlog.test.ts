import { performance } from "node:perf_hooks";
import { describe, expect, test } from "vitest";
import { openMysqlHistory } from "../../../../src/ledger/mysql/reader.ts";
import { settle } from "../../../support/clock.ts";
import { until } from "../../../support/crier.ts";
import { anEntry, countingIds, never, none } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { aServer, eventually } from "./support.ts";
const entries = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => anEntry(from + index, ["ops"]));

describe.skipIf(!haveMariadb)("much that is pending", () => {
  const { server, next } = aServer();

  test("is delivered to the last, each once and in its order, though memory holds a part of it", async () => {
    const name = next();
    const ledger = await aMysqlLedger(await aDatabase(server(), name));
    const { outbox, clock } = ledger;
    for (let from = 1; from <= 6_000; from += 500)
      await outbox.add(entries(from, from + 499), [], never);
    expect(outbox.pending("ops", clock.now())).toMatchObject({ due: 6_000, total: 6_000 });
    const sent: string[] = [];
    while (outbox.nextAt("ops", 0) !== null) {
      const due = outbox.due("ops", clock.now(), 100, none);
      for (const { id } of due) {
        sent.push(id);
        outbox.settle(id, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
      }
      await (outbox.written() ?? settle());
    }
    expect(sent).toEqual(Array.from({ length: 6_000 }, (_, index) => `d${index + 1}`));
    expect((await ledger.history.counts()).get("ops")?.delivered).toBe(6_000);
  }, 60_000);

  test("what falls due later than memory looks comes when its time has come", async () => {
    const ledger = await aMysqlLedger(await aDatabase(server(), next()));
    const { outbox, clock } = ledger;
    await outbox.add(entries(1, 2_000), [], never);
    const at = clock.now();
    const retry = { kind: "retry", at, reason: "server", detail: "500", counted: true } as const;
    // All of them failed; the first will be tried last.
    for (let n = 1; n <= 2_000; n += 1)
      outbox.settle(`d${n}`, { ...retry, notBefore: at + 10_000 - n });
    await outbox.written();
    expect(outbox.due("ops", at, 10, none)).toEqual([]);
    await until(
      () => Promise.resolve(outbox.nextAt("ops", at) === at + 8_000 || undefined),
      "the next one to be known",
    );
    const later = at + 10_000;
    const order: string[] = [];
    await until(() => {
      for (const { id, attempts } of outbox.due("ops", later, 100, none)) {
        expect(attempts).toBe(1);
        order.push(id);
        outbox.settle(id, { kind: "delivered", at: later, sent: "", answer: "" });
      }
      return Promise.resolve(order.length === 2_000 || undefined);
    }, "all of them");
    expect(order).toEqual(Array.from({ length: 2_000 }, (_, index) => `d${2_000 - index}`));
    await outbox.written();
    expect((await ledger.history.deliveries({ limit: 1 }))[0]?.attempts).toBe(1);
  }, 60_000);

  test("a digest is made of all of it, and not of what happens to be in memory", async () => {
    const { outbox, clock } = await aMysqlLedger(await aDatabase(server(), next()));
    for (let from = 1; from <= 3_000; from += 500)
      await outbox.add(entries(from, from + 499), [], never);
    let due: readonly { readonly id: string }[] = [];
    await until(() => {
      due = outbox.due("ops", clock.now(), 2_000, none);
      return Promise.resolve(due.length > 0 || undefined);
    }, "all that was asked for");
    expect(due.length).toBe(2_000);
  }, 60_000);

  test("dead letters that a person owes again are noticed by who runs on it", async () => {
    const target = await aDatabase(server(), next());
    const ledger = await aMysqlLedger(target);
    const { outbox, clock } = ledger;
    await outbox.add(entries(1, 3), [], never);
    for (const id of ["d1", "d2", "d3"])
      outbox.settle(id, { kind: "dead", at: 5, reason: "auth", detail: "no", counted: true });
    await outbox.written();
    await clock.advance(5_000);
    let told = 0;
    outbox.onAdded("ops", () => (told += 1));
    const history = await openMysqlHistory(target);
    expect(await history.retry(["d2"], "ops", clock.now())).toBe(1);
    expect(await history.retry([], "elsewhere", clock.now())).toBe(0);
    await history.close();
    const due = () => outbox.due("ops", clock.now(), 10, none).map(({ id }) => id);
    await eventually(clock, () => told > 0 && due().length > 0, "it to be noticed");
    expect(due()).toEqual(["d2"]);
  });

  test("is written in two statements and one commit for each hundred events, thousands a second", async () => {
    const name = next();
    const ledger = await aMysqlLedger(await aDatabase(server(), name), { makeId: countingIds() });
    const { outbox } = ledger;
    const said = async (what: string) =>
      Number((await server().sql(`SHOW GLOBAL STATUS LIKE 'Com_${what}'`))[0]?.["Value"]);
    await outbox.add(entries(1, 100), [], never);
    const [inserts, commits] = [await said("insert"), await said("commit")];
    const started = performance.now();
    for (let from = 101; from <= 5_100; from += 100)
      await outbox.add(entries(from, from + 99), [], never);
    const seconds = (performance.now() - started) / 1_000;
    expect((await said("insert")) - inserts).toBe(100);
    expect((await said("commit")) - commits).toBe(50);
    // On a quiet machine 3,000 and more; one that is busy with everything else is slower.
    expect(5_000 / seconds).toBeGreaterThan(500);
  }, 60_000);
});
