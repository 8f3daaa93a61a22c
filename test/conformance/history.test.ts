import { afterAll, describe, expect, test } from "vitest";
import { DELIVERY_STATES } from "../../src/event/delivery.ts";
import type { KubeEvent } from "../../src/event/event.ts";
import { type Cursor, EVERYTHING, type Filter } from "../../src/history/history.ts";
import { storedKey } from "../../src/ledger/key.ts";
import {
  anyone,
  endServers,
  HOUR,
  type Kept,
  MINUTE,
  namesOf,
  NOON,
  READERS,
  seen,
  take,
  written,
} from "../support/history.ts";
import { never } from "../support/ledger.ts";
import { aDigestOf } from "../support/alerts.ts";

const narrowed = (changes: Partial<Filter>): Filter => ({ ...EVERYTHING, ...changes });
const timeline = { by: "reason", step: null, top: 8 } as const;

async function find(reader: Kept["reader"], changes: Partial<Filter>, visible = anyone.visible) {
  const page = await reader.events(narrowed(changes), 100, null, { ...anyone, visible });
  expect(page.refine).toBeNull();
  return namesOf(page.rows);
}

/** Six events that differ in everything one can ask for; the newest is web-6. */
async function aMorning(kept: Kept): Promise<void> {
  const at = (minutes: number) => NOON - minutes * MINUTE;
  await take(kept, [
    seen(1, at(60), {
      message: 'Failed to pull image "registry.example.com/shop/web:v1": not found',
      reason: "Failed",
    }),
    seen(2, at(50), {
      eventNamespace: "data",
      object: { namespace: "data", kind: "StatefulSet", name: "db-2" },
      type: "Normal",
      reason: "Started",
      message: "Started container db",
      reporter: { component: "statefulset-controller" },
    }),
  ]);
  await take(
    kept,
    [
      seen(3, at(40), {
        eventNamespace: "default",
        object: { kind: "Node", namespace: null, name: "node-3" },
        reason: "NodeNotReady",
        message: "节点 node-3 未就绪：镜像拉取失败",
        cluster: "prod-b",
      }),
    ],
    ["ops", "audit"],
  );
  await take(
    kept,
    [seen(4, at(30), { message: "100% of quota_used \\ 'x' \"y\" <b>" })],
    ["audit"],
  );
  const old = seen(5, at(20), { message: "too old" });
  await kept.outbox.add(
    [{ event: old, alert: { kind: "event", event: old }, sinks: [], suppressed: "tooOld" }],
    [],
    never,
  );
  await take(kept, [seen(6, at(10))]);
}

afterAll(endServers);

