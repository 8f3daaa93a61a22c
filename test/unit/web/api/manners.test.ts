import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { openReaderBeside } from "../../../../src/history/open.ts";
import type { DeliveryRow } from "../../../../src/ledger/ledger.ts";
import { storedKey } from "../../../../src/ledger/key.ts";
import { Refusal } from "../../../../src/web/auth/refusal.ts";
import { OPERATIONS } from "../../../../src/web/api/operations.ts";
import type { SinkStatus } from "../../../../src/web/page/sinks-page.ts";
import { html } from "../../../../src/web/server.ts";
import { anApiSite } from "../../../support/api.ts";
import { FakeApiServer } from "../../../support/apiserver.ts";
import { FakeClock } from "../../../support/clock.ts";
import {
  accessFile,
  bearer,
  fileProver,
  kubernetesProver,
  sha256,
} from "../../../support/guarded.ts";
import { MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { temporaryDirectory } from "../../../support/ledger.ts";
import { Contract } from "../../../support/openapi.ts";

const parse = (body: string) => JSON.parse(body) as Record<string, unknown>;

const OPS: SinkStatus = {
  name: "ops",
  type: "webhook",
  state: "paused",
  until: NOON + MINUTE,
  inFlight: 1,
  budget: { left: 3, count: 20, perMs: MINUTE },
  latency: { p50: 12, p99: 80 },
  lastError: { at: NOON, reason: "throttled", detail: "130101: too fast" },
};

describe("the description of the API", () => {
  it("is a valid OpenAPI 3.1 document", async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(new Contract().document));
    expect(result.valid, JSON.stringify(result)).toBe(true);
    expect(validator.version).toBe("3.1");
  });

  it("is served, and names every call once", async () => {
    const site = await anApiSite();
    const { body } = await site.ask("GET", "/api/v1/openapi.json");
    const paths = parse(body)["paths"] as Record<string, Record<string, { operationId: string }>>;
    const ids = Object.values(paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(ids.toSorted()).toEqual(OPERATIONS.map(({ id }) => id).toSorted());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("tells the truth: each path that it names is there", async () => {
    const site = await anApiSite({ sinks: () => [OPS] });
    await take(site, [seen(1, NOON)]);
    const id = encodeURIComponent(storedKey(seen(1, NOON)));
    for (const { method, path, stream, answer } of OPERATIONS) {
      if (method !== "get" || stream !== undefined || answer === null) continue;
      const { status } = await site.ask("GET", path.replace("{id}", id));
      expect(status, path).toBe(200);
    }
  });
});

describe("a request that is none", () => {
  it.each([
    ["DELETE", "/api/v1/events", "GET, HEAD"],
    ["POST", "/api/v1/timeline", "GET, HEAD"],
    ["GET", "/api/v1/explain", "POST"],
    ["PUT", "/api/v1/deliveries/d1/retry", "POST"],
    ["POST", "/api/v1/whoami", "GET, HEAD"],
  ])("%s %s: 405 with what is expected", async (method, path, allow) => {
    const site = await anApiSite();
    const { status, headers, body } = await site.ask(method, path);
    expect([status, headers.get("allow")]).toEqual([405, allow]);
    expect(parse(body)["error"]).toBe(`found ${method}, expected ${allow}`);
  });

  it("404 for a path there is not, as JSON", async () => {
    const site = await anApiSite();
    const response = await fetch(`${site.url}/api/v2/events`, { headers: { accept: "text/html" } });
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  });

  it.each([
    ["text/csv", 406],
    ["text/html, application/json;q=0", 406],
    ["text/html, */*;q=0.1", 200],
    // The narrowest range that fits decides.
    ["*/*, application/json;q=0", 406],
    ["application/json;q=0.0, application/*", 406],
    ["application/*;q=0, */*", 406],
    ["application/*;q=0, application/json;q=0.1", 200],
    ["*/*;q=0", 406],
    [",", 406],
    ["application/*", 200],
    ["APPLICATION/JSON; charset=utf-8", 200],
    ["", 200],
  ])("Accept: %s gets %d", async (accept, expected) => {
    const site = await anApiSite();
    const { status, body } = await site.get("/api/v1/events", { accept });
    expect(status).toBe(expected);
    expect(parse(body)["error"] ?? "").toMatch(
      expected === 406 ? /the answer is application\/json/ : /^$/,
    );
  });

  it("406 where a stream is taken for JSON", async () => {
    const site = await anApiSite();
    expect((await site.get("/api/v1/tail", { accept: "application/json" })).status).toBe(406);
  });

  it("415 for what is no JSON by its own account", async () => {
    const site = await anApiSite();
    const { status, body } = await site.ask("POST", "/api/v1/explain", {
      body: "kind=Event",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(status).toBe(415);
    expect(parse(body)["error"]).toContain("expected application/json");
  });

  it("413 for more than anybody has to say", async () => {
    const site = await anApiSite();
    const body = { sink: "ops", text: "x".repeat(300_000) };
    expect((await site.ask("POST", "/api/v1/templates/preview", { body })).status).toBe(413);
  });

  it.each([
    ["/api/v1/explain", "{", "body", /JSON/],
    ["/api/v1/explain", { apiVersion: "v1", kind: "Pod" }, "kind", /Event/],
    ["/api/v1/explain", [], "body", /^object$/],
    ["/api/v1/templates/preview", { text: 7 }, "text", /^string$/],
    ["/api/v1/templates/preview", { sink: "ops", txt: "" }, "body", /^no field "txt"$/],
    ["/api/v1/templates/preview", { sink: "ops", text: "x".repeat(100_001) }, "text", /100000/],
  ])("400 for %s of %j names the field, with an example", async (path, body, field, expected) => {
    const site = await anApiSite();
    const answer = await site.ask("POST", path, { body });
    expect(answer.status).toBe(400);
    const fields = parse(answer.body)["fields"] as {
      field: string;
      expected: string;
      example: string;
    }[];
    const named = fields.find((one) => one.field === field);
    expect(named?.expected).toMatch(expected);
    expect(JSON.parse(named?.example ?? "")).toBeTruthy();
  });

  it("400 for a page larger than there are", async () => {
    const site = await anApiSite();
    const { status, body } = await site.get("/api/v1/events?limit=1001");
    expect([status, parse(body)["fields"]]).toMatchObject([
      400,
      [{ field: "limit", found: "1001", expected: "a whole number from 1 to 1000", example: "50" }],
    ]);
  });
});

describe("whoever may not", () => {
  async function guarded() {
    const server = await FakeApiServer.start();
    onTestFinished(() => server.close());
    const { prover } = kubernetesProver(server, new FakeClock("2026-11-20T12:00:00Z"));
    server.reviews.tokens.set("ann", { user: { username: "ann", groups: [] } });
    const site = await anApiSite({}, { tokens: [prover], proxy: null, open: false });
    await take(site, [
      seen(1, NOON),
      seen(2, NOON, { eventNamespace: "pay", object: { namespace: "pay" } }),
    ]);
    return { server, site, ann: bearer("ann") };
  }

  it("401 says what proof is expected", async () => {
    const { site } = await guarded();
    const { status, headers, body } = await site.get("/api/v1/events");
    expect([status, headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="kube-crier"']);
    expect(parse(body)["error"]).toContain("Authorization: Bearer");
    expect((await site.get("/api/v1/events", bearer("stolen"))).status).toBe(401);
  });

  it("403 names the permission of Kubernetes that is missing, and the rule that grants it", async () => {
    const { site, server, ann } = await guarded();
    const nowhere = await site.get("/api/v1/events", ann);
    expect(nowhere.status).toBe(403);
    expect(parse(nowhere.body)["error"]).toContain(
      'ann may not list events in any namespace; bind a Role in each namespace concerned, or a ClusterRole, with {apiGroups: [""], resources: ["events"], verbs: ["list"]}',
    );
    server.reviews.grant("ann", "list events", "shop");
    const named = await site.get("/api/v1/timeline?ns=pay", ann);
    expect([named.status, parse(named.body)["error"]]).toEqual([
      403,
      expect.stringContaining("ann may not list events in namespace pay"),
    ]);
  });

  it("sees its namespaces, and of the others not even that they are there", async () => {
    const { site, server, ann } = await guarded();
    server.reviews.grant("ann", "list events", "shop");
    const { body } = await site.get("/api/v1/events", ann);
    expect((parse(body)["events"] as unknown[]).length).toBe(1);
    const hidden = encodeURIComponent(storedKey(seen(2, NOON)));
    for (const path of [`/api/v1/events/${hidden}`, `/api/v1/explain/${hidden}`]) {
      const [there, none] = await Promise.all([
        site.get(path, ann),
        site.get(path.replace(hidden, "x"), ann),
      ]);
      expect([there.status, there.body]).toEqual([404, none.body]);
    }
  });

  it("503 while nobody can say what it may", async () => {
    const { site, server, ann } = await guarded();
    await server.close();
    const { status, headers } = await site.get("/api/v1/events", ann);
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
  });
});

describe("a store that is down", () => {
  it("503 with when to ask again; what memory has is there", async () => {
    const reader = openReaderBeside(temporaryDirectory(), () => 0, systemClock);
    onTestFinished(() => reader.close());
    const site = await anApiSite({ reader, sinks: () => [OPS] });
    for (const path of [
      "/api/v1/events",
      "/api/v1/timeline",
      "/api/v1/deliveries",
      "/api/v1/events/x",
    ]) {
      const { status, headers, body } = await site.get(path);
      expect([path, status, headers.get("retry-after")]).toEqual([path, 503, "1"]);
      expect(parse(body)["error"]).toMatch(/ledger/);
    }
    const { status, body } = await site.get("/api/v1/sinks");
    expect(status).toBe(200);
    expect(parse(body)["sinks"]).toMatchObject([
      { name: "ops", state: "paused", pending: null, dead: null, inFlight: 1 },
    ]);
  });
});

describe("an answer", () => {
  it("comes in time: a part of it, with where to look on", async () => {
    const whole = await anApiSite();
    await take(
      whole,
      Array.from({ length: 400 }, (_, n) => seen(n, NOON - n * MINUTE)),
    );
    // Time is up before anything was looked at.
    const events: typeof whole.reader.events = (filter, limit, before, ask) =>
      whole.reader.events(filter, limit, before, { ...ask, deadlineMs: 0 });
    const site = await anApiSite({ reader: { ...whole.reader, events } });
    const { status, body } = await site.get("/api/v1/events?q=nothing-has-this-word");
    const page = parse(body);
    expect([status, page["refine"]]).toMatchObject([200, { cause: "deadline" }]);
    const next = String(page["next"]);
    expect((await whole.get(`/api/v1/events?cursor=${next}`)).status).toBe(200);
  });

  it.each([
    ["its own tag", (etag: string) => etag, 304],
    ["the weak one of a proxy", (etag: string) => `W/${etag}`, 304],
    ["one of several", (etag: string) => `"other", ${etag}`, 304],
    ["whatever there is", () => "*", 304],
    ["another", () => '"other"', 200],
  ])("has no body for who has it: %s", async (_, known, expected) => {
    const site = await anApiSite();
    const { headers } = await site.get("/api/v1/timeline");
    const etag = headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect(headers.get("cache-control")).toBe("private, no-cache");
    const { status } = await site.get("/api/v1/timeline", { "if-none-match": known(etag) });
    expect(status).toBe(expected);
  });
});

describe("a template that is tried", () => {
  const preview = async (sink: string, text: string) => ({
    issues: [],
    warnings: [`of ${sink}`],
    looks: [
      { lang: "en" as const, drawn: html`<p>${text}</p>`, text: "{}", problem: null },
      { lang: "zh" as const, drawn: null, text: "", problem: "too large" },
    ],
  });

  it("is shown as the chat would show it; hostile text stays text", async () => {
    const site = await anApiSite({ preview });
    const body = { sink: "ops", text: "<script>" };
    const answer = await site.ask("POST", "/api/v1/templates/preview", { body });
    expect(parse(answer.body)).toEqual({
      issues: [],
      warnings: ["of ops"],
      looks: [
        { lang: "en", html: "<p>&lt;script&gt;</p>", text: "{}", problem: null },
        { lang: "zh", html: null, text: "", problem: "too large" },
      ],
    });
  });

  it("begins with the one in use; 404 for a sink there is not, and for an event there is not", async () => {
    const site = await anApiSite({ preview, templateText: (sink) => `that of ${sink}` });
    const now = await site.ask("POST", "/api/v1/templates/preview", { body: { sink: "ops" } });
    expect(now.body).toContain("that of ops");
    for (const body of [{ sink: "oops" }, { sink: "ops", event: "none" }])
      expect((await site.ask("POST", "/api/v1/templates/preview", { body })).status).toBe(404);
  });
});

describe("a dead letter", () => {
  const ACCESS = `
tokens:
  - { name: ann, sha256: ${sha256("reads")}, namespaces: [shop], may: [read] }
  - { name: olga, sha256: ${sha256("changes")}, namespaces: ["*"], may: [read, change] }
`;
  async function given() {
    const prover = fileProver(accessFile(ACCESS), new FakeClock("2026-11-20T12:00:00Z"));
    const acts: string[] = [];
    const row = { id: "d1", alert: { kind: "event", event: seen(1, NOON) } } as DeliveryRow;
    const site = await anApiSite(
      {
        delivery: async (id) => (id === "d1" ? row : null),
        settleDead: async (id, act) => {
          if (acts.length > 0) throw new Refusal(409, "somebody was faster");
          acts.push(`${act} ${id}`);
        },
      },
      { tokens: [prover], proxy: null, open: false },
    );
    const post = (path: string, token: string) =>
      site.ask("POST", `/api/v1/deliveries/${path}`, { headers: bearer(token) });
    return { site, post, acts };
  }

  it("is owed again by whoever may change, once, and it is written down who", async () => {
    const { site, post, acts } = await given();
    const done = await post("d1/retry", "changes");
    expect([done.status, done.body, acts]).toEqual([204, "", ["retry d1"]]);
    expect((await post("d1/discard", "changes")).status).toBe(409);
    expect(
      site.audit.map(({ who, action, target, outcome }) => [who, action, target, outcome]),
    ).toEqual([
      ["olga", "retry", "d1", "done"],
      ["olga", "discard", "d1", "refused"],
    ]);
  });

  it("403 for whoever may only read, 404 for what there is not, 401 for nobody", async () => {
    const { site, post, acts } = await given();
    const refused = await post("d1/retry", "reads");
    expect([refused.status, parse(refused.body)["error"]]).toEqual([
      403,
      expect.stringContaining("ann may not change in namespace shop"),
    ]);
    expect((await post("d9/retry", "changes")).status).toBe(404);
    expect((await site.ask("POST", "/api/v1/deliveries/d1/discard")).status).toBe(401);
    expect(acts).toEqual([]);
  });
});
