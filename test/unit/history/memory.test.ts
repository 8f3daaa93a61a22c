import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orMemory } from "../../../src/app/fallback.ts";
import { rememberedBy } from "../../../src/app/remembered.ts";
import { EVERYTHING, type HistoryReader, UnreadableError } from "../../../src/history/history.ts";
import { Memory } from "../../../src/history/memory.ts";
import { openReaderOver } from "../../../src/history/open.ts";
import { storedKey } from "../../../src/ledger/key.ts";
import type { Ledger } from "../../../src/ledger/open.ts";
import { StoreOutbox } from "../../../src/ledger/outbox.ts";
import { SqliteStore } from "../../../src/ledger/sqlite.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { anyone, MINUTE, NOON, seen, take } from "../../support/history.ts";
import { aLedger, countingIds } from "../../support/ledger.ts";
import { aDigestOf } from "../../support/alerts.ts";

/** A store that answers until it is broken, and what memory has of it. */
function aStore(max?: number) {
  const clock = new FakeClock("2026-11-20T12:00:00Z");
  const ledger = aLedger({ clock });
  const stored = openReaderOver(ledger.db, clock);
  const memory = new Memory(max);
  const { outbox } = rememberedBy(memory, { outbox: ledger.outbox } as unknown as Ledger, clock);
  const state = { broken: false, unwritten: null as number | null };
  const unlessBroken = <T>(work: () => Promise<T>): Promise<T> =>
    state.broken ? Promise.reject(new UnreadableError("the disk is gone")) : work();
  const breakable: HistoryReader = {
    ...stored,
    events: (...args) => unlessBroken(() => stored.events(...args)),
    event: (...args) => unlessBroken(() => stored.event(...args)),
    timeline: (...args) => unlessBroken(() => stored.timeline(...args)),
  };
  const { reader, unread } = orMemory(breakable, {
    memory,
    now: () => clock.now(),
    unwrittenSince: () => state.unwritten,
  });
  const names = async (changes: Partial<typeof EVERYTHING> = {}, visible = anyone.visible) =>
    (
      await reader.events({ ...EVERYTHING, ...changes }, 100, null, { ...anyone, visible })
    ).rows.map(({ event }) => event.object.name);
  return { clock, ledger, outbox, reader, unread, memory, state, names };
}

const three = [
  seen(1, NOON - 3 * MINUTE),
  seen(2, NOON - MINUTE, { reason: "Killing", eventNamespace: "data" }),
  seen(3, NOON - 2 * MINUTE, { message: "Back-off pulling image" }),
];

