import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DirectSink } from "../../src/sink/index.ts";
import { Crier, crier, until } from "../support/crier.ts";
import { anEvent } from "../support/events.ts";
import { cli } from "../support/io.ts";
import { haveMariadb, Mariadb } from "../support/mariadb.ts";
import { accepted, deliver, KUBE_EVENTER, MysqlBench, never, uid } from "../support/mysql.ts";
import { aMessage } from "../support/messages.ts";

/** The mysql sink against a MariaDB of the test's own; skips where there is no mariadb-server. */
const run = promisify(execFile);
const bench = new MysqlBench();
const sinkAt = (...args: Parameters<MysqlBench["sink"]>) => bench.sink(...args);
const rows = (...args: Parameters<MysqlBench["rows"]>) => bench.rows(...args);
const problems = (sink: DirectSink) => bench.problems(sink);
const count = () => bench.count();

describe.skipIf(!haveMariadb)("a table of its own", () => {
  it("is created, and holds every word of an event, to the microsecond and the last emoji", async () => {
    const message = `镜像 "web" 👩‍👩‍👧 \\' ; DROP TABLE kube_event; -- \u0000 ${"x".repeat(70_000)}`;
    const event = anEvent({ message, lastSeen: "2026-11-20T08:05:30.123456Z" });
    expect(await deliver(sinkAt(), event)).toEqual([accepted]);
    expect(bench.told).toEqual(["created the table kube_event"]);
    expect(await rows()).toMatchObject([
      {
        cluster: "prod-a",
        namespace: "shop",
        kind: "Pod",
        name: "web-7d4b9c",
        type: "Warning",
        reason: "BackOff",
        message,
        event_id: event.uid,
        first_occurrence_time: "2026-11-20 08:00:00.000000",
        last_occurrence_time: "2026-11-20 08:05:30.123456",
        count: 12,
        component: "kubelet",
        host: "node-1",
        object_uid: event.object.uid,
      },
    ]);
  });

  it("keeps one row for an event, whatever order its occurrences come in and however often", async () => {
    const at = (count: number, minute: number) =>
      anEvent({ count, message: `tried ${count} times`, lastSeen: `2026-11-20T08:${minute}:00Z` });
    const sink = sinkAt();
    await deliver(sink, at(3, 13), at(1, 11), at(5, 15));
    await deliver(sink, at(4, 14));
    await deliver(sink, at(5, 15), at(2, 12));
    expect(await rows("count, message, last_occurrence_time AS last")).toEqual([
      { count: 5, message: "tried 5 times", last: "2026-11-20 08:15:00.000000" },
    ]);
  });

  it("tells clusters apart, and keeps a gap for the auditor", async () => {
    const sink = sinkAt();
    await deliver(sink, anEvent({ cluster: "prod-a" }), anEvent({ cluster: "prod-b" }));
    await sink.deliver(aMessage({ event: null }), never);
    await sink.deliver(aMessage({ event: null }), never);
    expect(await rows("cluster, reason", "cluster, id")).toEqual([
      { cluster: "prod-a", reason: "BackOff" },
      { cluster: "prod-a", reason: "HistoryGap" },
      { cluster: "prod-b", reason: "BackOff" },
    ]);
  });

  it("gets what is owed together in few statements, of few texts", async () => {
    const sink = sinkAt();
    await deliver(sink, anEvent());
    const count = async (what: string) =>
      Number((await bench.db.sql(`SHOW GLOBAL STATUS LIKE '${what}'`))[0]?.["Value"]);
    const before = await count("Com_stmt_execute");
    const events = Array.from({ length: 1000 }, (_, n) => anEvent({ uid: uid(n), count: 1 }));
    await deliver(sink, ...events);
    expect((await count("Com_stmt_execute")) - before).toBeLessThanOrEqual(12);
    expect(await count("Prepared_stmt_count")).toBeLessThanOrEqual(12);
    expect(await rows("COUNT(*) AS n", "1")).toEqual([{ n: 1001 }]);
  });

  it("has names no one should have cut to fit, and counts it", async () => {
    const event = anEvent({ reason: "超".repeat(300) });
    expect(await deliver(sinkAt(), event)).toEqual([accepted]);
    expect(await rows("reason")).toEqual([{ reason: `${"超".repeat(127)}…` }]);
    expect(bench.cuts).toBe(1);
  });
});

