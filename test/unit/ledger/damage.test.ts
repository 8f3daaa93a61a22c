import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { Loss } from "../../../src/ledger/aside.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { cutOff, databaseIn, filledLedger, flip, PAGE } from "../../support/damage.ts";
import {
  aLedger,
  anEntry,
  aRunningLedger,
  countingIds,
  never,
  temporaryDirectory,
} from "../../support/ledger.ts";
import { refusalOf } from "../../support/refusal.ts";

const MINUTE = 60_000;
const NOW = "2026-11-20T09:00:00Z";

function open(dataDir: string, clock = new FakeClock(NOW)) {
  const ledger = aRunningLedger(dataDir, { clock, makeId: countingIds("n") });
  const losses: Loss[] = [];
  ledger.onLoss((loss) => losses.push(loss));
  return { ...ledger, losses };
}

const asideIn = (dataDir: string) =>
  readdirSync(dataDir).filter((name) => name.includes(".damaged-"));

function inFile(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

/** What happens to files, and the words it is reported with. */
const DAMAGES: readonly (readonly [string, (file: string) => void, RegExp])[] = [
  ["emptied", (file) => cutOff(file, 0), /has 0 bytes: it was cut off/],
  ["cut to a byte", (file) => cutOff(file, 1), /has 1 bytes/],
  ["cut within its header", (file) => cutOff(file, 99), /has 99 bytes/],
  ["cut within its first page", (file) => cutOff(file, 512), /damaged .*SQLite 11/],
  ["cut behind its first page", (file) => cutOff(file, PAGE), /damaged .*SQLite 11/],
  [
    "something else altogether",
    (file) => writeFileSync(file, "Not a database, but as long as one.\n".repeat(99)),
    /not a database file \(SQLite 26/,
  ],
  ["without its first word", (file) => flip(file, 0, 16), /not a database file/],
  ["with a page size that is none", (file) => flip(file, 16, 18), /SQLite (11|26)/],
  ["of version -1", (file) => inFile(file, "PRAGMA user_version = -1"), /of version -1/],
  ["with a table's description torn", (file) => flip(file, 100, PAGE), /SQLite 11/],
  ["without a table", (file) => inFile(file, "DROP TABLE attempt"), /has lost attempt/],
  [
    "without an index",
    (file) => inFile(file, "DROP INDEX delivery_pending"),
    /has lost delivery_pending/,
  ],
  [
    "of another program",
    (file) => {
      rmSync(file);
      inFile(file, "CREATE TABLE grafana (id TEXT)");
    },
    /is no ledger: it holds grafana/,
  ],
  [
    "gone, with its log left behind",
    (file) => renameSync(file, `${file}-wal`),
    /is gone, only its write-ahead log is left/,
  ],
];

describe("a ledger found damaged at the start", () => {
  test.each(DAMAGES)(
    "%s: is set aside as it is, said, and a new one used",
    async (_, harm, why) => {
      const dataDir = temporaryDirectory();
      const file = databaseIn(dataDir);
      await filledLedger(dataDir);
      harm(file);
      const left = existsSync(file) ? file : `${file}-wal`;
      const found = readFileSync(left);

      const ledger = open(dataDir);
      const aside = `${file}.damaged-20261120T090000Z`;
      expect(ledger.recorded.of("ledgerReplaced")).toEqual([
        [expect.stringMatching(why), aside, ledger.losses[0]?.owed],
      ]);
      expect(readFileSync(left.replace(file, aside)), "kept to the byte").toEqual(found);
      expect(ledger.losses).toMatchObject([{ aside, at: Date.parse(NOW) }]);
      expect(await ledger.outbox.add([anEntry(1, ["chat"])], [], never)).toEqual(["enqueued"]);
      expect(ledger.history.counts().get("chat")?.pending).toBe(1);
      await ledger.close();

      const next = open(dataDir);
      expect(next.losses, "and that was it").toEqual([]);
      expect(next.history.counts().get("chat")?.pending).toBe(1);
      expect(asideIn(dataDir).filter((name) => !/-(wal|shm)$/.test(name)).length).toBeLessThan(2);
    },
  );

  test("its log goes with it, so that nothing of the old one gets into the new one", async () => {
    const dataDir = temporaryDirectory();
    // Killed: the log was not taken into the file.
    const { outbox } = aLedger({ dataDir });
    await outbox.add([anEntry(1, ["chat"])], [], never);
    const file = databaseIn(dataDir);
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    const copy = temporaryDirectory();
    writeFileSync(databaseIn(copy), "x".repeat(2 * PAGE));
    const log = readFileSync(`${file}-wal`);
    writeFileSync(`${databaseIn(copy)}-wal`, log);
    const ledger = open(copy);
    expect(ledger.history.deliveries({})).toEqual([]);
    expect(readFileSync(`${databaseIn(copy)}.damaged-20261120T090000Z-wal`)).toEqual(log);
  });

  test("says what it owed and since when, where that can still be read", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 7);
    inFile(databaseIn(dataDir), "DROP TABLE checkpoint");
    const { losses, recorded } = open(dataDir);
    // Since the oldest was owed: 08:00.
    expect(losses).toMatchObject([{ owed: 7, since: Date.parse("2026-11-20T08:00:00Z") }]);
    expect(recorded.of("ledgerReplaced")[0]?.[2]).toBe(7);
  });

  test("otherwise since it was written last", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir);
    const file = databaseIn(dataDir);
    cutOff(file, 512);
    const written = new Date("2026-11-20T08:42:00Z");
    utimesSync(file, written, written);
    expect(open(dataDir).losses).toMatchObject([{ owed: null, since: written.getTime() }]);
  });

  test("with a time that has not come yet, since now", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir);
    cutOff(databaseIn(dataDir), 512);
    const at = Date.parse(NOW);
    utimesSync(databaseIn(dataDir), new Date(at + MINUTE), new Date(at + MINUTE));
    expect(open(dataDir).losses).toMatchObject([{ since: at, at }]);
  });

  test("of those set aside three are kept, so that a bad disk is not filled with them", async () => {
    const dataDir = temporaryDirectory();
    for (let hour = 0; hour < 5; hour += 1) {
      writeFileSync(databaseIn(dataDir), `damaged ${hour} `.repeat(20));
      await open(dataDir, new FakeClock(`2026-11-20T0${hour}:00:00Z`)).close();
    }
    expect(asideIn(dataDir).toSorted()).toEqual([
      "ledger.db.damaged-20261120T020000Z",
      "ledger.db.damaged-20261120T030000Z",
      "ledger.db.damaged-20261120T040000Z",
    ]);
  });

  test("the newest is kept, though the clock was ahead when others were set aside", async () => {
    const dataDir = temporaryDirectory();
    for (const time of ["2031-01-01", "2031-01-02", "2031-01-03", "2026-11-20"]) {
      writeFileSync(databaseIn(dataDir), `damaged ${time} `.repeat(20));
      await open(dataDir, new FakeClock(`${time}T00:00:00Z`)).close();
    }
    expect(asideIn(dataDir).toSorted()).toEqual([
      "ledger.db.damaged-20261120T000000Z",
      "ledger.db.damaged-20310102T000000Z",
      "ledger.db.damaged-20310103T000000Z",
    ]);
    expect(readFileSync(path.join(dataDir, "ledger.db.damaged-20261120T000000Z"), "utf8")).toMatch(
      /^damaged 2026-11-20/,
    );
  });

  test("two in one second do not overwrite one another", async () => {
    const dataDir = temporaryDirectory();
    for (const words of ["first ", "second "]) {
      writeFileSync(databaseIn(dataDir), words.repeat(50));
      await open(dataDir).close();
    }
    expect(
      asideIn(dataDir).map((name) => readFileSync(path.join(dataDir, name), "utf8").slice(0, 6)),
    ).toEqual(["first ", "second"]);
  });
});

