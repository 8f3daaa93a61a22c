import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isAhead, leastOf, outlived } from "../../../src/ledger/outlived.ts";
import { Retention } from "../../../src/ledger/retention.ts";
import { AdjustedClock, settle } from "../../support/clock.ts";
import { aDigestOf } from "../../support/alerts.ts";
import {
  aLedger,
  anEntry,
  aRunningLedger,
  never,
  temporaryDirectory,
  none,
} from "../../support/ledger.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;

const turns = async () => {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A ledger as `run` has it, with a history of two hours, on a machine whose clock is not to be trusted. */
function onAMachine(options: { maxBytes?: number } = {}) {
  const clock = new AdjustedClock("2026-11-20T08:00:00Z", turns);
  const ledger = aRunningLedger(temporaryDirectory(), { ...options, clock, historyMs: 2 * HOUR });
  const { outbox, history } = ledger;
  const take = async (from: number, count: number, sinks: readonly string[] = ["ops"]) => {
    const entries = Array.from({ length: count }, (_, n) => anEntry(from + n, sinks));
    return outbox.add(entries, [], never);
  };
  const deliver = async () => {
    for (const { id } of outbox.due("ops", clock.now(), 10_000, none))
      outbox.settle(id, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    await settle();
  };
  const names = () =>
    history
      .events({ limit: 10_000 })
      .map(({ event }) => event.object.name)
      .toReversed();
  /** However many turns its small transactions take. */
  const left = async (count: number) => {
    for (let turn = 0; turn < 100 && names().length !== count; turn += 1) await settle();
    const all = names();
    expect(all.length).toBe(count);
    return all;
  };
  return { ...ledger, clock, take, deliver, names, left };
}

describe("what was taken while the clock was ahead", () => {
  test("goes when what was taken after it is old, and hides nothing behind it", async () => {
    const { clock, take, deliver, left, outbox } = onAMachine();
    clock.ahead = YEAR;
    // More than fit into one transaction of retention's, by far.
    await take(1, 450);
    await deliver();
    clock.ahead = 0;
    await clock.advance(MINUTE);
    await take(1_001, 250);
    await deliver();
    await clock.advance(HOUR);
    await take(2_001, 1);
    await deliver();
    await clock.advance(59 * MINUTE);
    // Nothing is two hours old yet.
    await left(701);
    await clock.advance(4 * MINUTE);
    expect(await left(1)).toEqual(["web-2001"]);
    expect(outbox.pending("ops", clock.now()).total).toBe(0);
  });

  test("stays as long as it is owed, and so does what is owed behind it", async () => {
    const { clock, take, deliver, left } = onAMachine();
    clock.ahead = YEAR;
    await take(1, 150, ["dev"]);
    await take(201, 150);
    await deliver();
    clock.ahead = 0;
    await take(401, 150);
    await deliver();
    await take(601, 2, ["dev"]);
    await clock.advance(2 * HOUR + 2 * MINUTE);
    const owed = await left(152);
    expect([owed[0], owed.at(149), owed.at(150), owed.at(-1)]).toEqual([
      "web-1",
      "web-150",
      "web-601",
      "web-602",
    ]);
  });

  test("of a clock that is still ahead, is as old as that clock says", async () => {
    const { clock, take, deliver, left } = onAMachine();
    clock.ahead = YEAR;
    await take(1, 150);
    await deliver();
    await clock.advance(2 * HOUR - MINUTE);
    await left(150);
    await clock.advance(3 * MINUTE);
    expect(await left(0)).toEqual([]);
  });

  test("was settled then and taken before: it goes by when it was taken", async () => {
    const { clock, take, deliver, left } = onAMachine();
    await take(1, 120);
    clock.ahead = YEAR;
    await deliver();
    clock.ahead = 0;
    await clock.advance(2 * HOUR - MINUTE);
    await left(120);
    await clock.advance(3 * MINUTE);
    expect(await left(0)).toEqual([]);
  });

  test("is the oldest history where the size is over, and nothing owed is given up for it", async () => {
    const { clock, take, deliver, names, recorded, ...machine } = onAMachine({
      maxBytes: 1_000_000,
    });
    clock.ahead = YEAR;
    await take(1, 600);
    await deliver();
    clock.ahead = 0;
    await take(1_001, 100, ["dev"]);
    for (let from = 2_001; machine.bytes() <= 1_000_000; from += 50) {
      await take(from, 50);
      await deliver();
    }
    await clock.advance(1_000);
    for (let turn = 0; turn < 100 && machine.bytes() > 900_000; turn += 1) await settle();
    expect(machine.bytes()).toBeLessThan(900_000);
    const kept = names();
    expect(kept).not.toContain("web-1");
    expect(kept.filter((name) => /^web-1\d{3}$/.test(name)).length).toBe(100);
    expect(recorded.of("dead")).toEqual([]);
  });
});

describe("a clock that is set back", () => {
  test("does not keep retention from its next round until it shows the old time again", async () => {
    const { clock, take, deliver, left } = onAMachine();
    clock.ahead = YEAR;
    await clock.advance(10 * MINUTE);
    clock.ahead = 0;
    await take(1, 3);
    await deliver();
    await clock.advance(2 * HOUR + 2 * MINUTE);
    expect(await left(0)).toEqual([]);
  });

  test("too far, as of a machine that begins in 1970, forgets nothing that is known", async () => {
    const { clock, take, deliver, left } = onAMachine();
    await take(1, 150);
    await deliver();
    clock.ahead = -clock.now();
    await take(201, 150);
    await deliver();
    await clock.advance(90 * MINUTE);
    await left(300);
    expect(new Set(await take(1, 150))).toEqual(new Set(["duplicate"]));
    clock.ahead = 0;
    await clock.advance(20 * MINUTE);
    expect(new Set(await take(1, 150))).toEqual(new Set(["duplicate"]));
    await clock.advance(15 * MINUTE);
    expect(await left(0)).toEqual([]);
  });
});

describe("digests, gaps and attempts of a time to come", () => {
  function aRetention() {
    const clock = new AdjustedClock();
    const ledger = aLedger({ clock });
    const settled = async (ahead: number) => {
      clock.ahead = ahead;
      const { id } = ledger.outbox.fold("ops", [], aDigestOf(1), clock.now());
      ledger.outbox.settle(id, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
      clock.ahead = 0;
      await settle();
      return id;
    };
    return { ...ledger, clock, settled, retention: new Retention(ledger.db) };
  }

  test("digests go with the first that was owed after them and is old", async () => {
    const { clock, settled, retention, history } = aRetention();
    await settled(YEAR);
    await settled(YEAR);
    await clock.advance(HOUR);
    expect(retention.pruneSummaries(clock.now(), clock.now(), 10)).toBe(0);
    await settled(0);
    const later = await settled(YEAR);
    await clock.advance(1);
    expect(retention.pruneSummaries(clock.now(), clock.now(), 10)).toBe(3);
    expect(history.deliveries({}).map(({ id }) => id)).toEqual([later]);
  });

  test("digests go in pieces no larger than asked for", async () => {
    const { clock, settled, retention, history } = aRetention();
    for (let n = 0; n < 5; n += 1) await settled(YEAR);
    await settled(0);
    await clock.advance(1);
    const steps = [1, 2, 3, 4].map(() => retention.pruneSummaries(clock.now(), clock.now(), 2));
    expect(steps).toEqual([2, 2, 2, 0]);
    expect(history.deliveries({})).toEqual([]);
  });

  test("attempts of more than a day ahead are no attempts of any budget", () => {
    const { outbox, clock, retention } = aRetention();
    const at = clock.now();
    for (const time of [at, at + 25 * HOUR, at + 25 * HOUR + 1, at + YEAR])
      outbox.attempting("ops", time);
    expect(retention.pruneSummaries(0, at, 10)).toBe(2);
    expect(outbox.recentAttempts("ops", 0)).toEqual([at, at + 25 * HOUR]);
  });
});

describe("whatever the clock was set to meanwhile", () => {
  const row = (seq: number, takenAt: number) => ({ seq, takenAt, isKept: false });

  test("nothing is forgotten before its time, once, and all of it soon after", () => {
    const ahead = fc.oneof(fc.nat(3 * HOUR), fc.nat(YEAR));
    const jumps = fc.array(fc.record({ rows: fc.integer({ min: 1, max: 20 }), ahead }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(jumps, fc.integer({ min: 2, max: 9 }), (happened, limit) => {
        const { db, clock } = aLedger();
        const retention = new Retention(db);
        const insert = db.prepare(
          "INSERT INTO occurrence (seq, key, received_at, kind, name, reason, event) VALUES (?, ?, ?, '', '', '', '')",
        );
        let last = clock.now();
        const taken: number[] = [];
        // The last is taken by a clock that is right.
        for (const { rows, ahead: by } of [...happened, { rows: 1, ahead: 0 }])
          for (let n = 0; n < rows; n += 1) {
            last += MINUTE;
            insert.run(taken.push(last), String(taken.length), last + by);
          }
        const left = () =>
          db
            .prepare("SELECT seq FROM occurrence")
            .all()
            .map(({ seq }) => seq);
        const round = (now: number) => {
          for (let cursor: number | null = 0; cursor !== null;)
            ({ cursor } = retention.prune(now - HOUR, now, cursor, limit));
        };
        const end = last + (happened.length + 2) * 1.5 * HOUR;
        for (let now = last; now <= end; now += 11 * MINUTE) {
          round(now);
          const young = taken.flatMap((at, index) => (at >= now - HOUR ? index + 1 : []));
          expect(left()).toEqual(expect.arrayContaining(young));
        }
        expect(left()).toEqual([]);
        db.close();
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ["all are old", [row(1, 1), row(2, 2)], null, [1, 2]],
    ["one that is ahead before one that is old", [row(1, 99), row(2, 2)], null, [1, 2]],
    ["one that is ahead behind one that is old", [row(1, 1), row(2, 99)], null, [1]],
    ["one that is young stays, whoever is behind it", [row(1, 12), row(2, 2)], null, [2]],
    ["all are ahead, and what is behind them is old", [row(1, 99), row(2, 98)], row(9, 3), [1, 2]],
    ["all are ahead, and what is behind them is young", [row(1, 99)], row(9, 12), []],
  ])("%s", (_, rows, behind, expected) => {
    const old = outlived(rows, { before: 10, now: 20, behind }).map(({ seq }) => seq);
    expect(old).toEqual(expected);
  });

  test("it is asked what stands behind the last only where that is ahead, and does not go anyway", () => {
    expect(isAhead(undefined, { before: 10, now: 20 })).toBe(false);
    expect(isAhead(row(1, 21), { before: 10, now: 20 })).toBe(true);
    expect(isAhead(row(1, 20), { before: 10, now: 20 })).toBe(false);
    expect(isAhead(row(1, 21), { before: 1_000, now: 20 })).toBe(false);
  });

  test("halving finds the least, with few looks", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), fc.nat(1_000_000), (low, more, where) => {
        const [high, least] = [low + more, low + (where % (more + 1))];
        const halves = leastOf(low, high);
        let looks = 0;
        let step = halves.next();
        while (step.done !== true) {
          looks += 1;
          step = halves.next(step.value >= least);
        }
        expect(step.value).toBe(least);
        expect(looks).toBeLessThanOrEqual(20);
      }),
    );
  });
});
