import { copyFileSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { checkLedger } from "../../../src/ledger/check.ts";
import { openDatabase } from "../../../src/ledger/database.ts";
import { exportLedger } from "../../../src/ledger/export.ts";
import { openHistory } from "../../../src/ledger/open.ts";
import { migrate, MIGRATIONS, versionOf } from "../../../src/ledger/schema.ts";
import { FakeClock } from "../../support/clock.ts";
import { databaseIn } from "../../support/damage.ts";
import {
  anEntry,
  aRunningLedger,
  countingIds,
  never,
  temporaryDirectory,
  none,
} from "../../support/ledger.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../fixtures/ledger");
const VERSIONS = MIGRATIONS.map((_, index) => index + 1);

/** A copy of the ledger that was kept of this version, in a data directory of its own. */
function stored(version: number): { readonly dataDir: string; readonly rows: readonly unknown[] } {
  const name = path.join(FOLDER, `v${version}`);
  expect(existsSync(`${name}.db`), "make it: npx node scripts/store-ledger.ts").toBe(true);
  const dataDir = temporaryDirectory();
  copyFileSync(`${name}.db`, databaseIn(dataDir));
  const lines = readFileSync(`${name}.ndjson`, "utf8").trimEnd().split("\n");
  return { dataDir, rows: lines.map((line) => JSON.parse(line) as unknown) };
}

const open = (dataDir: string) =>
  aRunningLedger(dataDir, {
    clock: new FakeClock("2026-11-20T08:02:00Z"),
    makeId: countingIds("later"),
  });

function schemaOf(dataDir: string): readonly unknown[] {
  const db = new DatabaseSync(databaseIn(dataDir), { readOnly: true });
  const rows = db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all();
  db.close();
  return rows.map((row) => ({ ...row }));
}

describe.each(VERSIONS)("a ledger of version %i", (version) => {
  test("is of that version, untouched since", () => {
    const { dataDir, rows } = stored(version);
    const db = new DatabaseSync(databaseIn(dataDir), { readOnly: true });
    expect(versionOf(db)).toBe(version);
    db.close();
    expect(rows[0]).toMatchObject({ type: "ledger", version });
  });

  test("is opened, brought to the present version, and holds what it held", async () => {
    const { dataDir, rows } = stored(version);
    const ledger = open(dataDir);
    const { recorded, history } = ledger;
    expect(recorded.calls, "nothing is said about it").toEqual([]);
    expect(history.counts().get("ops")).toEqual({
      pending: 1,
      delivered: 1,
      dead: 0,
      folded: 0,
      discarded: 0,
    });
    await ledger.close();
    // Exports of before said less of each, and nothing of checkpoints.
    const exported = [...exportLedger(dataDir, null)];
    expect(exported.filter(({ type }) => type !== "checkpoint")).toMatchObject([
      { type: "ledger", version: MIGRATIONS.length, since: null },
      ...rows.slice(1),
    ]);
    expect(exported.at(-1)).toMatchObject({ scope: "kubernetes:*", resourceVersion: "81234" });
    expect(checkLedger(dataDir).findings).toEqual([]);
  });

  test("has the tables of one that is made today", async () => {
    const { dataDir } = stored(version);
    const fresh = temporaryDirectory();
    for (const one of [dataDir, fresh]) await open(one).close();
    expect(schemaOf(dataDir)).toEqual(schemaOf(fresh));
  });

  test("is gone on with: what is owed is due, what is known is not taken twice, the watch resumes", async () => {
    const { dataDir, rows } = stored(version);
    const { outbox, history, clock } = open(dataDir);
    const now = clock.now();
    expect(outbox.due("ops", now, 9, none)).toMatchObject([{ id: "d3", attempts: 1 }]);
    expect(outbox.due("audit", now, 9, none)).toMatchObject([{ alert: { kind: "gap" } }]);
    expect(outbox.due("chat", now, 9, none)).toMatchObject([{ alert: { kind: "digest" } }]);
    expect(outbox.checkpoints().get("kubernetes:*")).toMatchObject({ resourceVersion: "81234" });
    expect(outbox.recentAttempts("ops", 0)).toEqual([Date.parse("2026-11-20T08:00:00Z")]);
    const { event } = rows[1] as { event: ReturnType<typeof anEntry>["event"] & object };
    const again = { event, alert: { kind: "event", event }, sinks: ["ops"] } as const;
    expect(await outbox.add([again, anEntry(77, ["ops"])], [], never)).toEqual([
      "duplicate",
      "enqueued",
    ]);
    expect(history.retry([], null, now)).toBe(1);
    for (const { id } of outbox.due("ops", now, 9, none))
      outbox.settle(id, { kind: "delivered", at: now, sent: "", answer: "" });
    expect(outbox.pending("ops", now).total).toBe(0);
  });
});

describe("bringing a ledger up to date", () => {
  const TWO = ["CREATE TABLE a (x TEXT)", "ALTER TABLE a ADD COLUMN y TEXT"];

  test("does each step once, and none of those behind it", () => {
    const db = new DatabaseSync(":memory:");
    migrate(db, 0, TWO.slice(0, 1));
    expect(versionOf(db)).toBe(1);
    migrate(db, 1, TWO);
    expect(versionOf(db)).toBe(2);
    migrate(db, 2, TWO);
    expect(db.prepare("SELECT x, y FROM a").all()).toEqual([]);
    db.close();
  });

  test("that breaks in the middle leaves the last whole version, and goes on from there", () => {
    const file = path.join(temporaryDirectory(), "some.db");
    const first = new DatabaseSync(file);
    const broken = [TWO[0] ?? "", "CREATE TABLE b (x TEXT); CREATE TABLE b (x TEXT)"];
    expect(() => migrate(first, 0, broken)).toThrow(/already exists/);
    first.close();
    const second = new DatabaseSync(file);
    expect(versionOf(second)).toBe(1);
    expect(second.prepare("SELECT name FROM sqlite_schema").all()).toMatchObject([{ name: "a" }]);
    migrate(second, 1, TWO);
    expect(versionOf(second)).toBe(2);
    second.close();
  });

  test("is for `run`: one who only looks says what to do", () => {
    const dataDir = temporaryDirectory();
    const db = new DatabaseSync(databaseIn(dataDir));
    db.exec("PRAGMA journal_mode = WAL");
    db.close();
    expect(() => openHistory(dataDir, "read")).toThrow(
      `the ledger has version 0, this program reads version ${MIGRATIONS.length} (start \`run\` once: it brings the file up to date)`,
    );
    openDatabase(dataDir, 10).close();
    openHistory(dataDir, "read").close();
    expect(checkLedger(dataDir).findings).toEqual([]);
  });
});
