import { describe, expect, it, onTestFinished } from "vitest";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { bearer, kubernetesProver } from "../../support/guarded.ts";
import {
  aRoutesSite,
  CALLERS,
  HIDDEN,
  NAMED,
  PUBLIC,
  ROUTES,
  tokenOf,
} from "../../support/routes.ts";

const BROWSER = { accept: "text/html,*/*;q=0.8" };
const names = (of: readonly string[]) => [...new Set(of)].toSorted();

describe("the table of routes", () => {
  it("is all there is: whoever adds one says who may ask", async () => {
    const site = await aRoutesSite();
    const served = site.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path}`);
    expect(names(served)).toEqual(names([...Object.keys(ROUTES), ...PUBLIC]));
  });
});

describe.each(NAMED)("%s", (...named) => {
  const [route, { gets }] = named;

  it("answers each caller what they may know", async () => {
    const site = await aRoutesSite();
    for (const [index, who] of CALLERS.entries()) {
      const { status, body } = await site.ask(named, tokenOf(who));
      expect([who, status]).toEqual([who, gets[index]]);
      const knows = !["none", "pay"].includes(who);
      expect([who, knows || !body.includes(HIDDEN)]).toEqual([who, true]);
      const missing = new RegExp(`${who} may not (read|change) in `);
      expect([who, status === 403, body]).toEqual([who, missing.test(body), expect.any(String)]);
    }
    expect(site.failures).toEqual([]);
  });

  it("tells nobody anything who proves nothing", async () => {
    const site = await aRoutesSite();
    const wrong = [
      {},
      bearer("wrong"),
      { cookie: `kube-crier=${"A".repeat(43)}` },
      { "x-forwarded-user": "root" },
    ];
    for (const headers of wrong) {
      const { status, body } = await site.ask(named, headers);
      expect([headers, status]).toEqual([headers, 401]);
      expect(body).not.toContain(HIDDEN);
      const shown = await site.ask(named, { ...headers, ...BROWSER });
      const taken =
        route.startsWith("GET /api/") || route.startsWith("POST") || "authorization" in headers;
      expect([headers, shown.status]).toEqual([headers, taken ? 401 : 303]);
      expect(shown.headers.get("location") ?? "/login?").toMatch(/^\/login\?/);
    }
    expect(site.settled).toEqual([]);
    expect(site.hub.size).toBe(0);
  });

  it("is not let through while nobody can say what one may", async () => {
    const server = await FakeApiServer.start();
    onTestFinished(() => server.close());
    const clock = new FakeClock();
    const { prover } = kubernetesProver(server, clock);
    const site = await aRoutesSite({ tokens: [prover], proxy: null, open: false });
    server.reviews.tokens.set("alices", { user: { username: "alice" } });
    // Who she is holds for a minute, that she may nothing for ten seconds.
    expect((await site.ask(named, bearer("alices"))).status).toBe(gets[0]);
    await server.down();
    await clock.advance(11_000);
    const { status, body, headers } = await site.ask(named, bearer("alices"));
    expect(status).toBe(gets[0] === 200 ? 200 : 503);
    expect(headers.get("retry-after")).toBe(status === 200 ? null : "5");
    expect(body).not.toContain(HIDDEN);
    expect(site.failures).toEqual([]);
  });
});

describe.each(NAMED.filter(([route]) => route.startsWith("POST")))(
  "%s of a session",
  (...named) => {
    it.each([
      ["without its token", {}],
      ["with a made-up one", { "x-csrf-token": "A".repeat(43) }],
      ["with its token, but of another site", { "sec-fetch-site": "cross-site" }],
      ["with its token, but of a neighbour", { origin: "https://evil.example" }],
    ])("is refused %s", async (what, headers) => {
      const site = await aRoutesSite();
      const { headers: given } = await site.post("/login", { token: "root" });
      const cookie = given.get("set-cookie")?.split(";")[0] ?? "";
      const { csrf } = JSON.parse((await site.get("/api/v1/whoami", { cookie })).body) as {
        csrf: string;
      };
      const own = what.startsWith("with its") ? { "x-csrf-token": csrf } : {};
      expect((await site.ask(named, { cookie, ...own, ...headers })).status).toBe(403);
      expect(site.settled).toEqual([]);
      // It is the token that was missing.
      const { status } = await site.ask(named, {
        cookie,
        "x-csrf-token": csrf,
        "sec-fetch-site": "same-origin",
      });
      expect(status).toBe(named[1].gets[5]);
    });
  },
);

describe.each(NAMED.filter(([route]) => route.startsWith("GET")))("HEAD of %s", (...named) => {
  it("is GET without a body, for each caller", async () => {
    const site = await aRoutesSite();
    for (const [index, who] of CALLERS.entries()) {
      const { status, body } = await site.ask(named, tokenOf(who), "HEAD");
      expect([who, status, body]).toEqual([who, named[1].gets[index], ""]);
    }
    expect((await site.ask(named, {}, "HEAD")).status).toBe(401);
    expect(site.hub.size).toBe(0);
  });
});

describe("a method that a place does not know", () => {
  const PLACES = NAMED.map(([route, { path }]) => [route.split(" ")[1] ?? "", path] as const);
  const methodsAt = (template: string) =>
    [...Object.keys(ROUTES), ...PUBLIC, "POST /logout"]
      .filter((route) => route.endsWith(` ${template}`))
      .flatMap((route) => (route.startsWith("GET") ? ["GET", "HEAD"] : ["POST"]));

  it.each([...new Map(PLACES)])(
    "%s says which it knows, to who is let in",
    async (template, path) => {
      const site = await aRoutesSite();
      const known = methodsAt(template);
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
        if (known.includes(method)) continue;
        const answer = await fetch(site.url + path, { method, headers: tokenOf("root") });
        const said = (await answer.json()) as { error: string; status: number };
        const allow = answer.headers.get("allow")?.split(", ") ?? [];
        expect([method, answer.status, allow.toSorted()]).toEqual([method, 405, known.toSorted()]);
        expect(said).toMatchObject({
          status: 405,
          error: `found ${method}, expected ${allow.join(", ")}`,
        });
        expect([method, (await fetch(site.url + path, { method })).status]).toEqual([method, 401]);
      }
      expect(site.settled).toEqual([]);
    },
  );

  it("of a place that there is not is no method's fault", async () => {
    const site = await aRoutesSite();
    for (const path of [
      "/nowhere",
      "/sinks/",
      "/events",
      "/deliveries",
      "/api/v1",
      "/api/v2/events",
    ])
      for (const method of ["GET", "PUT"]) {
        const answer = await fetch(site.url + path, { method, headers: tokenOf("root") });
        expect([path, method, answer.status]).toEqual([path, method, 404]);
      }
  });
});
