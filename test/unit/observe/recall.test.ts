import { describe, expect, it } from "vitest";
import { remember } from "../../../src/app/recall.ts";
import { rememberLately } from "../../../src/observe/lately.ts";
import { rememberTroubles } from "../../../src/observe/troubles.ts";
import { anEvent } from "../../support/events.ts";
import { house } from "./support.ts";

/** What the page remembers of what happens, beside the log and the metrics, which lose nothing by it. */
const HOUR = 3_600_000;
const QUICK = Array.from({ length: 45 }, () => 5);

describe("what happened to a sink lately", () => {
  it("is nothing before anything did", () => {
    const { observer, clock } = house();
    expect(rememberLately(observer, () => clock.now()).of("ding")).toEqual({
      latency: null,
      lastError: null,
      awaySince: null,
    });
  });

  it("is how long its deliveries took from owed to accepted, of each sink by itself", () => {
    const { observer, clock } = house();
    const lately = rememberLately(observer, () => clock.now());
    for (let ms = 1; ms <= 100; ms += 1) lately.observer.delivered("ding", `d${ms}`, ms, 1);
    lately.observer.delivered("hook", "h1", 7, 1);
    expect(lately.of("ding").latency).toEqual({ p50: 51, p99: 100 });
    expect(lately.of("hook").latency).toEqual({ p50: 7, p99: 7 });
  });

  it.each([
    ["one", [40], 40, 40],
    ["three, the slowest first", [900, 20, 100], 100, 900],
    ["many that were quick, and a slow one in their midst", [...QUICK, 9_000, ...QUICK], 5, 9_000],
    [
      "more than are remembered, the slow one first",
      [9_000, ...QUICK, ...QUICK, ...QUICK, ...QUICK, ...QUICK, ...QUICK],
      5,
      5,
    ],
  ])("in whatever order they end: %s", (_, ages, p50, p99) => {
    const { observer, clock } = house();
    const lately = rememberLately(observer, () => clock.now());
    for (const age of ages) lately.observer.delivered("ding", "d", age, 1);
    expect(lately.of("ding").latency).toEqual({ p50, p99 });
  });

  it("forgets what is long ago: the last 256 count", () => {
    const { observer, clock } = house();
    const lately = rememberLately(observer, () => clock.now());
    for (let n = 0; n < 300; n += 1) lately.observer.delivered("ding", `slow${n}`, 90_000, 1);
    for (let n = 0; n < 256; n += 1) lately.observer.delivered("ding", `quick${n}`, 20, 1);
    expect(lately.of("ding").latency).toEqual({ p50: 20, p99: 20 });
  });

  it("is the last error with its time, without the secrets that a platform quotes", async () => {
    const { observer, clock } = house();
    const lately = rememberLately(observer, () => clock.now());
    lately.observer.attemptFailed("ding", "d1", "network", "first", 100, 1);
    await clock.advance(5_000);
    const quoted = "POST https://oapi.dingtalk.com/robot/send?access_token=abcdef failed";
    lately.observer.attemptFailed("ding", "d2", "rejected", quoted, null, 1);
    expect(lately.of("ding").lastError).toEqual({
      at: clock.now(),
      reason: "rejected",
      detail: expect.not.stringContaining("abcdef") as string,
    });
    // A delivery that went well is no reason to hide what went wrong before.
    lately.observer.delivered("ding", "d2", 10, 1);
    expect(lately.of("ding").lastError).not.toBeNull();
    expect(lately.of("hook").lastError).toBeNull();
  });

  it("is since when it has not answered: from the first failure on, until it says anything", async () => {
    const { observer, clock } = house();
    const lately = rememberLately(observer, () => clock.now());
    const { observer: watched } = lately;
    const begun = clock.now();
    watched.attemptFailed("ding", "d1", "network", "refused", 100, 1);
    await clock.advance(60_000);
    watched.attemptFailed("ding", "d1", "timeout", "nothing in 10 s", 100, 1);
    expect(lately.of("ding").awaySince).toBe(begun);
    watched.delivered("ding", "d1", 10, 1);
    expect(lately.of("ding").awaySince).toBeNull();
    watched.attemptFailed("ding", "d2", "server", "HTTP 500", 100, 1);
    expect(lately.of("ding").awaySince).toBe(clock.now());
    // A refusal is an answer.
    watched.attemptFailed("ding", "d3", "rejected", "no such robot", null, 1);
    expect(lately.of("ding").awaySince).toBeNull();
  });

  it("takes nothing from the log and the metrics", async () => {
    const { observer, clock, lines, tally } = house();
    const lately = rememberLately(observer, () => clock.now());
    lately.observer.delivered("ding", "d1", 10, 1);
    lately.observer.attemptFailed("ding", "d2", "network", "no route", 100, 1);
    expect(tally.delivered).toBe(1);
    expect(lines.map(({ msg }) => String(msg)).join("\n")).toContain("no route");
  });
});

