import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { onStorage, storageTrouble } from "../../../src/ledger/failure.ts";
import { StorageError } from "../../../src/ledger/store.ts";

/** As node:sqlite throws it. */
function sqliteError(errcode: number, message = "what SQLite says"): Error {
  return Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode });
}

/** https://www.sqlite.org/rescode.html: the primary codes. */
const OF_THE_DISK: readonly (readonly [code: number, words: string])[] = [
  [5, "locked by another process"],
  [6, "locked"],
  [7, "out of memory"],
  [8, "not writable"],
  [10, "disk I/O error"],
  [11, "the database file is damaged"],
  [13, "the disk is full"],
  [14, "the database file cannot be opened"],
  [26, "not a database file"],
];

/** The codes that say our statement, our values or our use of the library was wrong. */
const OF_OURS = [1, 2, 3, 4, 9, 12, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 100, 101];

describe("the codes of SQLite", () => {
  test.each(OF_THE_DISK)("%i is the disk's: %s", (code, words) => {
    expect(storageTrouble(sqliteError(code))).toBe(`${words} (SQLite ${code}: what SQLite says)`);
  });

  test.each([
    [266, "disk I/O error", "SQLITE_IOERR_READ"],
    [778, "disk I/O error", "SQLITE_IOERR_WRITE"],
    [5898, "disk I/O error", "SQLITE_IOERR_BEGIN_ATOMIC"],
    [261, "locked by another process", "SQLITE_BUSY_RECOVERY"],
    [517, "locked by another process", "SQLITE_BUSY_SNAPSHOT"],
    [264, "not writable", "SQLITE_READONLY_RECOVERY"],
    [1032, "not writable", "SQLITE_READONLY_DBMOVED"],
    [523, "the database file is damaged", "SQLITE_CORRUPT_SEQUENCE"],
    [526, "the database file cannot be opened", "SQLITE_CANTOPEN_ISDIR"],
  ])("%i, more precise, is the disk's too: %s", (code, words, name) => {
    expect(storageTrouble(sqliteError(code, name))).toBe(`${words} (SQLite ${code}: ${name})`);
  });

  test.each(OF_OURS)("%i is not the disk's: it is a bug of ours and stays an error", (code) => {
    expect(storageTrouble(sqliteError(code))).toBeNull();
  });

  test.each([
    ["an error of something else", new Error("disk I/O error")],
    ["an error of the system", Object.assign(new Error("ENOSPC"), { code: "ENOSPC", errno: -28 })],
    ["no error at all", { errcode: 13, message: "the disk is full" }],
    ["nothing", undefined],
    ["null", null],
    ["text", "SQLite 13"],
  ])("%s is no trouble of SQLite's", (_, error) => {
    expect(storageTrouble(error)).toBeNull();
  });
});

describe("work on the disk", () => {
  const thrownBy = (work: () => unknown): unknown => {
    try {
      work();
    } catch (error) {
      return error;
    }
    return "nothing";
  };

  test("gives what it gives", () => {
    expect(onStorage(() => 7)).toBe(7);
  });

  test("turns what the disk did into a StorageError that remembers its cause", () => {
    const cause = sqliteError(13);
    const error = thrownBy(() =>
      onStorage(() => {
        throw cause;
      }),
    );
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({
      name: "StorageError",
      message: "the disk is full (SQLite 13: what SQLite says)",
      cause,
    });
  });

  test("leaves every other error as it is", () => {
    const db = new DatabaseSync(":memory:");
    const error = thrownBy(() => onStorage(() => db.exec("SELEKT 1")));
    db.close();
    expect(error).not.toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ message: expect.stringContaining("syntax error") });
  });
});
