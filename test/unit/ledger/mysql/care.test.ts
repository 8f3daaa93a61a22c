import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConfigError } from "../../../../src/config/config.ts";
import type { ExportRow } from "../../../../src/ledger/care.ts";
import type { Outbox } from "../../../../src/ledger/ledger.ts";
import { exportLedger } from "../../../../src/ledger/export.ts";
import { checkMysqlLedger, lookAtMysql } from "../../../../src/ledger/mysql/check.ts";
import { MIGRATIONS } from "../../../../src/ledger/mysql/schema.ts";
import { exportMysqlLedger } from "../../../../src/ledger/mysql/reader.ts";
import { Session } from "../../../../src/ledger/mysql/session.ts";
import type { LedgerTarget } from "../../../../src/ledger/mysql/target.ts";
import { until } from "../../../support/crier.ts";
import { settle } from "../../../support/clock.ts";
import { aLedger, anEntry, never, temporaryDirectory, tried } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { aServer } from "./support.ts";
import { aDigestOf } from "../../../support/alerts.ts";

/** One of everything: delivered (d1) after a failure, folded (d2) into a digest (d4), dead (d3), an attempt, and what nobody is told. */
async function fill(outbox: Outbox, at: number): Promise<void> {
  const witness = { uid: "1f", type: "Normal", at: 5 };
  const mark = { scope: "kubernetes:*", cluster: "9f2", resourceVersion: "7", at: 7, witness };
  await outbox.add(
    [1, 2, 3].map((n) => anEntry(n, ["ops"])).concat({ ...anEntry(4, []), suppressed: "noSink" }),
    [mark],
    never,
  );
  outbox.settle("d1", tried(at, "HTTP 503"));
  await settle();
  outbox.settle("d1", {
    kind: "delivered",
    at: at + 1,
    sent: "{}",
    answer: "HTTP 200",
    tookMs: 31,
  });
  outbox.fold("ops", ["d2"], aDigestOf(1), at);
  outbox.settle("d3", { kind: "dead", at, reason: "auth", detail: "no", counted: true });
  outbox.attempting("ops", at);
  await settle();
  await outbox.written();
}

async function exported(target: LedgerTarget, since: number | null): Promise<ExportRow[]> {
  const rows: ExportRow[] = [];
  for await (const row of exportMysqlLedger(target, since)) rows.push(row);
  return rows;
}

