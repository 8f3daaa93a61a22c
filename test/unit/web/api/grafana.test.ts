import { describe, expect, it } from "vitest";
import { storedKey } from "../../../../src/ledger/key.ts";
import { anApiSite, type ApiSite } from "../../../support/api.ts";
import { FakeClock } from "../../../support/clock.ts";
import { accessFile, bearer, fileProver, sha256 } from "../../../support/guarded.ts";
import { anyone, MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { EVERYTHING } from "../../../../src/history/history.ts";

/**
 * The requests are those of the data source's documentation (simpod-json-datasource, README and openapi.yaml of its branch 0.7.x), field by
 * field, with our names for metrics.
 */
const RANGE = {
  from: "2026-11-20T10:00:00.000Z",
  to: "2026-11-20T12:00:00.000Z",
  raw: { from: "now-2h", to: "now" },
};
const asks = (targets: readonly object[], changes: object = {}) => ({
  panelId: 1,
  range: RANGE,
  rangeRaw: RANGE.raw,
  interval: "30s",
  intervalMs: 30_000,
  maxDataPoints: 550,
  targets,
  adhocFilters: [],
  scopedVars: { __interval: { text: "30s", value: "30s" } },
  ...changes,
});

async function filled(): Promise<ApiSite> {
  const site = await anApiSite();
  await fill(site);
  return site;
}

async function fill(site: ApiSite): Promise<void> {
  await take(site, [
    seen(1, NOON - 10 * MINUTE, { message: "<img src=x onerror=alert(1)>" }),
    seen(2, NOON - 5 * MINUTE, { reason: "Killing", type: "Normal" }),
    seen(3, NOON - 5 * MINUTE, { object: { namespace: "data" }, eventNamespace: "data" }),
    seen(4, NOON - 180 * MINUTE),
  ]);
  await site.reader.events(EVERYTHING, 1, null, anyone);
}

interface Table {
  readonly type: "table";
  readonly refId: string;
  readonly columns: readonly { readonly text: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly meta?: { readonly notices: readonly { readonly text: string }[] };
}
interface Series {
  readonly target: string;
  readonly refId: string;
  readonly datapoints: readonly (readonly [number, number])[];
}

async function post<T>(site: ApiSite, path: string, body: unknown): Promise<T> {
  const answer = await site.ask("POST", `/api/v1/grafana/${path}`, {
    body,
    // As Grafana's browser side and its proxy send it.
    headers: { accept: "application/json, text/plain, */*" },
  });
  expect(answer.status, answer.body).toBe(200);
  return JSON.parse(answer.body) as T;
}

const names = ({ columns, rows }: Table) => {
  const at = columns.findIndex(({ text }) => text === "name");
  return rows.map((row) => row[at]);
};

describe("the connection", () => {
  it("is tested by GET of the address itself", async () => {
    const site = await anApiSite();
    expect((await site.ask("GET", "/api/v1/grafana")).status).toBe(200);
  });

  it("takes a token of its own, in a header of the data source", async () => {
    const token = `tokens: [{ name: grafana, sha256: ${sha256("g")}, namespaces: [shop], may: [read] }]`;
    const clock = new FakeClock("2026-11-20T12:00:00Z");
    const prover = fileProver(accessFile(token), clock);
    const site = await anApiSite({}, { tokens: [prover], proxy: null, open: false });
    await fill(site);
    expect((await site.ask("GET", "/api/v1/grafana")).status).toBe(401);
    expect((await site.ask("GET", "/api/v1/grafana", { headers: bearer("g") })).status).toBe(200);
    const body = asks([{ target: "events", refId: "A" }]);
    const { status, body: text } = await site.ask("POST", "/api/v1/grafana/query", {
      body,
      headers: bearer("g"),
    });
    expect(status).toBe(200);
    // The one in the namespace data is for others.
    expect(names((JSON.parse(text) as [Table])[0])).toEqual(["web-2", "web-1"]);
    const values = await site.ask("POST", "/api/v1/grafana/variable", {
      body: { payload: { target: "ns" } },
      headers: bearer("g"),
    });
    expect(JSON.parse(values.body)).toEqual([{ __text: "shop", __value: "shop" }]);
  });
});

describe("POST /query", () => {
  it("answers a table of events in the dashboard's time", async () => {
    const site = await filled();
    const [table] = await post<[Table]>(site, "query", asks([{ target: "events", refId: "A" }]));
    expect(table).toMatchObject({ type: "table", refId: "A" });
    expect(table.columns.slice(0, 4)).toEqual([
      { text: "time", type: "time" },
      { text: "type", type: "string" },
      { text: "severity", type: "string" },
      { text: "reason", type: "string" },
    ]);
    expect(new Set(names(table))).toEqual(new Set(["web-1", "web-2", "web-3"]));
    const oldest = table.rows.at(-1) ?? [];
    expect([oldest[0], oldest.at(-1)]).toEqual([
      NOON - 10 * MINUTE,
      storedKey(seen(1, NOON - 10 * MINUTE)),
    ]);
    expect(table.rows.every((row) => row.length === table.columns.length)).toBe(true);
    expect(table.meta).toBeUndefined();
  });

  it("answers counts as series of value and milliseconds, as wide as the panel has room for", async () => {
    const site = await filled();
    const target = { target: "counts", refId: "B", payload: { by: "reason" } };
    const series = await post<Series[]>(site, "query", asks([target], { intervalMs: 290_000 }));
    expect(series.map((one) => one.target).toSorted()).toEqual(["BackOff", "Killing"]);
    const [first] = series.filter((one) => one.target === "BackOff");
    expect(first?.refId).toBe("B");
    const points = first?.datapoints.filter(([count]) => count > 0);
    expect(points).toEqual([
      [1, NOON - 10 * MINUTE],
      [1, NOON - 5 * MINUTE],
    ]);
    const times = first?.datapoints.map(([, at]) => at) ?? [];
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(5 * MINUTE);
  });

  it("answers annotations by the names that Grafana knows, and no markup of an Event's", async () => {
    const site = await filled();
    const target = {
      target: "annotations",
      refId: "Anno",
      payload: { type: "Warning", ns: "shop" },
    };
    const [table] = await post<[Table]>(site, "query", asks([target]));
    expect(table.columns.map(({ text }) => text)).toEqual(["time", "title", "text", "tags", "id"]);
    expect(table.rows).toEqual([
      [
        NOON - 10 * MINUTE,
        "BackOff shop/Pod web-1",
        "&lt;img src=x onerror=alert(1)&gt;",
        "Warning,BackOff,shop",
        storedKey(seen(1, NOON - 10 * MINUTE)),
      ],
    ]);
  });

  it.each([
    ["as it is typed", { ns: "data" }],
    ["a list, as JSON", { ns: ["data"] }],
    ["a variable with several values", { ns: "(data|nowhere)" }],
    ["a value with what means something in an expression", { name: "web\\-3" }],
    ["numbers", { name: "web-3", limit: 10 }],
  ])("takes a payload: %s", async (_, payload) => {
    const site = await filled();
    const [table] = await post<[Table]>(site, "query", asks([{ target: "events", payload }]));
    expect(names(table)).toEqual(["web-3"]);
  });

  it("takes no payload as Grafana sends none, and several targets at once", async () => {
    const site = await filled();
    const targets = [
      { target: "events", refId: "A", payload: "" },
      { target: "counts", refId: "B", payload: {} },
    ];
    const both = await post<(Table | Series)[]>(site, "query", asks(targets));
    expect(both.map(({ refId }) => refId)).toEqual(["A", "B", "B"]);
  });

  it("takes ad hoc filters, those that say =", async () => {
    const site = await filled();
    const filters = (operator: string) => ({
      adhocFilters: [{ key: "reason", operator, value: "Killing" }],
    });
    const targets = [{ target: "events", refId: "A" }];
    const [table] = await post<[Table]>(site, "query", asks(targets, filters("=")));
    expect(names(table)).toEqual(["web-2"]);
    const { status, body } = await site.ask("POST", "/api/v1/grafana/query", {
      body: asks(targets, filters("=~")),
    });
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({
      fields: [{ field: "reason", found: "=~ Killing", expected: expect.stringContaining("=") }],
    });
  });

  it("says at the panel that there is more", async () => {
    const site = await filled();
    const target = { target: "events", payload: { limit: "1" } };
    const [table] = await post<[Table]>(site, "query", asks([target]));
    expect(table.meta?.notices[0]?.text).toContain("There are older events");
  });

  it.each([
    [{ target: "evnts" }, "targets.0.target", /events/],
    [{ target: "events", payload: { namespace: "shop" } }, "namespace", /one of the fields: ns,/],
    [{ target: "events", payload: { by: "kind" } }, "by", /one of the fields/],
    [{ target: "counts", payload: { by: "colour" } }, "by", /reason/],
  ])("400 for %j names the field", async (target, field, expected) => {
    const site = await filled();
    const { status, body } = await site.ask("POST", "/api/v1/grafana/query", {
      body: asks([target]),
    });
    expect(status).toBe(400);
    const { fields } = JSON.parse(body) as { fields: { field: string; expected: string }[] };
    expect(fields.find((one) => one.field === field)?.expected).toMatch(expected);
  });
});

describe("what an editor of queries asks", () => {
  it("POST /metrics: what there is, and the fields of each", async () => {
    const site = await filled();
    for (const body of [{}, { metric: "events", payload: { ns: "shop" } }]) {
      const metrics = await post<{ value: string; payloads: { name: string; type: string }[] }[]>(
        site,
        "metrics",
        body,
      );
      expect(metrics.map(({ value }) => value)).toEqual(["events", "counts", "annotations"]);
      expect(metrics[1]?.payloads).toContainEqual(
        expect.objectContaining({ name: "by", type: "select" }),
      );
      expect(metrics[0]?.payloads.find(({ name }) => name === "q")?.type).toBe("input");
    }
  });

  it("POST /metric-payload-options: what was seen lately, what is configured, what there can be", async () => {
    const site = await filled();
    const options = async (name: string) =>
      (
        await post<{ value: string }[]>(site, "metric-payload-options", {
          metric: "events",
          payload: { ns: "shop" },
          name,
        })
      ).map(({ value }) => value);
    expect(await options("ns")).toEqual(["data", "shop"]);
    expect(await options("reason")).toEqual(["BackOff", "Killing"]);
    expect(await options("sink")).toEqual(["ops", "audit", "team"]);
    expect(await options("by")).toContain("component");
  });

  it("POST /variable: values for a dashboard's own choice", async () => {
    const site = await filled();
    const body = { payload: { target: "reason" }, range: RANGE };
    expect(await post(site, "variable", body)).toEqual([
      { __text: "BackOff", __value: "BackOff" },
      { __text: "Killing", __value: "Killing" },
    ]);
    const wrong = await site.ask("POST", "/api/v1/grafana/variable", {
      body: { payload: { target: "systems" } },
    });
    expect([wrong.status, wrong.body]).toEqual([400, expect.stringContaining("reason")]);
  });

  it("POST /tag-keys and /tag-values: ad hoc filters", async () => {
    const site = await filled();
    expect(await post(site, "tag-keys", {})).toContainEqual({ type: "string", text: "reason" });
    expect(await post(site, "tag-values", { key: "type" })).toEqual([
      { text: "Warning" },
      { text: "Normal" },
    ]);
    expect(await post(site, "tag-values", { key: "name" })).toEqual([]);
  });
});

describe("the Infinity data source", () => {
  it("reads the API itself: `${__timeFrom}` is milliseconds, its rows are in `events`", async () => {
    const site = await filled();
    const [from, to] = [Date.parse(RANGE.from), Date.parse(RANGE.to)];
    const { status, body } = await site.ask(
      "GET",
      `/api/v1/events?from=${from}&to=${to}&type=Warning&limit=500`,
      // As a Go program sends it that asks for JSON.
      {
        headers: {
          accept: "application/json;q=0.9,text/plain",
          "content-type": "application/json",
        },
      },
    );
    expect(status).toBe(200);
    const { events } = JSON.parse(body) as { events: { at: string; event: { reason: string } }[] };
    expect(events.map(({ at, event }) => [at, event.reason])).toEqual([
      ["2026-11-20T11:55:00.000Z", "BackOff"],
      ["2026-11-20T11:50:00.000Z", "BackOff"],
    ]);
  });
});
