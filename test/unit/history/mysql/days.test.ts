import { describe, expect, onTestFinished, test } from "vitest";
import { Days, DAYS_AT_ONCE } from "../../../../src/history/mysql/days.ts";
import { Session } from "../../../../src/ledger/mysql/session.ts";
import { FakeClock } from "../../../support/clock.ts";
import { HOUR, NOON, seen, take } from "../../../support/history.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aMysqlLedger, targetOf } from "../../../support/mysql-ledger.ts";
import { aServer } from "../../ledger/mysql/support.ts";
import { aHistory, lookingAt, names } from "./support.ts";

const DAY = 24 * HOUR;
const TODAY = Math.floor(NOON / DAY);
const TABLES = ["entry", "object", "count", "segment", "word"];

describe.skipIf(!haveMariadb)("days of a history in MySQL", { timeout: 120_000 }, () => {
  const { server, next } = aServer();

  async function someDays() {
    const name = next();
    const kept = await aHistory(server(), name);
    const session = new Session(kept.target, 120_000);
    onTestFinished(() => session.end());
    const daysOf = async (table: string) =>
      (
        await server().sql(
          `SELECT PARTITION_NAME AS name FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = '${name}'
           AND TABLE_NAME = 'kube_crier_history_${table}' AND PARTITION_NAME <> 'rest' ORDER BY PARTITION_ORDINAL_POSITION`,
        )
      ).map((row) => Number(String(row["name"]).slice(1)));
    return { ...kept, name, session, daysOf };
  }

  test("are made ahead, the same in every table, and those that are there are left alone", async () => {
    const { session, daysOf } = await someDays();
    const days = new Days();
    await days.cover(session, NOON - DAY, NOON);
    const expected = [-1, 0, 1, 2].map((n) => TODAY + n);
    for (const table of TABLES) expect(await daysOf(table)).toEqual(expected);
    // Of the last day there is, more is made only once that has come.
    await days.cover(session, NOON, NOON + 2 * DAY);
    expect(await daysOf("entry")).toEqual(expected);
    await days.cover(session, NOON, NOON + 3 * DAY);
    expect(await daysOf("entry")).toEqual([...expected, TODAY + 3, TODAY + 4, TODAY + 5]);
  });

  test("of a clock that is years ahead are made a few at a time, and no more than three years of them", async () => {
    const { session, daysOf } = await someDays();
    const days = new Days();
    await days.cover(session, NOON, NOON);
    for (let calls = 1; calls <= 2; calls += 1) {
      const before = await daysOf("word");
      await days.cover(session, NOON, NOON + 90 * DAY);
      const after = await daysOf("word");
      expect(after.length - before.length).toBe(DAYS_AT_ONCE);
      expect(after.at(-1)).toBe((before.at(-1) ?? 0) + DAYS_AT_ONCE);
    }
    await days.cover(session, NOON, NOON + 90 * DAY);
    for (const table of TABLES) expect((await daysOf(table)).at(-1)).toBe(TODAY + 92);
    // As much as nobody lives to see: what lies between stands in one.
    await days.cover(session, NOON, NOON + 30_000 * DAY);
    expect((await daysOf("entry"))[93]).toBe(TODAY + 30_002 - 1_200);
  });

  test("that are not made yet hold nothing up: what happened in them is found, before and after they are", async () => {
    const kept = await someDays();
    await take(kept, [seen(1, NOON)]);
    expect(names(await kept.events())).toEqual(["web-1"]);
    await kept.clock.advance(60 * DAY);
    const late = kept.clock.now();
    await take(kept, [seen(2, late), seen(3, late - 1_000)]);
    const found = async () => [
      names(await kept.events()),
      names(await kept.events({ words: ["web-"] })),
      await kept.total(),
    ];
    const all = ["web-2", "web-3", "web-1"];
    expect(await found()).toEqual([all, all, 3]);
    const covered = Math.floor(late / DAY);
    expect((await kept.daysOf("entry")).at(-1)).toBeLessThan(covered);
    for (let n = 4; n <= 5; n += 1) {
      await take(kept, [seen(n, late)]);
      await kept.total();
    }
    expect((await kept.daysOf("entry")).at(-1)).toBe(covered + 2);
    const more = ["web-5", "web-4", ...all];
    expect(await found()).toEqual([more, more, 5]);
  });

  test("go all of them up to one, however many they are, and those after it stay", async () => {
    const { session, daysOf } = await someDays();
    const days = new Days();
    for (let calls = 0; calls < 2; calls += 1) await days.cover(session, NOON, NOON + 40 * DAY);
    await days.drop(session, TODAY + 36);
    for (const table of TABLES)
      expect(await daysOf(table)).toEqual(Array.from({ length: 6 }, (_, n) => TODAY + 37 + n));
    // There is none any more: nothing to do, and no error.
    await days.drop(session, TODAY + 36);
    expect(await daysOf("entry")).toHaveLength(6);
  });

  test("two who make, or drop, the same at once are both content", async () => {
    const { session, target, daysOf } = await someDays();
    const other = new Session(target, 120_000);
    onTestFinished(() => other.end());
    await Promise.all([
      new Days().cover(session, NOON, NOON + DAY),
      new Days().cover(other, NOON, NOON + DAY),
    ]);
    for (const table of TABLES)
      expect(await daysOf(table)).toEqual([0, 1, 2, 3].map((n) => TODAY + n));
    await Promise.all([new Days().drop(session, TODAY), new Days().drop(other, TODAY)]);
    for (const table of TABLES) expect((await daysOf(table))[0]).toBe(TODAY + 1);
  });

  test("an account that may not make them leaves nothing of an index that is made anew", async () => {
    const name = next();
    await server().sql(
      `CREATE DATABASE ${name}; CREATE USER IF NOT EXISTS day@'%' IDENTIFIED BY 's3cret';
       GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON ${name}.* TO day@'%'`,
    );
    const target = targetOf(server(), name, "day:s3cret");
    const ledger = await aMysqlLedger(target, { clock: new FakeClock("2026-11-20T12:00:00Z") });
    const { events, total } = lookingAt(target);
    await take(ledger, [seen(1, NOON), seen(2, NOON), seen(3, NOON)]);
    expect(await total()).toBe(3);
    // Put back to an earlier state, in which its last number was another's.
    await server().sql("DELETE FROM kube_crier_occurrence WHERE seq > 1", name);
    expect(await total()).toBe(1);
    expect(names(await events({ words: ["web-"] }))).toEqual(["web-1"]);
    expect(names(await events({ names: ["web-3"] }))).toEqual([]);
  });
});
