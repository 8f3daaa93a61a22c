import { MIGRATIONS } from "../../../src/ledger/schema.ts";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Writable } from "node:stream";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { main } from "../../../src/cli/main.ts";
import { lockDataDir } from "../../../src/ledger/lock.ts";
import { settle } from "../../support/clock.ts";
import { cutOff, databaseIn, filledLedger, flip, PAGE } from "../../support/damage.ts";
import { cli } from "../../support/io.ts";
import { aLedger, anEntry, never, temporaryDirectory } from "../../support/ledger.ts";
import { aDigestOf } from "../../support/alerts.ts";

const HOUR = 3_600_000;
const MIB = 1_048_576;

/** Something of everything; the log is not taken into the file, as while a process runs. */
async function aHistory() {
  const dataDir = temporaryDirectory();
  const ledger = aLedger({ dataDir });
  const { outbox, clock } = ledger;
  const checkpoint = { scope: "kubernetes:*", cluster: "c1", resourceVersion: "7", at: 7 };
  await outbox.add([anEntry(1, ["ops"])], [checkpoint], never); // d1
  outbox.attempting("ops", clock.now());
  await clock.advance(HOUR);
  await outbox.add([anEntry(2, ["ops", "audit"]), anEntry(3, ["ops"])], [], never); // d2, d3, d4
  const at = clock.now();
  const gap = { kind: "gap", cluster: "a", since: "x", until: "y", cause: "downtime" } as const;
  await outbox.add([{ event: null, alert: gap, sinks: ["audit"] }], [], never); // d5
  outbox.settle("d1", { kind: "delivered", at, sent: "{}", answer: "HTTP 200" });
  outbox.settle("d3", { kind: "dead", at, counted: true, reason: "auth", detail: "no" });
  outbox.fold("ops", ["d2", "d4"], aDigestOf(2), at); // d6
  outbox.attempting("ops", clock.now());
  await settle();
  const run = (...argv: string[]) => cli([...argv, `--data-dir=${dataDir}`], { clock });
  return { ...ledger, dataDir, run };
}

