import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import { type EventPage, EVERYTHING, type Filter } from "../../../src/history/history.ts";
import { indexPath, openReaderHere, placesIn } from "../../../src/history/open.ts";
import { Engine } from "../../../src/history/sqlite/engine.ts";
import { Retention } from "../../../src/ledger/retention.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { anyone, HOUR, NOON, seen, take } from "../../support/history.ts";
import { aLedger, temporaryDirectory } from "../../support/ledger.ts";

const DAY = 24 * HOUR;

/** A ledger that takes, settles and forgets, and its index as the program keeps it: with what it holds on to in memory, for months. */
function aProgram() {
  const dataDir = temporaryDirectory();
  const clock = new FakeClock("2026-11-20T12:00:00Z");
  const ledger = aLedger({ dataDir, clock });
  const engine = new Engine(placesIn(dataDir), systemClock);
  const reader = openReaderHere(dataDir, systemClock);
  onTestFinished(async () => {
    await engine.close();
    await reader.close();
  });
  let owed = 0;
  const tell = (n: number) =>
    ledger.outbox.settle(`d${n}`, { kind: "delivered", at: clock.now(), sent: "", answer: "" });
  const index = () => {
    while (engine.work());
  };
  return {
    dataDir,
    clock,
    reader,
    index,
    /** Taken and told, by nobody indexed yet. */
    took: async (events: readonly KubeEvent[]) => {
      await take(ledger, events);
      for (const _ of events) {
        owed += 1;
        tell(owed);
      }
      await settle();
    },
    /** Taken; told, unless it stays owed; and indexed. */
    happens: async (events: readonly KubeEvent[], becomes: "delivered" | "pending") => {
      for (let from = 0; from < events.length; from += 500)
        await take(ledger, events.slice(from, from + 500));
      for (let n = 0; n < events.length; n += 1) {
        owed += 1;
        if (becomes === "delivered") tell(owed);
      }
      await settle();
      index();
    },
    /** What was taken and settled longer ago than this goes. */
    forget: (ms: number) => {
      const retention = new Retention(ledger.db);
      for (let cursor: number | null = 0; cursor !== null;)
        ({ cursor } = retention.prune(clock.now() - ms, clock.now(), cursor, 100));
      index();
    },
    total: async (changes: Partial<Filter> = {}) =>
      (
        await reader.timeline(
          { ...EVERYTHING, ...changes },
          { by: "reason", step: null, top: 8 },
          anyone,
        )
      ).total,
    sizes: () => {
      const db = new DatabaseSync(indexPath(dataDir), { readOnly: true });
      const size = (table: string) => db.prepare(`SELECT COUNT(*) AS n FROM ${table}`).get()?.["n"];
      const sizes = Object.fromEntries(["entry", "object", "class"].map((one) => [one, size(one)]));
      db.close();
      return sizes;
    },
  };
}

