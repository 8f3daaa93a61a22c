import { describe, expect, test } from "vitest";
import { AdjustedClock } from "../../../support/clock.ts";
import { aDigestOf } from "../../../support/alerts.ts";
import { anEntry, never } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { aServer, eventually } from "./support.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;

describe.skipIf(!haveMariadb)("a ledger in MySQL, on a machine whose clock was ahead", () => {
  const { server, next } = aServer();

  async function aLedger() {
    const name = next();
    const clock = new AdjustedClock();
    const ledger = await aMysqlLedger(await aDatabase(server(), name), {
      clock,
      historyMs: 2 * HOUR,
    });
    const { outbox } = ledger;
    const deliver = (id: string) =>
      outbox.settle(id, { kind: "delivered", at: clock.now(), sent: "", answer: "", tookMs: 5 });
    const one = async (sql: string) => (await server().sql(sql, name))[0]?.["n"];
    return {
      ...ledger,
      clock,
      /** Taken and, but for what others than `ops` are owed, delivered at once. */
      told: async (from: number, count: number, sink = "ops") => {
        const entries = Array.from({ length: count }, (_, n) => anEntry(from + n, [sink]));
        await outbox.add(entries, [], never);
        for (const { id } of outbox.due("ops", clock.now(), 10_000, new Set())) deliver(id);
        await outbox.written();
      },
      digest: async () => {
        deliver(outbox.fold("ops", [], aDigestOf(1), clock.now()).id);
        await outbox.written();
      },
      run: (sql: string) => server().sql(sql, name),
      count: async (table: string) =>
        Number(await one(`SELECT COUNT(*) AS n FROM kube_crier_${table}`)),
      tries: async () => Number(await one("SELECT COUNT(*) AS n FROM kube_crier_try")),
    };
  }

  test("what was taken then goes with what is old behind it; what is owed and what is young stays", async () => {
    const { clock, told, count, outbox } = await aLedger();
    clock.ahead = YEAR;
    await told(1, 3, "dev");
    // More than fit into one transaction of retention's.
    await told(101, 450);
    clock.ahead = 0;
    await told(1_001, 250);
    await clock.advance(HOUR);
    await told(2_001, 2);
    await clock.advance(HOUR - 5 * MINUTE);
    await eventually(clock, () => true, "a look");
    expect(await count("occurrence")).toBe(705);
    await clock.advance(10 * MINUTE);
    await eventually(clock, async () => (await count("occurrence")) === 5, "the old to go");
    expect(outbox.pending("dev", clock.now() + YEAR).total).toBe(3);
    expect(await count("delivery")).toBe(5);
  }, 60_000);

  test("digests settled then go with the first that is old; attempts made then are of no budget", async () => {
    const { clock, digest, count, tries, outbox, run } = await aLedger();
    clock.ahead = YEAR;
    await digest();
    outbox.attempting("ops", clock.now());
    await outbox.written();
    clock.ahead = 0;
    await digest();
    await digest();
    expect(await tries()).toBe(3);
    await run("UPDATE kube_crier_delivery SET settled_at = settled_at - 10800000 WHERE id = 'd2'");
    await eventually(clock, async () => (await count("delivery")) === 1, "the old to go");
    await eventually(clock, async () => (await count("attempt")) === 0, "the attempt to go");
    expect(await tries()).toBe(1);
  }, 60_000);

  test("as many attempts as a busy minute has are forgotten within one", async () => {
    const { clock, run, count } = await aLedger();
    const at = clock.now() - 26 * HOUR;
    const rows = Array.from({ length: 1_500 }, (_, n) => `('ops', ${at + n})`);
    await run(`INSERT INTO kube_crier_attempt (sink, at) VALUES ${rows.join(", ")}`);
    const begin = clock.now();
    await eventually(clock, async () => (await count("attempt")) === 0, "all of them to go");
    expect(clock.now() - begin).toBeLessThan(2 * MINUTE);
  }, 60_000);
});
