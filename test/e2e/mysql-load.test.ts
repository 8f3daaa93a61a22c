import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Crier, until } from "../support/crier.ts";
import { anEvent } from "../support/events.ts";
import { cli } from "../support/io.ts";
import { haveMariadb } from "../support/mariadb.ts";
import { aMessage } from "../support/messages.ts";
import {
  accepted,
  deliver,
  deliverAll,
  KUBE_EVENTER,
  MysqlBench,
  never,
  uid,
} from "../support/mysql.ts";

/** The mysql sink among others that write, under servers that die, and with rows that no server takes. */
const bench = new MysqlBench();
const many = (count: number, from = 0, cluster = "prod-a") =>
  Array.from({ length: count }, (_, n) =>
    anEvent({
      uid: uid(from + n),
      count: 1,
      cluster,
      lastSeen: new Date(Date.parse("2026-11-20T08:00:00Z") + n * 1000).toISOString(),
    }),
  );

describe.skipIf(!haveMariadb)("a server that is killed while it writes", () => {
  it.each([
    ["our own table", null],
    ["kube-eventer's table, which has no key", KUBE_EVENTER],
  ])("loses nothing and doubles nothing in %s", async (_, schema) => {
    if (schema !== null) await bench.sql(schema);
    const sink = bench.sink();
    await deliver(sink, ...many(1));
    const writing = deliverAll(sink, many(6000), async () => {
      await until(
        () =>
          bench.db.sql("SELECT 1").then(
            () => true,
            () => undefined,
          ),
        "the server to be back",
      );
    });
    for (const least of [300, 2500]) {
      await until(async () => ((await bench.count()) > least ? true : undefined), "some rows");
      await bench.db.kill();
      await bench.db.up();
    }
    expect(await writing).toBeGreaterThan(0);
    expect(
      await bench.rows(
        "COUNT(*) AS n, COUNT(DISTINCT event_id, last_occurrence_time) AS events",
        "1",
      ),
    ).toEqual([{ n: 6000, events: 6000 }]);
  });
});

describe.skipIf(!haveMariadb)("a table of many clusters", () => {
  it("is written by all of them at once, in whatever order, without one waiting for nothing", async () => {
    const first = many(1500);
    const second = many(1500).toReversed();
    const third = many(1500, 0, "prod-b");
    const verdicts = await Promise.all([
      deliver(bench.sink(), ...first),
      deliver(bench.sink(), ...second),
      deliver(bench.sink(), ...third),
    ]);
    expect(verdicts.flat().filter(({ kind }) => kind !== "accepted")).toEqual([]);
    expect(await bench.count()).toBe(3000);
  });

  it("loses old rows while new ones come, and no delivery waits for that", async () => {
    const old = many(4000).map((event) => ({
      ...event,
      firstSeen: "2025-01-01T00:00:00Z",
      lastSeen: "2025-01-01T00:00:00Z",
    }));
    await deliver(bench.sink(), ...old);
    const keeping = bench.sink({ retention: "30d" });
    const now = new Date().toISOString();
    const fresh = many(2000, 10_000).map((event) => ({ ...event, firstSeen: now, lastSeen: now }));
    for (let start = 0; start < fresh.length; start += 200) {
      const verdicts = await deliver(keeping, ...fresh.slice(start, start + 200));
      expect(verdicts.every(({ kind }) => kind === "accepted")).toBe(true);
    }
    await until(
      () => (bench.told.some((text) => text.startsWith("retention: 4000 rows")) ? true : undefined),
      "the sweep",
    );
    expect(await bench.count()).toBe(2000);
  });

  it("keeps its rows where the right to delete is taken away, and says so; writing goes on", async () => {
    await deliver(bench.sink(), ...many(1));
    await bench.db.sql(
      `CREATE OR REPLACE USER keep@'%'; GRANT SELECT, INSERT, UPDATE ON ${bench.name}.* TO keep@'%'`,
    );
    const keeping = bench.sink({ dsn: bench.dsn("keep"), retention: "1d" });
    expect(await deliver(keeping, ...many(3))).toEqual([accepted, accepted, accepted]);
    await until(
      () =>
        bench.told.some((text) => text.includes("old rows could not be deleted"))
          ? true
          : undefined,
      "the warning",
    );
    expect(bench.told.join("\n")).toContain(
      `GRANT DELETE ON \`${bench.name}\`.\`kube_event\` TO 'keep'@'%';`,
    );
    expect(await deliver(keeping, ...many(1, 100))).toEqual([accepted]);
  });
});

