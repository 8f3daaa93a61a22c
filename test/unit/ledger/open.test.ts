import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openHistory } from "../../../src/ledger/open.ts";
import { settle } from "../../support/clock.ts";
import { anEntry, aRunningLedger, never, temporaryDirectory, none } from "../../support/ledger.ts";
import { MIGRATIONS } from "../../../src/ledger/schema.ts";
import { anEvent } from "../../support/events.ts";
import { refusalOf } from "../../support/refusal.ts";

const MINUTE = 60_000;
const delivered = { kind: "delivered", sent: "", answer: "" } as const;

describe("the data directory", () => {
  test("is made where it is not, for this user alone", () => {
    const dataDir = path.join(temporaryDirectory(), "a", "b");
    aRunningLedger(dataDir);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(dataDir, "ledger.db")).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(dataDir, "ledger.db-wal")).mode & 0o777).toBe(0o600);
  });

  test("belongs to one process: a second is told so at once, and may come when the first has gone", async () => {
    const dataDir = temporaryDirectory();
    const first = aRunningLedger(dataDir);
    expect(refusalOf(() => aRunningLedger(dataDir))).toBe(
      `--data-dir ${dataDir}: another kube-crier is running on it (stop that one first, or give this one a directory of its own; of a Deployment with such a ledger there is one replica, and its strategy is Recreate (two need --ledger=mysql://… and --leader-elect))`,
    );
    await first.close();
    expect(refusalOf(() => aRunningLedger(dataDir))).toBe("not refused");
  });

  test("is free again when its process was killed", { timeout: 30_000 }, async () => {
    const dataDir = temporaryDirectory();
    const lock = path.resolve(import.meta.dirname, "../../../src/ledger/lock.ts");
    const script = `const { lockDataDir } = await import(${JSON.stringify(lock)});
      globalThis.unlock = lockDataDir(${JSON.stringify(dataDir)}); console.log("held"); setInterval(() => {}, 1e6);`;
    const other = spawn(process.execPath, ["--input-type=module", "-e", script]);
    onTestFinished(() => void other.kill("SIGKILL"));
    await once(other.stdout, "data");
    expect(refusalOf(() => aRunningLedger(dataDir))).toContain(
      "another kube-crier is running on it",
    );
    other.kill("SIGKILL");
    await once(other, "exit");
    expect(refusalOf(() => aRunningLedger(dataDir))).toBe("not refused");
  });

  test("can be held where the disk is full", () => {
    const exec = vi.spyOn(DatabaseSync.prototype, "exec");
    onTestFinished(() => exec.mockRestore());
    aRunningLedger(temporaryDirectory());
    const [lock] = exec.mock.contexts as DatabaseSync[];
    expect(lock?.location()).toMatch(/run\.lock$/u);
    expect(lock?.isTransaction).toBe(true);
    const journal = `${lock?.location()}-journal`;
    expect(existsSync(journal), "holding it takes no room").toBe(false);
  });

  test("with a file in its place, or above it: one message with the place and what to do", () => {
    const file = path.join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    for (const dataDir of [file, path.join(file, "data")]) {
      const message = refusalOf(() => aRunningLedger(dataDir));
      expect(message).toContain(`--data-dir ${dataDir}: the directory cannot be made: `);
      expect(message.split("\n").length).toBe(1);
      expect(message).toMatch(/\(give a directory this user may write.*\)$/u);
    }
  });

  test("below a link that leads nowhere", () => {
    const link = path.join(temporaryDirectory(), "link");
    symlinkSync(path.join(temporaryDirectory(), "gone"), link);
    const dataDir = path.join(link, "data");
    expect(refusalOf(() => aRunningLedger(dataDir))).toMatch(
      /the directory cannot be made: EEXIST.*link/u,
    );
  });

  test("with a ledger.db of which only a page is damaged: said when that page is read, not a crash", async () => {
    const dataDir = temporaryDirectory();
    const file = path.join(dataDir, "ledger.db");
    const ledger = aRunningLedger(dataDir);
    await ledger.outbox.add(
      Array.from({ length: 50 }, (_, n) => anEntry(n, ["chat"])),
      [],
      never,
    );
    await ledger.close();
    const bytes = readFileSync(file);
    // All but the tables' description.
    bytes.fill(0xff, 8_192);
    writeFileSync(file, bytes);
    const history = openHistory(dataDir, "read");
    onTestFinished(() => history.close());
    expect(refusalOf(() => history.events({}))).toMatch(
      /the ledger cannot be read: the database file is damaged .*the next start of `run` sets the file aside/u,
    );
    expect(refusalOf(() => history.counts())).toMatch(/the ledger cannot be read/u);
  });

  test("of version 1 is brought up to date, with all it holds", async () => {
    const dataDir = temporaryDirectory();
    const old = new DatabaseSync(path.join(dataDir, "ledger.db"));
    old.exec(MIGRATIONS[0] ?? "");
    const event = anEvent();
    old
      .prepare(
        "INSERT INTO occurrence (key, received_at, namespace, kind, name, reason, event) VALUES (?, 1, 'shop', 'Pod', 'web-0', 'BackOff', ?)",
      )
      .run(event.key, JSON.stringify(event));
    old.exec("PRAGMA user_version = 1");
    old.close();
    await aRunningLedger(dataDir).close();
    const history = openHistory(dataDir, "read");
    expect(history.events({})).toEqual([
      { event, receivedAt: 1, suppressed: null, deliveries: [] },
    ]);
    history.close();
  });

  test("from a newer kube-crier is left alone", async () => {
    const dataDir = temporaryDirectory();
    await aRunningLedger(dataDir).close();
    const db = new DatabaseSync(path.join(dataDir, "ledger.db"));
    db.exec("PRAGMA user_version = 99");
    db.close();
    expect(refusalOf(() => aRunningLedger(dataDir))).toMatch(
      /version 99, this program knows up to \d+ \(run/u,
    );
    expect(refusalOf(() => openHistory(dataDir, "read"))).toMatch(/version 99/u);
  });

  test("that may not be written is said to be so", (context) => {
    // Root may write everywhere.
    if (process.getuid?.() === 0) context.skip();
    const dataDir = temporaryDirectory();
    chmodSync(dataDir, 0o500);
    expect(refusalOf(() => aRunningLedger(dataDir))).toMatch(
      /give a directory this user may write/u,
    );
  });
});

