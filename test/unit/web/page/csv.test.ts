import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { CSV_COLUMNS } from "../../../../src/history/csv.ts";
import { readCursor } from "../../../../src/history/cursor.ts";
import {
  BusyError,
  EVERYTHING,
  type Cursor,
  type EventPage,
  UnreadableError,
} from "../../../../src/history/history.ts";
import { openReaderBeside, openReaderOver } from "../../../../src/history/open.ts";
import { csvParts } from "../../../../src/web/page/csv-stream.ts";
import { HOSTILE } from "../../../fixtures/hostile.ts";
import { FakeClock } from "../../../support/clock.ts";
import { csvRecords } from "../../../support/csv.ts";
import { accessFile, bearer, fileProver, sha256 } from "../../../support/guarded.ts";
import { anyone, MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { aLedger, temporaryDirectory } from "../../../support/ledger.ts";
import { aPageSite, type PageSite } from "../../../support/page.ts";

async function filled(count: number): Promise<PageSite> {
  const site = await aPageSite();
  await take(
    site,
    Array.from({ length: count }, (_, n) => seen(n, NOON - n * MINUTE)),
    ["ops", "audit"],
  );
  // Indexed, however busy the machine is: what is not is told to be missing.
  await site.reader.events(EVERYTHING, 1, null, anyone);
  return site;
}

/** The bytes of a file, as they are: `fetch().text()` would take its mark away. */
async function file(site: PageSite, path: string) {
  const response = await fetch(site.url + path);
  const text = Buffer.from(await response.arrayBuffer()).toString("utf8");
  return { response, text, records: text.startsWith("\uFEFF") ? csvRecords(text.slice(1)) : [] };
}

const column = (records: readonly string[][], name: (typeof CSV_COLUMNS)[number]) =>
  records.slice(1).map((record) => record[CSV_COLUMNS.indexOf(name)]);

describe("GET /events.csv", () => {
  it("is what the page shows, in the columns of the command line, for a spreadsheet", async () => {
    const site = await filled(3);
    const { response, text, records } = await file(
      site,
      "/events.csv?since=2h&lang=zh&view=grouped",
    );
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(response.headers.get("content-disposition")).toBe(
      'attachment; filename="kube-crier-events.csv"',
    );
    // Excel takes UTF-8 for what it is where this mark stands before it.
    expect(text.startsWith("\uFEFF")).toBe(true);
    expect(records[0]).toEqual([...CSV_COLUMNS]);
    expect(column(records, "name")).toEqual(["web-0", "web-1", "web-2"]);
    expect(column(records, "told")).toEqual(Array(3).fill("ops: pending; audit: pending"));
  });

  it("holds every page of what fits the filter, and nothing else", async () => {
    const site = await filled(2_500);
    await take(site, [seen(9_000, NOON, { reason: "Killing" })]);
    const { records } = await file(site, "/events.csv?reason=BackOff");
    expect(records).toHaveLength(2_501);
    expect(column(records, "name")).toEqual(Array.from({ length: 2_500 }, (_, n) => `web-${n}`));
    expect(new Set(column(records, "reason"))).toEqual(new Set(["BackOff"]));
  });

  it("keeps Chinese and whatever else an Event says in one cell, none of them a formula", async () => {
    const site = await aPageSite();
    const bad = [
      '=HYPERLINK("http://evil")',
      "+1",
      "-1",
      "@SUM(A1)",
      "\t=1",
      "a;=1",
      "b\n=1",
      "镜像拉取失败",
    ];
    const texts = [...HOSTILE.map(({ text }) => text), ...bad];
    await take(
      site,
      texts.map((message, n) => seen(n, NOON - n * MINUTE, { message, reason: message })),
    );
    const { records } = await file(site, "/events.csv");
    expect(records).toHaveLength(texts.length + 1);
    expect(new Set(records.map((record) => record.length))).toEqual(new Set([CSV_COLUMNS.length]));
    // However a spreadsheet splits it: by commas, semicolons or tabs, quotes heeded or not.
    const parts = records.flat().flatMap((cell) => cell.split(/[;\t\r\n]/));
    expect(parts.filter((part) => /^[\s\0]*[=+\-@＝＋－＠]/u.test(part))).toEqual([]);
    expect(column(records, "message").at(-1)).toBe("镜像拉取失败");
    const plain = texts.filter((text) => /^[\p{L} ]+$/u.test(text));
    expect(column(records, "message")).toEqual(expect.arrayContaining(plain));
  });

  it("ends where it is asked to, says so, and goes on from there", async () => {
    const site = await filled(5);
    const { records } = await file(site, "/events.csv?limit=3");
    expect(records).toHaveLength(5);
    const [last = ""] = column(records.slice(-2), "message");
    expect(last).toMatch(/^not all: there are older events; go on with cursor=\S+, or narrow/);
    const cursor = /cursor=([^,]+)/.exec(last)?.[1] ?? "";
    const rest = await file(site, `/events.csv?cursor=${cursor}`);
    expect(column(rest.records, "name")).toEqual(["web-3", "web-4"]);
  });

  it("holds what the person may see, and nothing of other namespaces", async () => {
    const access = accessFile(
      `tokens: [{ name: ann, sha256: ${sha256("token-of-ann")}, namespaces: [shop], may: [read] }]`,
    );
    const clock = new FakeClock("2026-11-20T12:00:00Z");
    const site = await aPageSite(
      {},
      { tokens: [fileProver(access, clock)], proxy: null, open: false },
    );
    await take(site, [
      seen(1, NOON),
      seen(2, NOON, { eventNamespace: "pay", object: { namespace: "pay" } }),
    ]);
    expect((await site.get("/events.csv", { accept: "*/*" })).status).toBe(401);
    const mine = await site.get("/events.csv", bearer("token-of-ann"));
    expect(column(csvRecords(mine.body), "name")).toEqual(["web-1"]);
    const others = await site.get("/events.csv?ns=pay", {
      ...bearer("token-of-ann"),
      accept: "*/*",
    });
    expect([others.status, others.body]).toEqual([403, expect.stringContaining("pay")]);
  });

  it("is no file where the question is none, or cannot be answered", async () => {
    const site = await filled(1);
    const wrong = await site.get("/events.csv?since=yesterday", { accept: "*/*" });
    expect(wrong.status).toBe(400);
    expect(JSON.parse(wrong.body)).toMatchObject({ fields: [{ field: "since", example: "2h" }] });
    const reader = openReaderBeside(temporaryDirectory(), () => 0, systemClock);
    onTestFinished(() => reader.close());
    const away = await aPageSite({ reader });
    expect((await away.get("/events.csv")).status).toBe(503);
  });
});

describe("a file of many pages", () => {
  /** A history of so many events, and how often it was asked. */
  async function aHistory(count: number) {
    const ledger = aLedger({});
    const reader = openReaderOver(ledger.db, systemClock);
    onTestFinished(() => reader.close());
    await take(
      ledger,
      Array.from({ length: count }, (_, n) => seen(n, NOON - n * MINUTE)),
    );
    const asked: number[] = [];
    const ask = (before: Cursor | null, left: number): Promise<EventPage> => {
      asked.push(left);
      return reader.events(EVERYTHING, Math.min(left, 10), before, anyone);
    };
    return { ask, asked };
  }

  it("is read as fast as it is taken, and no further", async () => {
    const { ask, asked } = await aHistory(100);
    const parts = csvParts(await ask(null, 50), ask, { rows: 50, ms: 1_000 }, () => 0);
    await parts.next(); // the head
    await parts.next();
    expect(asked).toHaveLength(1);
    await parts.next();
    expect(asked).toHaveLength(2);
    await parts.return();
    expect(asked).toHaveLength(2);
  });

  it("has no more rows than it may, and takes no longer", async () => {
    const { ask } = await aHistory(100);
    const all = async (bounds: { rows: number; ms: number }, now: () => number) => {
      let text = "";
      for await (const part of csvParts(await ask(null, bounds.rows), ask, bounds, now))
        text += part;
      return csvRecords(text.slice(1));
    };
    const few = await all({ rows: 25, ms: 1_000 }, () => 0);
    expect(few).toHaveLength(1 + 25 + 1);
    expect(few.at(-1)?.join("")).toContain("not all");
    let time = 0;
    const slow = await all({ rows: 1_000, ms: 1_000 }, () => (time += 400));
    expect(slow.length).toBeLessThan(100);
    expect(slow.at(-1)?.join("")).toContain("not all");
    const whole = await all({ rows: 1_000, ms: 1_000 }, () => 0);
    expect(whole).toHaveLength(1 + 100);
  });

  it.each([
    [
      "the history goes away",
      new UnreadableError("the disk is gone, = really"),
      "the disk is gone",
    ],
    ["others ask too much", new BusyError(900, false, 3), "ask again in 3 s"],
    ["the program ends", new DOMException("over", "AbortError"), "kube-crier is ending"],
  ])("says in its last line where to go on when %s meanwhile", async (_, error, why) => {
    const { ask } = await aHistory(30);
    let pages = 0;
    const failing: typeof ask = (before, left) =>
      (pages += 1) > 2 ? Promise.reject(error) : ask(before, left);
    let text = "";
    const bounds = { rows: 1_000, ms: 1_000 };
    for await (const part of csvParts(await failing(null, 1_000), failing, bounds, () => 0))
      text += part;
    const records = csvRecords(text.slice(1));
    expect(records).toHaveLength(1 + 20 + 1);
    const last = records.at(-1)?.join("") ?? "";
    expect(last).toContain(why);
    const cursor = readCursor(/cursor=(\S+) later/.exec(last)?.[1] ?? "");
    const rest = await ask(cursor, 10);
    const told = column(records.slice(0, -1), "name");
    const all = [...told, ...rest.rows.map(({ event }) => event.object.name)];
    expect([all.length, new Set(all).size]).toEqual([30, 30]);
  });

  it("is cut, and no file, for a fault of ours", async () => {
    const { ask } = await aHistory(30);
    const parts = csvParts(
      await ask(null, 30),
      () => Promise.reject(new TypeError("the plumbing")),
      { rows: 30, ms: 1_000 },
      () => 0,
    );
    await parts.next();
    await parts.next();
    await expect(parts.next()).rejects.toThrow("the plumbing");
  });
});