const lines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("ledger check", () => {
  it("of a sound one, beside whoever uses it: what it holds, and 0", async () => {
    const { run } = await aHistory();
    const { code, stdout, stderr } = await run("ledger", "check");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^version \d, 0\.\d MiB, of which 0\.0 MiB are free\n/);
    expect(stdout).toContain("3 events, 2 attempts, 1 checkpoints\n");
    expect(stdout).toMatch(/^sink +pending +delivered +dead +folded +discarded$/m);
    expect(stdout).toMatch(/^ops +1 +1 +0 +2 +0$/m);
    expect(stdout).toMatch(/^audit +1 +0 +1 +0 +0$/m);
    expect(stdout).toContain("sound: ");
    await run("dead", "discard", "--sink=audit");
    expect((await run("ledger", "check")).stdout).toMatch(/^audit +1 +0 +0 +0 +1$/m);
  });

  it("of an empty one", async () => {
    const dataDir = temporaryDirectory();
    aLedger({ dataDir });
    expect(await cli(["ledger", "check", `--data-dir=${dataDir}`])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("0 events, 0 attempts, 0 checkpoints\n\nsound"),
    });
  });

  it.each([
    ["UPDATE delivery SET state = 'lost' WHERE id = 'd1'", /1 deliveries in a state .*: d1$/m],
    ["UPDATE delivery SET settled_at = 5 WHERE id = 'd5'", /1 pending deliveries .*: d5$/m],
    ["UPDATE delivery SET settled_at = NULL WHERE id = 'd3'", /1 settled .* without a time: d3$/m],
    ["UPDATE delivery SET reason = 'mood' WHERE id = 'd3'", /1 dead letters without .*: d3$/m],
    ["UPDATE delivery SET reason = 'auth' WHERE id = 'd1'", /1 delivered .* failure: d1$/m],
    [
      "UPDATE delivery SET folded_into = NULL WHERE id = 'd2'",
      /1 deliveries folded into n.*: d2$/m,
    ],
    ["UPDATE delivery SET folded_into = 'd6' WHERE id = 'd5'", /1 .*no digest of their sink: d5$/m],
    ["UPDATE delivery SET folded_into = 'd1' WHERE id = 'd2'", /1 .*no digest of their sink: d2$/m],
    ["UPDATE delivery SET alert = NULL WHERE id = 'd5'", /1 deliveries about nothing: d5$/m],
    ["UPDATE delivery SET attempts = -1", /6 deliveries with numbers below .*: d1, d2, d3, …$/m],
    ["UPDATE delivery SET alert = '{' WHERE id = 'd5'", /1 .* alert is not JSON: d5$/m],
    ["UPDATE occurrence SET event = '{'", /3 events that are not JSON, or .*: .*, .*, .*$/m],
    ["UPDATE occurrence SET key = 'k' || seq WHERE seq = 2", /1 events that .*: k2$/m],
    ["UPDATE checkpoint SET resource_version = ''", /1 checkpoints .*: kubernetes:\*$/m],
    [
      "PRAGMA foreign_keys = OFF; DELETE FROM occurrence WHERE seq = 1",
      /1 deliveries of events that are not there$/m,
    ],
  ])("after %s says so, and 3", async (sql, finding) => {
    const { db, run } = await aHistory();
    db.exec(sql);
    const { code, stdout, stderr } = await run("ledger", "check");
    expect(code).toBe(3);
    expect(stdout).toMatch(finding);
    expect(stdout).not.toContain("sound");
    expect(stderr).toContain("keep a copy of it");
  });

  it("a digest that is forgotten before what it told is as it should be", async () => {
    const { db, run } = await aHistory();
    db.exec("DELETE FROM delivery WHERE id = 'd6'");
    expect((await run("ledger", "check")).code).toBe(0);
  });

  it.each([
    ["emptied", (file: string) => cutOff(file, 0), /wrong: the file: .*0 bytes/],
    ["cut off", (file: string) => cutOff(file, 3 * PAGE), /wrong: the file: .*(11|Tree|malformed)/],
    [
      "torn",
      (file: string) => flip(file, 2 * PAGE, 6 * PAGE),
      /^wrong: the file: .*\(SQLite 11.*\n$/,
    ],
    ["no database", (file: string) => writeFileSync(file, "?".repeat(PAGE)), /not a database/],
  ])("of a file that is %s: what SQLite finds, and 3", async (_, harm, finding) => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir);
    const file = databaseIn(dataDir);
    harm(file);
    const before = readFileSync(file);
    const { code, stdout } = await cli(["ledger", "check", `--data-dir=${dataDir}`]);
    expect(code).toBe(3);
    expect(stdout).toMatch(finding);
    expect(readFileSync(file), "looked at, not touched").toEqual(before);
  });

  it("of none, or of a newer version, is a mistake: 2", async () => {
    const empty = temporaryDirectory();
    const none = await cli(["ledger", "check", `--data-dir=${empty}`]);
    expect([none.code, none.stdout]).toEqual([2, ""]);
    expect(none.stderr).toContain("there is no ledger.db in it");
    expect(existsSync(databaseIn(empty))).toBe(false);
    const { db, run } = await aHistory();
    db.exec("PRAGMA user_version = 99");
    for (const command of ["check", "vacuum", "export"]) {
      const { code, stderr } = await run("ledger", command);
      expect(code).toBe(2);
      expect(stderr).toContain(
        `the ledger has version 99, this program knows up to ${MIGRATIONS.length}`,
      );
    }
  });
});

