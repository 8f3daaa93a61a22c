import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { openHistory } from "../../../src/ledger/open.ts";
import { settle } from "../../support/clock.ts";
import {
  aLedger,
  anEntry,
  aRunningLedger,
  never,
  temporaryDirectory,
  none,
} from "../../support/ledger.ts";
import { refusalOf } from "../../support/refusal.ts";
const dead = { kind: "dead", reason: "auth", detail: "no", counted: true } as const;

describe("a ledger in memory", () => {
  test("leaves nothing on the disk, and two of them know nothing of each other", async () => {
    const [one, other] = [aRunningLedger(":memory:"), aRunningLedger(":memory:")];
    await one.outbox.add([anEntry(1, ["ops"])], [], never);
    expect(one.history.events({}).length).toBe(1);
    expect(other.history.events({})).toEqual([]);
    expect(existsSync(":memory:")).toBe(false);
  });

  test("has no history for another process", () => {
    aRunningLedger(":memory:");
    expect(refusalOf(() => openHistory(":memory:", "read"))).toBe(
      "--data-dir :memory:: there is no ledger.db in it (name the directory `run` uses)",
    );
  });
});

describe("a ledger at work", () => {
  test("is healthy until the disk refuses, and again when it takes what was held", async () => {
    const dataDir = temporaryDirectory();
    const ledger = aRunningLedger(dataDir);
    expect(ledger.healthy()).toBe(true);
    const other = new DatabaseSync(path.join(dataDir, "ledger.db"));
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    await ledger.outbox.add([anEntry(1, ["ops"])], [], never);
    expect(ledger.healthy()).toBe(false);
    expect(ledger.recorded.of("ledgerTrouble").length).toBe(1);
    other.exec("ROLLBACK");
    await ledger.clock.advance(1_000);
    expect(ledger.healthy()).toBe(true);
    expect(ledger.recorded.of("ledgerRecovered")).toEqual([[1]]);
  });

  test("says how many bytes it uses, more with each event", async () => {
    const ledger = aRunningLedger(temporaryDirectory());
    const empty = ledger.bytes();
    expect(empty).toBeGreaterThan(4_096);
    const entries = Array.from({ length: 200 }, (_, n) => anEntry(n, ["ops"]));
    await ledger.outbox.add(entries, [], never);
    expect(ledger.bytes() - empty).toBeGreaterThan(200 * 300);
  });

  test("shows its history from within: events, deliveries and counts", async () => {
    const ledger = aRunningLedger(":memory:");
    await ledger.outbox.add([anEntry(1, ["ops", "dev"])], [], never);
    ledger.outbox.settle("d1", { ...dead, at: ledger.clock.now() });
    await settle();
    expect(ledger.history.events({}).length).toBe(1);
    expect(ledger.history.deliveries({ sink: "ops" })).toMatchObject([{ id: "d1", state: "dead" }]);
    expect(Object.fromEntries(ledger.history.counts())).toEqual({
      dev: { pending: 1, delivered: 0, dead: 0, folded: 0, discarded: 0 },
      ops: { pending: 0, delivered: 0, dead: 1, folded: 0, discarded: 0 },
    });
  });

  test("writes what was settled in its last moment before it closes", async () => {
    const dataDir = temporaryDirectory();
    const ledger = aRunningLedger(dataDir);
    await ledger.outbox.add([anEntry(1, ["ops"])], [], never);
    ledger.outbox.settle("d1", { ...dead, at: ledger.clock.now() });
    expect(await ledger.close()).toBe(0);
    const history = openHistory(dataDir, "read");
    onTestFinished(() => history.close());
    expect(history.counts().get("ops")).toMatchObject({ dead: 1, pending: 0 });
  });

  test("says when it closes what only memory knew", async () => {
    const dataDir = temporaryDirectory();
    const ledger = aRunningLedger(dataDir);
    const other = new DatabaseSync(path.join(dataDir, "ledger.db"));
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    await ledger.outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops", "dev"])], [], never);
    expect(await ledger.close()).toBe(3);
    expect(await ledger.close(), "closed is closed").toBe(0);
  });

  test("lets its directory go when it closes, and can be opened again with all that was owed", async () => {
    const dataDir = temporaryDirectory();
    const before = aRunningLedger(dataDir);
    const at = { scope: "kubernetes:*", cluster: "9f2", resourceVersion: "7", at: 1 };
    await before.outbox.add([anEntry(1, ["ops"])], [at], never);
    await before.close();
    const after = aRunningLedger(dataDir);
    expect(after.outbox.due("ops", after.clock.now(), 10, none)).toMatchObject([{ id: "d1" }]);
    expect(after.outbox.checkpoints().get("kubernetes:*")).toEqual(at);
    expect(await after.outbox.add([anEntry(1, ["ops"])], [], never)).toEqual(["duplicate"]);
  });
});