describe("a store that cannot be read", () => {
  it("shows what memory has, in the order and by the filters of the store", async () => {
    const { outbox, state, names } = aStore();
    await take({ outbox }, three);
    const before = await Promise.all([
      names(),
      names({ reasons: ["Killing"] }),
      names({ words: ["pulling"] }),
      names({ names: ["web-1*"] }),
      names({ from: NOON - 2 * MINUTE }),
      names({}, ["data"]),
      names({}, []),
    ]);
    state.broken = true;
    const after = await Promise.all([
      names(),
      names({ reasons: ["Killing"] }),
      names({ words: ["pulling"] }),
      names({ names: ["web-1*"] }),
      names({ from: NOON - 2 * MINUTE }),
      names({}, ["data"]),
      names({}, []),
    ]);
    expect(after).toEqual(before);
    expect(after[0]).toEqual(["web-2", "web-3", "web-1"]);
    expect(after.at(-1)).toEqual([]);
  });

  it("says since when, and that it is over", async () => {
    const { state, names, unread, clock } = aStore();
    await names();
    expect(unread()).toBeNull();
    state.broken = true;
    const since = clock.now();
    await names();
    await clock.advance(9_000);
    await names();
    expect(unread()).toEqual({ since, detail: "the disk is gone" });
    state.broken = false;
    await names();
    expect(unread()).toBeNull();
  });

  it("tells what became of deliveries as the store would", async () => {
    const { outbox, state, reader } = aStore();
    await take({ outbox }, three.slice(0, 1), ["ops", "audit", "team"]);
    const due = (sink: string) => outbox.due(sink, NOON, 9, new Set()).map(({ id }) => id);
    const [[delivered = ""], [dead = ""], [later = ""]] = [due("ops"), due("audit"), due("team")];
    outbox.settle(delivered, {
      kind: "delivered",
      at: NOON,
      sent: "{}",
      answer: "ok",
      tookMs: 7,
    });
    const failed = {
      at: NOON,
      reason: "rejected",
      detail: "no",
      counted: true,
      tookMs: 5,
    } as const;
    outbox.settle(dead, { ...failed, kind: "dead" });
    outbox.settle(later, { ...failed, kind: "retry", notBefore: NOON + MINUTE });
    outbox.pending("ops", NOON);
    const id = storedKey(three[0] ?? seen(1, NOON));
    const stored = await reader.event(id, anyone);
    state.broken = true;
    const remembered = await reader.event(id, anyone);
    const bySink = (rows: NonNullable<typeof stored>["row"]["deliveries"] = []) =>
      rows.toSorted((a, b) => a.sink.localeCompare(b.sink));
    expect(bySink(remembered?.row.deliveries)).toEqual(bySink(stored?.row.deliveries));
    expect(remembered?.row).toMatchObject({ id, at: NOON - 3 * MINUTE, suppressed: null });
  });

  it("whatever becomes of them, attempt by attempt", async () => {
    const reasons = ["throttled", "server", "auth", "expired"] as const;
    const step = fc.record({
      sink: fc.constantFrom("ops", "audit"),
      kind: fc.constantFrom("retry", "retry", "retry", "dead", "delivered"),
      reason: fc.constantFrom(...reasons),
      counted: fc.boolean(),
      took: fc.option(fc.nat(500)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, outbox, state, reader } = aStore();
        await take({ outbox }, three.slice(0, 1), ["ops", "audit"]);
        for (const { sink, kind, reason, counted, took } of steps) {
          await clock.advance(1_000);
          const at = clock.now();
          const [delivery] = outbox.due(sink, at, 1, new Set());
          const ended = { at, ...(took === null ? {} : { tookMs: took }) };
          const failed = { ...ended, reason, detail: `said at ${at}`, counted };
          if (delivery === undefined) continue;
          if (kind === "delivered")
            outbox.settle(delivery.id, { ...ended, kind, sent: "{}", answer: "ok" });
          else if (kind === "dead") outbox.settle(delivery.id, { ...failed, kind });
          else outbox.settle(delivery.id, { ...failed, kind, notBefore: at });
        }
        for (const sink of ["ops", "audit"]) outbox.due(sink, clock.now(), 1, new Set());
        await settle();
        const of = async () =>
          (await reader.events(EVERYTHING, 9, null, anyone)).rows[0]?.deliveries;
        const stored = await of();
        state.broken = true;
        const remembered = await of();
        const bySink = (rows: typeof stored) =>
          rows?.toSorted((a, b) => a.sink.localeCompare(b.sink));
        expect(bySink(remembered)).toEqual(bySink(stored));
      }),
      { numRuns: 60 },
    );
  });

  it("hands on which delivery is being attempted: after a crash it is told again, and in nothing else", async () => {
    const { outbox, ledger, clock } = aStore();
    await take({ outbox }, three.slice(0, 1));
    const [delivery] = outbox.due("ops", NOON, 9, new Set());
    outbox.attempting("ops", NOON, delivery?.id);
    await outbox.written();
    // What the next process finds.
    const next = new StoreOutbox(new SqliteStore(ledger.db), {
      clock,
      observer: ledger.recorded.observer,
      makeId: countingIds("n"),
      bound: 9,
    });
    expect(next.due("ops", NOON, 9, new Set())).toEqual([{ ...delivery, begun: true }]);
    next.close();
  });

  it("knows what was folded into a digest", async () => {
    const { outbox, state, reader } = aStore();
    await take({ outbox }, three);
    const ids = outbox.due("ops", NOON, 9, new Set()).map(({ id }) => id);
    const folded = outbox.fold("ops", ids, aDigestOf(3), NOON);
    state.broken = true;
    const { rows } = await reader.events(EVERYTHING, 9, null, anyone);
    expect(rows.flatMap(({ deliveries }) => deliveries)).toMatchObject(
      ids.map(() => ({ state: "folded", foldedInto: folded.id })),
    );
  });

  it("has an event with its other counts and those of its object; what it does not know it does not deny", async () => {
    const { outbox, state, reader } = aStore();
    const again = { ...seen(1, NOON), key: "again@2", count: 2 };
    const other = seen(9, NOON, { reason: "Killing", object: { name: "web-1" } });
    await take({ outbox }, [...three, again, other]);
    state.broken = true;
    const story = await reader.event(storedKey(three[0] ?? again), anyone);
    expect(story?.occurrences.map(({ event }) => event.count)).toEqual([2]);
    expect(story?.object.map(({ event }) => event.reason)).toEqual(["Killing"]);
    await expect(reader.event("000/none@1", anyone)).rejects.toThrow("the disk is gone");
    const hidden = { ...anyone, visible: ["elsewhere"] };
    await expect(reader.event(storedKey(again), hidden)).rejects.toThrow("the disk is gone");
  });

  it("is paged through once, newest first", async () => {
    const { outbox, state, reader } = aStore();
    // Three of each moment.
    await take(
      { outbox },
      Array.from({ length: 30 }, (_, n) => seen(n, NOON - Math.floor(n / 3) * MINUTE)),
    );
    state.broken = true;
    const found: string[] = [];
    for (let cursor = null as Awaited<ReturnType<typeof reader.events>>["next"]; ;) {
      const { rows, next } = await reader.events(EVERYTHING, 7, cursor, anyone);
      found.push(...rows.map(({ id }) => id));
      if (next === null) break;
      cursor = next;
    }
    expect(found.length).toBe(30);
    expect(new Set(found).size).toBe(30);
  });

  it("does not answer what only the store can, or hide a fault of ours", async () => {
    const { state, reader } = aStore();
    state.broken = true;
    const timeline = { by: "reason", step: null, top: 8 } as const;
    await expect(reader.timeline(EVERYTHING, timeline, anyone)).rejects.toThrow("the disk is gone");
    const faulty = { ...reader, events: () => Promise.reject(new TypeError("a fault")) };
    const ports = { memory: new Memory(), now: () => 0, unwrittenSince: () => null };
    const { reader: over } = orMemory(faulty, ports);
    await expect(over.events(EVERYTHING, 1, null, anyone)).rejects.toThrow("a fault");
  });
});

