import { hash } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { textOf } from "../../../../src/history/classes.ts";
import { traitsOf } from "../../../../src/history/match.ts";
import { FakeClock } from "../../../support/clock.ts";
import { anyone, HOUR, NOON, seen, take } from "../../../support/history.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aServer } from "../../ledger/mysql/support.ts";
import { aHistory, lookingAt, names } from "./support.ts";

const DAY = 24 * HOUR;

describe.skipIf(!haveMariadb)("namespaces that come and go", { timeout: 120_000 }, () => {
  const { server, next } = aServer();

  /** A ledger that keeps a day and a half, and who looks at it; all of it on one clock. */
  async function aProgram() {
    const name = next();
    const kept = await aHistory(server(), name);
    const clock = new FakeClock("2026-11-20T12:00:00Z");
    const looking = lookingAt(kept.target, clock);
    const work = async () => {
      while (await looking.engine.work());
    };
    let taken = 0;
    const happens = (...namespaces: readonly string[]) =>
      take(
        kept,
        namespaces.map((namespace) =>
          seen((taken += 1), clock.now(), { eventNamespace: namespace, object: { namespace } }),
        ),
      );
    const number = async (sql: string) =>
      Number(Object.values((await server().sql(sql, name))[0] ?? {})[0]);
    return {
      ...looking,
      target: kept.target,
      name,
      clock,
      work,
      happens,
      take: (...events: Parameters<typeof take>[1]) => take(kept, events),
      /** A day later the ledger has forgotten what was taken before yesterday. */
      aDay: async () => {
        await kept.clock.advance(DAY);
        await clock.advance(DAY);
        const old = `received_at < ${kept.clock.now() - 1.5 * DAY}`;
        await server().sql(
          `DELETE d FROM kube_crier_delivery d JOIN kube_crier_occurrence o ON o.seq = d.occurrence WHERE o.${old};
           DELETE FROM kube_crier_occurrence WHERE ${old}`,
          name,
        );
        await work();
      },
      classes: () => number("SELECT COUNT(*) AS n FROM kube_crier_history_class"),
      /** Rows that no filter would find. */
      lost: () =>
        number(
          `SELECT COUNT(*) AS n FROM kube_crier_history_entry e
           LEFT JOIN kube_crier_history_class c ON c.id = e.class WHERE c.id IS NULL`,
        ),
      homes: () => looking.reader.namespaces(anyone),
    };
  }

  test("leave nothing in the index, on the page, or in memory, when what was told of them is forgotten", async () => {
    const program = await aProgram();
    await program.happens("shop");
    for (let day = 0; day < 7; day += 1) {
      await program.happens("shop", ...Array.from({ length: 90 }, (_, n) => `pr-${day}-${n}`));
      await program.work();
      await program.aDay();
    }
    await program.happens("shop");
    await program.aDay();
    // One day is kept whole, one more may be forgotten in part, and the last one made stays.
    expect(await program.classes()).toBeLessThan(2 * 91 + 2);
    expect(await program.homes()).not.toContain("pr-3-0");
    expect(await program.homes()).toContain("shop");
    expect(await program.lost()).toBe(0);
    expect(names(await program.events({ namespaces: ["shop"] }))).not.toEqual([]);
  });

  test("come again, and are found again, by others who remember them as well", async () => {
    const program = await aProgram();
    const other = lookingAt(program.target, program.clock);
    await program.happens("gone", "pr-1");
    expect(await other.total({ namespaces: ["gone"] })).toBe(1);
    await program.work();
    for (let day = 0; day < 4; day += 1) {
      await program.happens("shop");
      await program.aDay();
    }
    expect(await program.homes()).toEqual(["shop"]);
    // The other one indexes it first.
    await program.happens("gone");
    expect(await other.total({ namespaces: ["gone"] })).toBe(1);
    await program.happens("new");
    for (const { events, total, reader } of [other, program]) {
      expect((await events({ namespaces: ["gone"] })).rows).toHaveLength(1);
      expect(await total({ namespaces: ["gone"] })).toBe(1);
      expect(await total({ namespaces: ["gone"], words: ["restarting"] })).toBe(1);
      expect(await total({ namespaces: ["new"] })).toBe(1);
      expect(await reader.namespaces(anyone)).toEqual(["gone", "new", "shop"]);
    }
    expect(await program.lost()).toBe(0);
  });

  test("are forgotten while others write of them: not a row is lost, whoever is faster", async () => {
    const program = await aProgram();
    const others = [1, 2].map(() => lookingAt(program.target, program.clock));
    const many = (day: number) => Array.from({ length: 40 }, (_, n) => `pr-${(day * 17 + n) % 97}`);
    for (let day = 0; day < 6; day += 1) {
      await program.happens(...many(day));
      for (const { engine } of others) await engine.work();
      const forgetting = program.aDay();
      for (let batch = 0; batch < 4; batch += 1) {
        await program.happens(...many(day + batch), "shop");
        await Promise.all(others.map(({ engine }) => engine.work()));
      }
      await forgetting;
      expect(await program.lost()).toBe(0);
    }
    await program.work();
    expect(await program.lost()).toBe(0);
    const counted = await Promise.all([program, ...others].map(({ total }) => total()));
    expect(new Set(counted).size).toBe(1);
    // Nothing else has a namespace of its own to be asked for by.
    const found = await program.events({ namespaces: await program.homes() }, 1_000);
    expect(names(found)).toEqual(names(await program.events({}, 1_000)));
  });

  test("made by another process that has not come to its end yet are seen when it has", async () => {
    const program = await aProgram();
    const late = seen(900, NOON, { reason: "Late" });
    const text = textOf(traitsOf(late, null, ["ops"]));
    const slow = await server().root(program.name);
    onTestFinished(() => slow.end());
    await slow.query("START TRANSACTION");
    await slow.execute("INSERT INTO kube_crier_history_class (hash, traits) VALUES (UNHEX(?), ?)", [
      hash("sha256", text),
      text,
    ]);
    // This one gets the higher number, and is there first.
    await program.happens("shop");
    expect(await program.homes()).toEqual(["shop"]);
    await slow.query("COMMIT");
    await program.take(late);
    expect(names(await program.events({ reasons: ["Late"] }))).toEqual(["web-900"]);
    expect(await program.total({ reasons: ["Late"] })).toBe(1);
    expect(await program.classes()).toBe(2);
  });
});
