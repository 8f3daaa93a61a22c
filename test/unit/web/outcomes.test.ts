import { beforeEach, describe, expect, it } from "vitest";
import type { KubeEvent } from "../../../src/event/event.ts";
import type { SuppressReason } from "../../../src/event/reason.ts";
import { CSV_COLUMNS } from "../../../src/history/csv.ts";
import { storedKey } from "../../../src/ledger/key.ts";
import { csvRecords } from "../../support/csv.ts";
import { MINUTE, NOON, seen } from "../../support/history.ts";
import { never } from "../../support/ledger.ts";
import { aPageSite, type PageSite } from "../../support/page.ts";

/** What became of an event, as each place that tells of it has it. */
interface Outcome {
  /** The mark in the list, with its words. */
  readonly mark: string;
  /** On its page, in English and Chinese. */
  readonly page: RegExp;
  readonly seite: RegExp;
  /** In the report. */
  readonly report: RegExp;
  /** The cells `told` and `suppressed` of the CSV. */
  readonly csv: readonly [told: string, suppressed: string];
  /** In the API: the state, its reason, and why it is owed to nobody. */
  readonly api: { readonly states: readonly string[]; readonly suppressed: string | null };
}

const at = NOON - MINUTE;
const suppressed = (why: SuppressReason, page: string, seite: string): Outcome => ({
  mark: page,
  page: new RegExp(page),
  seite: new RegExp(seite),
  report: new RegExp(page),
  csv: ["", why],
  api: { states: [], suppressed: why },
});
const told = (state: string, own: Omit<Outcome, "csv" | "api">): Outcome => ({
  ...own,
  csv: [`ops: ${state}`, ""],
  api: { states: [state], suppressed: null },
});

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  delivered: told("delivered", {
    mark: "ops: told",
    page: /ops ✓ told .*attempt 1 accepted .*answer: {&quot;ok&quot;:true}/,
    seite: /ops ✓ 已通知 .*第 1 次 已接受 .*应答/,
    report: /✓ ops: told 12:00:00/,
  }),
  "delivered at the second attempt": told("delivered", {
    mark: "ops: told",
    page: /attempt 1 network .*ECONNRESET .*attempt 2 accepted/,
    seite: /第 1 次 network .*第 2 次 已接受/,
    report: /✓ ops: told/,
  }),
  pending: told("pending", {
    mark: "ops: pending",
    page: /ops … pending /,
    seite: /ops … 等待中/,
    report: /… ops: pending/,
  }),
  "to be tried again": told("pending", {
    mark: "ops: pending (throttled)",
    page: /ops … pending throttled next try 12:00:30 .*attempt 1 throttled 429: slow down/,
    seite: /ops … 等待中 throttled 下次重试 12:00:30 .*第 1 次/,
    report: /… ops: pending Attempts: 1, throttled \(429: slow down\)/,
  }),
  "given up": told("dead", {
    mark: "ops: failed (auth)",
    page: /ops ✗ failed auth .*attempt 1 auth .*401: no such robot/,
    seite: /ops ✗ 失败 auth/,
    report: /✗ ops: failed 12:00:00 Attempts: 1, auth \(401: no such robot\)/,
  }),
  discarded: told("discarded", {
    mark: "ops: discarded (auth)",
    page: /ops – discarded auth/,
    seite: /ops – 已丢弃/,
    report: /– ops: discarded/,
  }),
  digested: told("folded", {
    mark: "ops: told in a digest",
    page: /ops ≡ told in a digest .*told in a digest/,
    seite: /ops ≡ 已汇总通知/,
    report: /≡ ops: told in a digest/,
  }),
  "dropped by the filter of all": suppressed(
    "globalFilter",
    "dropped by the global filter",
    "被全局过滤器排除",
  ),
  "wanted by no sink": suppressed("noSink", "no sink wanted it", "没有渠道需要"),
  "taken already": suppressed("duplicate", "already taken", "已收到过"),
  "too old": suppressed("tooOld", "too old to be told singly", "过旧，未单独通知"),
};

/** Each event has the name of its outcome. */
const EVENTS = new Map<string, KubeEvent>(
  Object.keys(OUTCOMES).map((name, n) => [
    name,
    seen(n, at, { object: { name: name.replaceAll(" ", "-") } }),
  ]),
);

let site: PageSite;