describe("a ledger found damaged while it is in use", () => {
  /** The tables are described well; what they hold is torn. */
  async function torn() {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir);
    flip(databaseIn(dataDir), 2 * PAGE);
    return { dataDir, ...open(dataDir) };
  }

  test("what is taken goes into the new one, and nothing waits", async () => {
    const { outbox, history, losses, recorded, clock, dataDir } = await torn();
    expect(losses).toEqual([]);
    expect(await outbox.add([anEntry(1, ["chat"])], [], never)).toEqual(["enqueued"]);
    await settle();
    expect(losses).toMatchObject([{ detail: expect.stringMatching(/SQLite 11/), at: clock.now() }]);
    expect(recorded.of("ledgerReplaced").length).toBe(1);
    expect(recorded.of("ledgerTrouble")).toEqual([]);
    expect(outbox.due("chat", clock.now(), 10, new Set())).toMatchObject([{ id: "n1" }]);
    expect(history.counts().get("chat")).toMatchObject({ pending: 1 });
    expect(asideIn(dataDir)).toContain("ledger.db.damaged-20261120T090000Z");
  });

  test.each([
    [
      "what is due",
      ({ outbox }: ReturnType<typeof open>) => outbox.due("chat", 9e15, 9, new Set()),
    ],
    ["what is pending", ({ outbox }) => outbox.pending("chat", 0)],
    ["the history", ({ history }) => history.events({})],
    ["the counts", ({ history }) => history.counts()],
    ["the checkpoints and all else", ({ outbox }) => outbox.add([anEntry(1, [])], [], never)],
  ])("by who asks for %s: the answer is the new one's", async (_, ask) => {
    const ledger = await torn();
    await ask(ledger);
    await settle();
    expect(ledger.losses.length).toBe(1);
    expect(ledger.healthy()).toBe(true);
    expect(ledger.history.deliveries({})).toEqual([]);
  });

  test("by its keeper, when nobody else looks", async () => {
    const { clock, losses } = await torn();
    await clock.advance(2 * MINUTE);
    expect(losses.length).toBe(1);
  });

  test("wakes the lanes, and what one of them still carried is settled without harm", async () => {
    const { outbox, clock } = await torn();
    let woken = 0;
    outbox.onAdded("chat", () => (woken += 1));
    outbox.settle("d1", { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    await settle();
    expect(woken).toBe(1);
    expect(outbox.pending("chat", clock.now()).total).toBe(0);
  });

  /** Damages the new one as well; what another connection changes is read from the file again. */
  function spoil(dataDir: string): void {
    const file = databaseIn(dataDir);
    inFile(file, "DELETE FROM attempt; PRAGMA wal_checkpoint(TRUNCATE)");
    inFile(file, "INSERT INTO attempt VALUES ('x', 1); PRAGMA wal_checkpoint(TRUNCATE)");
    flip(file, PAGE);
  }

  test("a disk that tears the new one too is waited for, with everything in memory", async () => {
    const { outbox, dataDir, clock, losses, recorded } = await torn();
    await outbox.add([anEntry(1, ["chat"])], [], never);
    await settle();
    spoil(dataDir);
    await outbox.add([anEntry(2, ["chat"])], [], never);
    expect(losses.length, "not twice in a minute").toBe(1);
    expect(recorded.of("ledgerTrouble")).toMatchObject([[expect.stringContaining("SQLite 11")]]);
    await clock.advance(30_000);
    expect(losses.length).toBe(1);
    await clock.advance(31_000);
    expect(losses.length).toBe(2);
    expect(recorded.of("ledgerRecovered").length).toBe(1);
    expect(outbox.due("chat", clock.now(), 10, new Set()).map(({ id }) => id)).toContain("n2");
  });

  test("a clock that was set back since does not make anybody wait for its time to come again", async () => {
    const ledger = await torn();
    const { outbox, dataDir, clock, losses } = ledger;
    await outbox.add([anEntry(1, ["chat"])], [], never);
    await settle();
    clock.setBack(24 * 60 * MINUTE);
    spoil(dataDir);
    await outbox.add([anEntry(2, ["chat"])], [], never);
    await settle();
    expect([losses.length, ledger.healthy()]).toEqual([2, true]);
  });
});

describe("a new one that cannot be made yet", () => {
  test("is tried again every second; until then memory holds what is owed", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir);
    flip(databaseIn(dataDir), 2 * PAGE);
    // In the way of the file that is made first.
    mkdirSync(`${databaseIn(dataDir)}.new`);
    const ledger = open(dataDir);
    const { outbox, clock, losses, recorded } = ledger;
    expect(await outbox.add([anEntry(1, ["chat"])], [], never)).toEqual(["enqueued"]);
    await settle();
    expect([losses.length, ledger.healthy()]).toEqual([0, false]);
    expect(recorded.of("ledgerTrouble")).toMatchObject([
      [expect.stringMatching(/cannot be replaced: /)],
    ]);
    expect(outbox.due("chat", clock.now(), 9, new Set())).toMatchObject([{ id: "n1" }]);
    await clock.advance(5_000);
    expect([losses.length, ledger.healthy()]).toEqual([0, false]);
    expect(asideIn(dataDir)).toEqual([]);

    rmdirSync(`${databaseIn(dataDir)}.new`);
    await clock.advance(1_000);
    expect([losses.length, ledger.healthy()]).toEqual([1, true]);
    expect(ledger.history.deliveries({})).toMatchObject([{ id: "n1", state: "pending" }]);
  });

  test("at the start is said, with what is in the way; the next start finds what this one has found", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir);
    cutOff(databaseIn(dataDir), 512);
    mkdirSync(`${databaseIn(dataDir)}.new`);
    expect(refusalOf(() => open(dataDir))).toMatch(
      /the ledger cannot be opened: .*damaged .*cannot be replaced: .*ledger\.db\.new/,
    );
    expect(asideIn(dataDir)).toEqual([]);
    rmdirSync(`${databaseIn(dataDir)}.new`);
    expect(open(dataDir).losses.length).toBe(1);
  });
});

