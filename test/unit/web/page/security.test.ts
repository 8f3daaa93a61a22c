import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../support/clock.ts";
import { accessFile, bearer, fileProver, sha256 } from "../../../support/guarded.ts";
import { anIncident } from "../../../support/incident.ts";
import { NOON, seen, take } from "../../../support/history.ts";
import { storedKey } from "../../../../src/ledger/key.ts";

const ACCESS = `tokens:
  - { name: ops, sha256: ${sha256("token-of-ops")}, namespaces: ["*"], may: [read, change] }
  - { name: shop, sha256: ${sha256("token-of-shop")}, namespaces: [shop], may: [read, change] }
`;
const OPS = bearer("token-of-ops");
const SHOP = bearer("token-of-shop");
const BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";
const JSON_BODY = { ...OPS, "content-type": "application/json" };

/** The pages and the API over an incident in five namespaces, for those who have a token. */
async function guarded() {
  const clock = new FakeClock(new Date(NOON).toISOString());
  const tokens = [fileProver(accessFile(ACCESS), clock)];
  const site = await anIncident({ tokens, proxy: null, open: false });
  const pay = site.history.events({ namespace: "pay" })[0]?.event ?? seen(0, 0);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(site.url + path, { redirect: "manual", ...init });
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { ...site, ask, pay, hidden: encodeURIComponent(storedKey(pay)) };
}

const PAGES = [
  "/",
  "/?view=grouped",
  "/events.csv?since=1h",
  "/report?since=1h",
  "/objects?ns=pay&kind=Pod&name=ledger-6c8d7f-h5n2w",
  "/sinks",
  "/templates",
  "/configuration",
  "/api/v1/events",
  "/api/v1/timeline",
  "/api/v1/deliveries",
  "/api/v1/sinks",
  "/api/v1/openapi.json",
  "/tail",
  "/api/v1/tail",
  "/assets/page.js",
  "/assets/page.css",
];

describe("without a proof of who asks", () => {
  it("nothing is told, not even whether it exists", async () => {
    const site = await guarded();
    const places = [...PAGES, `/events/${site.hidden}`, `/api/v1/events/${site.hidden}`];
    for (const place of places) {
      const { status, body, headers } = await site.ask(place, { headers: { accept: BROWSER } });
      expect([303, 401], place).toContain(status);
      expect(body, place).not.toMatch(/ledger-6c8d7f|BackOff|wecom-pay/);
      expect(headers.get("location") ?? "/login?", place).toMatch(/^\/login\?/);
    }
    for (const place of ["/deliveries/x", "/templates", "/templates/preview", "/api/v1/explain"]) {
      const { status } = await site.ask(place, { method: "POST", body: new URLSearchParams() });
      expect(status, place).toBe(401);
    }
    expect(site.failures).toEqual([]);
  });
});