describe("the command line beside a running process", () => {
  test("reads what is being written", async () => {
    const dataDir = temporaryDirectory();
    const running = aRunningLedger(dataDir);
    await running.outbox.add([anEntry(1, ["ops"])], [], never);
    const history = openHistory(dataDir, "read");
    onTestFinished(() => history.close());
    expect(history.events({}).length).toBe(1);
    await running.outbox.add([anEntry(2, ["ops"])], [], never);
    expect(history.events({}).length).toBe(2);
    expect(() => history.retry([], null, 0)).toThrow(/readonly/u);
  });

  test("reads what is left when nothing runs", async () => {
    const dataDir = temporaryDirectory();
    const before = aRunningLedger(dataDir);
    await before.outbox.add([anEntry(1, ["ops"])], [], never);
    await before.close();
    const history = openHistory(dataDir, "read");
    onTestFinished(() => history.close());
    expect(history.deliveries({})).toMatchObject([{ id: "d1", state: "pending" }]);
  });

  test("`dead retry` is noticed by the running process within about a second", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock } = aRunningLedger(dataDir);
    await outbox.add([anEntry(1, ["ops"])], [], never);
    const dead = { kind: "dead", reason: "auth", detail: "no", counted: true } as const;
    outbox.settle("d1", { ...dead, at: clock.now() });
    await clock.advance(1_500);
    let woken = 0;
    outbox.onAdded("ops", () => (woken += 1));
    await clock.advance(3_000);
    expect(woken).toBe(0);

    const other = openHistory(dataDir, "write");
    onTestFinished(() => other.close());
    expect(other.retry(["d1"], null, clock.now())).toBe(1);
    await clock.advance(1_500);
    expect(woken).toBe(1);
    expect(outbox.due("ops", clock.now(), 10, none)).toMatchObject([{ id: "d1", attempts: 0 }]);
  });

  test("a retry from within is noticed at once", async () => {
    const { outbox, history, clock } = aRunningLedger(":memory:");
    await outbox.add([anEntry(1, ["ops"])], [], never);
    const dead = { kind: "dead", reason: "auth", detail: "no", counted: true } as const;
    outbox.settle("d1", { ...dead, at: clock.now() });
    await settle();
    let woken = 0;
    outbox.onAdded("ops", () => (woken += 1));
    expect(history.retry([], null, clock.now())).toBe(1);
    expect(woken).toBe(1);
    expect(history.retry([], null, clock.now())).toBe(0);
    expect(woken).toBe(1);
  });

  test("no ledger yet is said, and none is made by asking", () => {
    const dataDir = temporaryDirectory();
    for (const mode of ["read", "write"] as const) {
      expect(refusalOf(() => openHistory(dataDir, mode))).toBe(
        `--data-dir ${dataDir}: there is no ledger.db in it (name the directory \`run\` uses)`,
      );
    }
    expect(existsSync(path.join(dataDir, "ledger.db"))).toBe(false);
  });
});

