import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { assert, constantFrom, property, string, tuple } from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { KubeEvent } from "../../../src/event/event.ts";
import { checkLedger } from "../../../src/ledger/check.ts";
import { isStoredKey, storedKey } from "../../../src/ledger/key.ts";
import { readEvents } from "../../../src/source/file/read.ts";
import { FakeClock } from "../../support/clock.ts";
import { databaseIn } from "../../support/damage.ts";
import { anEvent } from "../../support/events.ts";
import { aRunningLedger, never, temporaryDirectory } from "../../support/ledger.ts";

describe("the key of an occurrence in the table", () => {
  const at = (firstSeen: string, key = "uid@1") => storedKey({ firstSeen, key });

  test("stands in the order of time, to the second", () => {
    const times = ["1999-12-31T23:59:59Z", "2026-11-20T08:00:00Z", "2026-11-20T08:00:01.000001Z"];
    const keys = times.map((time) => at(time));
    expect(keys.toSorted()).toEqual(keys);
    expect(at("8999-01-01T00:00:00Z") > at("2026-11-20T08:00:00Z")).toBe(true);
    expect(at("2026-11-20T08:00:00.999999Z")).toBe(at("2026-11-20T08:00:00Z"));
  });

  test("is text that an address can hold, whatever uid a file gives an Event", () => {
    const half = at("2026-11-20T08:00:00Z", "a\ud800b@1");
    expect(decodeURIComponent(encodeURIComponent(half))).toBe(half);
    expect(half.endsWith("/a\ufffdb@1")).toBe(true);
  });

  test("of half a character is found again, and no damage to whoever checks the ledger", async () => {
    const dataDir = temporaryDirectory();
    const ledger = aRunningLedger(dataDir);
    const metadata = { name: "web.1", namespace: "shop", uid: "a\ud800b" };
    const involvedObject = { kind: "Pod", namespace: "shop", name: "w\udfff" };
    const written = JSON.stringify({ kind: "Event", metadata, involvedObject, message: "\ud800" });
    const take = async () => {
      const [event] = readEvents(written, "prod-a", "2026-11-20T08:00:00.000Z");
      if (event === undefined) throw new Error("no event");
      const alert = { kind: "event", event } as const;
      await ledger.outbox.add([{ event, alert, sinks: ["ops"] }], [], never);
    };
    await take();
    await take();
    expect(ledger.outbox.pending("ops", ledger.clock.now()).total).toBe(1);
    await ledger.close();
    const { findings, contents } = checkLedger(dataDir);
    expect(findings).toEqual([]);
    expect(contents?.events).toBe(1);
  });

  test("is always the same where a time was made up for a missing one", () => {
    expect(at("2026-11-20T08:00:00.123Z")).toBe(at("2027-01-01T00:00:00.456Z"));
    expect(at("no time")).toBe(at("2026-11-20T08:00:00.123Z"));
  });

  test("differs where the key does, and is recognised in SQL, as is one of an older ledger", () => {
    const db = new DatabaseSync(":memory:");
    const is = db.prepare(`SELECT ${isStoredKey("?1", "?2")} AS same`);
    const same = (stored: string, key: string) => is.get(stored, key)?.["same"] === 1;
    const times = constantFrom("2026-11-20T08:00:00Z", "2026-11-20T08:00:00.123Z", "?");
    const text = string().filter((one) => !one.includes("\0"));
    assert(
      property(times, tuple(text, text), (time, [one, other]) => {
        expect(at(time, one) === at(time, other)).toBe(one === other);
        expect(same(at(time, one), one)).toBe(true);
        expect(same(one, one)).toBe(true);
        expect(same(at(time, one), other)).toBe(one === other || at(time, one) === other);
      }),
    );
    db.close();
  });
});

describe("a ledger", () => {
  function open() {
    const dataDir = temporaryDirectory();
    const ledger = aRunningLedger(dataDir, { clock: new FakeClock("2026-11-20T08:02:00Z") });
    const add = (events: readonly KubeEvent[]) =>
      ledger.outbox.add(
        events.map((event) => ({ event, alert: { kind: "event", event }, sinks: ["ops"] })),
        [],
        never,
      );
    const db = new DatabaseSync(databaseIn(dataDir));
    onTestFinished(() => db.close());
    /** How many pages were written since it was asked last. */
    const pages = () => Number(db.prepare("PRAGMA wal_checkpoint(PASSIVE)").get()?.["log"]);
    return { add, pages };
  }

  test("takes an event without any time once, whenever it is read", async () => {
    const { add } = open();
    const uid = randomUUID();
    const read = (firstSeen: string) => add([anEvent({ uid, firstSeen, lastSeen: firstSeen })]);
    expect(await read("2026-11-20T08:00:00.001Z")).toEqual(["enqueued"]);
    expect(await read("2026-11-21T17:30:00.002Z")).toEqual(["duplicate"]);
  });

  test("takes each count of an event, and each of them once", async () => {
    const { add } = open();
    const uid = randomUUID();
    const occurrences = [1, 2, 3].map((count) => anEvent({ uid, count }));
    expect(await add(occurrences)).toEqual(["enqueued", "enqueued", "enqueued"]);
    expect(await add(occurrences)).toEqual(["duplicate", "duplicate", "duplicate"]);
  });

  test("writes next to nothing but the events, however many there are", async () => {
    const { add, pages } = open();
    const hundred = (second: number) =>
      Array.from({ length: 100 }, () => {
        const time = new Date(Date.UTC(2026, 10, 20) + second * 1000).toISOString();
        return anEvent({ uid: randomUUID(), firstSeen: `${time.slice(0, 19)}Z` });
      });
    for (let second = 0; second < 60; second += 1) await add(hundred(second));
    pages();
    const last = hundred(60);
    await add(last);
    const bytes = last.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
    // With keys at random places of the index it was more than twice as much.
    expect(pages() * 4096).toBeLessThan(3 * bytes);
  });
});