describe("who may see one namespace", () => {
  it("gets the same answer for what is hidden and for what does not exist, on every way by an id", async () => {
    const site = await guarded();
    const none = encodeURIComponent("000000000000/none@1");
    const [delivery = ""] = site.history.deliveries({ state: "dead" }).map(({ id }) => id);
    const ways: readonly (readonly [string, (id: string) => string, RequestInit])[] = [
      [site.hidden, (id) => `/events/${id}`, {}],
      [site.hidden, (id) => `/api/v1/events/${id}`, {}],
      [site.hidden, (id) => `/api/v1/explain/${id}`, {}],
      [site.hidden, (id) => `/templates?event=${id}`, {}],
      [delivery, (id) => `/deliveries/${id}`, {}],
      [delivery, (id) => `/api/v1/explain/${id}`, {}],
      [delivery, (id) => `/api/v1/deliveries/${id}/retry`, { method: "POST" }],
      [delivery, (id) => `/api/v1/deliveries/${id}/discard`, { method: "POST" }],
      [
        delivery,
        (id) => `/deliveries/${id}`,
        { method: "POST", body: new URLSearchParams({ act: "discard" }) },
      ],
    ];
    for (const [hidden, way, init] of ways) {
      const asked = { ...init, headers: { ...SHOP, accept: BROWSER } };
      const there = await site.ask(way(hidden), asked);
      const nowhere = await site.ask(way(none), asked);
      expect([way(hidden), there.status, nowhere.status]).toEqual([way(hidden), 404, 404]);
      expect(there.body).toBe(nowhere.body);
    }
    // It is there: whoever may see it does.
    for (const [hidden, way] of ways.filter(([, , { method }]) => method === undefined)) {
      const { status } = await site.ask(way(hidden), { headers: OPS });
      expect(status, way(hidden)).toBeLessThan(400);
    }
    expect(site.failures).toEqual([]);
  });

  it("sees nothing of the others in lists, counts, files, reports and what arrives", async () => {
    const site = await guarded();
    for (const place of PAGES.filter((one) => !/tail|assets|objects|openapi/.test(one))) {
      const { status, body } = await site.ask(place, { headers: { ...SHOP, accept: BROWSER } });
      expect(status, place).toBe(200);
      expect(body, place).not.toMatch(/ledger-6c8d7f|OOMKilling|search-2|report-hourly/);
    }
    const { body } = await site.ask("/api/v1/sinks", { headers: SHOP });
    const sinks = (JSON.parse(body) as { sinks: { name: string; dead: number }[] }).sinks;
    expect(sinks.find(({ name }) => name === "wecom-pay")).toMatchObject({ dead: 0, pending: 0 });
    for (const field of ["ns=pay", "ns=shop,pay", "ns=-"])
      for (const place of ["/", "/events.csv", "/report", "/objects", "/tail", "/api/v1/events"]) {
        const { status, body: refused } = await site.ask(`${place}?${field}`, { headers: SHOP });
        // A story is of one object.
        expect(status, `${place}?${field}`).toBe(place === "/objects" ? 400 : 403);
        expect(refused).not.toMatch(/ledger-6c8d7f|OOMKilling/);
      }
    for (const ns of ["pay", "-"]) {
      const place = `/objects?ns=${ns}&kind=Pod&name=ledger-6c8d7f-h5n2w`;
      expect([place, (await site.ask(place, { headers: SHOP })).status]).toEqual([place, 403]);
    }
  });

  it("sees of an object what is in that namespace alone, also beside an event of theirs", async () => {
    const site = await guarded();
    const object = { kind: "Node", namespace: null, name: "node-9" };
    const mine = seen(801, NOON, { object, eventNamespace: "shop", message: "of mine" });
    await take(site, [
      mine,
      seen(802, NOON, { object, eventNamespace: "pay", message: "s3cret of theirs" }),
    ]);
    const id = encodeURIComponent(storedKey(mine));
    for (const place of [`/events/${id}`, `/api/v1/events/${id}`, `/api/v1/explain/${id}`]) {
      const one = await site.ask(place, { headers: { ...SHOP, accept: BROWSER } });
      expect([place, one.status]).toEqual([place, 200]);
      expect(one.body, place).not.toContain("s3cret of theirs");
      const all = await site.ask(place, { headers: { ...OPS, accept: BROWSER } });
      expect(all.status).toBe(200);
    }
    const { body } = await site.ask(`/events/${id}`, { headers: { ...OPS, accept: BROWSER } });
    expect(body).toContain("s3cret of theirs");
  });
});