describe("the ledger's size and age", () => {
  test("settled history goes after two hours at the earliest: until then the cluster may bring it again", async () => {
    const { outbox, history, clock } = aRunningLedger(":memory:", { historyMs: 10 * MINUTE });
    await outbox.add([anEntry(1, ["ops"])], [], never);
    outbox.settle("d1", { ...delivered, at: clock.now() });
    await clock.advance(119 * MINUTE);
    expect(history.events({}).length).toBe(1);
    expect(await outbox.add([anEntry(1, ["ops"])], [], never)).toEqual(["duplicate"]);
    await clock.advance(2 * MINUTE);
    expect(history.events({})).toEqual([]);
  });

  test("over its size the oldest history goes first, nothing owed is touched", async () => {
    const { outbox, history, clock, recorded } = aRunningLedger(":memory:", {
      maxBytes: 2_000_000,
    });
    for (let from = 0; from < 3_000; from += 500) {
      await outbox.add(
        Array.from({ length: 500 }, (_, n) => anEntry(from + n, ["ops"])),
        [],
        never,
      );
      const due = outbox.due("ops", clock.now(), 490, none);
      for (const { id } of due) outbox.settle(id, { ...delivered, at: clock.now() });
      await clock.advance(1_000);
    }
    expect(recorded.of("dead")).toEqual([]);
    expect(history.counts().get("ops")?.pending).toBe(60);
    expect(history.counts().get("ops")?.delivered).toBeLessThan(2_500);
    // The newest is still there.
    expect(history.events({ limit: 1 })[0]?.event.object.name).toBe("web-2999");
  });

  test("when everything is owed the oldest is given up, counted and said", async () => {
    const { outbox, clock, recorded } = aRunningLedger(":memory:", { maxBytes: 2_000_000 });
    for (let from = 0; from < 3_000; from += 500) {
      await outbox.add(
        Array.from({ length: 500 }, (_, n) => anEntry(from + n, ["ops"])),
        [],
        never,
      );
      await clock.advance(1_000);
    }
    const dead = recorded.of("dead");
    expect(dead.length).toBeGreaterThan(0);
    expect(dead[0]).toEqual(["ops", "d1", "overflow", "the ledger holds more than 2000000 bytes"]);
    const { total } = outbox.pending("ops", clock.now());
    expect(total + dead.length).toBe(3_000);
    expect(total).toBeGreaterThan(500);
  });

  test("a ledger of another process's making is one file anyone can look into", () => {
    const dataDir = temporaryDirectory();
    aRunningLedger(dataDir);
    const script = `const { DatabaseSync } = require("node:sqlite");
      console.log(new DatabaseSync(process.argv[1], { readOnly: true }).prepare("SELECT COUNT(*) AS n FROM occurrence").get().n)`;
    const said = execFileSync(process.execPath, ["-e", script, path.join(dataDir, "ledger.db")]);
    expect(said.toString().trim()).toBe("0");
  });
});