describe.skipIf(!haveMariadb)("a row that the server refuses", () => {
  beforeEach(async () => {
    await deliver(bench.sink(), ...many(1));
  });

  it("is tried a few times as an error nobody knows, and the others are written", async () => {
    await bench.sql(
      "CREATE TRIGGER picky BEFORE INSERT ON kube_event FOR EACH ROW IF NEW.reason = 'Bad' THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1644, MESSAGE_TEXT = 'not here'; END IF",
    );
    const events = many(300, 1);
    const bad = anEvent({ uid: uid(999), reason: "Bad" });
    const verdicts = await deliver(
      bench.sink(),
      ...events.slice(0, 150),
      bad,
      ...events.slice(150),
    );
    expect(verdicts.filter(({ kind }) => kind === "accepted")).toHaveLength(300);
    expect(verdicts[150]).toMatchObject({
      kind: "retryable",
      reason: "unknown",
      detail: expect.stringContaining("not here"),
    });
    expect(await bench.count()).toBe(301);
  });

  it("because it is larger than a packet may be is dead at once, and the others are written", async () => {
    await bench.db.sql("SET GLOBAL max_allowed_packet = 1048576");
    try {
      const huge = anEvent({ uid: uid(999), message: "x".repeat(2_000_000) });
      const verdicts = await deliver(bench.sink(), ...many(5, 1), huge, ...many(5, 10));
      expect(verdicts.filter(({ kind }) => kind === "accepted")).toHaveLength(10);
      // Not left to the server, which may cut the connection before anyone has read why.
      const detail = expect.stringMatching(/takes 20\d{5} bytes, the server no more than 1048576/);
      expect(verdicts[5]).toEqual({ kind: "permanent", reason: "tooLarge", detail });
      expect(await bench.count()).toBe(11);
    } finally {
      await bench.db.sql("SET GLOBAL max_allowed_packet = 16777216");
    }
  });

  it("because the table got another shape is none: the shape is learnt", async () => {
    const sink = bench.sink();
    await deliver(sink, ...many(1, 1));
    await bench.sql(
      "TRUNCATE kube_event; ALTER TABLE kube_event MODIFY COLUMN reason VARCHAR(3) NOT NULL",
    );
    const [verdict] = await deliver(bench.sink(), ...many(1, 2));
    expect(verdict).toEqual(accepted);
    expect(await bench.rows("reason", "id DESC LIMIT 1")).toEqual([{ reason: "Ba…" }]);
  });
});

describe.skipIf(!haveMariadb)("hostile words", () => {
  it("stay words, also where the server takes backslashes literally", async () => {
    await bench.db.sql("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'");
    try {
      const words = [
        "'); DROP TABLE kube_event; --",
        "\\'; DELETE FROM kube_event; #",
        '" OR 1=1',
        "%s ? :name @x ${y}",
        "\ud800 lone",
      ];
      const events = words.map((message, n) => anEvent({ uid: uid(n), message, reason: message }));
      expect(await deliver(bench.sink(), ...events)).toEqual(events.map(() => accepted));
      expect(await bench.rows("message, reason", "event_id")).toEqual(
        words.map((text) => ({ message: text.toWellFormed(), reason: text.toWellFormed() })),
      );
    } finally {
      await bench.db.sql("SET GLOBAL sql_mode = DEFAULT");
    }
  });

  it("never become the name of a table", async () => {
    const sink = bench.sink({ table: "kube-event$历史" });
    expect(await deliver(sink, anEvent())).toEqual([accepted]);
    expect(await bench.sql("SELECT COUNT(*) AS n FROM `kube-event$历史`")).toEqual([{ n: 1 }]);
  });
});