beforeEach(async () => {
  site = await aPageSite();
  const { outbox } = site;
  for (const [name, { api }] of Object.entries(OUTCOMES)) {
    const event = EVENTS.get(name) ?? seen(99, at);
    const alert = { kind: "event", event } as const;
    const why = api.suppressed as SuppressReason | null;
    const entry = { event, alert, sinks: why === null ? ["ops"] : [] };
    await outbox.add([why === null ? entry : { ...entry, suppressed: why }], [], never);
  }
  // d1 … d7, in the order of the outcomes.
  const failed = { at: NOON, counted: true } as const;
  const delivered = { kind: "delivered", at: NOON, sent: "", answer: '{"ok":true}' } as const;
  const dead = { kind: "dead", ...failed, reason: "auth", detail: "401: no such robot" } as const;
  outbox.settle("d1", delivered);
  outbox.settle("d2", {
    kind: "retry",
    ...failed,
    notBefore: NOON,
    reason: "network",
    detail: "ECONNRESET",
  });
  outbox.settle("d2", delivered);
  outbox.settle("d4", {
    kind: "retry",
    ...failed,
    notBefore: NOON + 30_000,
    reason: "throttled",
    detail: "429: slow down",
  });
  outbox.settle("d5", dead);
  outbox.settle("d6", dead);
  const line = {
    count: 1,
    severity: "warning",
    reason: "BackOff",
    kind: "Pod",
    namespace: "shop",
    workload: "w",
    objects: 1,
  } as const;
  const [from, to] = [new Date(at).toISOString(), new Date(at).toISOString()];
  outbox.fold(
    "ops",
    ["d7"],
    { kind: "digest", cluster: "prod-a", total: 1, moreKinds: 0, lines: [line], from, to },
    NOON,
  );
  outbox.written();
  site.history.discard(["d6"], null);
});

describe.each(Object.entries(OUTCOMES))("an event that is %s", (name, outcome) => {
  const event = EVENTS.get(name) ?? seen(99, at);
  const id = encodeURIComponent(storedKey(event));

  it("has its mark in the list, and the same cells in the file", async () => {
    const { body } = await site.get("/?limit=100");
    const row = body.split("<tr ").find((one) => one.includes(`>${event.object.name}</a>`)) ?? "";
    expect(row).toContain(outcome.mark);
    const { body: csv } = await site.get("/events.csv");
    const record = csvRecords(csv.replace(/^\uFEFF/, "")).find((one) =>
      one.includes(event.object.name),
    );
    const cell = (column: (typeof CSV_COLUMNS)[number]) => record?.[CSV_COLUMNS.indexOf(column)];
    expect([cell("told"), cell("suppressed")]).toEqual(outcome.csv);
  });

  it("has its story on its page, in both languages", async () => {
    expect((await site.get(`/events/${id}`)).text).toMatch(outcome.page);
    expect((await site.get(`/events/${id}?lang=zh`)).text).toMatch(outcome.seite);
  });

  it("is told so in the report of the incident", async () => {
    const { body } = await site.get("/report?since=1h");
    const row = body.split("<tr").find((one) => one.includes(` ${event.object.name}<`)) ?? "";
    expect(row.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ")).toMatch(outcome.report);
  });

  it("is found by what became of it, and explained as that", async () => {
    const { states, suppressed: why } = outcome.api;
    const query = why === null ? `state=${states.join()}` : `why=${why}`;
    const list = await site.get(`/api/v1/events?${query}`);
    const { events } = JSON.parse(list.body) as {
      events: { id: string; suppressed: string | null }[];
    };
    expect(events.find((one) => one.id === storedKey(event))?.suppressed).toBe(why);
    const { body } = await site.get(`/api/v1/explain/${id}`);
    const decision = JSON.parse(body) as {
      suppressed: string | null;
      deliveries: { state: string }[];
    };
    expect([decision.deliveries.map(({ state }) => state), decision.suppressed]).toEqual([
      states,
      why,
    ]);
  });
});

it("each outcome is found by itself: no other is in its list", async () => {
  const counts = new Map<string, number>();
  for (const {
    csv: [told_, why],
  } of Object.values(OUTCOMES))
    counts.set(`${told_}${why}`, (counts.get(`${told_}${why}`) ?? 0) + 1);
  for (const [cells, many] of counts) {
    const query = cells.startsWith("ops: ") ? `state=${cells.slice(5)}` : `why=${cells}`;
    const { body } = await site.get(`/api/v1/events?${query}`);
    expect([query, (JSON.parse(body) as { events: unknown[] }).events.length]).toEqual([
      query,
      many,
    ]);
  }
});
