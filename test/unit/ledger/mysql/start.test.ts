import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../../src/config/config.ts";
import { MIGRATIONS } from "../../../../src/ledger/mysql/schema.ts";
import { readLedgerUrl } from "../../../../src/ledger/mysql/target.ts";
import { FakeClock } from "../../../support/clock.ts";
import { anEntry, countingIds, never } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger, targetOf } from "../../../support/mysql-ledger.ts";
import { recordingObserver } from "../../../support/observer.ts";
import { openMysqlLedger } from "../../../../src/ledger/mysql/open.ts";
import { aServer, eventually } from "./support.ts";

async function refusal(opening: Promise<unknown>): Promise<string> {
  const error: unknown = await opening.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

/** A way to the database that resets one connection, as a server that dies does. */
async function wayThatLoses(
  port: number,
  bad: number,
): Promise<{ port: number; close(): Promise<void> }> {
  let made = 0;
  const sockets = new Set<Socket>();
  const way = createServer((client) => {
    made += 1;
    client.on("error", () => undefined);
    if (made === bad) {
      client.resetAndDestroy();
      return;
    }
    const database = connect({ host: "127.0.0.1", port }).on("error", () => client.destroy());
    for (const socket of [client, database]) sockets.add(socket);
    client.pipe(database).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(way, "listening");
  return {
    port: (way.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      way.close();
      await once(way, "close");
    },
  };
}

describe.skipIf(!haveMariadb)("the start of a ledger in MySQL", () => {
  const { server, next } = aServer();

  test("two that start at once make the tables once, and the higher term has them", async () => {
    const target = await aDatabase(server(), next());
    const [one, two] = await Promise.allSettled([
      aMysqlLedger(target, { term: 1 }),
      aMysqlLedger(target, { term: 2, makeId: countingIds("n") }),
    ]);
    expect(two.status).toBe("fulfilled");
    const leader = two.status === "fulfilled" ? two.value : null;
    expect(await leader?.outbox.add([anEntry(1, ["ops"])], [], never)).toEqual(["enqueued"]);
    expect(["fulfilled", "rejected"]).toContain(one.status);
  });

  test("tables are InnoDB in utf8mb4 whatever the database's default, each with our prefix", async () => {
    const name = next();
    await server().sql(`CREATE DATABASE ${name} CHARACTER SET latin1`);
    const { outbox } = await aMysqlLedger(targetOf(server(), name));
    const entry = anEntry(1, ["值班"]);
    await outbox.add([entry], [], never);
    const tables = await server().sql(
      `SELECT TABLE_NAME AS name, ENGINE AS engine, TABLE_COLLATION AS collation FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${name}'`,
    );
    expect(tables.map(({ name: table }) => String(table).slice(0, 11))).toEqual(
      Array.from({ length: 13 }, () => "kube_crier_"),
    );
    expect(new Set(tables.map(({ engine }) => engine))).toEqual(new Set(["InnoDB"]));
    expect(new Set(tables.map(({ collation }) => collation))).toEqual(new Set(["utf8mb4_bin"]));
    expect(await server().sql("SELECT sink FROM kube_crier_delivery", name)).toEqual([
      { sink: "值班" },
    ]);
  });

  test("what was written before is there after, and is owed", async () => {
    const target = await aDatabase(server(), next());
    const first = await aMysqlLedger(target);
    const mark = { scope: "kubernetes:*", cluster: "9f2", resourceVersion: "7", at: 7 };
    await first.outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [mark], never);
    const at = first.clock.now();
    first.outbox.settle("d1", {
      kind: "retry",
      at,
      notBefore: at + 60_000,
      reason: "throttled",
      detail: "130101",
      counted: false,
    });
    first.outbox.attempting("ops", at);
    expect(await first.close()).toBe(0);
    const second = await aMysqlLedger(target, { makeId: countingIds("n") });
    const { outbox } = second;
    expect([...outbox.checkpoints().values()]).toEqual([mark]);
    expect(outbox.recentAttempts("ops", 0)).toEqual([at]);
    expect(outbox.throttledUntil("ops", at)).toBe(at + 60_000);
    expect(outbox.pending("ops", at).total).toBe(2);
    await eventually(
      new FakeClock(),
      () => outbox.nextAt("ops", at) === at + 60_000,
      "it to be read",
    );
    expect(outbox.due("ops", at, 10, new Set()).map(({ id }) => id)).toEqual(["d2"]);
  });

  test("a ledger from a newer version is refused, both versions named, and left as it is", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    await (await aMysqlLedger(target)).close();
    await server().sql("UPDATE kube_crier_ledger SET version = 99", name);
    const said = await refusal(aMysqlLedger(target));
    expect(said).toContain(`version 99, this program knows up to ${MIGRATIONS.length}`);
    expect(said).toContain(`--ledger mysql://127.0.0.1:${server().port}/${name}`);
    const [row] = await server().sql("SELECT version FROM kube_crier_ledger", name);
    expect(Number(row?.["version"])).toBe(99);
  });

  test("a migration that was cut off half-way is finished by the next start", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    await (await aMysqlLedger(target)).close();
    await server().sql(
      "DROP TABLE kube_crier_attempt; UPDATE kube_crier_ledger SET version = 0",
      name,
    );
    const { outbox } = await aMysqlLedger(target);
    expect(await outbox.add([anEntry(1, ["ops"])], [], never)).toEqual(["enqueued"]);
  });

  test.each([
    ["SELECT, INSERT, UPDATE, DELETE", "CREATE", /GRANT CREATE ON `t\d+`\.\* TO 'crier'@'%';/],
    ["SELECT, INSERT, UPDATE, CREATE", "DELETE", /GRANT DELETE ON `t\d+`\.`kube_crier_/],
    ["SELECT, INSERT, DELETE, CREATE", "UPDATE", /GRANT UPDATE ON `t\d+`\.`kube_crier_/],
    ["SELECT, UPDATE, DELETE, CREATE", "INSERT", /GRANT INSERT ON `t\d+`\.`kube_crier_/],
  ])(
    "an account with %s only: the missing %s and the statement to run",
    async (rights, missing, hint) => {
      const name = next();
      await aDatabase(server(), name);
      await server().sql(
        `DROP USER IF EXISTS crier@'%'; CREATE USER crier@'%' IDENTIFIED BY 's3cret'; GRANT ${rights} ON ${name}.* TO crier@'%'`,
      );
      const said = await refusal(aMysqlLedger(targetOf(server(), name, "crier:s3cret")));
      expect(said).toContain(`may not ${missing}`);
      expect(said).toMatch(hint);
      expect(said).not.toContain("s3cret");
    },
  );

  test("SELECT, INSERT, UPDATE, DELETE and CREATE are enough", async () => {
    const name = next();
    await aDatabase(server(), name);
    await server().sql(
      `DROP USER IF EXISTS crier@'%'; CREATE USER crier@'%' IDENTIFIED BY 's3cret'; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON ${name}.* TO crier@'%'`,
    );
    const ledger = await aMysqlLedger(targetOf(server(), name, "crier:s3cret"));
    expect(await ledger.outbox.add([anEntry(1, ["ops"])], [], never)).toEqual(["enqueued"]);
  });

  test("a wrong password, a database that is not there and a server without TLS end the start, and say what to do", async () => {
    const name = next();
    await aDatabase(server(), name);
    await server().sql("CREATE USER IF NOT EXISTS someone@'%' IDENTIFIED BY 'right'");
    const login = await refusal(aMysqlLedger(targetOf(server(), name, "someone:wrong-pass")));
    expect(login).toMatch(/lets nobody in as 'someone'@'%'.*ALTER USER/);
    expect(login).not.toContain("wrong-pass");
    expect(await refusal(aMysqlLedger(targetOf(server(), "nowhere")))).toContain(
      "CREATE DATABASE `nowhere`",
    );
    const target = targetOf(server(), name);
    const tls = { ...target, dsn: { ...target.dsn, tls: "true" as const } };
    expect(await refusal(aMysqlLedger(tls))).toMatch(/TLS|certificate/);
    const ca = { ...tls, ca: "/nowhere/ca.crt" };
    expect(await refusal(aMysqlLedger(ca))).toContain("/nowhere/ca.crt cannot be read");
  });

  test("a database that is away is waited for, told once, and the start goes on when it is back", async () => {
    const target = await aDatabase(server(), next());
    await server().down();
    const clock = new FakeClock();
    const recorded = recordingObserver();
    let ledger: Awaited<ReturnType<typeof openMysqlLedger>> | null = null;
    const opening = openMysqlLedger(
      {
        target,
        clock,
        observer: recorded.observer,
        makeId: countingIds(),
        historyMs: 1,
        maxBytes: 1e9,
        away: "bypass",
      },
      never,
    ).then((opened) => (ledger = opened));
    await eventually(clock, () => recorded.of("warning").length > 0, "it to be told");
    expect(recorded.of("warning")[0]?.[0]).toMatch(/^the ledger is away, and waited for: /);
    expect(ledger).toBeNull();
    await server().up();
    await eventually(clock, () => ledger !== null, "the ledger to open");
    expect(recorded.of("warning").length).toBe(1);
    await (await opening).close();
  });

  test.each([1, 2])(
    "a database that goes away in the middle of the start, at its connection number %i, is waited for as well",
    async (bad) => {
      const target = await aDatabase(server(), next());
      const way = await wayThatLoses(target.dsn.port, bad);
      const clock = new FakeClock();
      let ledger: Awaited<ReturnType<typeof aMysqlLedger>> | null = null;
      const there = { ...target, dsn: { ...target.dsn, port: way.port } };
      const opening = aMysqlLedger(there, { clock }).then((opened) => (ledger = opened));
      await eventually(clock, () => ledger !== null, "the ledger to open");
      const opened = await opening;
      expect(opened.recorded.of("warning").map(([text]) => text)).toEqual([
        expect.stringMatching(/^the ledger is away, and waited for: /),
      ]);
      await opened.outbox.add([anEntry(1, ["ops"])], [], never);
      expect(opened.outbox.pending("ops", clock.now()).total).toBe(1);
      await opened.close();
      await way.close();
    },
  );

  test("who is told to stop waits no longer", async () => {
    const target = { ...(await aDatabase(server(), next())) };
    const away = { ...target, dsn: { ...target.dsn, port: 1 } };
    const stopping = new AbortController();
    const clock = new FakeClock();
    const opening = aMysqlLedger(away, { clock, signal: stopping.signal });
    stopping.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
  });
});

test("a URL that is none is told of without a word of it", () => {
  const problem = (url: string) => {
    const read = readLedgerUrl(url);
    return "problem" in read ? read.problem : null;
  };
  expect(problem("sqlite:///x")).toMatch(/no URL of a MySQL database; expected mysql:\/\/USER/);
  expect(problem("mysql://crier:hunter2@db")).not.toContain("hunter2");
  expect(problem("mysql://crier:hunter2@db/crier?nonsense=hunter2")).not.toContain("=hunter2");
  expect(problem("mysql://crier@db/crier?cert=/a")).toBe("has one of cert and key; give both");
  expect(readLedgerUrl("mysql://crier:p%40ss@db:3307/crier?tls=true&ca=/ca.crt")).toEqual({
    dsn: {
      user: "crier",
      password: "p@ss",
      host: "db",
      port: 3307,
      socket: null,
      database: "crier",
      tls: "true",
    },
    ca: "/ca.crt",
    cert: null,
    key: null,
  });
});
