import { describe, expect, test } from "vitest";
import { anEntry, never } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { aServer, eventually } from "./support.ts";

const nothing: ReadonlySet<string> = new Set();
const HOUR = 3_600_000;
const entries = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => anEntry(from + index, ["ops"]));

describe.skipIf(!haveMariadb)("a ledger in MySQL stays small", () => {
  const { server, next } = aServer();
  const count = async (name: string, table: string) =>
    Number((await server().sql(`SELECT COUNT(*) AS n FROM kube_crier_${table}`, name))[0]?.["n"]);

  test("what was settled longer ago than the history goes, in pieces; what is pending stays, however old", async () => {
    const name = next();
    const ledger = await aMysqlLedger(await aDatabase(server(), name), { historyMs: 3 * HOUR });
    const { outbox, clock } = ledger;
    await outbox.add(entries(1, 500), [], never);
    const at = clock.now();
    for (let n = 1; n <= 499; n += 1)
      outbox.settle(`d${n}`, { kind: "delivered", at, sent: "", answer: "" });
    const digest = outbox.fold("ops", ["d500"], gap, at);
    outbox.settle(digest.id, { kind: "delivered", at, sent: "", answer: "" });
    await outbox.add([anEntry(501, ["ops"])], [], never);
    outbox.attempting("ops", at);
    await outbox.written();
    expect(await count(name, "occurrence")).toBe(501);
    await clock.advance(26 * HOUR);
    await eventually(clock, async () => (await count(name, "occurrence")) === 1, "the rest to go");
    await eventually(clock, async () => (await count(name, "attempt")) === 0, "the attempt to go");
    expect(await count(name, "delivery")).toBe(1);
    expect(outbox.due("ops", clock.now(), 10, nothing).map(({ id }) => id)).toEqual(["d502"]);
  }, 120_000);

  test("over its size the oldest history goes first, then the oldest that is owed, which is told", async () => {
    const name = next();
    const ledger = await aMysqlLedger(await aDatabase(server(), name), { maxBytes: 400_000 });
    const { outbox, clock, recorded } = ledger;
    const large = (n: number) => {
      const entry = anEntry(n, ["ops"]);
      const event = { ...entry.event, message: "x".repeat(2_000) } as NonNullable<
        typeof entry.event
      >;
      return { ...entry, event, alert: { kind: "event", event } as const };
    };
    await outbox.add(
      Array.from({ length: 600 }, (_, index) => large(index + 1)),
      [],
      never,
    );
    for (let n = 1; n <= 100; n += 1)
      outbox.settle(`d${n}`, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    await outbox.written();
    await server().sql("ANALYZE TABLE kube_crier_occurrence, kube_crier_delivery", name);
    await eventually(clock, () => recorded.of("dead").length > 0, "the surplus to be given up");
    const [sink, , reason, detail] = recorded.of("dead")[0] ?? [];
    expect([sink, reason, detail]).toEqual([
      "ops",
      "overflow",
      "the ledger holds more than 400000 bytes",
    ]);
    await eventually(
      clock,
      async () => (await ledger.history.deliveries({ state: "delivered" })).length === 0,
      "the history to have gone",
    );
    const left = outbox.pending("ops", clock.now()).total;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(500);
    // What was given up would be the next history, and the ledger no smaller.
    await eventually(
      clock,
      async () => (await count(name, "occurrence")) === outbox.pending("ops", clock.now()).total,
      "what was given up to have gone",
    );
    await eventually(clock, () => ledger.bytes() > 0, "the size to be known");
  }, 120_000);

  test("what the cluster still shows is known, however short the history: it is not told again", async () => {
    const name = next();
    const ledger = await aMysqlLedger(await aDatabase(server(), name), { historyMs: 60_000 });
    const { outbox, clock } = ledger;
    await outbox.add(entries(1, 2), [], never);
    for (const id of ["d1", "d2"])
      outbox.settle(id, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    await outbox.written();
    // By default an API server keeps Events for an hour.
    await clock.advance(65 * 60_000);
    await outbox.add([anEntry(3, [])], [], never);
    await server().sql("UPDATE kube_crier_occurrence SET received_at = 1 WHERE seq = 3", name);
    await eventually(clock, async () => (await count(name, "occurrence")) === 2, "the old to go");
    expect(await outbox.add(entries(1, 2), [], never)).toEqual(["duplicate", "duplicate"]);
    await clock.advance(HOUR);
    await eventually(clock, async () => (await count(name, "occurrence")) === 0, "both to go");
  }, 60_000);

  test("how much is owed is counted again, whoever has changed it", async () => {
    const name = next();
    const ledger = await aMysqlLedger(await aDatabase(server(), name));
    const { outbox, clock } = ledger;
    // More than memory holds of one sink.
    for (let from = 1; from <= 3_000; from += 500)
      await outbox.add(entries(from, from + 499), [], never);
    const total = () => outbox.pending("ops", clock.now()).total;
    expect(total()).toBe(3_000);
    await server().sql(
      "UPDATE kube_crier_delivery SET state = 'dead', reason = 'expired', settled_at = 1 WHERE seq > 2000",
      name,
    );
    await eventually(clock, () => total() === 2_000, "it to be counted");
  }, 60_000);

  test("nothing of it is done by one that has lost the ledger", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    const old = await aMysqlLedger(target, { term: 1, historyMs: 2 * HOUR });
    await old.outbox.add(entries(1, 5), [], never);
    for (let n = 1; n <= 5; n += 1)
      old.outbox.settle(`d${n}`, { kind: "delivered", at: old.clock.now(), sent: "", answer: "" });
    await old.outbox.written();
    const leader = await aMysqlLedger(target, { term: 2 });
    await old.clock.advance(30 * HOUR);
    await eventually(old.clock, () => !old.healthy(), "the old one to notice");
    await old.clock.advance(HOUR);
    expect(await count(name, "occurrence")).toBe(5);
    expect(leader.healthy()).toBe(true);
  }, 60_000);
});

const gap = {
  kind: "gap",
  cluster: "prod-a",
  since: "2026-11-20T07:00:00Z",
  until: "2026-11-20T08:00:00Z",
  cause: "downtime",
} as const;
