import { describe, expect, it } from "vitest";
import { FakeClock } from "../support/clock.ts";
import { cli } from "../support/io.ts";
import { haveMariadb } from "../support/mariadb.ts";
import { deliver, KUBE_EVENTER, MysqlBench, uid } from "../support/mysql.ts";
import { anEvent } from "../support/events.ts";
import { until } from "../support/crier.ts";

/** `kube-crier mysql migrate`, and what keeps it from being done. */
const bench = new MysqlBench();
const migrate = (...args: readonly string[]) =>
  cli(["mysql", "migrate", `--sink=mysql:?${bench.dsn()}?charset=utf8`, ...args]);
const fill = (rows: number) =>
  bench.sql(
    `INSERT INTO kube_event (namespace, kind, name, type, reason, message, event_id, first_occurrence_time, last_occurrence_time, update_time)
     SELECT 'shop', 'Pod', CONCAT('web-', seq), 'Warning', 'BackOff', CONCAT('n', seq), CONCAT('event-', seq DIV 10),
       '2025-11-21 10:00:00 +0800 CST', CONCAT('2025-11-21 10:0', seq % 10, ':00 +0800 CST'), '2025-11-21 02:10:00' FROM seq_0_to_${rows - 1}`,
  );

describe.skipIf(!haveMariadb)("migrating", () => {
  it("makes one row of each event's rows: counted, first and last, the words of the last", async () => {
    await bench.sql(KUBE_EVENTER);
    await fill(2500);
    const done = await migrate("--yes");
    expect(done.code).toBe(0);
    expect(done.stdout).toContain("done: 2500 rows became 250 events");
    expect(await bench.rows("COUNT(*) AS n, MIN(count) AS least, MAX(count) AS most", "1")).toEqual(
      [{ n: 250, least: 10, most: 10 }],
    );
    expect(await bench.sql("SELECT * FROM kube_event WHERE event_id = 'event-7'")).toMatchObject([
      {
        cluster: "",
        message: "n79",
        first_occurrence_time: "2025-11-21 02:00:00.000000",
        last_occurrence_time: "2025-11-21 02:09:00.000000",
        update_time: "2025-11-21 02:10:00.000000",
      },
    ]);
    expect(await bench.sql("SELECT COUNT(*) AS n FROM kube_event__before")).toEqual([{ n: 2500 }]);
  });

  it("keeps rows without an id or a time apart, and reads what it can", async () => {
    await bench.sql(KUBE_EVENTER);
    await bench.sql(
      "INSERT INTO kube_event (message, first_occurrence_time, last_occurrence_time, update_time) VALUES ('a', '', 'never', '2025-11-21 02:00:00'), ('b', '0001-01-01 00:00:00 +0000 UTC', '2025-11-21 02:00:00 +0000 UTC', '2025-11-21 03:00:00')",
    );
    expect((await migrate("--yes")).code).toBe(0);
    expect(await bench.rows("message, event_id, first_occurrence_time AS first")).toEqual([
      { message: "a", event_id: "row-1", first: "2025-11-21 02:00:00.000000" },
      { message: "b", event_id: "row-2", first: "2025-11-21 02:00:00.000000" },
    ]);
  });

  it("takes a table with a cluster and a count of its own for what it says", async () => {
    await bench.sql(KUBE_EVENTER);
    await bench.sql(
      "ALTER TABLE kube_event ADD cluster VARCHAR(64) NOT NULL DEFAULT '', ADD `count` INT NOT NULL DEFAULT 1, ADD component VARCHAR(64) NOT NULL DEFAULT 'x'",
    );
    await bench.sql(
      `INSERT INTO kube_event (cluster, event_id, \`count\`, first_occurrence_time, last_occurrence_time) VALUES
       ('a', 'e', 3, '2025-11-21 02:00:00 +0000 UTC', '2025-11-21 02:00:00 +0000 UTC'),
       ('a', 'e', 5, '2025-11-21 02:00:00 +0000 UTC', '2025-11-21 02:05:00 +0000 UTC'),
       ('', 'e', 2, '2025-11-21 02:00:00 +0000 UTC', '2025-11-21 02:00:00 +0000 UTC')`,
    );
    expect((await migrate("--yes", "--cluster-name=b")).code).toBe(0);
    expect(await bench.rows("cluster, `count`", "cluster")).toEqual([
      { cluster: "a", count: 5 },
      { cluster: "b", count: 2 },
    ]);
  });

  it("does nothing to a table of ours, nor without a yes, nor when it only says what it would do", async () => {
    await deliver(bench.sink(), anEvent());
    expect(await migrate()).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("nothing to do"),
    });
    await bench.sql("DROP TABLE kube_event");
    await bench.sql(KUBE_EVENTER);
    for (const args of [["--dry-run"], []]) {
      const said = await migrate(...args);
      expect(said.code).toBe(args.length === 1 ? 0 : 2);
      expect(said.stdout).toContain("To go back: RENAME TABLE");
    }
    expect(await bench.sql("SHOW TABLES")).toHaveLength(1);
  });

  it("is stopped half-way and leaves the table as it was; given again it begins anew", async () => {
    await bench.sql(KUBE_EVENTER);
    await fill(1500);
    const stop = new AbortController();
    const clock = new FakeClock();
    const running = cli(
      ["mysql", "migrate", `--sink=mysql:?${bench.dsn()}?charset=utf8`, "--yes"],
      { clock, signal: stop.signal },
    );
    // It lets rows that are being written settle, by a clock that stands still.
    await until(() => (clock.sleeping > 0 ? true : undefined), "the copy to begin");
    stop.abort();
    expect(await running).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the table is as it was"),
    });
    expect(await bench.count()).toBe(1500);
    expect((await migrate("--yes")).stdout).toContain("done: 1500 rows became 150 events");
  });
});

