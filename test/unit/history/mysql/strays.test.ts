import { describe, expect, test } from "vitest";
import { FakeClock } from "../../../support/clock.ts";
import { HOUR, NOON, seen, take } from "../../../support/history.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aServer } from "../../ledger/mysql/support.ts";
import { aHistory, lookingAt, names } from "./support.ts";

const DAY = 24 * HOUR;

describe.skipIf(!haveMariadb)("what stays in a history in MySQL", { timeout: 120_000 }, () => {
  const { server, next } = aServer();

  /** A program that indexes and forgets for days. What it keeps is said by the numbers of the ledger, which begin at 1. */
  async function aProgram() {
    const name = next();
    const kept = await aHistory(server(), name);
    const clock = new FakeClock("2026-11-20T12:00:00Z");
    const looking = lookingAt(kept.target, clock);
    return {
      ...looking,
      take: (...events: Parameters<typeof take>[1]) => take(kept, events),
      work: async () => {
        while (await looking.engine.work());
      },
      /** Days later the ledger has forgotten these. */
      forget: async (days: number, seqs: string) => {
        await kept.clock.advance(days * DAY);
        await clock.advance(days * DAY);
        await server().sql(
          `DELETE FROM kube_crier_delivery WHERE occurrence IN (${seqs}); DELETE FROM kube_crier_occurrence WHERE seq IN (${seqs})`,
          name,
        );
      },
      days: async () =>
        (
          await server().sql(
            `SELECT PARTITION_NAME AS name FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = '${name}' AND TABLE_NAME = 'kube_crier_history_entry'`,
          )
        ).map((row) => String(row["name"])),
    };
  }

  const dayOf = (ms: number) => `d${Math.floor(ms / DAY)}`;

  test("holds nothing else: those of 1970 keep no days of what was forgotten since, and are found as before", async () => {
    const program = await aProgram();
    const { events, total } = program;
    const finds = async (...found: readonly string[]) => {
      for (const changes of [{}, { words: ["web-"] }, { words: ["restarting"] }]) {
        expect(names(await events(changes))).toEqual(found);
        expect(await total(changes)).toBe(found.length);
      }
      expect(names(await events({ names: found }))).toEqual(found);
    };
    // Their words stand in a segment that has nothing else.
    await program.take(seen(1, 7_000), seen(2, 8_000));
    await program.work();
    await program.take(seen(3, NOON));
    await program.forget(0.25, "2");
    await program.work();
    await finds("web-3", "web-1");
    await program.forget(4, "1, 3");
    // Of these none has a segment yet.
    await program.take(seen(4, 9_000), seen(5, NOON + 4 * DAY));
    await program.work();
    expect(await program.days()).not.toContain(dayOf(NOON));
    await finds("web-5", "web-4");
    expect(names(await events({ to: NOON }))).toEqual(["web-4"]);
    // It is forgotten by whole days.
    await program.forget(1, "4");
    await program.take(seen(6, 6_000));
    await program.forget(3, "5");
    await program.take(seen(7, NOON + 8 * DAY));
    await program.work();
    await finds("web-7", "web-6");
    await program.forget(4, "6, 7");
    await program.take(seen(8, NOON + 12 * DAY));
    await program.work();
    await finds("web-8");
    expect(await program.days()).not.toContain(dayOf(NOON + 8 * DAY));
  });

  test("is found by its words among thousands, each once, whether or not they had a segment", async () => {
    const program = await aProgram();
    const early = (n: number) => seen(n, n * 1_000, { message: "the clock begins" });
    await program.take(early(1), early(2));
    await program.work();
    const others = Array.from({ length: 2_200 }, (_, n) => seen(10 + n, NOON));
    await program.take(early(3), ...others);
    await program.forget(0.25, "2");
    await program.work();
    const words = ["clock begins"];
    expect(names(await program.events({ words }))).toEqual(["web-3", "web-1"]);
    expect(await program.total({ words })).toBe(2);
    expect(await program.total()).toBe(2_202);
  });
});
