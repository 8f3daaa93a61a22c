import { describe, expect, test } from "vitest";
import { AwayError, FencedError, Session } from "../../../../src/ledger/mysql/session.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { aServer } from "./support.ts";

describe.skipIf(!haveMariadb)("a session", () => {
  const { server, next } = aServer();
  const connections = async (database: string) =>
    Number(
      (
        await server().sql(
          `SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = '${database}'`,
        )
      )[0]?.["n"],
    );

  test("is one connection, however many ask at once, and another one after an error", async () => {
    const name = next();
    const session = new Session(await aDatabase(server(), name));
    const answers = await Promise.all([1, 2, 3].map((n) => session.query(`SELECT ${n}`)));
    expect(answers.flat(2).map(Number)).toEqual([1, 2, 3]);
    expect(await connections(name)).toBe(1);
    await expect(session.query("SELECT 1 FROM nowhere")).rejects.toBeInstanceOf(AwayError);
    expect((await session.query("SELECT 4")).flat().map(Number)).toEqual([4]);
    expect(await connections(name)).toBe(1);
    await session.end();
    expect(await connections(name)).toBe(0);
  });

  test("a transaction that fails half-way leaves nothing behind", async () => {
    const name = next();
    const session = new Session(await aDatabase(server(), name));
    await session.query("CREATE TABLE t (n INT PRIMARY KEY) ENGINE=InnoDB");
    const writing = session.transaction([
      ["START TRANSACTION", "INSERT INTO t VALUES (1)"],
      ["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (1)", "COMMIT"],
    ]);
    await expect(writing).rejects.toBeInstanceOf(AwayError);
    expect(await session.query("SELECT n FROM t")).toEqual([]);
    await session.transaction([["START TRANSACTION", "INSERT INTO t VALUES (3)"], ["COMMIT"]]);
    expect((await session.query("SELECT n FROM t")).flat().map(Number)).toEqual([3]);
    await session.end();
  });

  test("says by a word of its own that another has the ledger", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    await aMysqlLedger(target, { term: 1 });
    const session = new Session(target);
    const { fence } = await import("../../../../src/ledger/mysql/script.ts");
    const writing = session.transaction([["START TRANSACTION", fence("somebody"), "COMMIT"]]);
    await expect(writing).rejects.toBeInstanceOf(FencedError);
    await session.end();
  });

  test("values are values, whatever stands in them and whatever mode the server is in", async () => {
    const name = next();
    const target = await aDatabase(server(), name);
    await server().sql("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'");
    const { text } = await import("../../../../src/ledger/mysql/literal.ts");
    const session = new Session(target);
    const hostile = [
      "'",
      "\\",
      "\\'; DROP DATABASE x; -- ",
      '"',
      "\0",
      "😀 你好",
      "",
      "%_",
      "\u2028",
    ];
    const rows = await session.query(`SELECT ${hostile.map(text).join(", ")}`);
    expect(rows).toEqual([hostile]);
    await server().sql("SET GLOBAL sql_mode = DEFAULT");
    await session.end();
  });
});