describe.skipIf(!haveMariadb)("a migration that cannot be done is refused in words:", () => {
  it("no table, a table without id, a copy from before, no grant, no database, several sinks, none", async () => {
    expect(await migrate()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no table kube_event"),
    });
    await bench.sql("CREATE TABLE kube_event (message TEXT)");
    expect((await migrate()).stderr).toContain(
      "ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST;",
    );
    await bench.sql("DROP TABLE kube_event");
    await bench.sql(KUBE_EVENTER);
    await bench.sql("CREATE TABLE kube_event__before (id INT)");
    expect((await migrate("--yes")).stderr).toContain("DROP TABLE `kube_event__before`;");
    await bench.sql("DROP TABLE kube_event__before");

    await bench.db.sql(
      `CREATE OR REPLACE USER poor@'%'; GRANT SELECT ON ${bench.name}.* TO poor@'%'`,
    );
    const poor = await cli([
      "mysql",
      "migrate",
      `--sink=mysql:?${bench.dsn("poor")}?charset=utf8`,
      "--yes",
    ]);
    expect(poor).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/GRANT DROP ON `t\d+`\.\* TO 'poor'@'%';/),
    });
    const away = await cli(["mysql", "migrate", "--sink=mysql:?u@tcp(127.0.0.1:1)/d?charset=utf8"]);
    expect(away).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/ECONNREFUSED[^]*when the database answers/),
    });
    const two = ["--sink=mysql:?u@tcp(a)/d?name=one", "--sink=mysql:?u@tcp(b)/d?name=two"];
    expect((await cli(["mysql", "migrate", ...two])).stderr).toContain(
      "choose one with --to: one, two",
    );
    expect((await cli(["mysql", "migrate", ...two, "--to=three"])).stderr).toContain(
      'there is no mysql sink "three"',
    );
    expect((await cli(["mysql", "migrate", "--sink=stdout:"])).stderr).toContain(
      "the configuration has no mysql sink",
    );
    expect(await bench.count()).toBe(0);
  });

  it("rows that came while nobody wrote them are there afterwards", async () => {
    await bench.sql(KUBE_EVENTER);
    await fill(1200);
    const sink = bench.sink();
    const migrating = migrate("--yes");
    expect(await deliver(sink, anEvent({ uid: uid(1) }), anEvent({ uid: uid(2) }))).toHaveLength(2);
    expect((await migrating).code).toBe(0);
    expect(await bench.count()).toBe(122);
  });
});