describe("what is no damage", () => {
  test("a lock file of nonsense: it may be somebody else's, so it is said, and left", () => {
    const dataDir = temporaryDirectory();
    const file = path.join(dataDir, "run.lock");
    writeFileSync(file, "somebody's notes".repeat(999));
    expect(refusalOf(() => open(dataDir))).toMatch(
      /cannot be locked: not a database file .*\(run\.lock in it is none .*: remove it if nothing else/,
    );
    expect(readFileSync(file, "utf8").slice(0, 16)).toBe("somebody's notes");
    rmSync(file);
    expect(open(dataDir).losses).toEqual([]);
  });

  test("a torn write-ahead log: what it held is undone whole, as after a power cut, and the file is sound", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 3);
    const { outbox } = aLedger({ dataDir, makeId: countingIds("late") });
    await outbox.add([anEntry(10, ["chat"])], [], never);
    await outbox.add([anEntry(11, ["chat"])], [], never);
    const copy = temporaryDirectory();
    for (const part of ["", "-wal", "-shm"])
      writeFileSync(databaseIn(copy) + part, readFileSync(databaseIn(dataDir) + part));
    const log = `${databaseIn(copy)}-wal`;
    flip(log, statSync(log).size - 100);
    const { losses, history } = open(copy);
    expect(history.deliveries({}).map(({ id }) => id)).toEqual(["late1", "d3", "d2", "d1"]);
    expect(losses).toEqual([]);
  });

  test.each(["-wal", "-shm"])("a %s of nonsense", async (part) => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 3);
    writeFileSync(databaseIn(dataDir) + part, "nonsense".repeat(9_000));
    const { losses, history } = open(dataDir);
    expect(history.counts().get("chat")).toMatchObject({ pending: 3 });
    expect(losses).toEqual([]);
  });

  test("a first start that was killed while it made the file", () => {
    const dataDir = temporaryDirectory();
    writeFileSync(`${databaseIn(dataDir)}.new`, "half of");
    writeFileSync(`${databaseIn(dataDir)}.new-journal`, "");
    const { losses } = open(dataDir);
    expect(losses).toEqual([]);
    expect(readdirSync(dataDir).filter((name) => name.includes(".new"))).toEqual([]);
  });

  test("a directory in its place: said, and left", () => {
    const dataDir = temporaryDirectory();
    mkdirSync(databaseIn(dataDir));
    expect(refusalOf(() => open(dataDir))).toMatch(/: ledger\.db in it is no file \(move it away/);
    expect(asideIn(dataDir)).toEqual([]);
  });

  test("a lock of another program: said, and left", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 3);
    const other = new DatabaseSync(databaseIn(dataDir));
    other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    expect(refusalOf(() => open(dataDir))).toMatch(
      /locked .*\(another program has it open: end it/,
    );
    other.close();
    expect(asideIn(dataDir)).toEqual([]);
    expect(open(dataDir).history.counts().get("chat")).toMatchObject({ pending: 3 });
  });

  test("a newer version: both versions named, and left", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 3);
    inFile(databaseIn(dataDir), "PRAGMA user_version = 99");
    expect(refusalOf(() => open(dataDir))).toMatch(
      /the ledger has version 99, this program knows up to \d+ \(run the kube-crier that wrote it/,
    );
    expect(asideIn(dataDir)).toEqual([]);
  });

  test("a directory where nothing can be written", () => {
    // Even root may not there.
    expect(refusalOf(() => open("/proc/self"))).toMatch(
      /cannot be locked: the database file cannot be opened .*\(give a directory this user may write/,
    );
  });

  test("a disk that takes no more", { timeout: 60_000 }, async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 400);
    const before = readFileSync(databaseIn(dataDir));
    const program = path.resolve(import.meta.dirname, "../../../src/ledger/database.ts");
    const script = `const { openDatabase } = await import(${JSON.stringify(program)});
      try { openDatabase(${JSON.stringify(dataDir)}, 10); console.log("opened") } catch (error) { console.log(error.message) }`;
    // No file may grow: the shared memory beside the log cannot be made.
    const limited = 'ulimit -f 0; exec "$@"';
    const { stdout } = spawnSync(
      "sh",
      ["-c", limited, "sh", process.execPath, "--input-type=module", "-e", script],
      { encoding: "utf8" },
    );
    expect(stdout).toMatch(/the ledger cannot be opened: (disk I\/O error|the disk is full) /);
    expect(readFileSync(databaseIn(dataDir)), "left as it is").toEqual(before);
    expect(asideIn(dataDir)).toEqual([]);
  });
});
