import { describe, expect, test } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { EVERYTHING } from "../../../../src/history/history.ts";
import { Days } from "../../../../src/history/mysql/days.ts";
import { openDatabaseReaderBeside } from "../../../../src/history/open.ts";
import { keyHash } from "../../../../src/ledger/mysql/literal.ts";
import { MIGRATIONS, migrate } from "../../../../src/ledger/mysql/schema.ts";
import { Session } from "../../../../src/ledger/mysql/session.ts";
import { FakeClock } from "../../../support/clock.ts";
import { anyone, HOUR, MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger, targetOf } from "../../../support/mysql-ledger.ts";
import { aServer } from "../../ledger/mysql/support.ts";
import { aHistory, lookingAt, names } from "./support.ts";

const DAY = 24 * HOUR;

describe.skipIf(!haveMariadb)("the index of a ledger in MySQL", { timeout: 120_000 }, () => {
  const { server, next } = aServer();
  const days = async (name: string) =>
    (
      await server().sql(
        `SELECT PARTITION_NAME AS name FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = '${name}' AND TABLE_NAME = 'kube_crier_history_entry'`,
      )
    ).map((row) => String(row["name"]));

  test("is gone on with by whoever looks next, and two who look at once make one index", async () => {
    const kept = await aHistory(server(), next());
    await take(
      kept,
      Array.from({ length: 40 }, (_, n) => seen(n, NOON - n * MINUTE)),
    );
    const other = lookingAt(kept.target);
    const [one, two] = await Promise.all([kept.events(), other.events()]);
    expect(names(one)).toHaveLength(40);
    await take(kept, [seen(50, NOON)]);
    await Promise.all([kept.engine.work(), other.engine.work()]);
    expect(names(await other.events())).toHaveLength(41);
    expect([await kept.total(), await other.total()]).toEqual([41, 41]);
    expect(two.refine).toBeNull();
  });

  test("a ledger of the version before is one within the same start, its rows as they were, and has a history", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    const session = new Session(target);
    await migrate(session, MIGRATIONS.slice(0, 1));
    const old = seen(1, NOON - HOUR);
    const text = JSON.stringify(old).replaceAll("'", "''").replaceAll("\\", "\\\\");
    await server().sql(
      `INSERT INTO kube_crier_occurrence VALUES (7, ${keyHash(old)}, ${NOON}, 'shop', 'Pod', 'web-1', 'BackOff', NULL, '${text}');
       INSERT INTO kube_crier_delivery VALUES (9, 'd9', 'ops', 7, NULL, 'dead', 3, ${NOON}, ${NOON}, ${NOON}, 'auth', 'no', NULL, NULL, NULL)`,
      name,
    );
    await session.end();
    await expect(lookingAt(target).events()).rejects.toThrow(
      /version 1, its history is kept from version 2 on; start `run` once/,
    );
    const ledger = await aMysqlLedger(target, { clock: new FakeClock("2026-11-20T12:00:00Z") });
    const { reader, events } = lookingAt(target);
    const { rows } = await events();
    expect(rows).toMatchObject([
      { receivedAt: NOON, deliveries: [{ id: "d9", state: "dead", attempts: 3, tries: [] }] },
    ]);
    expect((await reader.event(rows[0]?.id ?? "", anyone))?.row.event).toEqual(old);
    expect(await ledger.history.discard(["d9"], null)).toBe(1);
    expect((await events({ states: ["discarded"] })).rows).toHaveLength(1);
  });

  test("a ledger put back to an earlier state gets an index of its own, not that of what is gone", async () => {
    const name = next();
    const kept = await aHistory(server(), name);
    await take(kept, [seen(1, NOON - 3), seen(2, NOON - 2)]);
    expect(await kept.total()).toBe(2);
    await take(kept, [seen(3, NOON - 1)]);
    expect(await kept.total()).toBe(3);
    await server().sql("DELETE FROM kube_crier_occurrence WHERE seq = 3", name);
    expect(await kept.total()).toBe(2);
    expect(names(await kept.events({ words: ["web-3"] }))).toEqual([]);
    await server().sql(
      "UPDATE kube_crier_occurrence SET key_hash = UNHEX(REPEAT('ab', 32)), event = REPLACE(event, 'web-2', 'web-9') WHERE seq = 2",
      name,
    );
    expect(names(await kept.events({ names: ["web-9"] }))).toEqual(["web-9"]);
    expect(names(await kept.events({ names: ["web-2"] }))).toEqual([]);
  });

  test("stands in days, and a day of which nothing is left goes at once, with what is looked up in it", async () => {
    const name = next();
    const kept = await aHistory(server(), name);
    await take(kept, [seen(1, NOON - MINUTE)]);
    expect(await kept.total()).toBe(1);
    expect(await days(name)).toContain(`d${Math.floor(NOON / DAY)}`);
    await kept.clock.advance(3 * DAY);
    const now = kept.clock.now();
    await take(kept, [seen(2, now - MINUTE)]);
    expect(await kept.total()).toBe(2);
    const later = new FakeClock(new Date(now).toISOString());
    const { engine, events, total } = lookingAt(kept.target, later);
    await engine.work();
    await later.advance(2 * HOUR);
    // What is still in the ledger keeps its day, however old.
    await engine.work();
    expect(names(await events())).toEqual(["web-2", "web-1"]);
    await server().sql(
      "DELETE FROM kube_crier_delivery WHERE occurrence = 1; DELETE FROM kube_crier_occurrence WHERE seq = 1",
      name,
    );
    await later.advance(2 * HOUR);
    while (await engine.work());
    expect(await days(name)).not.toContain(`d${Math.floor(NOON / DAY)}`);
    expect(names(await events())).toEqual(["web-2"]);
    expect(await total()).toBe(1);
    expect(await total({ words: ["web"] })).toBe(1);
  });

  test("an account that may not change tables has a history all the same, and forgets row by row", async () => {
    const name = next();
    await aDatabase(server(), name);
    await server().sql(
      `CREATE USER IF NOT EXISTS crier@'%' IDENTIFIED BY 's3cret'; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON ${name}.* TO crier@'%'`,
    );
    const target = targetOf(server(), name, "crier:s3cret");
    const ledger = await aMysqlLedger(target, { clock: new FakeClock("2026-11-20T12:00:00Z") });
    const { events, total } = lookingAt(target);
    await take(ledger, [seen(1, NOON - DAY), seen(2, NOON)]);
    expect(names(await events({ words: ["web"] }))).toEqual(["web-2", "web-1"]);
    expect(await days(name)).toEqual(["rest"]);
    const session = new Session(target);
    await new Days().drop(session, Math.floor(NOON / DAY) - 1);
    await session.end();
    expect(await total()).toBe(1);
  });

  test("in a thread of its own it answers the same, and what arrives is indexed though nobody asks", async () => {
    const kept = await aHistory(server(), next());
    await take(kept, [seen(1, NOON - 2), seen(2, NOON - 1)]);
    const beside = openDatabaseReaderBeside(kept.target, () => 2, systemClock);
    try {
      const page = await beside.events(EVERYTHING, 9, null, anyone);
      expect(page).toEqual(await kept.events({}, 9));
    } finally {
      await beside.close();
    }
  });
});

describe.skipIf(!haveMariadb)("a database that cannot be asked", { timeout: 120_000 }, () => {
  const { server, next } = aServer();

  test("is told as such, with where it is and what to do, and without the password", async () => {
    const { engine, events } = lookingAt(targetOf({ port: 1 }, "crier", "crier:s3cret"));
    const said = await events().catch((error: Error) => `${error.name}: ${error.message}`);
    expect(said).toMatch(
      /^UnreadableError: the history in mysql:\/\/127\.0\.0\.1:1\/crier cannot be read: .*; ask again when the database answers$/,
    );
    expect(said).not.toContain("s3cret");
    expect(await engine.work()).toBe(false);
  });

  test("has no ledger yet: said so", async () => {
    const target = await aDatabase(server(), next());
    await expect(lookingAt(target).events()).rejects.toThrow(/there is no ledger in mysql:/);
  });

  test("and comes back is asked again", async () => {
    const kept = await aHistory(server(), next(), { away: "block" });
    await take(kept, [seen(1, NOON)]);
    expect(names(await kept.events())).toEqual(["web-1"]);
    await server().down();
    await expect(kept.events()).rejects.toThrow(/cannot be read/);
    await server().up();
    expect(names(await kept.events())).toEqual(["web-1"]);
  });
});