describe("every answer", () => {
  it("forbids frames, foreign scripts and guessing of types; and is kept by nobody, unless it is a file of ours", async () => {
    const site = await guarded();
    const asked: readonly (readonly [string, RequestInit])[] = [
      ...PAGES.filter((one) => !one.includes("tail")).map(
        (one) => [one, { headers: OPS }] as const,
      ),
      [`/events/${encodeURIComponent(site.id)}`, { headers: OPS }],
      ["/", {}],
      ["/login", {}],
      ["/login/style.css", {}],
      ["/nowhere", { headers: OPS }],
      ["/api/v1/nowhere", { headers: OPS }],
      ["/?since=yesterday", { headers: { ...OPS, accept: BROWSER } }],
      ["/api/v1/events?since=yesterday", { headers: OPS }],
      ["/assets/page.css", { headers: { ...OPS, range: "bytes=0-1" } }],
      ["/sinks", { method: "DELETE", headers: OPS }],
      ["/templates", { method: "POST", headers: OPS, body: "x".repeat(300_000) }],
      [
        "/deliveries/none",
        { method: "POST", headers: OPS, body: new URLSearchParams({ act: "x" }) },
      ],
      ["/", { method: "HEAD", headers: OPS }],
      ["/", { method: "OPTIONS", headers: { origin: "http://evil.example" } }],
    ];
    for (const [place, init] of asked) {
      const { headers, status } = await site.ask(place, init);
      const policy = headers.get("content-security-policy") ?? "";
      const told = `${init.method ?? "GET"} ${place} ${status}`;
      expect(policy, told).toContain("default-src 'none'");
      expect(policy, told).toContain("frame-ancestors 'none'");
      expect(policy, told).not.toMatch(/unsafe|\*|https?:/);
      expect(headers.get("x-content-type-options"), told).toBe("nosniff");
      expect(headers.get("x-frame-options"), told).toBe("DENY");
      expect(headers.get("cross-origin-resource-policy"), told).toBe("same-origin");
      expect(headers.get("referrer-policy"), told).toBe("same-origin");
      expect(headers.get("access-control-allow-origin"), told).toBeNull();
      expect(headers.get("cache-control"), told).toMatch(/no-store|private, no-cache|max-age=3600/);
      expect(headers.get("server") ?? headers.get("x-powered-by"), told).toBeNull();
    }
    expect(site.failures).toEqual([]);
  });
});

