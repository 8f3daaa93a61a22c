import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Clients, createClients } from "../../../src/app/clients.ts";
import { remember } from "../../../src/app/recall.ts";
import { createWebSite, type WebSite } from "../../../src/app/web.ts";
import type { Listening } from "../../../src/web/server.ts";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { load } from "../../support/config.ts";
import { accessFile, bearer, sha256 } from "../../support/guarded.ts";
import { NOTHING_RUNS } from "../../support/live.ts";
import { never, temporaryDirectory } from "../../support/ledger.ts";
import { kubeconfigFor, type Observed, recordingObserver } from "../../support/source.ts";

const ACCESS = `tokens: [{ name: grafana, sha256: ${sha256("grafanas")}, namespaces: [shop], may: [read] }]
roles: [{ groups: [sre], namespaces: ["*"], may: [read, change] }]
`;

let server: FakeApiServer;
let clock: FakeClock;
let dataDir: string;
let calls: Observed[];
const closing: (Clients | Listening)[] = [];

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  dataDir = temporaryDirectory();
  server.reviews.tokens.set("admins", { user: { username: "admin" } });
  server.reviews.grant("admin", "list events");
});

afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
  await server.close();
});

function siteOf(flags: Readonly<Record<string, string>>, ...yaml: string[]): WebSite | null {
  const source = [`kubernetes:?kubeconfig=${flags["kubeconfig"] ?? kubeconfigFor(server)}`];
  const { kubeconfig: _, ...rest } = flags;
  const { config, options } = load({ flags: { source, dataDir, ...rest } }, ...yaml);
  const clients = createClients(config.sources, clock);
  closing.push(clients);
  const recording = recordingObserver();
  ({ calls } = recording);
  const { observer } = recording;
  const { recall } = remember(observer, () => clock.now());
  const ports = { clients, clock, observer, version: "0.0.0", recall, texts: () => null, options };
  return createWebSite(config, ports, new AbortController().signal);
}

async function open(flags: Readonly<Record<string, string>>, ...yaml: string[]): Promise<string> {
  const listening = await siteOf(flags, ...yaml)?.open(NOTHING_RUNS, never);
  if (listening === undefined) throw new Error("no page");
  closing.push(listening);
  return listening.url;
}

const get = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(url, { headers, redirect: "manual" });

