import { describe, expect, onTestFinished, test, vi } from "vitest";
import { keep } from "../../../src/ledger/keeper.ts";
import { Retention } from "../../../src/ledger/retention.ts";
import { SqliteStore } from "../../../src/ledger/sqlite.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import {
  aLedger,
  anEntry,
  never,
  temporaryDirectory,
  type TestLedger,
  none,
} from "../../support/ledger.ts";
import { aDigestOf } from "../../support/alerts.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const delivered = { kind: "delivered", sent: "", answer: "" } as const;
const digest = aDigestOf(1);

interface Kept extends TestLedger {
  readonly retention: Retention;
  readonly changes: () => number;
  readonly stop: () => Promise<void>;
}

const turns = async () => {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A ledger with its keeper at work. */
function kept(options: { historyMs?: number; maxBytes?: number; dataDir?: string } = {}): Kept {
  const { dataDir } = options;
  // Hours of seconds pass here: a turn each is enough for a keeper with little to do.
  const clock = new FakeClock(undefined, turns);
  const ledger = aLedger(dataDir === undefined ? { clock } : { dataDir, clock });
  const retention = new Retention(ledger.db);
  const stopping = new AbortController();
  let changes = 0;
  const keeping = keep(
    {
      store: new SqliteStore(ledger.db),
      retention,
      clock: ledger.clock,
      observer: ledger.recorded.observer,
      historyMs: options.historyMs ?? 0,
      maxBytes: options.maxBytes ?? 2 ** 40,
      changed: () => (changes += 1),
    },
    stopping.signal,
  );
  const stop = () => {
    stopping.abort();
    return keeping;
  };
  onTestFinished(stop);
  return { ...ledger, retention, changes: () => changes, stop };
}

async function fill({ outbox }: TestLedger, from: number, count: number): Promise<void> {
  const entries = Array.from({ length: count }, (_, n) => anEntry(from + n, ["ops"]));
  await outbox.add(entries, [], never);
}

/** However many turns its small transactions take. */
async function eventually(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !holds(); turn += 1) await settle();
  expect(holds()).toBe(true);
}

async function deliverAll({ outbox, clock }: TestLedger): Promise<void> {
  for (const { id } of outbox.due("ops", clock.now(), 10_000, none))
    outbox.settle(id, { ...delivered, at: clock.now() });
  await settle();
}

describe("the age of what is kept", () => {
  test.each([
    ["two hours where less is asked for", 10 * MINUTE, 120],
    ["two hours where two are asked for", 2 * HOUR, 120],
    ["three hours where three are asked for", 3 * HOUR, 180],
  ])("is %s", async (_, historyMs, minutes) => {
    const ledger = kept({ historyMs });
    await fill(ledger, 1, 1);
    await deliverAll(ledger);
    await ledger.clock.advance(minutes * MINUTE);
    expect(ledger.history.events({}).length).toBe(1);
    await ledger.clock.advance(MINUTE + 1_000);
    expect(ledger.history.events({})).toEqual([]);
  });

  test("is looked at once a minute, not with every second", async () => {
    const ledger = kept();
    await fill(ledger, 1, 1);
    await deliverAll(ledger);
    await ledger.clock.advance(2 * HOUR + 59_000);
    expect(ledger.history.events({}).length).toBe(1);
    await ledger.clock.advance(1_000);
    expect(ledger.history.events({})).toEqual([]);
  });

  test("counts from the settlement: what was delivered late stays for two hours more", async () => {
    const ledger = kept();
    await fill(ledger, 1, 1);
    await ledger.clock.advance(3 * HOUR);
    expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBe(1);
    await deliverAll(ledger);
    await ledger.clock.advance(2 * HOUR - MINUTE);
    expect(ledger.history.deliveries({ state: "delivered" }).length).toBe(1);
    await ledger.clock.advance(3 * MINUTE);
    expect(ledger.history.deliveries({})).toEqual([]);
  });

  test("ends for thousands at once, however small the transactions", async () => {
    const ledger = kept();
    await fill(ledger, 0, 1_700);
    await deliverAll(ledger);
    await ledger.clock.advance(2 * HOUR + MINUTE);
    await eventually(() => ledger.history.counts().size === 0);
    expect(ledger.history.events({})).toEqual([]);
  });

  test("ends for more digests than fit into one transaction", async () => {
    const ledger = kept();
    for (let n = 0; n < 1_100; n += 1) ledger.outbox.fold("ops", [], digest, ledger.clock.now());
    await deliverAll(ledger);
    expect(ledger.history.counts().get("ops")).toMatchObject({ delivered: 1_100 });
    await ledger.clock.advance(2 * HOUR + MINUTE);
    await eventually(() => ledger.history.counts().size === 0);
    expect(ledger.history.events({})).toEqual([]);
  });

  test("of attempts is 25 hours: a little more than the longest window of any budget", () => {
    const { outbox, clock, retention } = kept();
    const at = clock.now();
    outbox.attempting("ops", at);
    retention.pruneSummaries(0, at + 25 * HOUR, 10);
    expect(outbox.recentAttempts("ops", 0)).toEqual([at]);
    retention.pruneSummaries(0, at + 25 * HOUR + 1, 10);
    expect(outbox.recentAttempts("ops", 0)).toEqual([]);
  });
});