describe("what makes no sense", () => {
  const WRONG = [
    "\u0000",
    "%00",
    "'\"--",
    "1' OR '1'='1",
    "../../etc/passwd",
    "😀".repeat(50),
    "\ud800",
    "a".repeat(5_000),
    "-1",
    "1e309",
    "NaN",
    "[object Object]",
    "{}",
    "*",
    "**",
    "\\",
    "%",
    "_",
    "NEAR(",
    '"',
    "AND OR NOT",
    "2026-13-45T99:99:99Z",
    "+275760-09-13T00:00:00.001Z",
    "999999999d",
    "-1h",
    "__proto__",
    "constructor",
  ];
  const FIELDS = [
    "since",
    "from",
    "to",
    "cluster",
    "ns",
    "kind",
    "name",
    "reason",
    "type",
    "component",
    "sink",
    "state",
    "kept",
    "why",
    "q",
    "limit",
    "cursor",
    "by",
    "step",
    "top",
    "view",
    "lang",
    "after",
    "__proto__",
    "toString",
  ];

  it.each(FIELDS)(
    "in the field %s is an answer or a 400 that names it, never a fault of ours",
    async (field) => {
      const site = await guarded();
      for (const wrong of WRONG)
        for (const place of ["/", "/api/v1/events", "/api/v1/timeline"]) {
          const query = `${place}?${encodeURIComponent(field)}=${encodeURIComponent(wrong.toWellFormed())}`;
          const { status, body } = await site.ask(query, {
            headers: { ...OPS, accept: BROWSER },
          });
          expect([200, 303, 400], query).toContain(status);
          expect(status === 400 ? body : field, query).toContain(field);
        }
      expect(site.failures).toEqual([]);
    },
  );

  it.each([
    "/assets/../../../../etc/passwd",
    "/assets/..%2f..%2fpage%2froutes.ts",
    "/assets/%2e%2e%2fpage.css",
    "/assets/page.css%00.js",
    "/assets/page.ts/",
    "/assets/.",
    "/assets/",
    "/assets/PAGE.CSS",
    "/assets/__proto__",
    "/assets/constructor.js",
    "/events/..%2f..%2fsinks",
    "/events/%",
    "/events/%c0%ae%c0%ae",
    "/api/v1/events/..%2f..",
    "//evil.example/",
    "/\\evil.example",
  ])("the path %s leads nowhere", async (place) => {
    const site = await guarded();
    const { status, body, headers } = await site.ask(place, { headers: OPS });
    expect([400, 404]).toContain(status);
    expect(headers.get("location")).toBeNull();
    expect(body).not.toMatch(/root:|import \{|--page/);
    expect(site.failures).toEqual([]);
  });

  it("and is large is refused with what may be sent at most", async () => {
    const site = await guarded();
    const text = (length: number) =>
      new URLSearchParams({ sink: "ding-oncall", text: "x".repeat(length) });
    for (const place of ["/templates", "/templates/preview", "/templates/configmap"]) {
      const large = await site.ask(place, { method: "POST", headers: OPS, body: text(120_000) });
      expect([place, large.status]).toEqual([place, 400]);
      expect(large.body).toContain("at most 100000");
      const huge = await site.ask(place, { method: "POST", headers: OPS, body: text(300_000) });
      expect([place, huge.status]).toEqual([place, 413]);
    }
    const event = await site.ask("/api/v1/explain", {
      method: "POST",
      headers: JSON_BODY,
      body: `{"kind":"Event","message":"${"x".repeat(300_000)}"}`,
    });
    expect(event.status).toBe(413);
    const deep = await site.ask("/api/v1/explain", {
      method: "POST",
      headers: JSON_BODY,
      body: "[".repeat(100_000),
    });
    expect(deep.status).toBe(400);
    const many = Array.from({ length: 1_000 }, (_, n) => `reason=R${n}`).join("&");
    expect([200, 400, 431]).toContain((await site.ask(`/?${many}`, { headers: OPS })).status);
    expect(site.failures).toEqual([]);
  });

  it("and asks for a change is refused from another page, with whatever it carries", async () => {
    const site = await guarded();
    const login = await fetch(`${site.url}/login`, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ token: "token-of-ops" }),
    });
    const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
    const { body } = await site.ask("/sinks", { headers: { cookie, accept: BROWSER } });
    const csrf = /name="_csrf" value="([^"]+)"/.exec(body)?.[1] ?? "";
    expect(csrf).not.toBe("");
    const post = (headers: Record<string, string>, fields: Record<string, string>) =>
      site.ask(`/deliveries/${site.deadId}`, {
        method: "POST",
        headers: { cookie, ...headers },
        body: new URLSearchParams({ act: "discard", ...fields }),
      });
    const own = { "sec-fetch-site": "same-origin" };
    expect((await post(own, {})).status).toBe(403);
    expect((await post(own, { _csrf: "x".repeat(43) })).status).toBe(403);
    expect((await post({ "sec-fetch-site": "cross-site" }, { _csrf: csrf })).status).toBe(403);
    expect((await post({ origin: "http://evil.example" }, { _csrf: csrf })).status).toBe(403);
    expect((await post({ origin: "null" }, { _csrf: csrf })).status).toBe(403);
    expect(site.history.deliveries({ state: "discarded" })).toEqual([]);
    // Reading by GET changes nothing, whatever is asked.
    await site.ask(`/deliveries/${site.deadId}?act=discard&_csrf=${csrf}`, { headers: { cookie } });
    expect(site.history.deliveries({ state: "discarded" })).toEqual([]);
    expect((await post(own, { _csrf: csrf })).status).toBe(303);
    expect(site.history.deliveries({ state: "discarded" })).toHaveLength(1);
  });
});
