import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeApiServer } from "../../../support/apiserver.ts";
import { FakeClock } from "../../../support/clock.ts";
import {
  accessFile,
  bearer,
  cookieOf,
  fileProver,
  kubernetesProver,
  sha256,
  Site,
} from "../../../support/guarded.ts";

let server: FakeApiServer;
let clock: FakeClock;
let site: Site;

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  const { reviews } = server;
  reviews.tokens.set("alices", { user: { username: "alice", groups: ["shop-team"] } });
  reviews.tokens.set("admins", { user: { username: "admin" } });
  reviews.tokens.set("nobodys", { user: { username: "nemo" } });
  reviews.grant("shop-team", "list events", "shop");
  reviews.grant("admin", "list events");
  reviews.grant("admin", "update deliveries.kube-crier.io");
  site = await new Site({ tokens: [kubernetesProver(server, clock).prover] }, clock).start();
});

afterEach(async () => {
  await site.close();
  await server.close();
});

const json = (text: string) => JSON.parse(text) as { error: string; status: number };

describe("a program with a bearer token", () => {
  it("gets the events of the namespaces that its owner may list, and no others", async () => {
    const reply = await site.request("/api/v1/events", { headers: bearer("alices") });
    expect([reply.status, reply.text]).toEqual([200, '["ev-shop"]']);
    const all = await site.request("/api/v1/events", { headers: bearer("admins") });
    expect(all.text).toBe('["ev-shop","ev-pay","ev-node"]');
  });

  it("gets events about nodes with the right to list those of default, where they are stored", async () => {
    server.reviews.grant("alice", "list events", "default");
    const reply = await site.request("/api/v1/events", { headers: bearer("alices") });
    expect(reply.text).toBe('["ev-shop","ev-node"]');
  });

  it("is refused a namespace by name, with the permission that is missing", async () => {
    const reply = await site.request("/api/v1/events?namespace=shop&namespace=pay", {
      headers: bearer("alices"),
    });
    expect(reply.status).toBe(403);
    expect(json(reply.text).error).toBe(
      'alice may not list events in namespace pay; bind a Role in namespace pay, or a ClusterRole, with {apiGroups: [""], resources: ["events"], verbs: ["list"]}',
    );
  });

  it("is refused everything where it may see nothing, with the permission that is missing", async () => {
    const reply = await site.request("/api/v1/events", { headers: bearer("nobodys") });
    expect(reply.status).toBe(403);
    expect(json(reply.text).error).toMatch(/^nemo may not list events in any namespace; bind/);
  });

  it("cannot tell by an id what is hidden from what does not exist", async () => {
    const [hidden, absent] = await Promise.all(
      ["ev-pay", "ev-none"].map((id) =>
        site.request(`/api/v1/events/${id}`, { headers: bearer("alices") }),
      ),
    );
    expect(hidden?.status).toBe(404);
    expect([hidden?.status, hidden?.text]).toEqual([absent?.status, absent?.text]);
    const { date: _, ...headers } = hidden?.headers ?? {};
    const { date: __, ...others } = absent?.headers ?? {};
    expect(headers).toEqual(others);
    const seen = await site.request("/api/v1/events/ev-shop", { headers: bearer("alices") });
    expect(seen.status).toBe(200);
  });

  it("changes nothing without the right to, and is told which it is", async () => {
    const post = { method: "POST", headers: bearer("alices") };
    const visible = await site.request("/api/v1/deliveries/ev-shop/retry", post);
    expect(visible.status).toBe(403);
    expect(json(visible.text).error).toMatch(
      /^alice may not update deliveries\.kube-crier\.io in namespace shop; bind a Role/,
    );
    expect((await site.request("/api/v1/deliveries/ev-pay/retry", post)).status).toBe(404);
    expect(site.changed).toEqual([]);
  });

  it("changes what it may without a CSRF token, for no browser adds its header", async () => {
    const reply = await site.request("/api/v1/deliveries/ev-pay/retry", {
      method: "POST",
      headers: { ...bearer("admins"), origin: "https://grafana.example.org" },
    });
    expect([reply.status, site.changed]).toEqual([200, ["ev-pay"]]);
  });

  it.each([
    ["none", {}, /^no proof of who you are; expected an Authorization: Bearer header/],
    ["a wrong one", bearer("wrong"), /^the bearer token is not valid/],
    ["a malformed one", { authorization: "Bearer a b" }, /^the bearer token is not valid/],
    ["another scheme", { authorization: "Basic YWxpY2U6eA==" }, /^no proof/],
    ["an empty one", { authorization: "Bearer " }, /^no proof/],
  ])("is told how to prove who it is: %s", async (_, headers, words) => {
    const reply = await site.request("/api/v1/events", { headers });
    expect(reply.status).toBe(401);
    expect(json(reply.text).error).toMatch(words);
    expect(reply.headers["www-authenticate"]).toMatch(/^Bearer realm="kube-crier"/);
  });

  it("in the query is no proof", async () => {
    expect((await site.request("/api/v1/events?token=admins&access_token=admins")).status).toBe(
      401,
    );
  });

  it("gets 503 and the reason while the API server is away", async () => {
    await server.down();
    const reply = await site.request("/api/v1/events", { headers: bearer("admins") });
    expect(reply.status).toBe(503);
    expect(json(reply.text).error).toMatch(
      /^nobody can say now what you may see: no connection to/,
    );
    expect(reply.headers["retry-after"]).toBe("5");
  });
});