describe.each(READERS)("%s", { timeout: 90_000 }, (_, open) => {
  test("an empty ledger has an empty history", async () => {
    const { reader } = await open();
    expect(await reader.events(EVERYTHING, 10, null, anyone)).toEqual({
      rows: [],
      next: null,
      refine: null,
    });
    expect(await reader.timeline(EVERYTHING, timeline, anyone)).toMatchObject({
      total: 0,
      series: [],
      refine: null,
    });
    expect(await reader.event("nothing@1", anyone)).toBeNull();
    expect(await reader.sinks(anyone)).toEqual([]);
    expect(await reader.namespaces(anyone)).toEqual([]);
    expect(await reader.delivery("d1", anyone)).toBeNull();
    expect(await reader.tail(EVERYTHING, null, 10, anyone)).toEqual({ rows: [], mark: 0 });
  });

  test("shows what happened by when it was last seen, the newest first, and to whom it is owed", async () => {
    const kept = await open();
    await take(kept, [
      seen(1, NOON - 2 * MINUTE),
      seen(2, NOON - 9 * MINUTE),
      seen(3, NOON - 5 * MINUTE),
    ]);
    const { rows } = await kept.reader.events(EVERYTHING, 10, null, anyone);
    expect(namesOf(rows)).toEqual(["web-1", "web-3", "web-2"]);
    expect(rows[0]).toMatchObject({
      id: storedKey(seen(1, NOON - 2 * MINUTE)),
      at: NOON - 2 * MINUTE,
      receivedAt: NOON,
      suppressed: null,
      deliveries: [
        { id: "d1", sink: "ops", state: "pending", attempts: 0, alert: { kind: "event" } },
      ],
    });
  });

  test("a clock that is ahead does not put an event before everything that comes later", async () => {
    const kept = await open();
    await take(kept, [seen(1, NOON + 48 * HOUR)]);
    await kept.clock.advance(MINUTE);
    await take(kept, [seen(2, kept.clock.now())]);
    expect(await find(kept.reader, {})).toEqual(["web-2", "web-1"]);
  });

  const FINDS: readonly (readonly [string, Partial<Filter>, readonly string[]])[] = [
    ["everything", {}, ["web-6", "web-5", "web-4", "node-3", "db-2", "web-1"]],
    ["from a time on", { from: NOON - 30 * MINUTE }, ["web-6", "web-5", "web-4"]],
    ["up to a time", { to: NOON - 40 * MINUTE }, ["db-2", "web-1"]],
    ["cluster", { clusters: ["prod-b"] }, ["node-3"]],
    ["namespaces", { namespaces: ["data", "shop"] }, ["web-6", "web-5", "web-4", "db-2", "web-1"]],
    ["no namespace", { namespaces: ["-"] }, ["node-3"]],
    ["kind", { kinds: ["StatefulSet"] }, ["db-2"]],
    ["name", { names: ["web-4"] }, ["web-4"]],
    ["the beginning of a name", { names: ["web-*"] }, ["web-6", "web-5", "web-4", "web-1"]],
    ["a name nothing has", { names: ["web"] }, []],
    ["reason", { reasons: ["Failed", "Started"] }, ["db-2", "web-1"]],
    ["type", { types: ["Normal"] }, ["db-2"]],
    ["component", { components: ["statefulset-controller"] }, ["db-2"]],
    ["sink", { sinks: ["audit"] }, ["web-4", "node-3"]],
    ["kept for history alone", { kept: "suppressed" }, ["web-5"]],
    ["why", { suppressed: ["tooOld"] }, ["web-5"]],
    ["owed", { kept: "owed" }, ["web-6", "web-4", "node-3", "db-2", "web-1"]],
    [
      "two at once",
      { types: ["Warning"], sinks: ["ops"], namespaces: ["shop"] },
      ["web-6", "web-1"],
    ],
    ["two that nothing has both of", { kinds: ["Node"], namespaces: ["shop"] }, []],
    ["a word of the message", { words: ["restarting"] }, ["web-6"]],
    ["a part of a word", { words: ["xample.co"] }, ["web-1"]],
    ["a word of the reason", { words: ["notready"] }, ["node-3"]],
    ["a word of the object's name", { words: ["db-2"] }, ["db-2"]],
    ["words that are all there", { words: ["image", "found"] }, ["web-1"]],
    ["words of which one is not", { words: ["image", "lost"] }, []],
    ["words side by side", { words: ["pull image"] }, ["web-1"]],
    ["a Chinese word of two characters", { words: ["镜像"] }, ["node-3"]],
    ["one Chinese character", { words: ["像"] }, ["node-3"]],
    ["Chinese beside Latin", { words: ["node-3 未就绪"] }, ["node-3"]],
    ["Chinese in another order", { words: ["像镜"] }, []],
    ["two Latin letters", { words: ["db"] }, ["db-2"]],
    ["what would mean something to a database", { words: ["100% of quota_used"] }, ["web-4"]],
    ["a percent sign and an underscore", { words: ["%_"] }, []],
    ["quotes and a backslash", { words: ["\\ 'x' \"y\" <b>"] }, ["web-4"]],
    ["words and a namespace", { words: ["web"], namespaces: ["data"] }, []],
    ["words and a name", { words: ["not found"], names: ["web-*"] }, ["web-1"]],
  ];

  test("finds by everything one can ask for, and counts the same", async () => {
    const kept = await open();
    await aMorning(kept);
    for (const [what, changes, names] of FINDS) {
      expect(await find(kept.reader, changes), what).toEqual(names);
      const counted = await kept.reader.timeline(narrowed(changes), timeline, anyone);
      expect(counted.total, what).toBe(names.length);
    }
  });

  test("finds by what became of the deliveries, at one sink or any", async () => {
    const kept = await open();
    const at = kept.clock.now();
    await take(
      kept,
      [seen(1, at - 5), seen(2, at - 4), seen(3, at - 3), seen(4, at - 2)],
      ["ops", "audit"],
    );
    const dead = { kind: "dead", at, reason: "auth", detail: "", counted: true } as const;
    const delivered = { kind: "delivered", at, sent: "", answer: "ok" } as const;
    kept.outbox.settle("d1", dead);
    for (const id of ["d2", "d3", "d4"]) kept.outbox.settle(id, delivered);
    await written(kept);
    kept.outbox.fold("ops", ["d5"], aDigestOf(1), at);
    await written(kept);
    expect(await find(kept.reader, { states: ["dead"] })).toEqual(["web-1"]);
    expect(await find(kept.reader, { states: ["dead"], sinks: ["audit"] })).toEqual([]);
    expect(await find(kept.reader, { states: ["delivered"] })).toEqual(["web-2", "web-1"]);
    expect(await find(kept.reader, { states: ["delivered"], sinks: ["ops"] })).toEqual(["web-2"]);
    expect(await find(kept.reader, { states: ["folded"] })).toEqual(["web-3"]);
    expect(await find(kept.reader, { states: ["pending"] })).toEqual(["web-4", "web-3"]);
    expect(await find(kept.reader, { states: [...DELIVERY_STATES] })).toHaveLength(4);
    const counted = await kept.reader.timeline(
      narrowed({ states: ["delivered"] }),
      timeline,
      anyone,
    );
    expect(counted.total).toBe(2);
  });

  test("pages through everything once, whatever arrives meanwhile", async () => {
    const kept = await open();
    await take(
      kept,
      Array.from({ length: 25 }, (_value, n) => seen(n, NOON - 60_000 - (n % 7) * 1000)),
    );
    const found: string[] = [];
    let before: Cursor | null = null;
    let later = 100;
    do {
      const page: Awaited<ReturnType<Kept["reader"]["events"]>> = await kept.reader.events(
        EVERYTHING,
        4,
        before,
        anyone,
      );
      expect(page.rows.length).toBeLessThanOrEqual(4);
      found.push(...namesOf(page.rows));
      before = page.next;
      later += 1;
      await take(kept, [seen(later, NOON - 1000)]);
    } while (before !== null);
    expect(found).toHaveLength(25);
    expect(new Set(found).size).toBe(25);
    expect((await kept.reader.events(EVERYTHING, 4, null, anyone)).rows[0]?.event.object.name).toBe(
      `web-${later}`,
    );
  });

  test("a page that holds the rest names no next one", async () => {
    const kept = await open();
    await take(kept, [seen(1, NOON - 2), seen(2, NOON - 1)]);
    expect((await kept.reader.events(EVERYTHING, 2, null, anyone)).next).toBeNull();
    expect((await kept.reader.events(EVERYTHING, 1, null, anyone)).next).not.toBeNull();
  });

  test("thousands of one second are all there, in the order they came", async () => {
    const kept = await open();
    await take(
      kept,
      Array.from({ length: 5_000 }, (_value, n) => seen(n, NOON - 30_000)),
    );
    const page = await kept.reader.events(EVERYTHING, 1000, null, anyone);
    expect(namesOf(page.rows).slice(0, 2)).toEqual(["web-4999", "web-4998"]);
    const counted = await kept.reader.timeline(EVERYTHING, { ...timeline, step: MINUTE }, anyone);
    expect(counted.total).toBe(5_000);
  });

  describe("who may see what", () => {
    test("every question is answered with what lies in the given namespaces, and nothing else", async () => {
      const kept = await open();
      await aMorning(kept);
      const visible = ["data"];
      expect(await find(kept.reader, {}, visible)).toEqual(["db-2"]);
      expect(await find(kept.reader, { words: ["image"] }, visible)).toEqual([]);
      expect(await find(kept.reader, { names: ["web-*"] }, visible)).toEqual([]);
      expect(await find(kept.reader, { states: ["pending"] }, visible)).toEqual(["db-2"]);
      const who = { ...anyone, visible };
      expect(await kept.reader.timeline(EVERYTHING, timeline, who)).toMatchObject({
        total: 1,
        series: [{ value: "Started" }],
      });
      expect((await kept.reader.timeline(narrowed({ words: ["web"] }), timeline, who)).total).toBe(
        0,
      );
      expect(namesOf((await kept.reader.tail(EVERYTHING, 0, 100, who)).rows)).toEqual(["db-2"]);
      expect(await kept.reader.sinks(who)).toMatchObject([{ sink: "ops", pending: 1 }]);
      const query = { state: "pending", sink: null, limit: 100 } as const;
      expect((await kept.reader.deliveries(query, null, who)).rows).toMatchObject([{ id: "d2" }]);
    });

    test("an id of another namespace is as unknown as one that never was", async () => {
      const kept = await open();
      await aMorning(kept);
      const [secret] = (await kept.reader.events(narrowed({ names: ["web-6"] }), 1, null, anyone))
        .rows;
      expect(
        await kept.reader.event(secret?.id ?? "", { ...anyone, visible: ["data"] }),
      ).toBeNull();
      expect(
        await kept.reader.event(secret?.id ?? "", { ...anyone, visible: ["shop"] }),
      ).not.toBeNull();
    });

    test("what is about a Node is seen by those who may list Events where Kubernetes keeps them", async () => {
      const kept = await open();
      await aMorning(kept);
      expect(await find(kept.reader, {}, ["default"])).toEqual(["node-3"]);
      expect(await find(kept.reader, {}, [])).toEqual([]);
      expect(await find(kept.reader, {}, ["-", ""])).toEqual([]);
    });

    test("what tells of many events at once is for those who may see all", async () => {
      const { outbox, reader } = await open();
      const gap = { kind: "gap", cluster: "", since: "", until: "", cause: "downtime" } as const;
      await outbox.add([{ event: null, alert: gap, sinks: ["ops"] }], [], never);
      const query = { state: "pending", sink: "ops", limit: 9 } as const;
      expect((await reader.deliveries(query, null, anyone)).rows).toHaveLength(1);
      expect((await reader.deliveries(query, null, { ...anyone, visible: ["shop"] })).rows).toEqual(
        [],
      );
    });
  });

  test("counts by the minute, by any dimension, the largest first, the rest as others", async () => {
    const kept = await open();
    const at = (minute: number) => NOON - 10 * MINUTE + minute * MINUTE;
    const events: KubeEvent[] = [];
    for (const [reason, times] of Object.entries({ A: 5, B: 3, C: 2, D: 1 }))
      for (let n = 0; n < times; n += 1)
        events.push(seen(events.length, at(n), { reason, type: n === 0 ? "Normal" : "Warning" }));
    await take(kept, events);
    const filter = narrowed({ from: at(0), to: at(5) });
    const counted = await kept.reader.timeline(
      filter,
      { by: "reason", step: MINUTE, top: 2 },
      anyone,
    );
    expect(counted).toEqual({
      from: at(0),
      to: at(5),
      step: MINUTE,
      total: 11,
      series: [
        { value: "A", total: 5, counts: [1, 1, 1, 1, 1] },
        { value: "B", total: 3, counts: [1, 1, 1, 0, 0] },
        { value: null, total: 3, counts: [2, 1, 0, 0, 0] },
      ],
      exact: true,
      refine: null,
    });
    const byType = await kept.reader.timeline(filter, { by: "type", step: MINUTE, top: 5 }, anyone);
    expect(byType.series.map(({ value, total }) => [value, total])).toEqual([
      ["Warning", 7],
      ["Normal", 4],
    ]);
    const byNamespace = await kept.reader.timeline(
      filter,
      { by: "namespace", step: MINUTE, top: 5 },
      anyone,
    );
    expect(byNamespace.series).toMatchObject([{ value: "shop", total: 11 }]);
  });

  test("bars are as long as a page can draw them, and counted whole", async () => {
    const kept = await open();
    await take(
      kept,
      Array.from({ length: 50 }, (_value, n) => seen(n, NOON - n * HOUR)),
    );
    const counted = await kept.reader.timeline(
      narrowed({ from: NOON - 50 * HOUR, to: NOON }),
      timeline,
      anyone,
    );
    expect(counted.step).toBe(30 * MINUTE);
    expect(counted.series[0]?.counts).toHaveLength(100);
    expect(counted.total).toBe(49);
    const long = await kept.reader.timeline(EVERYTHING, { ...timeline, step: 6 * HOUR }, anyone);
    expect(long.total).toBe(50);
    expect(Math.max(...(long.series[0]?.counts ?? []))).toBe(6);
    const whole = await kept.reader.timeline(
      narrowed({ from: NOON - 50 * HOUR + 1, to: NOON }),
      { ...timeline, step: HOUR },
      anyone,
    );
    expect(whole).toMatchObject({ from: NOON - 50 * HOUR, step: HOUR, total: 49 });
  });

  test("one event comes with its other counts and with what else befell its object", async () => {
    const kept = await open();
    const uid = "11111111-0000-4000-8000-000000000000";
    const again = (count: number) =>
      seen(0, NOON - 10 * MINUTE + count * 1000, {
        uid,
        count,
        // An Event's own, however often it occurs.
        firstSeen: "2026-11-20T11:00:00Z",
        object: { name: "web-1" },
      });
    await take(kept, [again(1), again(2), again(3)]);
    await take(kept, [seen(1, NOON, { reason: "Killing" }), seen(2, NOON)]);
    const story = await kept.reader.event(storedKey(again(2)), anyone);
    expect(story?.row).toMatchObject({ event: { count: 2 }, deliveries: [{ sink: "ops" }] });
    expect(story?.occurrences.map(({ id }) => id)).toEqual([
      storedKey(again(3)),
      storedKey(again(1)),
    ]);
    expect(story?.object.map(({ event }) => event.reason)).toEqual(["Killing"]);
  });

  test("dead letters by sink, page by page, and how much each sink is owed", async () => {
    const kept = await open();
    await take(kept, [seen(1, NOON), seen(2, NOON), seen(3, NOON)], ["ops", "audit"]);
    for (const id of ["d1", "d3", "d6"])
      kept.outbox.settle(id, {
        kind: "dead",
        at: NOON,
        reason: "rejected",
        detail: "no",
        counted: true,
      });
    await written(kept);
    const of = (sink: string | null, limit: number, before: number | null = null) =>
      kept.reader.deliveries({ state: "dead", sink, limit }, before, anyone);
    expect((await of("ops", 9)).rows.map(({ id }) => id)).toEqual(["d3", "d1"]);
    const first = await of(null, 2);
    expect(first.rows.map(({ id }) => id)).toEqual(["d6", "d3"]);
    expect(await of(null, 2, first.next)).toMatchObject({
      rows: [{ id: "d1", reason: "rejected", detail: "no" }],
      next: null,
    });
    expect(await kept.reader.sinks(anyone)).toEqual([
      { sink: "audit", pending: 2, dead: 1, capped: false, oldestOwedAt: NOON },
      { sink: "ops", pending: 1, dead: 2, capped: false, oldestOwedAt: NOON },
    ]);
  });

  test("the namespaces that events are stored in, those of nodes with the others", async () => {
    const kept = await open();
    await aMorning(kept);
    const all = await kept.reader.namespaces(anyone);
    expect(all).toContain("data");
    expect(all).toContain("default");
    expect(all).toEqual(all.toSorted());
    expect(new Set(all).size).toBe(all.length);
    expect(await kept.reader.namespaces({ ...anyone, visible: ["data"] })).toEqual(["data"]);
    await take(kept, [seen(99, NOON, { eventNamespace: "brand-new" })]);
    expect(await kept.reader.namespaces(anyone)).toContain("brand-new");
  });

  test("the tail brings what arrives, in its order, once", async () => {
    const kept = await open();
    await take(kept, [seen(1, NOON)]);
    const start = await kept.reader.tail(EVERYTHING, null, 10, anyone);
    expect(start.rows).toEqual([]);
    await take(kept, [seen(2, NOON - HOUR), seen(3, NOON, { reason: "Killing" }), seen(4, NOON)]);
    const first = await kept.reader.tail(EVERYTHING, start.mark, 2, anyone);
    expect(namesOf(first.rows)).toEqual(["web-2", "web-3"]);
    const second = await kept.reader.tail(
      narrowed({ reasons: ["BackOff"] }),
      first.mark,
      10,
      anyone,
    );
    expect(namesOf(second.rows)).toEqual(["web-4"]);
    expect(await kept.reader.tail(EVERYTHING, second.mark, 10, anyone)).toEqual({
      rows: [],
      mark: second.mark,
    });
  });

  test("one delivery, with the event it tells of, or with all that was folded into it", async () => {
    const kept = await open();
    await take(
      kept,
      [1, 2, 3].map((n) => seen(n, NOON - n * MINUTE)),
    ); // d1, d2, d3
    kept.outbox.fold("ops", ["d2", "d3"], aDigestOf(2), NOON); // d4
    await written(kept);
    const single = await kept.reader.delivery("d1", anyone);
    expect(single).toMatchObject({ row: { id: "d1", state: "pending" }, folded: [] });
    expect(single?.event).toBe(storedKey(seen(1, NOON - MINUTE)));
    const told = await kept.reader.delivery("d4", anyone);
    expect(told).toMatchObject({ row: { id: "d4", alert: { total: 2 } }, event: null });
    expect(told?.folded.map(({ id }) => id)).toEqual(
      [3, 2].map((n) => storedKey(seen(n, NOON - n * MINUTE))),
    );
    expect(await kept.reader.delivery("d9", anyone)).toBeNull();
  });

  test("a delivery is for who may see its namespace, a digest for who may see all", async () => {
    const kept = await open();
    await take(kept, [seen(1, NOON), seen(2, NOON)]); // d1, d2
    kept.outbox.fold("ops", ["d2"], aDigestOf(1), NOON); // d3
    await written(kept);
    const seenBy = async (visible: readonly string[]) =>
      await Promise.all(
        ["d1", "d3"].map(
          async (id) => (await kept.reader.delivery(id, { ...anyone, visible }))?.row.id ?? null,
        ),
      );
    expect(await seenBy(["shop"])).toEqual(["d1", null]);
    expect(await seenBy(["pay"])).toEqual([null, null]);
  });

  test("sees what was taken a moment ago, and what a delivery came to since", async () => {
    const kept = await open();
    await take(kept, [seen(1, NOON)]);
    await find(kept.reader, {});
    await take(kept, [seen(2, NOON)]);
    kept.outbox.settle("d1", { kind: "delivered", at: NOON, sent: "hello", answer: "HTTP 200" });
    await written(kept);
    const { rows } = await kept.reader.events(EVERYTHING, 9, null, anyone);
    expect(rows.map(({ deliveries }) => deliveries[0]?.state)).toEqual(["pending", "delivered"]);
  });

  test("an answer is whole, though more arrives while it is given", async () => {
    const kept = await open();
    await take(kept, [seen(1, NOON)]);
    await find(kept.reader, {});
    const asked = kept.reader.events(EVERYTHING, 9, null, anyone);
    await take(kept, [seen(2, NOON)]);
    expect((await asked).refine).toBeNull();
  });

  test("a question that was given up ends at once, and the next one is answered", async () => {
    const kept = await open();
    await aMorning(kept);
    const gone = new AbortController();
    const asked = kept.reader.events(EVERYTHING, 9, null, { ...anyone, signal: gone.signal });
    gone.abort(new Error("nobody waits"));
    await expect(asked).rejects.toThrow("nobody waits");
    expect(await find(kept.reader, { kinds: ["Node"] })).toEqual(["node-3"]);
  });

  test("too wide a question gets what was found in time, where it stopped, and can be gone on with from there", async () => {
    const kept = await open();
    await take(
      kept,
      Array.from({ length: 600 }, (_value, n) =>
        seen(n, NOON - n * MINUTE, { message: n === 599 ? "k8" : "…" }),
      ),
    );
    await find(kept.reader, {});
    let before: Cursor | null = null;
    let refined = 0;
    const found: string[] = [];
    for (let asked = 0; asked < 1000; asked += 1) {
      const page: Awaited<ReturnType<Kept["reader"]["events"]>> = await kept.reader.events(
        narrowed({ words: ["k8"] }),
        9,
        before,
        { ...anyone, deadlineMs: 1 },
      );
      found.push(...namesOf(page.rows));
      if (page.refine !== null) refined += 1;
      before = page.next;
      if (before === null) break;
      expect(page.refine?.cause).toBe("deadline");
    }
    expect(found).toEqual(["web-599"]);
    expect(refined).toBeGreaterThan(0);
  });
});