describe("what the ledger has forgotten", () => {
  test("is gone from the index, though hundreds that are still owed stand before it", async () => {
    const program = aProgram();
    const many = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => seen(from + n, NOON - HOUR + (from + n) * 1000));
    await program.happens(many(0, 600), "pending");
    await program.happens(many(600, 600), "delivered");
    await program.clock.advance(8 * DAY);
    await program.happens([seen(2_000, NOON + 8 * DAY)], "delivered");
    program.forget(7 * DAY);
    expect(await program.total()).toBe(601);
    expect(program.sizes()).toMatchObject({ entry: 601 });
  });

  test("is gone from the index, though nodes whose clocks begin in 1970 report all the time", async () => {
    const program = aProgram();
    let n = 0;
    const aDay = async () => {
      const now = program.clock.now();
      const events = Array.from({ length: 400 }, () =>
        seen((n += 1), n % 4 === 0 ? now : n * 1000),
      );
      await program.happens(events, "delivered");
      await program.clock.advance(DAY);
      program.forget(2 * DAY);
    };
    for (let day = 0; day < 6; day += 1) await aDay();
    const { entry } = program.sizes();
    expect(entry).toBe(800);
    expect(await program.total()).toBe(800);
  });

  test("is gone from the index in time, where thousands stand before it", async () => {
    const program = aProgram();
    const many = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => seen(from + n, NOON - 2 * HOUR + (from + n) * 1000));
    await program.happens(many(0, 5_300), "pending");
    await program.happens(many(5_300, 200), "delivered");
    await program.clock.advance(8 * DAY);
    program.forget(7 * DAY);
    // Others have their turn meanwhile.
    for (let round = 0; round < 3; round += 1) program.index();
    expect(await program.total()).toBe(5_300);
  });

  test("takes its namespaces and objects along: of those that come and go nothing is left, in memory or on the disk", async () => {
    const program = aProgram();
    const preview = (day: number, n: number) =>
      seen(day * 100 + n, program.clock.now(), {
        eventNamespace: `pr-${day}`,
        object: { namespace: `pr-${day}`, name: `web-${day}-${n}` },
      });
    const largest = { entry: 0, object: 0, class: 0 };
    for (let day = 0; day < 12; day += 1) {
      await program.happens(
        Array.from({ length: 20 }, (_, n) => preview(day, n)),
        "delivered",
      );
      await program.clock.advance(DAY);
      program.forget(2.5 * DAY);
      for (const [table, size] of Object.entries(program.sizes()))
        largest[table as "entry"] = Math.max(largest[table as "entry"], Number(size));
    }
    expect(largest).toEqual({ entry: 40, object: 40, class: 2 });
    expect(await program.reader.namespaces(anyone)).toEqual(["pr-10", "pr-11"]);
  });

  test("and comes again is found again, by its namespace and its name, and counted", async () => {
    const program = aProgram();
    const of = (n: number, namespace: string) =>
      seen(n, program.clock.now(), {
        eventNamespace: namespace,
        object: { namespace, name: "db" },
      });
    await program.happens([of(1, "pr-1"), of(2, "pr-2"), of(3, "shop")], "delivered");
    await program.clock.advance(3 * DAY);
    await program.happens([of(4, "shop")], "delivered");
    program.forget(2 * DAY);
    expect(await program.reader.namespaces(anyone)).toEqual(["shop"]);
    await program.happens([of(5, "pr-2"), of(6, "pr-1")], "delivered");
    for (const [changes, uids] of [
      [{ namespaces: ["pr-1"] }, ["6"]],
      [{ namespaces: ["pr-2"] }, ["5"]],
      [{ names: ["db"] }, ["6", "5", "4"]],
      [{ names: ["db"], namespaces: ["shop"] }, ["4"]],
    ] as const) {
      const { rows } = await program.reader.events({ ...EVERYTHING, ...changes }, 9, null, anyone);
      expect(rows.map(({ event }) => event.uid.replace(/^[0-9-]*-0*/, ""))).toEqual(uids);
      expect(await program.total(changes)).toBe(uids.length);
    }
    const one = { ...anyone, visible: ["pr-1"] };
    const query = { by: "namespace", step: null, top: 8 } as const;
    const { series } = await program.reader.timeline(EVERYTHING, query, one);
    expect(series).toMatchObject([{ value: "pr-1", total: 1 }]);
  });

  test("is forgotten by others who index, too: what they remember of it is not written again", async () => {
    const program = aProgram();
    const of = (n: number, name: string, namespace: string) =>
      seen(n, program.clock.now(), { eventNamespace: namespace, object: { namespace, name } });
    await program.happens([of(1, "old", "gone"), of(2, "web", "shop")], "delivered");
    const other = new Engine(placesIn(program.dataDir), systemClock);
    onTestFinished(() => other.close());
    const looked = { kind: "events", limit: 9, before: null, visible: "all", deadlineMs: 30_000 };
    const look = async (changes: Partial<Filter>) =>
      (await other.answer(
        { ...looked, filter: { ...EVERYTHING, ...changes } } as never,
        anyone.signal,
      )) as EventPage;
    // It has seen the object and the namespace, and indexed something of them itself.
    await program.took([of(3, "old", "gone")]);
    expect((await look({ names: ["old"] })).rows).toHaveLength(2);
    await program.clock.advance(3 * DAY);
    await program.happens([of(4, "web", "shop")], "delivered");
    program.forget(2 * DAY);
    await program.took([of(5, "old", "gone"), of(6, "new", "gone")]);
    expect((await look({ namespaces: ["gone"] })).rows).toHaveLength(2);
    expect(await program.total({ namespaces: ["gone"] })).toBe(2);
    expect(await program.total({ names: ["old"] })).toBe(1);
    expect(await program.total({ names: ["new"] })).toBe(1);
    expect(await program.total({ names: ["web"] })).toBe(1);
  });
});
