import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { EVERYTHING, type Filter } from "../../../src/history/history.ts";
import { indexPath, openReaderHere } from "../../../src/history/open.ts";
import { FakeClock } from "../../support/clock.ts";
import { anyone, HOUR, namesOf, NOON, paged, seen, take } from "../../support/history.ts";
import { aLedger, temporaryDirectory } from "../../support/ledger.ts";

/** Numbers of one second, and how many follow before the next minute's begin. */
const SECOND = 4_096;
const MINUTE = 60 * SECOND;

/** A ledger in a file with its history, whose index we may put things into. */
function aHistory() {
  const dataDir = temporaryDirectory();
  const ledger = aLedger({ dataDir, clock: new FakeClock("2026-11-20T12:00:00Z") });
  const reader = openReaderHere(dataDir, systemClock);
  onTestFinished(() => reader.close());
  // What has a name is looked for among objects, and not in the numbers that are full.
  const names = async (changes: Partial<Filter> = {}) =>
    namesOf(await paged(reader, { names: ["web-*"], ...changes }, 100));
  return {
    dataDir,
    ledger,
    reader,
    names,
    total: async (changes: Partial<Filter> = {}) =>
      (
        await reader.timeline(
          { ...EVERYTHING, ...changes },
          { by: "reason", step: null, top: 9 },
          anyone,
        )
      ).total,
    inIndex: (work: (db: DatabaseSync) => void) => {
      const db = new DatabaseSync(indexPath(dataDir));
      try {
        work(db);
      } finally {
        db.close();
      }
    },
  };
}

/** Fills the numbers from `from` up to `to` with rows of what the ledger has forgotten. */
function fill(db: DatabaseSync, from: number, to: number): void {
  const add = db.prepare(
    `WITH RECURSIVE n (id) AS (SELECT ? UNION ALL SELECT id + 1 FROM n WHERE id + 1 < ?)
     INSERT INTO entry (id, seq, class, object) SELECT id, -1 - id, 0, 0 FROM n WHERE true ON CONFLICT DO NOTHING`,
  );
  add.run(from, to);
}

const numberAt = (ms: number) => (ms / 1_000) * SECOND;

describe("a second in which more happened than it has numbers", () => {
  test.each([
    ["its own", SECOND],
    ["a minute's", MINUTE],
    ["a minute's and one more", MINUTE + 1],
    ["two minutes' and a half", 2.5 * MINUTE],
  ])("%s are used up: what comes then is found all the same, in its order", async (_, used) => {
    const { ledger, names, total, inIndex } = aHistory();
    await take(ledger, [seen(1, NOON - HOUR)]);
    expect(await names()).toEqual(["web-1"]);
    inIndex((db) => fill(db, numberAt(NOON - 60_000), numberAt(NOON - 60_000) + used));
    await take(ledger, [seen(2, NOON - 60_000), seen(3, NOON - 60_000), seen(4, NOON - 60_000)]);
    expect(await names()).toEqual(["web-4", "web-3", "web-2", "web-1"]);
    // By their words, which are found by the same numbers.
    expect(await names({ words: ["restarting"] })).toEqual(["web-4", "web-3", "web-2", "web-1"]);
    expect(await total({ names: ["web-*"] })).toBe(4);
  });

  test.each([
    ["its own", SECOND],
    ["a minute's", MINUTE],
    ["two minutes' and a half", 2.5 * MINUTE],
  ])("%s are used up: what was there before the index was is found, too", async (_, used) => {
    const { ledger, names, total, inIndex, dataDir } = aHistory();
    // Made, and empty: what follows is indexed backwards.
    await take(ledger, [seen(1, NOON - HOUR)]);
    expect(await names()).toEqual(["web-1"]);
    await take(ledger, [seen(2, NOON - 60_000), seen(3, NOON - 60_000)]);
    inIndex((db) => {
      db.exec(
        "DELETE FROM entry; DELETE FROM minute; DELETE FROM hour; UPDATE covered SET low = 3, high = 3, high_key = NULL",
      );
      db.exec("INSERT INTO word (word) VALUES ('delete-all')");
      const end = numberAt(NOON - 60_000) + SECOND;
      fill(db, end - used, end);
    });
    const other = openReaderHere(dataDir, systemClock);
    onTestFinished(() => other.close());
    const { rows } = await other.events({ ...EVERYTHING, names: ["web-*"] }, 9, null, anyone);
    expect(namesOf(rows)).toEqual(["web-3", "web-2", "web-1"]);
    expect(await total({ names: ["web-*"] })).toBe(3);
  });

  test("of a clock that begins in 1970, before which there is nothing: all of it is found", async () => {
    const { ledger, names, inIndex, dataDir } = aHistory();
    await take(ledger, [seen(1, 0)]);
    expect(await names()).toEqual(["web-1"]);
    await take(ledger, [seen(2, 0), seen(3, 0)]);
    inIndex((db) => {
      db.exec(
        "DELETE FROM entry; DELETE FROM minute; DELETE FROM hour; UPDATE covered SET low = 3, high = 3, high_key = NULL",
      );
      db.exec("INSERT INTO word (word) VALUES ('delete-all')");
      fill(db, 0, SECOND);
    });
    const other = openReaderHere(dataDir, systemClock);
    onTestFinished(() => other.close());
    const { rows } = await other.events({ ...EVERYTHING, names: ["web-*"] }, 9, null, anyone);
    expect(namesOf(rows).toSorted()).toEqual(["web-1", "web-2", "web-3"]);
  });
});

test.each([2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 2 ** 24])(
  "class %i is counted as any other, by its words as well",
  async (last) => {
    const { ledger, total, names, inIndex } = aHistory();
    await take(ledger, [seen(1, NOON - HOUR)]);
    expect(await total()).toBe(1);
    // So many namespaces came and went.
    inIndex((db) =>
      db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'class'").run(last),
    );
    await take(
      ledger,
      Array.from({ length: 7_500 }, (_, n) =>
        seen(10 + n, NOON - n, {
          eventNamespace: `pr-${n % 3}`,
          object: { namespace: `pr-${n % 3}` },
          message: "the disk is on fire",
        }),
      ),
    );
    for (const changes of [{}, { words: ["fire"] }] as const) {
      expect(await total({ ...changes, namespaces: ["pr-1"] })).toBe(2_500);
      expect(await total({ ...changes, namespaces: ["pr-0", "pr-2"] })).toBe(5_000);
    }
    expect(await names({ namespaces: ["pr-2"], words: ["fire"] })).toHaveLength(2_500);
  },
);
