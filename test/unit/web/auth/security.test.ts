import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { STRICT_LIMITS } from "../../../../src/web/listen.ts";
import { FakeApiServer } from "../../../support/apiserver.ts";
import { FakeClock } from "../../../support/clock.ts";
import {
  accessFile,
  bearer,
  cookieOf,
  fileProver,
  kubernetesProver,
  proxyProver,
  sha256,
  Site,
} from "../../../support/guarded.ts";

const ACCESS = `
tokens:
  - { name: reader, sha256: ${sha256("readers")}, namespaces: [shop], may: [read] }
  - { name: admin, sha256: ${sha256("admins")}, namespaces: ["*"], may: [read, change] }
roles:
  - { groups: [sre], namespaces: ["*"], may: [read, change] }
`;

let clock: FakeClock;
let site: Site;
const opened: Site[] = [];

async function start(
  provers: ConstructorParameters<typeof Site>[0],
  limits?: Parameters<Site["start"]>[0],
): Promise<Site> {
  const made = await new Site(provers, clock).start(limits);
  opened.push(made);
  return made;
}

beforeEach(async () => {
  clock = new FakeClock();
  site = await start({ tokens: [fileProver(accessFile(ACCESS), clock)] });
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

const RETRY = "/api/v1/deliveries/ev-shop/retry";

describe("session fixation", () => {
  it("an id that somebody brought along is not taken over", async () => {
    const planted = `kube-crier=${"A".repeat(43)}`;
    const reply = await site.form("/login", { token: "admins" }, { cookie: planted });
    expect(cookieOf(reply)).not.toBe(planted);
    expect((await site.request("/api/v1/whoami", { headers: { cookie: planted } })).status).toBe(
      401,
    );
  });

  it("each login has a new id, and ends the session that the browser had", async () => {
    const first = await site.logIn("admins");
    const second = await site.logIn("readers", { cookie: first });
    expect(second).not.toBe(first);
    expect((await site.request("/api/v1/whoami", { headers: { cookie: first } })).status).toBe(401);
    expect((await site.whoami({ cookie: second })).name).toBe("reader");
  });

  it("of two cookies of the name, one of them planted by a neighbour, none counts", async () => {
    const [mine, planted] = [await site.logIn("admins"), await site.logIn("readers")];
    const cookie = `${planted}; ${mine}`;
    expect((await site.request("/api/v1/whoami", { headers: { cookie } })).status).toBe(401);
  });
});

describe("CSRF", () => {
  let cookie: string;
  let csrf: string;

  beforeEach(async () => {
    cookie = await site.logIn("admins");
    ({ csrf } = await site.whoami({ cookie }));
  });

  it("a form of our own page is taken, by field and by header", async () => {
    const here = { origin: site.url, "sec-fetch-site": "same-origin" };
    expect((await site.form(RETRY, { _csrf: csrf }, { cookie, ...here })).status).toBe(200);
    const headers = { cookie, "x-csrf-token": csrf, "content-type": "application/json" };
    expect((await site.request(RETRY, { method: "POST", headers, body: "{}" })).status).toBe(200);
    expect(site.changed).toHaveLength(2);
  });

  it.each([
    ["without a token", () => ({}), {}],
    ["with an empty token", () => ({ _csrf: "" }), {}],
    ["with a made-up token", () => ({ _csrf: "A".repeat(43) }), {}],
    [
      "of another site, with the token",
      () => ({ _csrf: csrf }),
      { origin: "https://evil.example" },
    ],
    ["of an opaque page, with the token", () => ({ _csrf: csrf }), { origin: "null" }],
    ["of a cross-site page", () => ({ _csrf: csrf }), { "sec-fetch-site": "cross-site" }],
    ["of a neighbour's page", () => ({ _csrf: csrf }), { "sec-fetch-site": "same-site" }],
  ] as const)("a change %s is refused", async (_, fields, headers) => {
    const reply = await site.form(RETRY, fields(), { cookie, ...headers });
    expect(reply.status).toBe(403);
    expect(reply.text).toContain("This change was not sent from a page of this session".slice(5));
    expect(site.changed).toEqual([]);
  });

  it("another session's token is worth nothing", async () => {
    const other = await site.logIn("readers");
    const { csrf: theirs } = await site.whoami({ cookie: other });
    expect((await site.form(RETRY, { _csrf: theirs }, { cookie })).status).toBe(403);
    expect((await site.form(RETRY, { _csrf: csrf }, { cookie: other })).status).toBe(403);
  });

  it.each(["PUT", "PATCH", "DELETE", "POST"])(
    "%s is a change, also to what is not there",
    async (method) => {
      const reply = await site.request("/anything", { method, headers: { cookie } });
      expect(reply.status).toBe(403);
    },
  );

  it("nobody is signed out by another page", async () => {
    expect((await site.form("/logout", {}, { cookie })).status).toBe(403);
    expect((await site.request("/logout", { headers: { cookie } })).status).toBe(404);
    expect((await site.whoami({ cookie })).name).toBe("admin");
  });

  it("nobody is signed in as somebody else by another page", async () => {
    for (const headers of [
      { origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site" },
    ]) {
      const reply = await site.form("/login", { token: "readers" }, headers);
      expect([reply.status, reply.headers["set-cookie"]]).toEqual([403, undefined]);
    }
  });

  it("a method hidden in a header or field is no other method", async () => {
    const headers = { cookie, "x-http-method-override": "POST" };
    expect((await site.request(RETRY, { headers })).status).toBe(405);
    expect(site.changed).toEqual([]);
  });
});

describe("a proxy's headers", () => {
  const dora = { "x-forwarded-user": "dora", "x-forwarded-groups": "sre" };

  function behind(address: string): Promise<Site> {
    const file = fileProver(accessFile(ACCESS), clock);
    return start({ tokens: [file], proxy: proxyProver([address], (who) => file.vouchedFor(who)) });
  }

  it("are believed from the pinned address", async () => {
    const pinned = await behind("127.0.0.1");
    expect(await pinned.whoami(dora)).toMatchObject({ name: "dora", groups: ["sre"], by: "proxy" });
  });

  it.each([
    ["from elsewhere", "10.0.0.7"],
    ["where no proxy is set", null],
  ])("%s prove nothing", async (_, address) => {
    const other = address === null ? site : await behind(address);
    expect((await other.request("/api/v1/whoami", { headers: dora })).status).toBe(401);
    const headers = { ...dora, ...bearer("readers") };
    expect((await other.whoami(headers)).name).toBe("reader");
  });

  it("that stand there twice are refused", async () => {
    const pinned = await behind("127.0.0.1");
    const headers = { "X-Forwarded-User": ["mallory", "dora"] };
    expect((await pinned.request("/api/v1/whoami", { headers })).status).toBe(400);
  });

  it("go before a session and a token that the person behind it brought along", async () => {
    const pinned = await behind("127.0.0.1");
    const cookie = await pinned.logIn("readers");
    expect((await pinned.whoami({ ...dora, cookie, ...bearer("readers") })).name).toBe("dora");
  });

  it("need the CSRF token of who they name: the proxy signs in whoever's browser asks", async () => {
    const pinned = await behind("127.0.0.1");
    expect((await pinned.form(RETRY, {}, dora)).status).toBe(403);
    const { csrf } = await pinned.whoami(dora);
    expect((await pinned.form(RETRY, { _csrf: csrf }, dora)).status).toBe(200);
    const other = { ...dora, "x-forwarded-user": "eve" };
    expect((await pinned.form(RETRY, { _csrf: csrf }, other)).status).toBe(403);
  });

  it("make the cookie secure where the proxy speaks TLS, and only where it is the pinned one that says so", async () => {
    const https = { "x-forwarded-proto": "https", "x-forwarded-host": "crier.example.org" };
    const pinned = await behind("127.0.0.1");
    const secure = await pinned.form("/login", { token: "readers" }, https);
    expect(secure.headers["set-cookie"]?.[0]).toMatch(
      /^__Host-kube-crier=[\w-]{43}; Path=\/; Max-Age=28800; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect((await pinned.whoami({ ...https, cookie: cookieOf(secure) })).name).toBe("reader");
    const plain = await site.form("/login", { token: "readers" }, https);
    expect(plain.headers["set-cookie"]?.[0]).toMatch(
      /^kube-crier=[\w-]{43}; Path=\/; Max-Age=28800; HttpOnly; SameSite=Strict$/,
    );
  });

  it("alone are no reason for a form", async () => {
    const file = fileProver(accessFile(ACCESS), clock);
    const only = await start({ proxy: proxyProver(["10.0.0.7"], (who) => file.vouchedFor(who)) });
    const reply = await only.request("/", { headers: { accept: "text/html" } });
    expect(reply.status).toBe(401);
    expect(reply.text).toContain("reached through its proxy only");
    expect((await only.request("/login")).status).toBe(401);
  });
});

describe("guessing", () => {
  it("is slowed down after ten wrong tokens, at the form and in headers, for a minute", async () => {
    for (let n = 0; n < 5; n += 1) {
      expect((await site.form("/login", { token: `guess-${n}` })).status).toBe(401);
      expect((await site.request("/", { headers: bearer(`guess-${n}`) })).status).toBe(401);
    }
    const form = await site.form("/login?lang=zh", { token: "guess" });
    expect([form.status, form.headers["retry-after"]]).toEqual([429, "60"]);
    expect(form.text).toContain("请在 60 秒后重试");
    expect((await site.request("/", { headers: bearer("guess") })).status).toBe(429);
    await clock.advance(60_000);
    expect((await site.form("/login", { token: "guess" })).status).toBe(401);
  });

  it("of one does not keep out who is known at the same address", async () => {
    const cookie = await site.logIn("admins");
    for (let n = 0; n < 12; n += 1) await site.request("/", { headers: bearer(`guess-${n}`) });
    expect((await site.request("/api/v1/events", { headers: { cookie } })).status).toBe(200);
    expect((await site.request("/api/v1/events", { headers: bearer("readers") })).status).toBe(200);
  });

  it("costs the API server ten questions a minute, whatever is tried", async () => {
    const server = await FakeApiServer.start();
    const guessed = await start({ tokens: [kubernetesProver(server, clock).prover] });
    for (let n = 0; n < 30; n += 1) await guessed.request("/", { headers: bearer(`guess-${n}`) });
    expect(server.reviews.count("TokenReview")).toBe(10);
    await server.close();
  });

  it("is counted by the client that the pinned proxy names, not by one that a client names itself", async () => {
    const file = fileProver(accessFile(ACCESS), clock);
    const proxy = proxyProver(["127.0.0.1"], (who) => file.vouchedFor(who));
    const pinned = await start({ tokens: [file], proxy });
    const via = (client: string) => ({ ...bearer("guess"), "x-forwarded-for": client });
    for (let n = 0; n < 10; n += 1) await pinned.request("/", { headers: via("203.0.113.9") });
    expect((await pinned.request("/", { headers: via("6.6.6.6, 203.0.113.9") })).status).toBe(429);
    expect((await pinned.request("/", { headers: via("203.0.113.10") })).status).toBe(401);
    for (let n = 0; n < 10; n += 1) await site.request("/", { headers: via(`203.0.113.${n}`) });
    expect((await site.request("/", { headers: via("203.0.113.99") })).status).toBe(429);
  });

  it("a token takes the same road whether its first or its last byte is wrong", () => {
    const folder = path.resolve(import.meta.dirname, "../../../../src/web/auth");
    const compared = readdirSync(folder)
      .map((name) => readFileSync(path.join(folder, name), "utf8"))
      .filter((text) => /sha256|csrf/i.test(text) && /timingSafeEqual\(/.test(text));
    expect(compared).toHaveLength(2);
    const text = readFileSync(path.join(folder, "access-files.ts"), "utf8");
    expect(text).toContain("timingSafeEqual(sha256, given)");
    expect(text).not.toMatch(/===\s*(token|given)|(token|given)\s*===/);
  });
});

describe("after the login", () => {
  it.each([
    "//evil.example/",
    "https://evil.example/",
    "/\\evil.example",
    "/%09/evil.example/..//x",
  ])("one stays here: %s", async (next) => {
    const reply = await site.form("/login", { token: "admins", next });
    const to = new URL(reply.headers.location ?? "", site.url);
    expect([reply.status, to.origin]).toEqual([303, site.url]);
    expect(reply.headers.location).not.toMatch(/^\/\//);
    const form = await site.request(`/login?next=${encodeURIComponent(next)}`);
    expect(form.text).not.toMatch(/value="(https?:|\/\/|\/\\)/);
  });

  it("what stands in next is no markup", async () => {
    const reply = await site.request('/login?next=/x"><script>alert(1)</script>');
    expect(reply.text).not.toContain("<script");
  });
});

describe("without authentication, on loopback", () => {
  let local: Site;

  beforeEach(async () => {
    local = await start({ open: true });
  });

  it("everybody of this machine sees everything", async () => {
    for (const host of ["127.0.0.1", "localhost:8081", "[::1]:8081", "127.1.2.3"]) {
      const reply = await local.request("/api/v1/events", { headers: { host } });
      expect([reply.status, reply.text]).toEqual([200, '["ev-shop","ev-pay","ev-node"]']);
    }
  });

  it.each(["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1"])(
    "a page that calls this machine %s sees nothing (DNS rebinding)",
    async (host) => {
      const reply = await local.request("/api/v1/events", { headers: { host } });
      expect(reply.status).toBe(421);
      expect(reply.text).toContain("localhost and 127.0.0.1 only");
    },
  );

  it.each(["x-forwarded-for", "forwarded", "x-real-ip"])(
    "a proxy on this machine opens it to nobody: %s",
    async (name) => {
      const reply = await local.request("/api/v1/events", { headers: { [name]: "203.0.113.9" } });
      expect(reply.status).toBe(421);
    },
  );

  it("another page changes nothing", async () => {
    expect((await local.form(RETRY, {})).status).toBe(403);
    expect((await local.form(RETRY, {}, { origin: "https://evil.example" })).status).toBe(403);
    const { csrf, by } = await local.whoami({});
    expect(by).toBe("loopback");
    expect((await local.form(RETRY, { _csrf: csrf })).status).toBe(200);
  });
});

describe("every answer", () => {
  it.each(["/login", "/login/style.css", "/", "/api/v1/events", "/nowhere", "/broken"])(
    "%s forbids scripts of others, frames and guessing of types",
    async (place) => {
      for (const headers of [{}, bearer("admins")]) {
        const { headers: got } = await site.request(place, { headers });
        const policy = String(got["content-security-policy"]);
        expect(policy).toMatch(/default-src 'none'/);
        expect(policy).toMatch(/script-src 'self'(;|$)/);
        expect(policy).toMatch(/style-src 'self'(;|$)/);
        expect(policy).toMatch(/frame-ancestors 'none'/);
        expect(policy).toMatch(/base-uri 'none'/);
        expect(policy).toMatch(/form-action 'self'/);
        expect(policy).not.toMatch(/unsafe|\*|http/);
        expect(got).toMatchObject({
          "x-content-type-options": "nosniff",
          "x-frame-options": "DENY",
          "referrer-policy": "same-origin",
          "cross-origin-resource-policy": "same-origin",
          "cross-origin-opener-policy": "same-origin",
        });
        expect(got["cache-control"]).toBe(
          place === "/login/style.css" ? "public, max-age=3600" : "no-store",
        );
        expect(got["x-powered-by"]).toBeUndefined();
        expect(got["access-control-allow-origin"]).toBeUndefined();
      }
    },
  );

  it("to a fault of ours says nothing of it; the log does", async () => {
    const reply = await site.request("/broken", { headers: bearer("admins") });
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain("plumbing");
    expect(site.failures).toEqual(["/broken could not be answered: the plumbing"]);
  });

  it("holds no token: not the page, not a header, not an error, not the audit trail", async () => {
    const server = await FakeApiServer.start();
    server.reviews.tokens.set("s3cret-token", { user: { username: "alice" } });
    const one = await start({ tokens: [kubernetesProver(server, clock).prover] });
    const cookie = await one.logIn("s3cret-token");
    const replies = [
      await one.form("/login", { token: "s3cret-token2" }),
      await one.form("/login", { token: "s3cret-token", next: "/s3" }),
      await one.request("/api/v1/whoami", { headers: { cookie } }),
      await one.request("/api/v1/events", { headers: bearer("s3cret-token") }),
      await one.request("/api/v1/events", { headers: bearer("s3cret-token3") }),
    ];
    await server.close();
    await clock.advance(61_000);
    replies.push(
      await one.form("/login", { token: "s3cret-token" }),
      await one.request("/api/v1/events", { headers: { cookie } }),
      await one.request("/api/v1/events", { headers: bearer("s3cret-token") }),
    );
    expect(replies.map(({ status }) => status)).toEqual([401, 303, 200, 403, 401, 503, 503, 503]);
    const told = JSON.stringify([replies, one.audit, one.failures]);
    expect(told).not.toContain("s3cret");
  });
});

/** Sends bytes as they are and answers all that comes back, once the other side closes. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = "";
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text));
    socket
      .setEncoding("latin1")
      .on("data", (part: string) => (got += part))
      .on("error", reject)
      .on("close", () => resolve(got));
  });
}

describe("requests that are none", () => {
  it("are too large: 413 at the form, before anything of it is looked at", async () => {
    const body = new URLSearchParams({ token: "x".repeat(300 * 1024) }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const reply = await site.request("/login", { method: "POST", headers, body });
    expect(reply.status).toBe(413);
    expect(reply.text).toContain("at most 256 KiB");
  });

  it("are too large without saying so: 413", async () => {
    const chunk = "x".repeat(64 * 1024);
    const chunks = `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(5);
    const head =
      "POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(await raw(site.url, `${head}${chunks}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("that do not say how long they are, and are short, are read", async () => {
    const body = "token=admins&next=%2Fsinks";
    const head =
      "POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n";
    const answer = await raw(
      site.url,
      `${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 303 /);
    expect(answer).toMatch(/^location: \/sinks\r$/im);
  });

  it.each([
    ["headers beyond 16 KiB", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
    ["a request without a host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    [
      "two lengths",
      "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      400,
    ],
    [
      "a length and chunks",
      "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["no HTTP", "hello\r\n\r\n", 400],
    ["a bare line feed in a header", "GET / HTTP/1.1\r\nHost: x\r\nX: a\nCookie: b\r\n\r\n", 400],
  ])("%s", async (_, text, status) => {
    const strict = await start({ open: true }, STRICT_LIMITS);
    expect(await raw(strict.url, text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it.each(["/..%2f..%2fetc/passwd", "/%zz", "/%00", "/login/../../etc/passwd", "//evil/..", "/%"])(
    "the path %s leads nowhere",
    async (place) => {
      const reply = await site.request(place, { headers: bearer("admins") });
      expect([400, 404]).toContain(reply.status);
    },
  );

  it("a form that cannot be read is 400", async () => {
    const reply = await site.request("/login", {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: "--y\r\nnonsense",
    });
    expect(reply.status).toBe(400);
  });
});

describe("slow clients", () => {
  const LIMITS = { ...STRICT_LIMITS, headersMs: 150, requestMs: 300, checkMs: 20 };

  it("that never finish their headers are sent away", async () => {
    const slow = await start({ open: true }, LIMITS);
    expect(await raw(slow.url, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")).toMatch(
      /^HTTP\/1\.1 408 /,
    );
  });

  it("that never finish their request are sent away", async () => {
    const slow = await start({ tokens: [fileProver(accessFile(ACCESS), clock)] }, LIMITS);
    const text =
      "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ntok";
    expect(await raw(slow.url, text)).not.toMatch(/^HTTP\/1\.1 [23]/);
  });

  it("do not keep the others out: beyond the limit of connections a new one is closed", async () => {
    const few = await start(
      { open: true },
      { ...LIMITS, connections: 2, headersMs: 10_000, requestMs: 10_000 },
    );
    const port = Number(new URL(few.url).port);
    const held = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await Promise.all(
      held.map((socket) => new Promise((resolve) => socket.once("connect", resolve))),
    );
    expect(await raw(few.url, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").catch(() => "")).toBe(
      "",
    );
    for (const socket of held) socket.destroy();
  });
});
