import { describe, expect, onTestFinished, test } from "vitest";
import { checkMysqlLedger } from "../../../../src/ledger/mysql/check.ts";
import { MysqlRetention } from "../../../../src/ledger/mysql/retention.ts";
import { Session } from "../../../../src/ledger/mysql/session.ts";
import { aDigestOf } from "../../../support/alerts.ts";
import { until } from "../../../support/crier.ts";
import { anEntry, never, none } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger, type TestMysqlOptions } from "../../../support/mysql-ledger.ts";
import { aServer, eventually } from "./support.ts";

const HOUR = 3_600_000;

describe.skipIf(!haveMariadb)("while somebody else writes", { timeout: 60_000 }, () => {
  const { server, next } = aServer();

  /** A ledger with its retention in our hands, and a person in the database with a transaction of their own. */
  async function beside(options: TestMysqlOptions = {}) {
    const name = next();
    const target = await aDatabase(server(), name);
    const ledger = await aMysqlLedger(target, options);
    const person = await server().root(name);
    onTestFinished(() => person.end());
    await person.query("START TRANSACTION");
    const session = new Session(target);
    onTestFinished(() => session.destroy());
    const [[holder] = []] = await session.query("SELECT holder FROM kube_crier_ledger");
    const waiting = async () => {
      const [row] = await server().sql(
        `SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST
         WHERE DB = '${name}' AND COMMAND = 'Query' AND TIME_MS > 100 AND ID <> CONNECTION_ID()`,
      );
      return Number(row?.["n"]) > 0;
    };
    return {
      ...ledger,
      name,
      target,
      person,
      retention: new MysqlRetention(session, String(holder)),
      /** Until somebody waits for what the person has locked. */
      waiting,
      locked: () =>
        until(
          async () => ((await waiting()) ? true : undefined),
          "somebody to wait for the person",
        ),
      states: async () =>
        Object.fromEntries(
          (await ledger.history.deliveries({})).map(({ id, state }) => [id, state]),
        ),
    };
  }

  const dead = { kind: "dead", reason: "auth", detail: "no", counted: true } as const;
  const AGAIN = "state = 'pending', attempts = 0, settled_at = NULL, reason = NULL, detail = NULL";

  test("what was settled long ago is not forgotten where a person has it owed again meanwhile", async () => {
    const { outbox, clock, person, retention, locked, states, target, history } = await beside();
    await outbox.add([anEntry(1, ["ops", "dev"]), anEntry(2, ["ops"])], [], never);
    for (const id of ["d1", "d2", "d3"]) outbox.settle(id, { ...dead, at: clock.now() });
    await outbox.written();
    await person.query(`UPDATE kube_crier_delivery SET ${AGAIN} WHERE id = 'd2'`);
    const now = clock.now() + 3 * HOUR;
    const pruning = retention.prune(now, now, 0, 10);
    await locked();
    await person.query("COMMIT");
    await pruning;
    expect(await states()).toEqual({ d2: "pending" });
    expect((await history.events({})).map(({ event }) => event.object.name)).toEqual(["web-1"]);
    expect((await checkMysqlLedger(target)).findings).toEqual([]);
  });

  test("nor is a digest", async () => {
    const { outbox, clock, person, retention, locked, states } = await beside();
    const [one, two] = [1, 2].map(() => outbox.fold("ops", [], aDigestOf(2), clock.now()));
    for (const digest of [one, two]) outbox.settle(digest?.id ?? "", { ...dead, at: clock.now() });
    await outbox.written();
    await person.query(`UPDATE kube_crier_delivery SET ${AGAIN} WHERE id = '${one?.id}'`);
    const now = clock.now() + 3 * HOUR;
    const pruning = retention.pruneSummaries(now, now, 10);
    await locked();
    await person.query("COMMIT");
    await pruning;
    expect(await states()).toEqual({ [one?.id ?? ""]: "pending" });
  });

  test("what arrives while it is being given up was delivered, and is told as nothing else", async () => {
    const { outbox, clock, person, retention, locked, states } = await beside();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"]), anEntry(3, ["ops"])], [], never);
    await person.query(
      `UPDATE kube_crier_delivery SET state = 'delivered', settled_at = ${clock.now()} WHERE id = 'd1'`,
    );
    const giving = retention.overflow(2, clock.now());
    await locked();
    await person.query("COMMIT");
    expect(await giving).toEqual([{ id: "d2", sink: "ops" }]);
    expect(await states()).toEqual({ d1: "delivered", d2: "dead", d3: "pending" });
  });

  test("what was given up while its request was under way says nothing of what was sent", async () => {
    const { outbox, clock, retention, history } = await beside();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    outbox.attempting("ops", clock.now(), "d1");
    await outbox.written();
    await retention.overflow(1, clock.now());
    expect(await history.deliveries({})).toMatchObject([
      { state: "dead", reason: "overflow", sent: null, settledAt: clock.now() },
    ]);
    outbox.settle("d1", { kind: "delivered", at: clock.now(), sent: "{}", answer: "ok" });
    await outbox.written();
    expect(await history.deliveries({})).toMatchObject([
      { state: "delivered", reason: null, sent: "{}", answer: "ok" },
    ]);
  });

  test("what a person has locked is forgotten another time; the ledger is not away for it", async () => {
    const ledger = await beside({
      historyMs: 2 * HOUR,
      away: "block",
    });
    const { outbox, clock, person, waiting, recorded, history } = ledger;
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    for (const id of ["d1", "d2"])
      outbox.settle(id, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    await outbox.written();
    await clock.advance(3 * HOUR);
    await person.query("SELECT * FROM kube_crier_delivery WHERE id = 'd1' FOR UPDATE");
    await eventually(clock, waiting, "it to be pruned");
    // It gives up by itself after five seconds.
    await until(async () => ((await waiting()) ? undefined : true), "it to give up", 30_000);
    for (let turn = 0; turn < 5; turn += 1) await clock.advance(1_000);
    expect(await outbox.add([anEntry(3, ["ops"])], [], never)).toEqual(["enqueued"]);
    expect(recorded.of("ledgerTrouble")).toEqual([]);
    expect(ledger.healthy()).toBe(true);
    await person.query("COMMIT");
    await eventually(
      clock,
      async () => (await history.events({})).length === 1,
      "what was locked to be forgotten",
    );
  });

  test("a deadlock that the server ends by undoing ours is nothing but a moment's wait", async () => {
    const { outbox, clock, person, locked, recorded, states } = await beside();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    // Who has changed less is undone.
    await person.query("CREATE TEMPORARY TABLE much (n INT) ENGINE=InnoDB");
    await person.query("INSERT INTO kube_crier_attempt (sink, at) SELECT 'x', 1 FROM seq_1_to_500");
    await person.query("UPDATE kube_crier_ledger SET beat = beat WHERE one = 1");
    await person.query("UPDATE kube_crier_ledger SET beat = beat + 1 WHERE one = 1");
    outbox.settle("d1", { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    const settled = outbox.written();
    await locked();
    await person.query("UPDATE kube_crier_delivery SET attempts = 7 WHERE id = 'd1'");
    await person.query("COMMIT");
    await settled;
    expect(await states()).toEqual({ d1: "delivered", d2: "pending" });
    expect(recorded.of("ledgerTrouble")).toEqual([]);
    expect(outbox.due("ops", clock.now(), 9, none).map(({ id }) => id)).toEqual(["d2"]);
  });
});