describe("the listener of the page", () => {
  it("is none unless it is asked for", () => {
    expect(siteOf({})).toBeNull();
  });

  it("shows this machine everything, and probes and metrics to nobody", async () => {
    const url = await open({ webListen: "127.0.0.1:0" });
    expect(await (await get(`${url}/api/v1/whoami`)).json()).toMatchObject({ by: "loopback" });
    for (const place of ["/metrics", "/livez", "/readyz", "/healthz"])
      expect((await get(`${url}${place}`)).status).toBe(404);
  });

  it("asks the cluster where it can be reached from elsewhere", async () => {
    const url = await open({ webListen: "0.0.0.0:0" });
    expect((await get(`${url}/api/v1/whoami`)).status).toBe(401);
    const { name } = (await (await get(`${url}/api/v1/whoami`, bearer("admins"))).json()) as {
      name: string;
    };
    expect(name).toBe("admin");
    expect(server.reviews.count("TokenReview")).toBe(1);
  });

  it("hands the audiences and the permission on", async () => {
    server.reviews.tokens.set("meant", { user: { username: "admin" }, audiences: ["kube-crier"] });
    server.reviews.grant("admin", "delete events");
    const url = await open(
      { webListen: "0.0.0.0:0" },
      "webAudiences: [kube-crier]\nwebChange: delete events",
    );
    expect((await get(`${url}/api/v1/whoami`, bearer("admins"))).status).toBe(401);
    const account = await (await get(`${url}/account`, bearer("meant"))).text();
    expect(account.match(/in all namespaces/g)).toHaveLength(2);
  });

  it("knows the tokens of a file, and its roles before the cluster's for who comes by the proxy", async () => {
    const url = await open({
      webListen: "0.0.0.0:0",
      webAccessFile: accessFile(ACCESS),
      webProxies: "127.0.0.1",
    });
    const whoami = async (headers: Readonly<Record<string, string>>) =>
      (await (await get(`${url}/api/v1/whoami`, headers)).json()) as { name: string; by: string };
    expect(await whoami(bearer("grafanas"))).toMatchObject({ name: "grafana", by: "tokenFile" });
    expect(await whoami(bearer("admins"))).toMatchObject({ name: "admin", by: "kubernetes" });
    const dora = { "x-forwarded-user": "dora", "x-forwarded-groups": "sre" };
    expect(await (await get(`${url}/account`, dora)).text()).toContain("in all namespaces");
    expect(server.reviews.count("SubjectAccessReview")).toBe(0);
  });

  it("asks the cluster for who comes by the proxy where the file has no roles", async () => {
    const [tokens = ""] = ACCESS.split("\n");
    server.reviews.grant("sre", "list events");
    const url = await open({
      webListen: "0.0.0.0:0",
      webAccessFile: accessFile(tokens),
      webProxies: "127.0.0.1",
    });
    const dora = { "x-forwarded-user": "dora", "x-forwarded-groups": "sre" };
    expect(await (await get(`${url}/account`, dora)).text()).toContain("in all namespaces");
    expect(server.reviews.asked[0]?.spec).toMatchObject({ user: "dora" });
  });

  it("takes other headers of the proxy", async () => {
    const url = await open(
      { webListen: "127.0.0.1:0", webAccessFile: accessFile(ACCESS), webProxies: "127.0.0.1" },
      "webUserHeader: Remote-User\nwebGroupsHeader: Remote-Groups\nwebEmailHeader: Remote-Email",
    );
    const dora = { "remote-user": "dora", "remote-groups": "sre", "remote-email": "d@example.org" };
    expect(await (await get(`${url}/api/v1/whoami`, dora)).json()).toMatchObject({
      name: "dora",
      groups: ["sre"],
      email: "d@example.org",
    });
  });

  it("says that its address is taken", async () => {
    const url = await open({ webListen: "127.0.0.1:0" });
    const again = siteOf({ webListen: new URL(url).host });
    await expect(again?.open(NOTHING_RUNS, never)).rejects.toThrow(/another program listens there/);
  });

  it("keeps the audit trail in the log and beside the ledger", async () => {
    const url = await open({ webListen: "127.0.0.1:0", webAccessFile: accessFile(ACCESS) });
    await fetch(`${url}/login`, {
      method: "POST",
      body: new URLSearchParams({ token: "grafanas" }),
      redirect: "manual",
    });
    expect(calls).toContainEqual([
      "notice",
      "audit: grafana login session: done",
      { audit: expect.objectContaining({ who: "grafana", by: "tokenFile" }) as unknown },
    ]);
    const trail = readFileSync(path.join(dataDir, "audit.jsonl"), "utf8");
    expect(JSON.parse(trail)).toMatchObject({ who: "grafana", action: "login" });
  });

  it("says of a file that is gone that it lets nobody in", async () => {
    const file = accessFile(ACCESS);
    const url = await open({ webListen: "127.0.0.1:0", webAccessFile: file });
    rmSync(file);
    await clock.advance(1_000);
    expect((await get(`${url}/api/v1/whoami`, bearer("grafanas"))).status).toBe(401);
    expect(calls).toEqual([
      [
        "error",
        `${file}: cannot be read: there is no such file; it lets nobody in until it can be read`,
      ],
    ]);
  });

  it("tells of a changed file, good and bad", async () => {
    const file = accessFile(ACCESS);
    const url = await open({ webListen: "127.0.0.1:0", webAccessFile: file });
    writeFileSync(file, `${ACCESS}x: y\n`);
    await clock.advance(1_000);
    expect((await get(`${url}/api/v1/whoami`, bearer("grafanas"))).status).toBe(200);
    writeFileSync(file, ACCESS.replace("grafana", "graph"));
    await clock.advance(1_000);
    await get(`${url}/api/v1/whoami`, bearer("grafanas"));
    expect(calls).toEqual([
      [
        "error",
        `${file}:3:1: this key is unknown; what it said before it was changed stays in use`,
      ],
      ["notice", `${file} has changed, and is in use`],
    ]);
  });
});