describe("a person", () => {
  it("is taken to the form, and from there to where they wanted", async () => {
    const first = await site.request("/sinks?x=1", { headers: { accept: "text/html" } });
    expect([first.status, first.headers.location]).toEqual([303, "/login?next=%2Fsinks%3Fx%3D1"]);
    const form = await site.request("/login?next=%2Fsinks%3Fx%3D1", {
      headers: { accept: "text/html" },
    });
    expect(form.text).toContain('name="next" value="/sinks?x=1"');
    const reply = await site.form("/login", { token: " alices\n", next: "/sinks?x=1" });
    expect([reply.status, reply.headers.location]).toEqual([303, "/sinks?x=1"]);
    const cookie = cookieOf(reply);
    const home = await site.request("/", { headers: { cookie, accept: "text/html" } });
    expect([home.status, home.text]).toEqual([200, "<p>hello alice</p>"]);
    const events = await site.request("/api/v1/events", { headers: { cookie } });
    expect(events.text).toBe('["ev-shop"]');
  });

  it("who is in already does not see the form", async () => {
    const cookie = await site.logIn("alices");
    const reply = await site.request("/login?next=/sinks", { headers: { cookie } });
    expect([reply.status, reply.headers.location]).toEqual([303, "/sinks"]);
  });

  it("who follows a link of another site is in, though a strict cookie comes with the second request only", async () => {
    const reply = await site.request("/events?q=%22x%22", {
      headers: { accept: "text/html", "sec-fetch-site": "cross-site" },
    });
    expect(reply.status).toBe(200);
    expect(reply.text).toContain(
      '<meta http-equiv="refresh" content="0; url=/events?q=%22x%22" />',
    );
    expect(reply.text).not.toContain("<script");
    const again = await site.request("/events", {
      headers: { accept: "text/html", "sec-fetch-site": "same-origin" },
    });
    expect(again.headers.location).toBe("/login?next=%2Fevents");
  });

  it("reads the form in English and in Chinese, without a script", async () => {
    const english = await site.request("/login", { headers: { "accept-language": "en-GB" } });
    expect(english.text).toContain('<html lang="en">');
    expect(english.text).toContain('<button type="submit">Sign in</button>');
    const chinese = await site.request("/login", { headers: { "accept-language": "zh-CN,zh" } });
    expect(chinese.text).toContain('<html lang="zh-CN">');
    expect(chinese.text).toContain('<button type="submit">登录</button>');
    expect((await site.request("/login?lang=zh")).text).toContain("令牌");
    for (const { text } of [english, chinese]) {
      expect(text).not.toMatch(/<script|<style|\s(style|on[a-z]+)=/);
      expect(text).toContain('<label for="token">');
      // Otherwise a browser asks for /favicon.ico, and complains that it may not have it.
      expect(text).toContain('<link rel="icon" href="data:," />');
      expect(text).toMatch(/<input[^>]*type="password"[^>]*autocomplete="off"/);
    }
    expect((await site.request("/login/style.css")).headers["content-type"]).toMatch(/^text\/css/);
  });

  it.each([
    ["wrong", "en", 401, "This token is not valid"],
    ["wrong", "zh", 401, "令牌无效"],
    ["", "en", 400, "Paste a token"],
    ["two words", "en", 401, "This token is not valid"],
  ])("with the token %j is told so (%s), at the form", async (token, lang, status, words) => {
    const reply = await site.form(`/login?lang=${lang}`, { token, next: "/sinks" });
    expect(reply.status).toBe(status);
    expect(reply.text).toMatch(new RegExp(`<p id="problem" role="alert">${words}`));
    expect(reply.text).toContain('name="next" value="/sinks"');
    expect(reply.text).not.toContain("two words");
    expect(reply.headers["set-cookie"]).toBeUndefined();
  });

  it("is told that the API server is away, and not let in", async () => {
    await server.down();
    const reply = await site.form("/login", { token: "alices" });
    expect(reply.status).toBe(503);
    expect(reply.text).toMatch(/Nobody can be let in for now.*no connection to/);
    expect(reply.headers["set-cookie"]).toBeUndefined();
  });

  it("leaves, and the session is no more", async () => {
    const cookie = await site.logIn("alices");
    const { csrf } = await site.whoami({ cookie });
    const reply = await site.form("/logout", { _csrf: csrf }, { cookie });
    expect([reply.status, reply.headers.location]).toEqual([303, "/login"]);
    expect(reply.headers["set-cookie"]?.[0]).toMatch(/^kube-crier=; .*Max-Age=0/);
    expect((await site.request("/api/v1/whoami", { headers: { cookie } })).status).toBe(401);
  });

  it("whose token was taken away is out within a minute", async () => {
    const cookie = await site.logIn("alices");
    server.reviews.tokens.delete("alices");
    await clock.advance(60_000);
    expect((await site.request("/api/v1/events", { headers: { cookie } })).status).toBe(401);
    server.reviews.tokens.set("alices", { user: { username: "alice" } });
    await clock.advance(10_000);
    expect((await site.request("/api/v1/events", { headers: { cookie } })).status).toBe(401);
  });

  it("keeps the session while the API server is away, and sees nothing meanwhile", async () => {
    const cookie = await site.logIn("alices");
    await server.down();
    await clock.advance(60_000);
    const away = await site.request("/events", { headers: { cookie, accept: "text/html" } });
    expect(away.status).toBe(503);
    expect(away.text).toContain("<h1>Not now</h1>");
    await server.up();
    expect((await site.request("/api/v1/events", { headers: { cookie } })).text).toBe(
      '["ev-shop"]',
    );
  });

  it("is out after half an hour without a request, and after eight hours at most", async () => {
    const cookie = await site.logIn("alices");
    await clock.advance(29 * 60_000);
    expect((await site.request("/api/v1/whoami", { headers: { cookie } })).status).toBe(200);
    await clock.advance(30 * 60_000);
    expect((await site.request("/api/v1/whoami", { headers: { cookie } })).status).toBe(401);

    const busy = await site.logIn("alices");
    for (let minutes = 0; minutes < 8 * 60 - 20; minutes += 20) {
      await clock.advance(20 * 60_000);
      expect((await site.request("/api/v1/whoami", { headers: { cookie: busy } })).status).toBe(
        200,
      );
    }
    await clock.advance(20 * 60_000);
    expect((await site.request("/api/v1/whoami", { headers: { cookie: busy } })).status).toBe(401);
  });

  it("reads a refusal as a page in their language", async () => {
    const cookie = await site.logIn("alices");
    const headers = { cookie, accept: "text/html", "accept-language": "zh" };
    const reply = await site.request("/nowhere", { headers });
    expect(reply.status).toBe(404);
    expect(reply.text).toContain("<h1>未找到</h1>");
  });
});