describe("the size of what is kept", () => {
  const LIMIT = 1_000_000;

  test("is brought a tenth below its limit, so that not every second has something to shed", async () => {
    const ledger = kept({ maxBytes: LIMIT });
    for (let from = 0; ledger.retention.usedBytes() <= LIMIT; from += 100) {
      await fill(ledger, from, 100);
      await deliverAll(ledger);
    }
    await ledger.clock.advance(1_000);
    await eventually(() => ledger.retention.usedBytes() <= LIMIT * 0.9);
    await settle();
    const used = ledger.retention.usedBytes();
    // And no further: history is worth something.
    expect(used).toBeGreaterThan(LIMIT * 0.4);
    expect(ledger.recorded.of("dead")).toEqual([]);
  });

  test("just below its limit is left alone", async () => {
    const ledger = kept({ maxBytes: LIMIT });
    let from = 0;
    for (; ledger.retention.usedBytes() < LIMIT * 0.95; from += 20) await fill(ledger, from, 20);
    await deliverAll(ledger);
    expect(ledger.retention.usedBytes()).toBeLessThan(LIMIT);
    await ledger.clock.advance(30_000);
    expect(ledger.history.counts().get("ops")?.delivered).toBe(from);
  });

  test("is looked at every second", async () => {
    const ledger = kept({ maxBytes: LIMIT });
    await ledger.clock.advance(10_000);
    for (let from = 0; ledger.retention.usedBytes() <= LIMIT; from += 100)
      await fill(ledger, from, 100);
    await ledger.clock.advance(999);
    expect(ledger.recorded.of("dead")).toEqual([]);
    await ledger.clock.advance(1);
    await eventually(() => ledger.recorded.of("dead").length > 0);
  });

  test("smaller than an empty ledger gives up everything owed, says so, and comes to an end", async () => {
    const ledger = kept({ maxBytes: 1 });
    await fill(ledger, 0, 1_200);
    await ledger.clock.advance(1_000);
    await eventually(() => ledger.recorded.of("dead").length === 1_200);
    expect(ledger.recorded.of("dead").at(-1)).toEqual([
      "ops",
      "d1200",
      "overflow",
      "the ledger holds more than 1 bytes",
    ]);
    await ledger.clock.advance(5_000);
    expect(ledger.recorded.of("dead").length).toBe(1_200);
  });

  test("everyone is told to look again: what was given up is not due any more", async () => {
    const ledger = kept({ maxBytes: 1 });
    await fill(ledger, 0, 10);
    expect(ledger.changes()).toBe(0);
    await ledger.clock.advance(1_000);
    await eventually(() => ledger.recorded.of("dead").length === 10);
    expect(ledger.changes()).toBe(1);
  });

  test("an end of the process in between leaves the rest for the next one", async () => {
    const ledger = kept({ maxBytes: LIMIT });
    for (let from = 0; ledger.retention.usedBytes() <= 3 * LIMIT; from += 500)
      await fill(ledger, from, 500);
    const { total } = ledger.outbox.pending("ops", ledger.clock.now());
    const shedding = ledger.clock.advance(1_000);
    // The first steps are made, the keeper has turned to others, and now is asked to end.
    await new Promise((resolve) => setImmediate(resolve));
    await ledger.stop();
    await shedding;
    expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBeGreaterThan(total / 3);
  });
});