describe("ledger vacuum", () => {
  it("gives back what is free, says how much, and nothing else changes", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 3_000);
    const db = new DatabaseSync(databaseIn(dataDir));
    db.exec("DELETE FROM delivery WHERE seq > 10; DELETE FROM occurrence WHERE seq > 10");
    db.close();
    const before = statSync(databaseIn(dataDir)).size;
    const { code, stdout } = await cli(["ledger", "vacuum", `--data-dir=${dataDir}`]);
    const after = statSync(databaseIn(dataDir)).size;
    expect(code).toBe(0);
    expect(after).toBeLessThan(before / 10);
    const told = [before, after].map((bytes) => (bytes / MIB).toFixed(1));
    expect(stdout).toBe(`${told[0]} MiB before, ${told[1]} MiB after\n`);
    const check = await cli(["ledger", "check", `--data-dir=${dataDir}`]);
    expect(check.code).toBe(0);
    expect(check.stdout).toMatch(/^chat +10 +0/m);
    expect(statSync(databaseIn(dataDir)).mode & 0o777).toBe(0o600);
  });

  it("beside a running one is refused, with the reason and what to do; nothing is touched", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir);
    const unlock = lockDataDir(dataDir);
    const before = readFileSync(databaseIn(dataDir));
    const { code, stderr } = await cli(["ledger", "vacuum", `--data-dir=${dataDir}`]);
    unlock();
    expect(code).toBe(2);
    expect(stderr).toMatch(/a running kube-crier writes to it; \d+ bytes in it are free and will/);
    expect(stderr).toContain("→ where the disk needs them back, stop that one first");
    expect(readFileSync(databaseIn(dataDir))).toEqual(before);
    expect((await cli(["ledger", "vacuum", `--data-dir=${dataDir}`])).code).toBe(0);
  });

  it("of a damaged one, or none, is refused", async () => {
    const dataDir = temporaryDirectory();
    expect((await cli(["ledger", "vacuum", `--data-dir=${dataDir}`])).code).toBe(2);
    await filledLedger(dataDir);
    cutOff(databaseIn(dataDir), PAGE);
    const { code, stderr } = await cli(["ledger", "vacuum", `--data-dir=${dataDir}`]);
    expect(code).toBe(2);
    expect(stderr).toContain("the next start of `run` sets the file aside");
    expect(statSync(databaseIn(dataDir)).size).toBe(PAGE);
  });

  it(
    "without room is refused by the disk, and the ledger is as it was",
    { timeout: 60_000 },
    async () => {
      const dataDir = temporaryDirectory();
      await filledLedger(dataDir, 1_500);
      const bin = path.resolve(import.meta.dirname, "../../../src/bin.js");
      // In blocks of 512 bytes: the log may not grow as large as the file.
      const { status, stderr } = spawnSync(
        "sh",
        [
          "-c",
          'ulimit -f 600; exec "$@"',
          "sh",
          process.execPath,
          bin,
          "ledger",
          "vacuum",
          `--data-dir=${dataDir}`,
        ],
        { encoding: "utf8" },
      );
      expect(stderr).toMatch(/the ledger cannot be compacted, and is as it was: (disk|the disk)/);
      expect(status).toBe(2);
      const check = await cli(["ledger", "check", `--data-dir=${dataDir}`]);
      expect([check.code, check.stdout]).toEqual([0, expect.stringMatching(/^chat +1500 /m)]);
    },
  );
});