describe("every change", () => {
  it("is recorded: who, what, when, from where, and what came of it", async () => {
    await site.request("/api/v1/deliveries/ev-pay/retry", {
      method: "POST",
      headers: bearer("admins"),
    });
    await site.request("/api/v1/deliveries/ev-shop/retry", {
      method: "POST",
      headers: bearer("alices"),
    });
    expect(site.audit).toEqual([
      {
        at: "2026-11-20T08:00:00.000Z",
        who: "admin",
        by: "kubernetes",
        from: "127.0.0.1",
        action: "retry",
        target: "ev-pay",
        outcome: "done",
        detail: null,
      },
      expect.objectContaining({
        who: "alice",
        target: "ev-shop",
        outcome: "refused",
        detail: expect.stringMatching(/^alice may not update deliveries/) as string,
      }),
    ]);
  });

  it("of a session too, with its beginning and end", async () => {
    const cookie = await site.logIn("admins");
    const { csrf } = await site.whoami({ cookie });
    await site.form("/api/v1/deliveries/ev-shop/retry", { _csrf: csrf }, { cookie });
    await site.form("/logout", { _csrf: csrf }, { cookie });
    expect(site.audit.map(({ who, action, outcome }) => `${who} ${action} ${outcome}`)).toEqual([
      "admin login done",
      "admin retry done",
      "admin logout done",
    ]);
  });
});

describe("tokens of a file beside those of the cluster", () => {
  const FILE = `tokens: [{ name: grafana, sha256: ${sha256("grafanas")}, namespaces: [pay], may: [read] }]`;
  let both: Site;

  beforeEach(async () => {
    const tokens = [fileProver(accessFile(FILE), clock), kubernetesProver(server, clock).prover];
    both = await new Site({ tokens }, clock).start();
  });

  afterEach(() => both.close());

  it("are known without the cluster, also while it is away", async () => {
    await server.down();
    const reply = await both.request("/api/v1/events", { headers: bearer("grafanas") });
    expect([reply.status, reply.text]).toEqual([200, '["ev-pay"]']);
    expect((await both.request("/api/v1/events", { headers: bearer("alices") })).status).toBe(503);
  });

  it("leave the cluster's tokens as they are", async () => {
    const reply = await both.request("/api/v1/events", { headers: bearer("alices") });
    expect(reply.text).toBe('["ev-shop"]');
    expect((await both.request("/api/v1/events", { headers: bearer("wrong") })).status).toBe(401);
  });

  it("sign in at the form as well", async () => {
    const cookie = await both.logIn("grafanas");
    expect(await both.whoami({ cookie })).toMatchObject({ name: "grafana", by: "tokenFile" });
  });
});