describe("what does not work now", () => {
  function troubled() {
    const all = house();
    const { observer, current } = rememberTroubles(all.observer, () => all.clock.now());
    return { ...all, observer, current };
  }

  it("is nothing, as a rule", () => {
    expect(troubled().current()).toEqual([]);
  });

  it("is a watch that fails, since it first did, until it is back", async () => {
    const { observer, current, clock } = troubled();
    const since = clock.now();
    observer.sourceFailed("kubernetes", "network", "connection refused", 1_000);
    await clock.advance(30_000);
    observer.sourceFailed("kubernetes", "server", "503 from the API server", 1_000);
    observer.sourceFailed("file", "garbage", "no JSON", 1_000);
    expect(current()).toEqual([
      { kind: "source", source: "kubernetes", since, detail: "503 from the API server" },
      { kind: "source", source: "file", since: clock.now(), detail: "no JSON" },
    ]);
    observer.sourceResumed("kubernetes", "network");
    observer.sourceSynced("file");
    expect(current()).toEqual([]);
  });

  it("is a ledger that cannot be written, until it can", async () => {
    const { observer, current, clock } = troubled();
    const since = clock.now();
    observer.ledgerTrouble("the disk is full");
    await clock.advance(9_000);
    observer.ledgerTrouble("the disk is full (still)");
    expect(current()).toEqual([{ kind: "ledger", since, detail: "the disk is full" }]);
    observer.ledgerRecovered(17);
    expect(current()).toEqual([]);
  });

  it("is changed templates with mistakes, until they are mended", () => {
    const { observer, current, clock } = troubled();
    observer.templatesStale(["sink ding: line 3: unclosed {{#if}}"]);
    expect(current()).toMatchObject([{ kind: "templates", since: clock.now() }]);
    observer.templatesChanged();
    expect(current()).toEqual([]);
  });

  it("is a gap or a ledger that was lost, for a day: last night's history lacks something", async () => {
    const { observer, current, clock } = troubled();
    const gap = { kind: "gap", cluster: "a", since: "2026-11-20T01:00:00Z" } as const;
    observer.sourceGap("kubernetes", { ...gap, until: "2026-11-20T03:00:00Z", cause: "downtime" });
    observer.ledgerReplaced("damaged", "/data/ledger.db.damaged-1", 3);
    expect(current()).toMatchObject([
      { kind: "gap", source: "kubernetes", gap: { since: "2026-11-20T01:00:00Z" } },
      { kind: "replaced", aside: "/data/ledger.db.damaged-1", owed: 3 },
    ]);
    await clock.advance(24 * HOUR - 1);
    expect(current()).toHaveLength(2);
    await clock.advance(1);
    expect(current()).toEqual([]);
  });

  it("is a page that ended by itself, for a day, without secrets that an error quotes", async () => {
    const { observer, current, clock } = troubled();
    observer.pageEnded("out of memory at https://chat/send?access_token=0123456789abcdef", 1_000);
    expect(current()).toMatchObject([{ kind: "page", at: clock.now() }]);
    expect(JSON.stringify(current())).toContain("out of memory");
    expect(JSON.stringify(current())).not.toContain("0123456789abcdef");
    await clock.advance(24 * HOUR);
    expect(current()).toEqual([]);
  });

  it("is not that nothing is known of the time before the first start", () => {
    const { observer, current } = troubled();
    observer.sourceGap("kubernetes", {
      kind: "gap",
      cluster: "a",
      since: "2026-11-20T01:00:00Z",
      until: "2026-11-20T03:00:00Z",
      cause: "firstStart",
    });
    expect(current()).toEqual([]);
  });

  it("keeps the newest of very many", () => {
    const { observer, current } = troubled();
    for (let n = 0; n < 500; n += 1) observer.ledgerReplaced("damaged", `/aside-${n}`, null);
    expect(current()).toHaveLength(20);
    expect(current().at(-1)).toMatchObject({ aside: "/aside-499" });
  });
});

describe("what came since the start", () => {
  it("is counted, with the namespaces it is stored in, whatever a filter makes of it", () => {
    const { observer, clock, tally } = house();
    const { observer: watched, recall } = remember(observer, () => clock.now());
    watched.eventReceived("kubernetes", anEvent({ eventNamespace: "shop" }));
    watched.eventReceived("kubernetes", anEvent({ eventNamespace: "shop", uid: "2" }));
    watched.eventReceived("kubernetes", anEvent({ eventNamespace: "default", uid: "3" }));
    expect([...recall.namespaces]).toEqual(["shop", "default"]);
    expect(recall.arrived()).toBe(3);
    expect(tally.received).toBe(3);
  });
});