describe("a history that is looked at", () => {
  test("gives a hundred rows where no number is given, the newest", async () => {
    const { outbox, history } = aLedger();
    const entries = Array.from({ length: 130 }, (_, n) => anEntry(n, ["ops"]));
    await outbox.add(entries, [], never);
    expect(history.events({}).length).toBe(100);
    expect(history.events({})[0]?.event.object.name).toBe("web-129");
    expect(history.deliveries({}).length).toBe(100);
    expect(history.deliveries({})[0]?.id).toBe("d130");
    expect(history.events({ limit: 130 }).length).toBe(130);
    expect(history.deliveries({ limit: 1 }).length).toBe(1);
  });

  test("by deliveries: each filter alone narrows it, and all together", async () => {
    const { outbox, clock, history } = aLedger();
    const entry = (n: number, object: { kind: string; namespace: string | null }) => {
      const { event, ...rest } = anEntry(n, ["ops", "dev"], n === 1 ? "BackOff" : "Rebooted");
      if (event === null) throw new Error("an entry has an event");
      const changed = { ...event, object: { ...event.object, ...object } };
      return { ...rest, event: changed, alert: { kind: "event", event: changed } as const };
    };
    await outbox.add([entry(1, { kind: "Pod", namespace: "shop" })], [], never);
    await clock.advance(60_000);
    await outbox.add([entry(2, { kind: "Node", namespace: null })], [], never);
    outbox.settle("d3", { ...dead, at: clock.now() });
    await settle();
    const ids = (filter: Parameters<typeof history.deliveries>[0]) =>
      history.deliveries(filter).map(({ id }) => id);
    expect(ids({})).toEqual(["d4", "d3", "d2", "d1"]);
    expect(ids({ kind: "Node" })).toEqual(["d4", "d3"]);
    expect(ids({ namespace: "shop" })).toEqual(["d2", "d1"]);
    expect(ids({ name: "web-2" })).toEqual(["d4", "d3"]);
    expect(ids({ reason: "BackOff" })).toEqual(["d2", "d1"]);
    expect(ids({ sink: "dev" })).toEqual(["d4", "d2"]);
    expect(ids({ state: "dead" })).toEqual(["d3"]);
    expect(ids({ since: clock.now() })).toEqual(["d4", "d3"]);
    expect(ids({ kind: "Node", sink: "ops", state: "dead", reason: "Rebooted" })).toEqual(["d3"]);
    expect(ids({ kind: "Pod", state: "dead" })).toEqual([]);
  });

  test("from an older kube-crier waits for `run` to bring the file up to date", () => {
    const dataDir = temporaryDirectory();
    const db = new DatabaseSync(path.join(dataDir, "ledger.db"));
    // Before the first version's tables.
    db.exec("PRAGMA journal_mode = WAL");
    db.close();
    for (const mode of ["read", "write"] as const)
      expect(refusalOf(() => openHistory(dataDir, mode))).toMatch(
        /: the ledger has version 0, this program reads version \d+ \(start `run` once: it brings the file up to date\)$/u,
      );
    const ledger = aRunningLedger(dataDir);
    expect(ledger.history.events({})).toEqual([]);
    const history = openHistory(dataDir, "read");
    onTestFinished(() => history.close());
    expect(history.counts().size).toBe(0);
  });
});

describe("a data directory that cannot be locked", () => {
  test("says so, and what to do", () => {
    const dataDir = temporaryDirectory();
    mkdirSync(path.join(dataDir, "run.lock"));
    expect(refusalOf(() => aRunningLedger(dataDir))).toBe(
      `--data-dir ${dataDir}: the directory cannot be locked: the database file cannot be opened (SQLite 14: unable to open database file) (give a directory this user may write, on a volume that is not mounted read-only)`,
    );
  });

  test("with a lock file that is something else is not run on", () => {
    const dataDir = temporaryDirectory();
    writeFileSync(
      path.join(dataDir, "run.lock"),
      "somebody's notes, as long as a page.\n".repeat(200),
    );
    expect(refusalOf(() => aRunningLedger(dataDir))).toMatch(
      /cannot be locked: not a database file/u,
    );
  });
});