describe.skipIf(!haveMariadb)("a table of kube-eventer's", () => {
  beforeEach(() => bench.db.sql(KUBE_EVENTER, bench.name));
  const before = () =>
    bench.db.sql(
      `INSERT INTO kube_event (namespace, kind, name, type, reason, message, event_id, first_occurrence_time, last_occurrence_time) VALUES
       ('shop', 'Pod', 'web', 'Warning', 'BackOff', 'once', '${uid(1)}', '2025-11-21 10:00:00 +0800 CST', '2025-11-21 10:00:00 +0800 CST'),
       ('shop', 'Pod', 'web', 'Warning', 'BackOff', 'twice', '${uid(1)}', '2025-11-21 10:00:00 +0800 CST', '2025-11-21 10:05:00 +0800 CST'),
       ('', 'Node', 'n1', 'Normal', 'Starting', 'up', '${uid(2)}', '0001-01-01 00:00:00 +0000 UTC', '2025-11-21 02:00:00 +0000 UTC')`,
      bench.name,
    );

  it("is written as it is: its columns, its texts, a row for each occurrence", async () => {
    await before();
    const sink = sinkAt();
    expect(await problems(sink)).toBe("");
    await deliver(sink, anEvent({ count: 1, lastSeen: "2026-11-20T08:01:00Z" }), anEvent());
    expect((await rows()).slice(3)).toMatchObject([
      {
        id: 4,
        namespace: "shop",
        kind: "Pod",
        name: "web-7d4b9c",
        event_id: anEvent().uid,
        last_occurrence_time: "2026-11-20 08:01:00 +0000 UTC",
      },
      {
        id: 5,
        first_occurrence_time: "2026-11-20 08:00:00 +0000 UTC",
        last_occurrence_time: "2026-11-20 08:05:30 +0000 UTC",
      },
    ]);
    expect(bench.told).toEqual([expect.stringContaining("CREATE INDEX by_event")]);
  });

  it("never gets an occurrence twice, not even from a process that died before it heard", async () => {
    await deliver(sinkAt(), anEvent(), anEvent());
    await deliver(sinkAt(), anEvent());
    await bench.db.sql("CREATE INDEX by_event ON kube_event (event_id)", bench.name);
    expect(
      await deliver(sinkAt(), anEvent(), anEvent({ count: 13, lastSeen: "2026-11-20T08:09:00Z" })),
    ).toEqual([accepted, accepted]);
    expect(await rows("last_occurrence_time AS last")).toEqual([
      { last: "2026-11-20 08:05:30 +0000 UTC" },
      { last: "2026-11-20 08:09:00 +0000 UTC" },
    ]);
  });

  it("has a message too long cut on a character, said once and counted each time", async () => {
    const sink = sinkAt();
    const message = `镜像👩‍👩‍👧`.repeat(100);
    await deliver(sink, anEvent({ uid: uid(1), message }), anEvent({ uid: uid(2), message }));
    const [row] = await rows("message, CHAR_LENGTH(message) AS n");
    expect(Number(row?.["n"])).toBeLessThanOrEqual(255);
    expect(row?.["message"]).toMatch(/^(?:镜像👩‍👩‍👧)*(?:镜|镜像)?…$/u);
    expect(bench.cuts).toBe(2);
    expect(bench.told.filter((text) => text.includes("did not fit"))).toHaveLength(1);
  });

  it("in another character set keeps what it can hold", async () => {
    await bench.db.sql("ALTER TABLE kube_event CONVERT TO CHARACTER SET latin1", bench.name);
    expect(await deliver(sinkAt(), anEvent({ message: "café 容器 🔥" }))).toEqual([accepted]);
    expect(await rows("message")).toEqual([{ message: "café ?? ?" }]);
  });

  it("is migrated while it is written: one row for an event, nothing lost, the table before kept", async () => {
    await before();
    const sink = sinkAt();
    await deliver(sink, anEvent());
    const flags = [
      `--sink=mysql:?root@tcp(127.0.0.1:${bench.db.port})/${bench.name}?charset=utf8&table=kube_event`,
      "--cluster-name=prod-a",
    ];
    const dry = await cli(["mysql", "migrate", ...flags, "--dry-run"]);
    expect(dry).toMatchObject({ code: 0, stderr: "" });
    expect(dry.stdout).toContain(
      "RENAME TABLE `kube_event` TO `kube_event__before`, `kube_event__new` TO `kube_event`;",
    );
    const unasked = await cli(["mysql", "migrate", ...flags], { stdin: "no\n" });
    expect(unasked).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("nothing was changed"),
    });
    expect(await rows("COUNT(*) AS n", "1")).toEqual([{ n: 4 }]);

    const migrating = cli(["mysql", "migrate", ...flags, "--yes"]);
    let sent = 0;
    const ended = { migrating: false };
    void migrating.finally(() => (ended.migrating = true));
    while (!ended.migrating) {
      const event = anEvent({ uid: uid(100 + sent), count: 1 });
      expect(await deliver(sink, event)).toEqual([accepted]);
      sent += 1;
    }
    expect(await migrating).toMatchObject({ code: 0, stderr: "" });
    expect(
      await deliver(sink, anEvent({ uid: uid(1), count: 3, lastSeen: "2025-11-21T02:06:00Z" })),
    ).toEqual([accepted]);

    expect(
      await rows("COUNT(*) AS n, COUNT(DISTINCT event_id) AS events, MIN(cluster) AS cluster", "1"),
    ).toEqual([{ n: sent + 3, events: sent + 3, cluster: "prod-a" }]);
    const old = await bench.db.sql(
      `SELECT message, count, first_occurrence_time AS first, last_occurrence_time AS last FROM kube_event WHERE event_id IN ('${uid(1)}', '${uid(2)}') ORDER BY event_id`,
      bench.name,
    );
    expect(old).toEqual([
      {
        message: anEvent().message,
        count: 3,
        first: "2025-11-21 02:00:00.000000",
        last: "2025-11-21 02:06:00.000000",
      },
      {
        message: "up",
        count: 1,
        first: "2025-11-21 02:00:00.000000",
        last: "2025-11-21 02:00:00.000000",
      },
    ]);
    const again = await cli(["mysql", "migrate", ...flags, "--yes"]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing to do") });
  });
});