describe("delivery, while the ledger is cleaned", () => {
  const LIMIT = 1_000_000;

  /** What the keeper and a lane do, in order: `c` for a transaction of the keeper's, `l` for a turn of the lane's. */
  async function beside(
    ledger: Kept,
    done: () => boolean,
  ): Promise<{ story: string; rows: number[] }> {
    let story = "";
    const rows: number[] = [];
    const { db, retention } = ledger;
    const total = db.prepare("SELECT total_changes() AS n");
    const now = () => Number(total.get()?.["n"]);
    for (const name of ["prune", "pruneSummaries", "overflow"] as const) {
      const work = retention[name].bind(retention) as (...all: unknown[]) => unknown;
      Object.assign(retention, {
        [name]: (...all: unknown[]) => {
          const before = now();
          const answer = work(...all);
          rows.push(now() - before);
          story += "c";
          return answer;
        },
      });
    }
    const cleaning = ledger.clock.advance(MINUTE);
    for (let turn = 0; !done(); turn += 1) {
      expect(turn, "it comes to an end").toBeLessThan(5_000);
      await fill(ledger, 1_000_000 + turn, 1);
      story += "l";
      await new Promise((resolve) => setImmediate(resolve));
    }
    await cleaning;
    return { story, rows };
  }

  test("has its turn after each transaction, and each is small: by age", async () => {
    const ledger = kept();
    for (let from = 0; from < 3_000; from += 500) await fill(ledger, from, 500);
    await deliverAll(ledger);
    await ledger.clock.advance(2 * HOUR);
    const gone = () => !ledger.history.counts().get("ops")?.delivered;
    const { story, rows } = await beside(ledger, gone);
    expect(story.match(/c/g)?.length).toBeGreaterThan(20);
    expect(story, "never two of its transactions without a turn of the lane").not.toMatch(/cc/);
    expect(Math.max(...rows)).toBeLessThanOrEqual(200);
  });

  test("has its turn after each transaction, and each is small: by size", async () => {
    const ledger = kept({ maxBytes: LIMIT });
    for (let from = 0; ledger.retention.usedBytes() <= 2 * LIMIT; from += 500)
      await fill(ledger, from, 500);
    const { story, rows } = await beside(ledger, () => ledger.retention.usedBytes() <= LIMIT * 0.9);
    expect(story).not.toMatch(/ccc/);
    expect(Math.max(...rows)).toBeLessThanOrEqual(200);
  });

  test("costs a look at each row and no more, though everything is owed", async () => {
    const ledger = kept({ maxBytes: LIMIT });
    let count = 0;
    for (; ledger.retention.usedBytes() <= 3 * LIMIT; count += 500) await fill(ledger, count, 500);
    const prune = vi.spyOn(ledger.retention, "prune");
    await ledger.clock.advance(1_000);
    while (ledger.retention.usedBytes() > LIMIT * 0.9) await settle();
    // Once over all; then a few looks for each hundred that were given up.
    expect(prune.mock.calls.length).toBeLessThan((count / 100) * 4);
  });

  test("a size used up by digests costs digests, and nothing that is owed", async () => {
    const ledger = kept({ maxBytes: 500_000 });
    await fill(ledger, 0, 20);
    const wide = { ...digest, cluster: "x".repeat(2_000) };
    while (ledger.retention.usedBytes() <= 600_000)
      ledger.outbox.fold("ops", [], wide, ledger.clock.now());
    const owed = new Set(Array.from({ length: 20 }, (_, n) => `d${n + 1}`));
    for (const { id } of ledger.outbox.due("ops", ledger.clock.now(), 10_000, owed))
      ledger.outbox.settle(id, { ...delivered, at: ledger.clock.now() });
    await ledger.clock.advance(1_000);
    await eventually(() => ledger.retention.usedBytes() <= 450_000);
    expect(ledger.recorded.of("dead")).toEqual([]);
    expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBe(20);
  });
});

describe("what others do to the ledger", () => {
  test("is noticed within a second, and once", async () => {
    const dataDir = temporaryDirectory();
    const ledger = kept({ dataDir });
    await fill(ledger, 1, 2);
    await ledger.clock.advance(5_000);
    expect(ledger.changes()).toBe(0);
    const other = aLedger({ dataDir, clock: ledger.clock, makeId: () => "other" });
    await other.outbox.add([anEntry(9, ["ops"])], [], never);
    await ledger.clock.advance(1_000);
    expect(ledger.changes()).toBe(1);
    await ledger.clock.advance(5_000);
    expect(ledger.changes()).toBe(1);
  });

  test("a disk in trouble ends nothing: the keeper comes back when it is well", async () => {
    const dataDir = temporaryDirectory();
    const ledger = kept({ dataDir });
    await fill(ledger, 1, 3);
    await deliverAll(ledger);
    await ledger.clock.advance(2 * HOUR - MINUTE);
    const other = aLedger({ dataDir, clock: ledger.clock });
    other.db.exec("BEGIN IMMEDIATE");
    await ledger.clock.advance(3 * MINUTE);
    expect(ledger.history.events({}).length).toBe(3);
    other.db.exec("ROLLBACK");
    await ledger.clock.advance(MINUTE);
    expect(ledger.history.events({})).toEqual([]);
  });

  test("ends at once when it is asked to, and does nothing any more", async () => {
    const ledger = kept();
    await fill(ledger, 1, 1);
    await deliverAll(ledger);
    await ledger.stop();
    expect(ledger.clock.sleeping).toBe(0);
    await ledger.clock.advance(3 * HOUR);
    expect(ledger.history.events({}).length).toBe(1);
  });
});
