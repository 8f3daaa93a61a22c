import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { CHANGE_DELIVERIES, parsePermission } from "../../src/config/web-grammar.ts";
import { createKubeClient } from "../../src/source/kubernetes/client.ts";
import { createReviews } from "../../src/source/kubernetes/delegate.ts";
import type { KubeClient } from "../../src/source/kubernetes/transport.ts";
import { openAccessFile } from "../../src/web/auth/access-files.ts";
import { type AuditEntry, type AuditTrail } from "../../src/web/auth/audit.ts";
import { accessFor, callerOf, type GuardedEnv, mustBeAllowed } from "../../src/web/auth/caller.ts";
import { changing, createGuardedApp } from "../../src/web/auth/guarded.ts";
import { createKubernetesProver, type KubernetesProver } from "../../src/web/auth/kubernetes.ts";
import type { Provers } from "../../src/web/auth/prove.ts";
import { createTrustedProxy, PROXY_HEADERS } from "../../src/web/auth/proxy.ts";
import { type Hono, listen, type Listening } from "../../src/web/server.ts";
import type { FakeApiServer } from "./apiserver.ts";
import { FakeClock } from "./clock.ts";
import { kubeconfigFor } from "./source.ts";

/** The events that the app of the tests shows: ids and where they are stored. */
export const EVENTS = new Map([
  ["ev-shop", "shop"],
  ["ev-pay", "pay"],
  ["ev-node", "default"],
]);

/** A prover over a real client of the fake API server. */
export function kubernetesProver(
  server: FakeApiServer,
  clock: FakeClock,
  options: { readonly audiences?: readonly string[]; readonly change?: string } = {},
): { prover: KubernetesProver; client: KubeClient } {
  const client = createKubeClient({ kubeconfig: kubeconfigFor(server), context: null }, { clock });
  const change = parsePermission(options.change ?? CHANGE_DELIVERIES);
  if (change === null) throw new Error("no permission");
  const prover = createKubernetesProver(
    { audiences: options.audiences ?? [], change },
    { reviews: createReviews(client), clock, signal: new AbortController().signal },
  );
  return { prover, client };
}

/** Tokens of a file: `name` has the token `token-of-NAME`. */
export function accessFile(text: string): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "kube-crier-access-")), "access.yaml");
  writeFileSync(file, text);
  return file;
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export function fileProver(file: string, clock: FakeClock) {
  return openAccessFile(file, { clock, told: () => undefined });
}

export function proxyProver(
  addresses: readonly string[],
  vouchedFor: NonNullable<Provers["proxy"]>["vouchedFor"],
): NonNullable<Provers["proxy"]> {
  return { trusted: createTrustedProxy({ addresses, ...PROXY_HEADERS }), vouchedFor };
}

export class Site {
  readonly clock: FakeClock;
  readonly audit: AuditEntry[] = [];
  readonly failures: string[] = [];
  readonly changed: string[] = [];
  readonly app: Hono<GuardedEnv>;
  #listening: Listening | null = null;

  constructor(provers: Partial<Provers>, clock = new FakeClock()) {
    this.clock = clock;
    const trail: AuditTrail = {
      record: (entry) => void this.audit.push(entry),
    };
    const ports = {
      clock,
      audit: trail,
      failed: (detail: string) => void this.failures.push(detail),
    };
    this.app = createGuardedApp({ tokens: [], proxy: null, open: false, ...provers }, ports);
    this.app.get("/", (c) => c.html(`<p>hello ${callerOf(c).identity.name}</p>`));
    this.app.get("/api/v1/events", async (c) => {
      const named = c.req.queries("namespace") ?? [];
      const { namespaces } = await accessFor(c, "read", named, () => [...new Set(EVENTS.values())]);
      const seen = [...EVENTS].filter(([, at]) => namespaces === "all" || namespaces.has(at));
      const wanted = seen.filter(([, at]) => named.length === 0 || named.includes(at));
      return c.json(wanted.map(([id]) => id));
    });
    this.app.get("/api/v1/events/:id", async (c) => {
      const at = EVENTS.get(c.req.param("id"));
      await mustBeAllowed(c, "read", at === undefined ? null : [at]);
      return c.json({ id: c.req.param("id") });
    });
    this.app.post("/api/v1/deliveries/:id/retry", async (c) => {
      const id = c.req.param("id");
      const done = await changing(c, ports, { action: "retry", target: id }, async () => {
        const at = EVENTS.get(id);
        await mustBeAllowed(c, "change", at === undefined ? null : [at]);
        this.changed.push(id);
        return { retried: id };
      });
      return c.json(done);
    });
    this.app.get("/broken", () => {
      throw new Error("the plumbing");
    });
  }

  get url(): string {
    return this.#listening?.url ?? "";
  }

  async start(limits?: Parameters<typeof listen>[0]["limits"]): Promise<this> {
    const app = this.app;
    this.#listening = await listen({
      host: "127.0.0.1",
      port: 0,
      app,
      ...(limits === undefined ? {} : { limits }),
    });
    return this;
  }

  async close(): Promise<void> {
    await this.#listening?.close();
  }

  /** One request as it goes over the wire: no redirect is followed, no header added but Host. */
  request(
    target: string,
    options: {
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: string;
    } = {},
  ): Promise<Reply> {
    return requestOf(`${this.url}${target}`, options);
  }

  form(
    target: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    return this.request(target, {
      method: "POST",
      body: new URLSearchParams(fields).toString(),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        accept: "text/html",
        ...headers,
      },
    });
  }

  /** Signs in and answers the cookie as the browser sends it back. */
  async logIn(token: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const reply = await this.form("/login", { token }, headers);
    return cookieOf(reply);
  }

  async whoami(headers: Readonly<Record<string, string>>) {
    const reply = await this.request("/api/v1/whoami", { headers });
    return JSON.parse(reply.text) as { name: string; groups: string[]; by: string; csrf: string };
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export function cookieOf(reply: Reply): string {
  const [first = ""] = reply.headers["set-cookie"] ?? [];
  return first.split(";")[0] ?? "";
}

function requestOf(
  url: string,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string | readonly string[]>>;
    readonly body?: string;
  },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [
        name,
        typeof value === "string" ? value : [...value],
      ]),
    );
    const request = http.request(
      url,
      { method: options.method ?? "GET", headers, agent: false },
      (response) => {
        let text = "";
        response
          .setEncoding("utf8")
          .on("data", (part: string) => (text += part))
          .on("end", () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          )
          .on("error", reject);
      },
    );
    request.on("error", reject).end(options.body);
  });
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
