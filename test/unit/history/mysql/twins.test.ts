import { describe, expect, test } from "vitest";
import { HOUR, MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { countingIds } from "../../../support/ledger.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { FakeClock } from "../../../support/clock.ts";
import { aServer } from "../../ledger/mysql/support.ts";
import { aHistory, lookingAt, names } from "./support.ts";

/** Numbers of one second. */
const TIES = 2 ** 20;

describe.skipIf(!haveMariadb)("a million events of one second", { timeout: 60_000 }, () => {
  const { server, next } = aServer();

  test("the first and the one that would have its number are both there, once, by whatever they are looked for", async () => {
    const name = next();
    const kept = await aHistory(server(), name);
    await take(kept, [
      seen(1, NOON - 1_000, { message: "the first of many" }),
      seen(2, NOON - 1_000),
    ]);
    expect(names(await kept.events())).toEqual(["web-2", "web-1"]);
    await kept.close();
    // Between them others came, and are forgotten.
    await server().sql(
      `INSERT INTO kube_crier_occurrence
       SELECT ${TIES - 1}, UNHEX(REPEAT('ab', 32)), received_at, namespace, kind, name, reason, suppressed, event
       FROM kube_crier_occurrence WHERE seq = 1`,
      name,
    );
    const clock = new FakeClock("2026-11-20T12:00:00Z");
    const after = await aMysqlLedger(kept.target, { clock, makeId: countingIds("n") });
    await server().sql(`DELETE FROM kube_crier_occurrence WHERE seq = ${TIES - 1}`, name);
    await take(after, [seen(9, NOON - HOUR)]);
    expect(await kept.total()).toBe(3);
    const twin = { message: "the last of many" };
    await take(after, [seen(3, NOON - 1_000, twin), seen(4, NOON - 1_000)]);
    // So many that words are looked for by their index.
    for (let from = 0; from < 2_400; from += 400)
      await take(
        after,
        Array.from({ length: 400 }, (_, n) => seen(100 + from + n, NOON - HOUR)),
      );
    // Who indexed it, who reads what another has indexed, and who begins anew.
    for (const { events, total } of [kept, lookingAt(kept.target), kept]) {
      const newest = await events({ from: NOON - MINUTE });
      expect(names(newest)).toEqual(["web-4", "web-3", "web-2", "web-1"]);
      expect(names(await events({ words: ["last of"] }))).toEqual(["web-3"]);
      expect(names(await events({ words: ["first of"] }))).toEqual(["web-1"]);
      expect(names(await events({ words: ["of many"] }))).toEqual(["web-3", "web-1"]);
      expect(names(await events({ names: ["web-3"] }))).toEqual(["web-3"]);
      expect(await total({ words: ["of many"] })).toBe(2);
      expect(await total()).toBe(2_405);
    }
  });
});