describe("ledger export", () => {
  it("writes what the ledger holds, oldest first, a line each", async () => {
    const { run } = await aHistory();
    const { code, stdout, stderr } = await run("ledger", "export");
    expect([code, stderr]).toEqual([
      0,
      "exported 3 events, 6 deliveries, 2 attempts, 1 checkpoint\n",
    ]);
    const rows = lines(stdout);
    expect(rows.map(({ type }) => type)).toEqual([
      "ledger",
      "event",
      "event",
      "event",
      ...Array.from({ length: 6 }, () => "delivery"),
      "attempt",
      "attempt",
      "checkpoint",
    ]);
    expect(rows[0]).toEqual({ type: "ledger", version: MIGRATIONS.length, since: null });
    expect(rows[1]).toMatchObject({
      receivedAt: "2026-11-20T08:00:00.000Z",
      suppressed: null,
      event: { object: { name: "web-1" }, reason: "BackOff" },
    });
    const key = (rows[1]?.["event"] as { key: string } | undefined)?.key;
    expect(key).toMatch(/./);
    expect(rows[4]).toEqual({
      type: "delivery",
      id: "d1",
      sink: "ops",
      state: "delivered",
      attempts: 0,
      owedAt: "2026-11-20T08:00:00.000Z",
      notBefore: "2026-11-20T08:00:00.000Z",
      settledAt: "2026-11-20T09:00:00.000Z",
      reason: null,
      detail: null,
      sent: "{}",
      answer: "HTTP 200",
      foldedInto: null,
      event: key,
      alert: null,
      tookMs: null,
      tries: [],
    });
    expect(rows[6]).toMatchObject({ id: "d3", state: "dead", reason: "auth", attempts: 1 });
    expect(rows[8]).toMatchObject({ id: "d5", event: null, alert: { kind: "gap" } });
    const refused = { at: "2026-11-20T09:00:00.000Z", tookMs: null, reason: "auth", detail: "no" };
    expect(rows[6]).toMatchObject({ tries: [refused] });
    expect(rows[10]).toEqual({ type: "attempt", sink: "ops", at: "2026-11-20T08:00:00.000Z" });
    expect(rows[12]).toEqual({
      type: "checkpoint",
      scope: "kubernetes:*",
      cluster: "c1",
      resourceVersion: "7",
      at: "1970-01-01T00:00:00.007Z",
      witness: null,
    });
  });

  it("--since leaves out what is older", async () => {
    const { run } = await aHistory();
    const rows = lines((await run("ledger", "export", "--since=30m")).stdout);
    expect(rows[0]).toMatchObject({ since: "2026-11-20T08:30:00.000Z" });
    expect(rows.slice(1).map(({ type, id }) => id ?? type)).toEqual([
      "event",
      "event",
      "d2",
      "d3",
      "d4",
      "d5",
      "d6",
      "attempt",
    ]);
    const { code, stderr } = await run("ledger", "export", "--since=yesterday");
    expect([code, stderr]).toEqual([2, expect.stringContaining('"yesterday" is not a duration')]);
    // As far back as can be said, and further.
    const all = await run("ledger", "export", "--since=36500d");
    expect([all.code, lines(all.stdout)[0]?.["since"]]).toEqual([0, "1926-12-15T09:00:00.000Z"]);
    expect(await run("ledger", "export", "--since=9999999999d")).toEqual({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(
        '--since: "9999999999d" is too long; expected at most 36500d',
      ),
    });
  });

  it("more than a page, each once", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 1_001);
    const { stdout } = await cli(["ledger", "export", `--data-dir=${dataDir}`]);
    const ids = lines(stdout).flatMap(({ id }) => (id === undefined ? [] : [id]));
    expect(ids).toEqual(Array.from({ length: 1_001 }, (_, n) => `d${n + 1}`));
  });

  it("into a file, there only once it is whole, for this user alone; one that is there stays", async () => {
    const { run } = await aHistory();
    const output = path.join(temporaryDirectory(), "out.ndjson");
    const { code, stdout } = await run("ledger", "export", `--output=${output}`);
    expect([code, stdout]).toEqual([0, ""]);
    expect(readFileSync(output, "utf8")).toBe((await run("ledger", "export")).stdout);
    expect(statSync(output).mode & 0o777).toBe(0o600);
    expect(existsSync(`${output}.partial`)).toBe(false);
    const again = await run("ledger", "export", `--output=${output}`);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("is there already")]);
    const nowhere = await run("ledger", "export", `--output=${output}/x`);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("ENOTDIR")]);
  });

  it("onto a disk that takes no more: said, and nothing half is left", async () => {
    if (!existsSync("/dev/full")) return;
    const { run, dataDir } = await aHistory();
    const folder = path.join(dataDir, "out");
    mkdirSync(folder);
    symlinkSync("/dev/full", path.join(folder, "x.partial"));
    const { code, stderr } = await run("ledger", "export", `--output=${path.join(folder, "x")}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining("ENOSPC")]);
    expect(existsSync(path.join(folder, "x"))).toBe(false);
  });

  it("of a damaged ledger: what can be read, then what is wrong", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 2_000);
    const { size } = statSync(databaseIn(dataDir));
    flip(databaseIn(dataDir), Math.floor(size / 2 / PAGE) * PAGE);
    const { code, stderr } = await cli(["ledger", "export", `--data-dir=${dataDir}`]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("the ledger cannot be read: ")]);
  });

  /** Whoever reads it, at their own pace. */
  function slowReader() {
    const stop = new AbortController();
    let taken = 0;
    let goOn: (() => void) | null = null;
    const stdout = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length;
        goOn = done;
      },
    });
    let said = "";
    const stderr = new Writable({
      write(chunk: Buffer, _encoding, done) {
        said += chunk.toString();
        done();
      },
    });
    return {
      io: { stdout, stderr, signal: stop.signal },
      stop,
      taken: () => taken,
      said: () => said,
      next: () => goOn?.(),
    };
  }

  it("waits for whoever reads it: no more than a piece is read ahead, and meanwhile it is written to", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 3_000);
    const reader = slowReader();
    const { clock, outbox } = aLedger({ dataDir, makeId: () => "later" });
    const io = { stdin: process.stdin, env: {}, clock, ...reader.io };
    const exporting = main(["ledger", "export", `--data-dir=${dataDir}`], io);
    while (reader.taken() === 0) await settle();
    await settle();
    expect(reader.taken()).toBeLessThan(2 * 65_536);
    // Nothing of it is held: the log can be emptied.
    await outbox.add([anEntry(9_999, ["chat"])], [], never);
    const db = new DatabaseSync(databaseIn(dataDir), { timeout: 0 });
    expect(db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()).toMatchObject({ busy: 0, log: 0 });
    db.close();
    const first = reader.taken();
    reader.next();
    await settle();
    expect(reader.taken()).toBeGreaterThan(first);
    expect(reader.taken() - first).toBeLessThan(2 * 65_536);
    reader.stop.abort();
    expect(await exporting).toBe(3);
    expect(reader.said()).toBe("told to stop: the export is not whole\n");
  });
});
