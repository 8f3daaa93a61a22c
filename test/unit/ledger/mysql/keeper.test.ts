import { describe, expect, onTestFinished, test } from "vitest";
import { anEntry, never, none } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { aServer, eventually } from "./support.ts";
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
    expect(outbox.due("ops", clock.now(), 10, none).map(({ id }) => id)).toEqual(["d502"]);
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

  /** How often the server was told to count anew: once something went for its size. */
  const counted = async () =>
    Number((await server().sql("SHOW GLOBAL STATUS LIKE 'Com_analyze'"))[0]?.["Value"]);
  const analyze = (name: string) =>
    server().sql("ANALYZE TABLE kube_crier_occurrence, kube_crier_delivery", name);

  test("over its size it is brought a tenth below, at once; no more goes, though a backup keeps the room of it", async () => {
    const name = next();
    const ledger = await aMysqlLedger(await aDatabase(server(), name), { maxBytes: 3_000_000 });
    const { outbox, clock, recorded } = ledger;
    const message = "x".repeat(2_000);
    for (let from = 1; from <= 2_500; from += 500)
      await outbox.add(
        Array.from({ length: 500 }, (_, n) => {
          const entry = anEntry(from + n, ["ops"]);
          const event = { ...entry.event, message } as NonNullable<typeof entry.event>;
          return { ...entry, event, alert: { kind: "event", event } as const };
        }),
        [],
        never,
      );
    for (let n = 1; n <= 2_480; n += 1)
      outbox.settle(`d${n}`, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    await outbox.written();
    await analyze(name);
    const backup = await server().root(name);
    onTestFinished(() => backup.end());
    await backup.query("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    const before = await counted();
    await eventually(clock, async () => (await counted()) > before, "what is too much to go");
    const left = await count(name, "occurrence");
    // What there is besides events is small: 2,500 of them are some seven megabytes.
    expect(left).toBeGreaterThan(2_500 * (2_000_000 / 8_000_000));
    expect(left).toBeLessThan(2_500 * (3_000_000 / 5_500_000));
    await eventually(clock, async () => (await counted()) > before + 3, "minutes to pass");
    expect(await count(name, "occurrence")).toBe(left);
    expect(ledger.bytes()).toBeGreaterThan(3_000_000);
    expect(recorded.of("dead")).toEqual([]);
    expect(outbox.pending("ops", clock.now()).total).toBe(20);
    // The newest stay.
    const [newest] = await ledger.history.events({ limit: 1 });
    expect(newest?.event.object.name).toBe("web-2500");
  }, 120_000);

  test("a size used up by digests costs digests, all that are too many at once, and nothing that is owed", async () => {
    const name = next();
    const ledger = await aMysqlLedger(await aDatabase(server(), name), { maxBytes: 2_000_000 });
    const { outbox, clock, recorded } = ledger;
    await outbox.add(entries(1, 20), [], never);
    const wide = { ...gap, cluster: "x".repeat(3_000) };
    for (let n = 0; n < 1_200; n += 1) {
      const { id } = outbox.fold("ops", [], wide, clock.now());
      outbox.settle(id, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    }
    await outbox.written();
    await analyze(name);
    const before = await counted();
    await eventually(clock, async () => (await counted()) > before, "what is too much to go");
    const left = await count(name, "delivery");
    expect(left).toBeLessThan(1_220 - 400);
    expect(left).toBeGreaterThan(1_220 / 5);
    expect(recorded.of("dead")).toEqual([]);
    expect(outbox.pending("ops", clock.now()).total).toBe(20);
  }, 120_000);

  test("digests that are owed are given up where there is nothing else, and go", async () => {
    const name = next();
    const ledger = await aMysqlLedger(await aDatabase(server(), name), { maxBytes: 1_500_000 });
    const { outbox, clock, recorded } = ledger;
    const wide = { ...gap, cluster: "x".repeat(3_000) };
    for (let n = 0; n < 900; n += 1) outbox.fold("ops", [], wide, clock.now());
    await outbox.written();
    await analyze(name);
    const before = await counted();
    await eventually(clock, async () => (await counted()) > before + 2, "what is too much to go");
    expect(await count(name, "delivery")).toBe(outbox.pending("ops", clock.now()).total);
    const left = outbox.pending("ops", clock.now()).total;
    expect(left).toBeGreaterThan(100);
    expect(recorded.of("dead").length).toBe(900 - left);
    expect(new Set(recorded.of("dead").map(([, id]) => id)).size).toBe(900 - left);
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
