import { describe, expect, test } from "vitest";
import { NOON, seen, take } from "../../../support/history.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aServer } from "../../ledger/mysql/support.ts";
import { aHistory, lookingAt, names } from "./support.ts";

type Changes = Parameters<typeof seen>[2];

describe.skipIf(!haveMariadb)("an Event that was made to do harm", { timeout: 60_000 }, () => {
  const { server, next } = aServer();

  test.each<readonly [string, Changes]>([
    ["a reason of 70,000 characters", { reason: "R".repeat(70_000) }],
    ["a kind of 70,000 characters", { object: { kind: "K".repeat(70_000) } }],
    ["a reporter of 70,000 characters", { reporter: { component: "c".repeat(70_000) } }],
    ["a type of control characters", { type: "\u0001".repeat(12_000) }],
    ["halves of surrogate pairs", { message: "a\ud800bc a\ud801bc", reason: "\udfff" }],
    ["a zero byte", { message: "a\0b", reason: "\0", object: { kind: "\0" } }],
    ["a name of 300 Chinese characters", { object: { name: "镜".repeat(300) } }],
  ])("%s: it is shown, and what comes after it is found", async (_, changes) => {
    const kept = await aHistory(server(), next());
    await take(kept, [seen(1, NOON - 2_000, changes)]);
    const other = lookingAt(kept.target);
    expect((await kept.events()).rows).toHaveLength(1);
    await take(kept, [seen(2, NOON - 1_000, { message: "and all goes on" })]);
    // A first look at all of it makes words of it as well.
    await kept.engine.work();
    for (const { events, total } of [kept, other]) {
      const page = await events();
      expect(names(page)[0]).toBe("web-2");
      expect(page.rows).toHaveLength(2);
      expect(page.refine).toBeNull();
      expect(names(await events({ words: ["goes"] }))).toEqual(["web-2"]);
      expect(names(await events({ reasons: ["BackOff"] }))).toContain("web-2");
      expect(await total()).toBe(2);
    }
  });
});
