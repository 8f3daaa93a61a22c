import { describe, expect, test } from "vitest";
import { ATTEMPTS_KEPT, type Outcome } from "../../../../src/event/delivery.ts";
import { checkMysqlLedger } from "../../../../src/ledger/mysql/check.ts";
import type { Outbox } from "../../../../src/ledger/ledger.ts";
import { settle } from "../../../support/clock.ts";
import { anEvent } from "../../../support/events.ts";
import { DIGEST } from "../../../support/ledger-model.ts";
import { anEntry, never, tried } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { aServer, eventually } from "./support.ts";

async function written(outbox: Outbox): Promise<void> {
  await settle();
  await outbox.written();
}

/** As the ledger in a file keeps them: test/unit/ledger/attempts.test.ts. */
describe.skipIf(!haveMariadb)("attempts in a ledger in MySQL", { timeout: 120_000 }, () => {
  const { server, next } = aServer();
  const open = async () => aMysqlLedger(await aDatabase(server(), next()));

  test("each is kept, with time, duration and what the platform said", async () => {
    const { outbox, history } = await open();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    outbox.settle("d1", tried(10, 'HTTP 502: "bad" gateway 网关', 45));
    await written(outbox);
    outbox.settle("d1", {
      ...tried(20, "130101 too fast"),
      reason: "throttled",
      counted: false,
    } as Outcome);
    await written(outbox);
    outbox.settle("d1", { kind: "delivered", at: 30, sent: "{}", answer: "ok", tookMs: 7 });
    outbox.settle("d2", {
      kind: "dead",
      at: 9,
      reason: "expired",
      detail: "too old",
      counted: false,
    });
    await written(outbox);
    const [second, first] = await history.deliveries({});
    expect(first).toMatchObject({
      state: "delivered",
      attempts: 1,
      tookMs: 7,
      tries: [
        { at: 10, tookMs: 45, reason: "server", detail: 'HTTP 502: "bad" gateway 网关' },
        { at: 20, tookMs: 20, reason: "throttled", detail: "130101 too fast" },
      ],
    });
    expect(second).toMatchObject({ state: "dead", tookMs: null, tries: [] });
    const [event] = await history.events({
      name: first?.alert.kind === "event" ? first.alert.event.object.name : "",
    });
    expect(event?.deliveries[0]?.tries).toHaveLength(2);
  });

  test("one that failed right before its delivery became part of a digest counts, and no answer after it", async () => {
    const { outbox, history, clock } = await open();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    // All of it is written together.
    outbox.settle("d1", tried(10, "HTTP 502", 45));
    const digest = outbox.fold("ops", ["d1", "d2"], DIGEST, clock.now());
    outbox.settle("d2", { kind: "delivered", at: 20, sent: "{}", answer: "ok" });
    outbox.settle(digest.id, tried(30, "HTTP 503", 40));
    await written(outbox);
    const rows = (await history.deliveries({})).toReversed();
    expect(rows).toMatchObject([
      { id: "d1", state: "folded", attempts: 1, reason: "server", foldedInto: digest.id },
      { id: "d2", state: "folded", attempts: 0, reason: null, foldedInto: digest.id },
      { id: digest.id, state: "pending", attempts: 1, reason: "server" },
    ]);
    expect(rows[0]?.tries).toMatchObject([{ at: 10, detail: "HTTP 502" }]);
  });

  test("of a delivery that fails for days the first and the last ones, in the table as well", async () => {
    const name = next();
    const { outbox, history } = await aMysqlLedger(await aDatabase(server(), name));
    await outbox.add([anEntry(1, ["ops"])], [], never);
    for (let n = 1; n <= 25; n += 1) {
      outbox.settle("d1", tried(n, `try ${n}`));
      await written(outbox);
    }
    const [row] = await history.deliveries({});
    expect(row?.attempts).toBe(25);
    expect(row?.tries.map(({ detail }) => detail)).toEqual([
      "try 1",
      ...Array.from({ length: ATTEMPTS_KEPT - 1 }, (_, n) => `try ${17 + n}`),
    ]);
    const [there] = await server().sql("SELECT COUNT(*) AS n FROM kube_crier_try", name);
    expect(Number(there?.["n"])).toBe(ATTEMPTS_KEPT);
  });

  test("also those made while the database was away, each once", async () => {
    const { outbox, history, clock, recorded } = await open();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    await server().down();
    for (let n = 1; n <= 3; n += 1) {
      outbox.settle("d1", tried(n, `try ${n}`));
      await eventually(clock, () => recorded.of("ledgerTrouble").length > 0, "the trouble");
    }
    outbox.settle("d1", { kind: "delivered", at: 4, sent: "", answer: "ok", tookMs: 1 });
    await server().up();
    await eventually(clock, () => recorded.of("ledgerRecovered").length > 0, "the database");
    await written(outbox);
    const [row] = await history.deliveries({});
    expect(row).toMatchObject({ state: "delivered", attempts: 3, tookMs: 1 });
    expect(row?.tries.map(({ detail }) => detail)).toEqual(["try 1", "try 2", "try 3"]);
  });

  test("owing it again keeps what was tried; discarding puts it away; nothing of it is a finding", async () => {
    const target = await aDatabase(server(), next());
    const { outbox, history } = await aMysqlLedger(target);
    const data = anEvent({ uid: "data", eventNamespace: "data", object: { namespace: "data" } });
    await outbox.add([anEntry(1, ["ops"])], [], never);
    await outbox.add(
      [{ event: data, alert: { kind: "event", event: data }, sinks: ["chat"] }],
      [],
      never,
    );
    for (const id of ["d1", "d2"])
      outbox.settle(id, { kind: "dead", at: 9, reason: "auth", detail: "310000", counted: true });
    await written(outbox);
    expect(await history.discard(["d1"], null, ["data"])).toBe(0);
    expect(await history.retry(["d1"], null, 20)).toBe(1);
    expect(await history.discard(["d2", "unknown"], null, ["data"])).toBe(1);
    const [second, first] = await history.deliveries({});
    expect(first).toMatchObject({
      state: "pending",
      attempts: 0,
      tries: [{ at: 9, tookMs: null, detail: "310000" }],
    });
    expect(second?.state).toBe("discarded");
    expect((await history.counts()).get("chat")).toMatchObject({ dead: 0, discarded: 1 });
    expect((await checkMysqlLedger(target)).findings).toEqual([]);
  });
});