describe("what stands in the way of the page", () => {
  const problems = async (flags: Readonly<Record<string, string>>) =>
    (await siteOf(flags)?.problems(new AbortController().signal))?.map(
      ({ where, message, hint }) => `${where}: ${message} (${hint})`,
    );
  const MAY = { kind: "SelfSubjectAccessReview", status: { allowed: true } };
  const own = ({ path }: { readonly path: string }) => path.endsWith("/selfsubjectaccessreviews");
  const answer = (status: number, body: unknown) => ({
    status,
    headers: {},
    body: JSON.stringify(body),
  });

  it("is nothing where we may ask", async () => {
    server.answer(answer(201, MAY), own, 2);
    expect(await problems({ webListen: ":0" })).toEqual([]);
    expect(server.requests.filter(own)).toHaveLength(2);
  });

  it("is a right that we lack, with what to apply", async () => {
    server.answer(answer(201, { status: { allowed: false } }), own, 2);
    const [told, ...more] = (await problems({ webListen: ":0" })) ?? [];
    expect(more).toEqual([]);
    expect(told).toMatch(
      /^--web-listen \(context test of .*\): the API server cannot be asked who somebody is and what they may see: create is not allowed on tokenreviews\.authentication\.k8s\.io and subjectaccessreviews\.authorization\.k8s\.io \(apply deploy\/kube-crier-web\.yaml, or set webKubernetes: off and webAccessFile\)$/,
    );
    server.answer(answer(201, MAY), own);
    server.answer(answer(201, { status: { allowed: false } }), own);
    expect((await problems({ webListen: ":0" }))?.[0]).toMatch(
      /not allowed on subjectaccessreviews\.authorization\.k8s\.io \(/,
    );
  });

  it("is no API server that is away: it is waited for", async () => {
    server.answer(answer(500, {}), own);
    expect(await problems({ webListen: ":0" })).toEqual([]);
    await server.down();
    expect(await problems({ webListen: ":0" })).toEqual([]);
  });

  it("is a file with mistakes, each with its place", async () => {
    const file = accessFile("tokens:\n  - name: a\n    sha256: short\n");
    const told = await problems({ webListen: "127.0.0.1:0", webAccessFile: file });
    expect(told?.map((one) => one.slice(0, file.length + 5))).toEqual([
      `${file}:2:5:`,
      `${file}:2:5:`,
      `${file}:3:13`,
    ]);
  });

  it("is a file that is not there", async () => {
    const told = await problems({
      webListen: "127.0.0.1:0",
      webAccessFile: "/nowhere/access.yaml",
    });
    expect(told).toEqual([
      "/nowhere/access.yaml: cannot be read: there is no such file (give a file that this process may read)",
    ]);
  });

  it("is a kubeconfig that cannot be used, and then nobody is let in", async () => {
    const flags = { webListen: "127.0.0.1:0", webKubernetes: "on", kubeconfig: "/nowhere/config" };
    expect((await problems(flags))?.[0]).toMatch(/^\/nowhere\/config: cannot be read/);
    const url = await open(flags);
    expect((await get(`${url}/api/v1/whoami`)).status).toBe(401);
  });
});

describe("the account", () => {
  it("says who one is, what one may see, and how to leave", async () => {
    const url = await open({ webListen: "0.0.0.0:0" });
    const entered = await fetch(`${url}/login`, {
      method: "POST",
      body: new URLSearchParams({ token: "admins" }),
      redirect: "manual",
    });
    const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
    const text = await (await get(`${url}/account`, { cookie })).text();
    expect(text.replaceAll(/\s+/g, " ")).toMatch(
      /<dt>Name<\/dt> <dd>admin<\/dd>.*<dt>Proven by<\/dt> <dd>a token of the cluster<\/dd>.*<dd>in all namespaces<\/dd>.*<dd>in the namespaces where that is granted<\/dd>/,
    );
    const csrf = /name="_csrf" value="([\w-]+)"/.exec(text)?.[1] ?? "";
    const left = await fetch(`${url}/logout`, {
      method: "POST",
      body: new URLSearchParams({ _csrf: csrf }),
      headers: { cookie },
      redirect: "manual",
    });
    expect([left.status, left.headers.get("location")]).toEqual([303, "/login"]);
    expect((await get(`${url}/api/v1/whoami`, { cookie })).status).toBe(401);
  });

  it("speaks Chinese, escapes what others named, and has no way out where there was no way in", async () => {
    const url = await open({
      webListen: "127.0.0.1:0",
      webAccessFile: accessFile(ACCESS),
      webProxies: "127.0.0.1",
    });
    const headers = { "x-forwarded-user": "<script>alert(1)</script>", "accept-language": "zh" };
    const text = await (await get(`${url}/account`, headers)).text();
    expect(text).toContain("<h1>您的账户</h1>");
    expect(text).toContain("&lt;script&gt;");
    expect(text).not.toMatch(/<script|_csrf/);
  });

  it("says that nobody can be asked now", async () => {
    const url = await open({ webListen: "0.0.0.0:0" });
    await get(`${url}/api/v1/whoami`, bearer("admins"));
    await server.down();
    const text = await (await get(`${url}/account`, bearer("admins"))).text();
    expect(text).toMatch(/<dd>no connection to http/);
  });
});