describe.skipIf(!haveMariadb)("care for a ledger in MySQL", { timeout: 60_000 }, () => {
  const { server, next } = aServer();

  test("an export has, line for line, what that of a file has", async () => {
    const target = await aDatabase(server(), next());
    const ledger = await aMysqlLedger(target);
    await fill(ledger.outbox, ledger.clock.now());
    const dataDir = temporaryDirectory();
    const file = aLedger({ dataDir });
    await fill(file.outbox, file.clock.now());
    const [, ...rows] = await exported(target, null);
    const [, ...expected] = exportLedger(dataDir, null);
    expect(rows).toEqual(expected);
    expect(rows.length).toBe(4 + 4 + 1 + 1);
    expect(rows.map((row) => ("suppressed" in row ? row.suppressed : null))[3]).toBe("noSink");
    expect(rows[4]).toMatchObject({
      id: "d1",
      tookMs: 31,
      tries: [
        {
          at: new Date(ledger.clock.now()).toISOString(),
          tookMs: 20,
          reason: "server",
          detail: "HTTP 503",
        },
      ],
    });
    expect(rows.at(-1)).toEqual({
      type: "checkpoint",
      scope: "kubernetes:*",
      cluster: "9f2",
      resourceVersion: "7",
      at: "1970-01-01T00:00:00.007Z",
      witness: { uid: "1f", type: "Normal", at: 5 },
    });
    expect((await exported(target, ledger.clock.now() + 1)).map(({ type }) => type)).toEqual([
      "ledger",
    ]);
  });

  test("an export has the text of what is no event, and no alert, as it stands there, and goes on behind it", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    const ledger = await aMysqlLedger(target);
    await fill(ledger.outbox, ledger.clock.now());
    await server().sql(
      `UPDATE kube_crier_occurrence SET event = '{"key' WHERE seq = 2;
       UPDATE kube_crier_delivery SET alert = 'gone' WHERE id = 'd4';
       UPDATE kube_crier_checkpoint SET witness = '{'`,
      name,
    );
    const dataDir = temporaryDirectory();
    const file = aLedger({ dataDir });
    await fill(file.outbox, file.clock.now());
    file.db.exec(
      `UPDATE occurrence SET event = '{"key' WHERE seq = 2;
       UPDATE delivery SET alert = 'gone' WHERE id = 'd4';
       UPDATE checkpoint SET witness = '{'`,
    );
    for (const rows of [await exported(target, null), [...exportLedger(dataDir, null)]]) {
      expect(rows).toHaveLength(11);
      expect(rows[2]).toMatchObject({ event: { reason: "Unreadable" }, unreadable: '{"key' });
      expect(rows[1]).not.toHaveProperty("unreadable");
      expect(rows[8]).toMatchObject({ id: "d4", alert: "gone" });
      expect(rows[10]).toMatchObject({ type: "checkpoint", witness: null });
    }
  });

  test("an export of a ledger of the version before, which `run` has not met yet, is one all the same", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    const ledger = await aMysqlLedger(target);
    await fill(ledger.outbox, ledger.clock.now());
    await ledger.close();
    await server().sql("DROP TABLE kube_crier_try; UPDATE kube_crier_ledger SET version = 1", name);
    const rows = await exported(target, null);
    expect(rows[0]).toMatchObject({ version: 1 });
    expect(rows[5]).toMatchObject({ id: "d1", state: "delivered", tookMs: null, tries: [] });
  });

  test("a sound one is sound; what it holds is counted", async () => {
    const target = await aDatabase(server(), next());
    const ledger = await aMysqlLedger(target);
    await fill(ledger.outbox, ledger.clock.now());
    const { contents, findings } = await checkMysqlLedger(target);
    expect(findings).toEqual([]);
    expect(contents).toMatchObject({
      version: MIGRATIONS.length,
      events: 4,
      attempts: 1,
      checkpoints: 1,
    });
    expect(contents?.bytes).toBeGreaterThan(16_384);
    expect(contents?.deliveries.get("ops")).toEqual({
      pending: 1,
      delivered: 1,
      dead: 1,
      folded: 1,
      discarded: 0,
    });
  });

  test.each([
    ["delivery SET state = 'lost' WHERE id = 'd1'", /in a state that does not exist/, "d1"],
    ["delivery SET settled_at = 5 WHERE id = 'd4'", /pending deliveries that were settled/, "d4"],
    ["delivery SET settled_at = NULL WHERE id = 'd3'", /settled .* without a time/, "d3"],
    ["delivery SET reason = 'mood' WHERE id = 'd3'", /dead letters without a reason/, "d3"],
    ["delivery SET reason = 'auth' WHERE id = 'd1'", /delivered .* of a failure/, "d1"],
    ["delivery SET folded_into = NULL WHERE id = 'd2'", /folded into nothing/, "d2"],
    ["delivery SET folded_into = 'd1' WHERE id = 'd2'", /no digest of their sink/, "d2"],
    ["delivery SET occurrence = 99 WHERE id = 'd1'", /events that are not there/, "d1"],
    ["delivery SET alert = '{' WHERE id = 'd4'", /alert is not JSON/, "d4"],
    ["delivery SET alert = NULL WHERE id = 'd4'", /about nothing/, "d4"],
    ["occurrence SET event = '{}x' WHERE seq = 2", /not JSON, or not those of their key/, "2"],
    [
      "occurrence SET event = REPLACE(event, '@1', '@2') WHERE seq = 3",
      /not JSON, or not those of their key/,
      "3",
    ],
    ["checkpoint SET resource_version = ''", /lead nowhere/, "kubernetes:*"],
  ])("finds out after UPDATE %s", async (change, what, example) => {
    const name = next();
    const target = await aDatabase(server(), name);
    const ledger = await aMysqlLedger(target);
    await fill(ledger.outbox, ledger.clock.now());
    await ledger.close();
    await server().sql(`UPDATE kube_crier_${change}`, name);
    const { findings } = await checkMysqlLedger(target);
    const found = findings.find((finding) => what.test(finding.what));
    expect(found).toMatchObject({ count: 1, examples: [example] });
  });

  test("a look before the start makes nothing and names what is missing", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    expect(await lookAtMysql(target)).toEqual({ issues: [], away: null });
    expect(await server().sql("SHOW TABLES", name)).toEqual([]);
    await server().sql(
      `CREATE USER reader@'%' IDENTIFIED BY 'pw'; GRANT SELECT ON ${name}.* TO reader@'%'`,
    );
    const reader = { ...target, dsn: { ...target.dsn, user: "reader", password: "pw" } };
    const before = await lookAtMysql(reader);
    expect(before.issues.map(({ hint }) => hint)).toEqual([
      `GRANT CREATE ON \`${name}\`.* TO 'reader'@'%';`,
    ]);
    await (await aMysqlLedger(target)).close();
    const after = await lookAtMysql(reader);
    expect(after.issues.length).toBeGreaterThanOrEqual(3);
    expect(after.issues.every(({ hint }) => hint?.startsWith("GRANT ") === true)).toBe(true);
    const away = { ...target, dsn: { ...target.dsn, port: 1 } };
    expect((await lookAtMysql(away)).away).toContain("127.0.0.1:1");
  });

  test("a look before the start is over as soon as the start is: nothing is said of it, and no connection stays", async () => {
    const silent = createServer();
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const { port } = silent.address() as AddressInfo;
    onTestFinished(() => void silent.close());
    const target = await aDatabase(server(), next());
    const stopping = new AbortController();
    const taken = once(silent, "connection") as Promise<[Socket]>;
    const looking = lookAtMysql({ ...target, dsn: { ...target.dsn, port } }, stopping.signal);
    const [socket] = await taken;
    socket.on("error", () => undefined).resume();
    const gone = once(socket, "close");
    const before = performance.now();
    stopping.abort();
    expect(await looking).toEqual({ issues: [], away: null });
    await gone;
    expect(performance.now() - before, "it would have waited for 5 s").toBeLessThan(4_000);
    // Nor is anything begun then.
    const away = { ...target, dsn: { ...target.dsn, port: 1 } };
    expect(await lookAtMysql(away, stopping.signal)).toEqual({ issues: [], away: null });
  });

  test("a look that waits for a table is over as soon as the start is", async () => {
    const target = await aDatabase(server(), next());
    await (await aMysqlLedger(target)).close();
    const locking = new Session(target);
    await locking.query("LOCK TABLES kube_crier_ledger WRITE");
    const stopping = new AbortController();
    const looking = lookAtMysql(target, stopping.signal);
    const waits =
      "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%'";
    await until(
      async () => ((await server().sql(waits)).length > 0 ? true : undefined),
      "it waits",
    );
    stopping.abort();
    expect(await looking).toEqual({ issues: [], away: null });
    await locking.end();
    expect(await lookAtMysql(target, new AbortController().signal)).toEqual({
      issues: [],
      away: null,
    });
  });

  test("a database without a ledger is a mistake, and so is one that does not answer", async () => {
    const target = await aDatabase(server(), next());
    await expect(checkMysqlLedger(target)).rejects.toThrow(/there is no ledger in it/);
    const away = { ...target, dsn: { ...target.dsn, port: 1 } };
    await expect(exported(away, null)).rejects.toBeInstanceOf(ConfigError);
  });
});