describe.skipIf(!haveMariadb)("trouble", () => {
  it("of a killed database is waited out by the lane: nothing lost, no second row, no other sink delayed", async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), "kube-crier-e2e-"));
    const events = Array.from({ length: 3000 }, (_, n) => coreEvent(n));
    const file = path.join(dataDir, "events.json");
    writeFileSync(file, JSON.stringify({ kind: "List", apiVersion: "v1", items: events }));
    await bench.db.kill();
    const process = new Crier([
      "run",
      `--source=file:${file}`,
      `--data-dir=${dataDir}/ledger`,
      `--sink=mysql:?root@tcp(127.0.0.1:${bench.db.port})/${bench.name}?charset=utf8&table=kube_event`,
      "--sink=stdout:?format=json&level=Normal",
    ]);
    try {
      await until(
        () => (process.stdout.split("\n").length > 3000 ? true : undefined),
        "all on standard output",
      );
      await bench.db.up();
      await until(async () => ((await count()) > 200 ? true : undefined), "some rows");
      await bench.db.kill();
      await bench.db.up();
      expect(await process.ended()).toBe(0);
      expect(await rows("COUNT(*) AS n, COUNT(DISTINCT event_id) AS events", "1")).toEqual([
        { n: 3000, events: 3000 },
      ]);
    } finally {
      await process.destroy();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it("of a connection that the server closed while it was idle is nobody's: the next row is written", async () => {
    const sink = sinkAt();
    await deliver(sink, anEvent({ uid: uid(1) }));
    const killed = await bench.db.sql(
      `SELECT id FROM information_schema.processlist WHERE db = '${bench.name}' AND command = 'Sleep'`,
    );
    expect(killed).toHaveLength(1);
    await bench.db.sql(`KILL ${killed[0]?.["id"]}`);
    expect(await deliver(sink, anEvent({ uid: uid(2) }))).toEqual([accepted]);
    await bench.db.sql("SET GLOBAL wait_timeout = 1");
    try {
      const other = sinkAt();
      await deliver(other, anEvent({ uid: uid(3) }));
      await until(
        async () =>
          (
            await bench.db.sql(
              `SELECT id FROM information_schema.processlist WHERE db = '${bench.name}' AND time_ms > 900`,
            )
          ).length === 0
            ? true
            : undefined,
        "wait_timeout to pass",
      );
      expect(await deliver(other, anEvent({ uid: uid(4) }))).toEqual([accepted]);
    } finally {
      await bench.db.sql("SET GLOBAL wait_timeout = 28800");
    }
    expect(await count()).toBe(4);
  });

  it("of a deadlock is tried again", async () => {
    const deadlocks = async () =>
      Number((await bench.db.sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"))[0]?.["Value"]);
    const sink = sinkAt();
    await deliver(
      sink,
      ...Array.from({ length: 50 }, (_, n) => anEvent({ uid: uid(n), count: 1 })),
    );
    const before = await deadlocks();
    const other = await bench.db.root(bench.name);
    await other.query("BEGIN");
    // Whoever has changed more is spared: the sink is the victim.
    await other.query(`UPDATE kube_event SET host = 'x' WHERE id BETWEEN 3 AND 40`);
    const written = deliver(
      sink,
      anEvent({ uid: uid(1), count: 2 }),
      anEvent({ uid: uid(2), count: 2 }),
    );
    await until(
      async () =>
        (await bench.db.sql("SELECT 1 FROM information_schema.innodb_lock_waits")).length > 0
          ? true
          : undefined,
      "the sink to wait for the other's lock",
    );
    await other.query(`UPDATE kube_event SET host = 'x' WHERE id = 2`);
    await other.query("COMMIT");
    await other.end();
    expect(await written).toEqual([accepted, accepted]);
    expect((await deadlocks()) - before).toBe(1);
    expect(await rows("COUNT(*) AS n, SUM(count) AS told", "1")).toEqual([{ n: 50, told: "52" }]);
  });

  it("of a table that was dropped or grew a column is looked at again", async () => {
    const sink = sinkAt();
    await deliver(sink, anEvent({ uid: uid(1) }));
    await bench.db.sql("DROP TABLE kube_event", bench.name);
    expect(await deliver(sink, anEvent({ uid: uid(2) }))).toEqual([accepted]);
    expect(await count()).toBe(1);
    await bench.db.sql("ALTER TABLE kube_event DROP COLUMN host", bench.name);
    expect(await deliver(sink, anEvent({ uid: uid(3) }))).toEqual([accepted]);
  });

  it("of a server that hangs ends with the attempt, and the next attempt has a connection of its own", async () => {
    const sink = sinkAt();
    await deliver(sink, anEvent({ uid: uid(1) }));
    const other = await bench.db.root(bench.name);
    await other.query("LOCK TABLES kube_event WRITE");
    const timeout = new AbortController();
    const written = sink.deliver(aMessage({ event: anEvent({ uid: uid(2) }) }), timeout.signal);
    await until(
      async () =>
        (
          await bench.db.sql(
            "SELECT 1 FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'",
          )
        ).length > 0
          ? true
          : undefined,
      "the sink to wait for the lock",
    );
    timeout.abort();
    expect(await written).toMatchObject({ kind: "retryable", reason: "timeout" });
    await other.query("UNLOCK TABLES");
    await other.end();
    expect(await deliver(sink, anEvent({ uid: uid(2) }))).toEqual([accepted]);
    expect(await count()).toBe(2);
  });

  it.each([
    [
      "an unknown database",
      "root",
      "nowhere",
      "",
      /there is no database nowhere [^]*CREATE DATABASE `nowhere`/,
    ],
    [
      "a wrong password",
      "crier:wrong",
      null,
      "CREATE USER crier@'%' IDENTIFIED BY 'right'",
      /lets nobody in as 'crier'@'%'/,
    ],
    [
      "no grant at all",
      "nobody",
      null,
      "CREATE USER nobody@'%'",
      /GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `t\d+`\.\* TO 'nobody'@'%';/,
    ],
    [
      "a grant to read only",
      "reader",
      null,
      "CREATE USER reader@'%'; GRANT SELECT ON `DB`.* TO reader@'%'",
      /GRANT INSERT, UPDATE ON `t\d+`\.`kube_event` TO 'reader'@'%';/,
    ],
    [
      "no grant to delete, where rows are to go",
      "keeper",
      null,
      "CREATE USER keeper@'%'; GRANT SELECT, INSERT, UPDATE ON `DB`.* TO keeper@'%'",
      /GRANT DELETE ON `t\d+`\.`kube_event` TO 'keeper'@'%';/,
    ],
  ])(
    "of %s is named by check and refused at the start, with the statement",
    async (_, user, database, sql, said) => {
      await deliver(sinkAt(), anEvent());
      if (sql !== "") await bench.db.sql(sql.replaceAll("DB", bench.name));
      const dsn = `${user}@tcp(127.0.0.1:${bench.db.port})/${database ?? bench.name}`;
      expect(await problems(sinkAt({ dsn, retention: "30d" }))).toMatch(said);
      const started = await crier(
        [
          "run",
          "--source=file:-",
          `--data-dir=${path.join(tmpdir(), `kc-${bench.name}`)}`,
          `--sink=mysql:?${dsn}?charset=utf8&retention=30d`,
        ],
        { stdin: "" },
      );
      rmSync(path.join(tmpdir(), `kc-${bench.name}`), { recursive: true, force: true });
      expect(started.code).toBe(2);
      expect(started.stderr).toMatch(said);
      expect(started.stderr).not.toContain("wrong");
    },
  );

  it("of a database that is away is bench.told by check, and is no mistake", async () => {
    const check = (port: number) =>
      crier([
        "check",
        "--source=file:package.json",
        `--sink=mysql:?root@tcp(127.0.0.1:${port})/${bench.name}?charset=utf8`,
      ]);
    const away = await check(1);
    expect(away.code).toBe(0);
    expect(away.stdout).toMatch(/is away and would be waited for: 127.0.0.1:1: ECONNREFUSED/);
    expect((await check(bench.db.port)).stdout).toContain("answers, and can be used");
    expect(await bench.db.sql("SHOW TABLES", bench.name)).toEqual([]);
  });

  it("of a missing right to create the table is named, too, and nothing is created by check", async () => {
    await bench.db.sql(
      `CREATE USER writer@'%'; GRANT SELECT, INSERT, UPDATE ON ${bench.name}.* TO writer@'%'`,
    );
    const dsn = `writer@tcp(127.0.0.1:${bench.db.port})/${bench.name}`;
    expect(await problems(sinkAt({ dsn }))).toContain(
      `GRANT CREATE ON \`${bench.name}\`.* TO 'writer'@'%';`,
    );
    expect(await problems(sinkAt())).toBe("");
    expect(await bench.db.sql("SHOW TABLES", bench.name)).toEqual([]);
  });

  it("of a server that is read-only is named, with and without the table", async () => {
    await bench.db.sql(
      `CREATE USER plain@'%'; GRANT ALL ON ${bench.name}.* TO plain@'%'; SET GLOBAL read_only = 1`,
    );
    const dsn = `plain@tcp(127.0.0.1:${bench.db.port})/${bench.name}`;
    try {
      expect(await problems(sinkAt({ dsn }))).toMatch(/is read-only: .*SET GLOBAL read_only = OFF/);
      await deliver(sinkAt(), anEvent());
      expect(await problems(sinkAt({ dsn }))).toMatch(/is read-only: .*SET GLOBAL read_only = OFF/);
      const verdict = await sinkAt({ dsn }).deliver(aMessage(), never);
      expect(verdict).toMatchObject({
        kind: "retryable",
        reason: "server",
        detail: expect.stringContaining("read-only"),
      });
    } finally {
      await bench.db.sql("SET GLOBAL read_only = 0");
    }
  });

  it("of a table whose columns do not fit is named, each column with its statement", async () => {
    await bench.db.sql(
      "CREATE TABLE kube_event (id INT, reason VARCHAR(20), message INT)",
      bench.name,
    );
    const said = await problems(sinkAt());
    expect(said).toMatch(/no column event_id → ALTER TABLE `kube_event` ADD COLUMN `event_id`/);
    expect(said).toMatch(
      /the column message of type int, which cannot hold text → ALTER TABLE `kube_event` MODIFY COLUMN `message` MEDIUMTEXT/,
    );
    expect(await deliver(sinkAt(), anEvent())).toMatchObject([
      { kind: "retryable", reason: "server" },
    ]);
  });
});

describe.skipIf(!haveMariadb)("retention", () => {
  it("deletes what is too old in small pieces and tells how much, and nothing that is young", async () => {
    const sink = sinkAt();
    const now = Date.now();
    const aged = (n: number, days: number) =>
      anEvent({ uid: uid(n), lastSeen: new Date(now - days * 86_400_000).toISOString() });
    await deliver(sink, ...Array.from({ length: 1200 }, (_, n) => aged(n, 31)));
    await deliver(sink, aged(5000, 29), aged(5001, 0));
    const keeping = sinkAt({ retention: "30d" });
    await deliver(keeping, aged(5002, 1));
    await until(
      () => (bench.told.some((text) => text.startsWith("retention: 1200 rows")) ? true : undefined),
      "the sweep",
    );
    expect(await rows("event_id")).toEqual(
      [uid(5000), uid(5001), uid(5002)].map((id) => ({ event_id: id })),
    );
  });

  it("of a table of kube-eventer's goes by when rows were written", async () => {
    await bench.db.sql(KUBE_EVENTER, bench.name);
    await bench.db.sql(
      `INSERT INTO kube_event (event_id, message, update_time) SELECT seq, 'old', NOW() - INTERVAL 40 DAY FROM seq_1_to_700`,
      bench.name,
    );
    const keeping = sinkAt({ retention: "30d" });
    expect(await problems(keeping)).toBe("");
    await deliver(keeping, anEvent());
    await until(
      () => (bench.told.some((text) => text.startsWith("retention: 700 rows")) ? true : undefined),
      "the sweep",
    );
    expect(await rows("reason")).toEqual([{ reason: "BackOff" }]);
  });
});

describe.skipIf(!haveMariadb)("TLS", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "kube-crier-tls-"));
  const file = (part: string) => path.join(dir, part);
  let secure: Mariadb;

  /** A CA, and what it signs. */
  async function sign(who: string, subject: string, names: string): Promise<void> {
    writeFileSync(file(`${who}.ext`), `subjectAltName=${names}\n`);
    await run("openssl", [
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      file(`${who}.key`),
      "-out",
      file(`${who}.csr`),
      "-subj",
      subject,
    ]);
    await run("openssl", [
      "x509",
      "-req",
      "-in",
      file(`${who}.csr`),
      "-CA",
      file("ca.crt"),
      "-CAkey",
      file("ca.key"),
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      file(`${who}.ext`),
      "-out",
      file(`${who}.crt`),
    ]);
  }

  beforeAll(async () => {
    for (const ca of ["ca", "other"])
      await run("openssl", [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        file(`${ca}.key`),
        "-out",
        file(`${ca}.crt`),
        "-subj",
        `/CN=${ca}`,
      ]);
    await sign("server", "/CN=db", "IP:127.0.0.1,DNS:localhost");
    await sign("client", "/CN=crier", "DNS:crier");
    secure = await Mariadb.start({
      args: [
        `--ssl-ca=${file("ca.crt")}`,
        `--ssl-cert=${file("server.crt")}`,
        `--ssl-key=${file("server.key")}`,
      ],
    });
    await secure.sql(
      "CREATE DATABASE kube; CREATE USER tls@'%' REQUIRE SSL; GRANT ALL ON kube.* TO tls@'%'; CREATE USER mutual@'%' REQUIRE SUBJECT '/CN=crier'; GRANT ALL ON kube.* TO mutual@'%'",
    );
  });
  afterAll(async () => {
    await secure.destroy();
    rmSync(dir, { recursive: true, force: true });
  });

  const at = (user: string, given: Record<string, unknown> = {}, query = "", host = "127.0.0.1") =>
    sinkAt({ dsn: `mysql://${user}@${host}:${secure.port}/kube${query}`, ...given });

  it("with a CA encrypts, to a server by name and by address", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      const sink = at("tls", { ca: file("ca.crt") }, "", host);
      expect(await problems(sink)).toBe("");
      expect(await deliver(sink, anEvent())).toEqual([accepted]);
    }
  });

  it("with a client certificate is let in where one is asked for", async () => {
    const certificate = { ca: file("ca.crt"), cert: file("client.crt"), key: file("client.key") };
    expect(await problems(at("mutual", { ca: file("ca.crt") }))).toContain("lets nobody in");
    expect(await deliver(at("mutual", certificate), anEvent())).toEqual([accepted]);
  });

  it("does not trust another CA, a stranger's name, or a file that is not there; each is named at the start", async () => {
    expect(await problems(at("tls", { ca: file("other.crt") }))).toMatch(
      /is not trusted: .* → name the CA/,
    );
    expect(await problems(at("tls", {}, "?tls=true"))).toMatch(/is not trusted/);
    await sign("server", "/CN=db", "DNS:elsewhere.example.com");
    await secure.down();
    await secure.up();
    expect(await problems(at("tls", { ca: file("ca.crt") }))).toMatch(
      /is not trusted: .*does not match certificate's altnames/,
    );
    expect(await problems(at("tls", { ca: file("ca.crt") }, "", "localhost"))).toMatch(
      /is not trusted: .*does not match certificate's altnames/,
    );
    expect(await problems(at("tls", { ca: file("nowhere.crt") }))).toMatch(
      /nowhere.crt cannot be read: ENOENT.* → mount the file/,
    );
  });

  it("as the Go driver has it: skip-verify encrypts only, preferred where the server can, none is refused where it must be", async () => {
    expect(await deliver(at("tls", {}, "?tls=skip-verify"), anEvent())).toEqual([accepted]);
    expect(await deliver(at("tls", {}, "?tls=preferred"), anEvent())).toEqual([accepted]);
    expect(await problems(at("tls"))).toContain("lets nobody in");
    expect(
      await deliver(
        sinkAt({ dsn: `root@tcp(127.0.0.1:${bench.db.port})/${bench.name}?tls=preferred` }),
        anEvent(),
      ),
    ).toEqual([accepted]);
    expect(
      await problems(
        sinkAt({ dsn: `root@tcp(127.0.0.1:${bench.db.port})/${bench.name}?tls=true` }),
      ),
    ).toContain("speaks no TLS");
  });

  it("is not needed on a Unix socket", async () => {
    const dsn = `root@unix(${bench.db.socket})/${bench.name}`;
    expect(await deliver(sinkAt({ dsn }), anEvent())).toEqual([accepted]);
  });
});

/** As `kubectl get events -o json` prints it. */
function coreEvent(n: number): Record<string, unknown> {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: {
      name: `web-${n}.17a`,
      namespace: "shop",
      uid: uid(n),
      resourceVersion: String(n + 1),
    },
    involvedObject: { kind: "Pod", namespace: "shop", name: `web-${n}` },
    type: "Normal",
    reason: "Started",
    message: `Started container web (${n})`,
    count: 1,
    firstTimestamp: "2026-11-20T08:00:00Z",
    lastTimestamp: "2026-11-20T08:00:00Z",
    source: { component: "kubelet", host: "node-1" },
  };
}