describe("a store that can be read and not written", () => {
  it("lacks what came since; memory has it, and each event is there once", async () => {
    const { outbox, ledger, memory, state, names, reader } = aStore();
    await take({ outbox }, three.slice(0, 2));
    state.unwritten = NOON;
    // Held in memory by the ledger: the store has nothing of it.
    const held = seen(3, NOON);
    memory.take({ event: held, alert: { kind: "event", event: held }, sinks: ["ops"] }, NOON);
    expect(await names()).toEqual(["web-3", "web-2", "web-1"]);
    expect((await reader.event(storedKey(held), anyone))?.row.event.uid).toBe(held.uid);
    // Written at last.
    await take(ledger, [held]);
    expect(await names()).toEqual(["web-3", "web-2", "web-1"]);
    state.unwritten = null;
    expect(await names()).toEqual(["web-3", "web-2", "web-1"]);
  });
});

describe("memory", () => {
  it("is bounded: the oldest to arrive are forgotten, with their deliveries", async () => {
    const { outbox, state, names, memory } = aStore(100);
    for (let n = 0; n < 500; n += 1) {
      await take({ outbox }, [seen(n, NOON - (500 - n))]);
      outbox.due("ops", NOON, 1_000, new Set());
    }
    state.broken = true;
    const found = await names();
    expect(found.length).toBe(100);
    expect(found[0]).toBe("web-499");
    expect(() =>
      memory.settle("d1", { kind: "delivered", at: NOON, sent: "", answer: "" }),
    ).not.toThrow();
  });

  it("does not keep what was there already", async () => {
    const { outbox, state, names } = aStore();
    await take({ outbox }, three);
    await take({ outbox }, three);
    state.broken = true;
    expect((await names()).length).toBe(3);
  });
});