describe.skipIf(!haveMariadb)("an account with no more than it needs", () => {
  it("writes a table that is there without the right to create one", async () => {
    await deliver(bench.sink(), ...many(1));
    await bench.db.sql(
      `CREATE OR REPLACE USER least@'%'; GRANT SELECT, INSERT, UPDATE ON ${bench.name}.kube_event TO least@'%'`,
    );
    const sink = bench.sink({ dsn: bench.dsn("least") });
    expect(await bench.problems(sink)).toBe("");
    expect(await deliver(sink, ...many(2))).toEqual([accepted, accepted]);
  });

  it("that loses a grant while it works waits, told how to get it back, and goes on with it", async () => {
    await deliver(bench.sink(), ...many(1));
    await bench.db.sql(
      `CREATE OR REPLACE USER moody@'%'; GRANT SELECT, INSERT, UPDATE ON ${bench.name}.kube_event TO moody@'%'`,
    );
    const sink = bench.sink({ dsn: bench.dsn("moody") });
    expect(await deliver(sink, ...many(1, 1))).toEqual([accepted]);
    await bench.db.sql(`REVOKE INSERT ON ${bench.name}.kube_event FROM moody@'%'`);
    expect(await deliver(sink, ...many(1, 2))).toMatchObject([
      {
        kind: "retryable",
        reason: "server",
        detail: expect.stringMatching(/GRANT INSERT.* TO 'moody'@'%'/),
      },
    ]);
    await bench.db.sql(`GRANT INSERT ON ${bench.name}.kube_event TO moody@'%'`);
    expect(await deliver(sink, ...many(1, 2))).toEqual([accepted]);
  });
});

describe.skipIf(!haveMariadb)("the program", () => {
  it("sends a test row, and says in words what keeps it from doing so", async () => {
    const flag = (user: string) => `--sink=mysql:?${bench.dsn(user)}?charset=utf8`;
    const sent = await cli(["send", flag("root")]);
    expect(sent).toMatchObject({ code: 0, stderr: expect.stringMatching(/mysql\s+accepted/) });
    expect(await bench.rows("reason, name")).toEqual([
      { reason: "TestAlert", name: "kube-crier-test" },
    ]);
    const refused = await cli(["send", flag("ghost:hunter2hunter2")]);
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("lets nobody in as 'ghost'@'%'"),
    });
    expect(refused.stderr).not.toContain("hunter2");
  });

  it("that is told to stop ends while the database hangs, and owes what it has not written", async () => {
    await deliver(bench.sink(), ...many(1));
    const lock = await bench.db.root(bench.name);
    await lock.query("LOCK TABLES kube_event WRITE");
    const dir = mkdtempSync(path.join(tmpdir(), "kube-crier-e2e-"));
    const file = path.join(dir, "events.json");
    const items = [
      {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: "e", namespace: "shop", uid: uid(7) },
        involvedObject: { kind: "Pod", name: "web" },
        reason: "Late",
        message: "",
        type: "Normal",
        lastTimestamp: "2026-11-20T08:00:00Z",
      },
    ];
    writeFileSync(file, JSON.stringify({ kind: "List", apiVersion: "v1", items }));
    const args = [
      "run",
      `--source=file:${file}`,
      `--data-dir=${dir}/ledger`,
      `--sink=mysql:?${bench.dsn()}?charset=utf8&timeout=500ms`,
    ];
    const held = new Crier(args);
    try {
      await until(
        () => (held.stderr.includes("no complete answer within 500 ms") ? true : undefined),
        "a timeout",
      );
      held.kill("SIGTERM");
      expect(await held.ended()).toBe(0);
      expect(held.stderr).toContain("1 still owed");
      await lock.query("UNLOCK TABLES");
      const again = new Crier(args);
      expect(await again.ended()).toBe(0);
      expect(await bench.rows("reason", "event_id")).toEqual([
        { reason: "BackOff" },
        { reason: "Late" },
      ]);
    } finally {
      await lock.end();
      await held.destroy();
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it("closes while it writes without a word lost: what was not accepted says so", async () => {
    const sink = bench.sink();
    await deliver(sink, ...many(1));
    const writing = deliver(sink, ...many(2000, 1));
    await sink.close();
    const verdicts = await writing;
    const written = verdicts.filter(({ kind }) => kind === "accepted").length;
    expect(verdicts.every(({ kind }) => kind === "accepted" || kind === "retryable")).toBe(true);
    expect(await bench.count()).toBeGreaterThanOrEqual(written + 1);
    expect(await sink.deliver(aMessage(), never)).toMatchObject({ kind: "retryable" });
  });
});
