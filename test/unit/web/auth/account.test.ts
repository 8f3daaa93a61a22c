import { readFileSync } from "node:fs";
import { get } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Provers } from "../../../../src/web/auth/prove.ts";
import { FakeApiServer } from "../../../support/apiserver.ts";
import { FakeClock } from "../../../support/clock.ts";
import {
  accessFile,
  bearer,
  fileProver,
  kubernetesProver,
  proxyProver,
  sha256,
} from "../../../support/guarded.ts";
import { aPageSite, type PageSite } from "../../../support/page.ts";

const ACCESS = `
tokens:
  - { name: reader, sha256: ${sha256("readers")}, namespaces: [shop], may: [read] }
  - { name: admin, sha256: ${sha256("admins")}, namespaces: ["*"], may: [read, change] }
roles:
  - { groups: [sre], namespaces: ["*"], may: [read] }
`;
const HTML = { accept: "text/html" };

/** Behind a proxy on this machine, and with tokens of a file. */
function behindProxy(): Promise<PageSite> {
  const file = fileProver(accessFile(ACCESS), new FakeClock());
  const proxy = proxyProver(["127.0.0.1"], (who) => file.vouchedFor(who));
  return aPageSite({}, { tokens: [file], proxy, open: false });
}

async function sessionAt(site: PageSite, token: string): Promise<string> {
  const { headers } = await site.post("/login", { token });
  return headers.get("set-cookie")?.split(";")[0] ?? "";
}

const DORA = { ...HTML, "x-forwarded-user": "dora", "x-forwarded-groups": "sre, dev" };

describe("/account", () => {
  it("says who one is, how that was proven, and what one may, in both languages", async () => {
    const site = await behindProxy();
    const headers = { ...DORA, "x-forwarded-email": "dora@example.org" };
    const { text } = await site.get("/account", headers);
    expect(text).toMatch(
      /Your account Name dora \(dora@example\.org\) Groups sre, dev Proven by the proxy in front of this page May see events in all namespaces May retry and discard in the namespaces where that is granted/,
    );
    expect((await site.get("/account?lang=zh", headers)).text).toMatch(
      /您的账户 名称 dora .*用户组 sre, dev 身份依据 本页面前端的代理 可查看事件的范围 所有命名空间/,
    );
  });

  it("has a way out for who has signed in at the form, and for nobody else", async () => {
    const site = await behindProxy();
    const cookie = await sessionAt(site, "admins");
    for (const path of ["/account", "/", "/sinks"]) {
      const signedIn = await site.get(path, { ...HTML, cookie });
      expect([path, signedIn.body]).toEqual([path, expect.stringContaining('action="/logout"')]);
      // The proxy would sign them in again at once; a token of the header is nobody's session.
      for (const others of [DORA, { ...HTML, ...bearer("admins") }]) {
        const { status, body } = await site.get(path, others);
        expect([path, status, body]).toEqual([path, 200, expect.not.stringContaining("/logout")]);
      }
    }
  });

  it("on loopback, where nobody is asked, says so", async () => {
    const site = await aPageSite();
    const { text, body } = await site.get("/account", HTML);
    expect(text).toContain("Proven by nothing: this page is for this machine only");
    expect(body).not.toContain("/logout");
  });

  it("says why nobody can say what one may see, while the cluster is away", async () => {
    const server = await FakeApiServer.start();
    onTestFinished(() => server.close());
    const clock = new FakeClock();
    const { prover } = kubernetesProver(server, clock);
    const provers: Provers = { tokens: [prover], proxy: null, open: false };
    const site = await aPageSite({}, provers);
    server.reviews.tokens.set("alices", { user: { username: "alice", groups: ["dev"] } });
    const asked = await site.get("/account", { ...HTML, ...bearer("alices") });
    expect(asked.text).toMatch(/Name alice Groups dev Proven by a token of the cluster/);
    await server.down();
    // A no is asked again after ten seconds, a token after a minute.
    await clock.advance(15_000);
    const { status, text } = await site.get("/account", { ...HTML, ...bearer("alices") });
    expect(status).toBe(200);
    expect(text).toMatch(
      /Name alice .*May see events no connection to .* May retry and discard no connection to/,
    );
  });

  it("is text, whatever a proxy calls somebody", async () => {
    const site = await behindProxy();
    const evil = '"><script>alert(1)</script>&amp;';
    const { body } = await site.get("/account", {
      ...HTML,
      "x-forwarded-user": evil,
      "x-forwarded-groups": `sre,${evil}`,
      "x-forwarded-email": evil,
    });
    expect(body).not.toContain("<script");
    expect(body.match(/&quot;&gt;&lt;script&gt;/g)).toHaveLength(3);
  });
});

describe("signing out", () => {
  it("ends the session for whoever has its cookie still, and leads to the form", async () => {
    const site = await behindProxy();
    const cookie = await sessionAt(site, "admins");
    const { body } = await site.get("/", { ...HTML, cookie });
    const csrf = /name="_csrf" value="([^"]+)"/.exec(body)?.[1] ?? "";
    const answer = await fetch(`${site.url}/logout`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie, origin: site.url },
      body: new URLSearchParams({ _csrf: csrf }),
    });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/login"]);
    expect(answer.headers.get("set-cookie")).toBe(
      "kube-crier=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict",
    );
    expect((await site.get("/", { ...HTML, cookie })).status).toBe(303);
    expect(site.audit.map(({ who, action }) => `${who} ${action}`)).toEqual([
      "admin login",
      "admin logout",
    ]);
  });
});

describe("without authentication", () => {
  it.each([
    ["another name", { host: "crier.example.org" }],
    ["a proxy", { "x-forwarded-for": "203.0.113.9" }],
  ])("the refusal of %s names options that there are", async (_, headers) => {
    const site = await aPageSite();
    const text = await new Promise<string>((resolve, reject) => {
      get(`${site.url}/api/v1/events`, { headers, agent: false }, (response) => {
        textOf(response).then(resolve, reject);
      }).on("error", reject);
    });
    const documented = readFileSync("docs/configuration.md", "utf8");
    const named = text.match(/\bweb\w*/g) ?? [];
    expect(named.length).toBeGreaterThan(0);
    for (const option of named) expect(documented).toContain(`| \`${option}\``);
  });
});
