import { describe, expect, it } from "vitest";
import type { SinkCounts } from "../../../../src/history/history.ts";
import type { SinkStatus } from "../../../../src/web/page/sinks-page.ts";
import { FakeClock } from "../../../support/clock.ts";
import { accessFile, fileProver, sha256 } from "../../../support/guarded.ts";
import { MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { aPageSite } from "../../../support/page.ts";

const DAY = 24 * 60 * MINUTE;

/** A sink that nothing has befallen. */
const IDLE: SinkStatus = {
  name: "ops",
  type: "webhook",
  state: "open",
  until: null,
  inFlight: 0,
  budget: null,
  latency: null,
  lastError: null,
};

/** The page over a store that counts so. */
async function sinksPage(
  status: Partial<SinkStatus>,
  counts: readonly SinkCounts[],
  lang: "en" | "zh" = "en",
) {
  const { reader } = await aPageSite();
  const site = await aPageSite({
    sinks: () => [{ ...IDLE, ...status }],
    reader: { ...reader, sinks: () => Promise.resolve(counts) },
  });
  return site.get(`/sinks?lang=${lang}`);
}

const counted = (more: Partial<SinkCounts> = {}): SinkCounts => ({
  sink: "ops",
  pending: 0,
  dead: 0,
  capped: false,
  oldestOwedAt: null,
  ...more,
});

/** The cells of its row, by the names of the columns. */
function cellsOf(body: string): Readonly<Record<string, string>> {
  const row = /<tbody>\s*<tr class="(?:open|paused|broken)">([\s\S]*?)<\/tr>/.exec(body)?.[1] ?? "";
  const cells = [...row.matchAll(/<td[^>]*?(?:data-label="([^"]*)")?>([\s\S]*?)<\/td>/g)];
  return Object.fromEntries(
    cells.map(([, label = "Sink", inner = ""]) => [
      label,
      inner
        .replaceAll(/<[^>]*>/g, " ")
        .replaceAll(/\s+/g, " ")
        .trim(),
    ]),
  );
}

describe("the row of a sink", () => {
  it("that nothing has befallen says no more than that", async () => {
    const { status, body } = await sinksPage({}, []);
    expect(status).toBe(200);
    expect(cellsOf(body)).toEqual({
      Sink: "ops webhook",
      State: "✓ open",
      Pending: "0",
      Oldest: "",
      Failed: "0",
      "Budget left": "–",
      "p50 / p99": "",
      "Last error": "",
    });
  });

  it("that cannot be reached says when it is tried again, and why", async () => {
    const { body } = await sinksPage(
      {
        state: "broken",
        until: NOON + 90_000,
        inFlight: 2,
        lastError: { at: NOON - 1_000, reason: "network", detail: "ECONNREFUSED <10.0.0.1>" },
      },
      [counted({ pending: 3, oldestOwedAt: NOON - 5 * MINUTE, dead: 1 })],
    );
    expect(cellsOf(body)).toMatchObject({
      State: "✗ not reachable, next try 12:01:30",
      Pending: "3 (2 under way)",
      Oldest: "11:55:00",
      Failed: "1",
      "Last error": "11:59:59 network ECONNREFUSED &lt;10.0.0.1&gt;",
    });
  });

  it("of which more is owed than is counted says so by a plus", async () => {
    const { body } = await sinksPage({}, [counted({ pending: 10_000, dead: 12, capped: true })]);
    expect(cellsOf(body)).toMatchObject({ Pending: "10,000+", Failed: "12+" });
    const exact = await sinksPage({}, [counted({ pending: 10_000, dead: 12 })]);
    expect(cellsOf(exact.body)).toMatchObject({ Pending: "10,000", Failed: "12" });
  });

  it.each([
    ["nothing", null, "1d"],
    ["what came just now", NOON, "1d"],
    ["what came yesterday, to the millisecond", NOON - DAY, "2d"],
    ["what came a moment before that", NOON - DAY - 1, "3d"],
    ["what came ten days ago", NOON - 10 * DAY, "11d"],
    ["what is to come, where the clock was set back", NOON + 3 * DAY, "1d"],
  ])("leads back far enough where it owes %s", async (_, oldestOwedAt, since) => {
    const { body } = await sinksPage({}, [counted({ oldestOwedAt })]);
    const href = /<a href="([^"]*state=pending[^"]*)"/.exec(body)?.[1] ?? "";
    const { searchParams } = new URL(href.replaceAll("&amp;", "&"), "http://page");
    expect(Object.fromEntries(searchParams)).toEqual({ sink: "ops", state: "pending", since });
  });

  it("is not that of another sink's counts", async () => {
    const { body } = await sinksPage({}, [counted({ sink: "audit", pending: 7, dead: 7 })]);
    expect(cellsOf(body)).toMatchObject({ Pending: "0", Failed: "0" });
  });

  it.each([
    ["open", null],
    ["paused", NOON + MINUTE],
    ["broken", NOON + MINUTE],
  ] as const)("speaks Chinese where it is %s", async (state, until) => {
    const { body } = await sinksPage({ state, until }, [], "zh");
    const cells = cellsOf(body);
    expect(Object.keys(cells).filter((name) => /^[A-Z][a-z]/.test(name))).toEqual(["Sink"]);
    const [, told] = Object.values(cells);
    expect(told).toMatch(/\p{Script=Han}/u);
    expect(told?.includes("12:01:00")).toBe(until !== null);
  });

  it("leads to a sink of any name, and to no other", async () => {
    const name = 'a&b "c"=d';
    const { body } = await sinksPage({ name }, [counted({ sink: name, pending: 4 })]);
    const [first = ""] = [...body.matchAll(/<td><a href="(\/\?[^"]*)"/g)].map(
      (one) => one[1] ?? "",
    );
    const { searchParams } = new URL(first.replaceAll("&amp;", "&"), "http://page");
    expect(searchParams.get("sink")).toBe(name);
    expect(cellsOf(body)["Pending"]).toBe("4");
  });
});

describe("whoever may only read", () => {
  const ACCESS = `
tokens:
  - { name: reader, sha256: ${sha256("of-reader")}, namespaces: ["*"], may: [read] }
  - { name: operator, sha256: ${sha256("of-ops")}, namespaces: ["*"], may: [read, change] }
`;

  it("sees what was given up without buttons, and is told that they may not", async () => {
    const file = fileProver(accessFile(ACCESS), new FakeClock());
    const site = await aPageSite({}, { tokens: [file], proxy: null, open: false });
    await take(site, [seen(1, NOON - MINUTE)]);
    const [owed] = site.outbox.due("ops", NOON, 1, new Set());
    const verdict = {
      kind: "dead",
      at: NOON,
      reason: "auth",
      detail: "no",
      counted: true,
    } as const;
    site.outbox.settle(owed?.id ?? "", verdict);
    site.outbox.pending("ops", NOON);
    const as = (token: string) =>
      site.get("/sinks", { authorization: `Bearer ${token}`, accept: "text/html" });
    const reader = await as("of-reader");
    expect(reader.text).toContain("BackOff Pod web-1");
    expect(reader.text).toContain("You may read this, but not retry or discard.");
    expect(reader.body).not.toContain('name="act"');
    const operator = await as("of-ops");
    expect(operator.body).toContain('name="act" value="retry"');
    expect(operator.text).not.toContain("You may read this");
  });
});
