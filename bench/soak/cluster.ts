import { readFileSync } from "node:fs";
import https from "node:https";
import { KubeConfig } from "@kubernetes/client-node";

const REASONS = ["BackOff", "Unhealthy", "FailedScheduling", "Pulled", "Killing"] as const;
const CONNECTIONS = 8;

export interface LocalServer {
  readonly port: number;
  readonly by: (port: number) => string;
}

/** Makes Events in a namespace of a real cluster, through both API groups, and remembers what the API server has taken. */
export class Generator {
  readonly #server: URL;
  readonly #headers: Record<string, string> = {};
  readonly #agent: https.Agent;
  readonly #namespace: string;
  readonly #prefix: string;
  /** Of each Event, the count it has. */
  readonly #counts: number[] = [];
  readonly #about = new Map<number, "core" | "events">();
  /** `name@count` of everything the API server has. */
  readonly taken = new Set<string>();
  failed = 0;

  private constructor(server: URL, options: https.AgentOptions, namespace: string) {
    this.#server = server;
    this.#namespace = namespace;
    this.#prefix = `soak-${Date.now().toString(36)}`;
    this.#agent = new https.Agent({ ...options, keepAlive: true, maxSockets: CONNECTIONS });
  }

  static async at(kubeconfig: string, namespace: string): Promise<Generator> {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error(`${kubeconfig} names no cluster`);
    const options: https.RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key, rejectUnauthorized } = options;
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, rejectUnauthorized }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const generator = new Generator(new URL(server), tls, namespace);
    Object.assign(generator.#headers, options.headers);
    await generator.#request("POST", "/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
    return generator;
  }

  /** A new Event; the tenth has 10 KB, every other one comes by events.k8s.io. */
  async create(): Promise<void> {
    const n = this.#counts.push(0) - 1;
    const group = n % 2 === 0 ? "core" : "events";
    const body = group === "core" ? this.#core(n) : this.#newer(n);
    if (!(await this.#until("POST", this.#path(group), body, [201, 409]))) return;
    this.#about.set(n, group);
    this.#counts[n] = 1;
    this.taken.add(`${this.#name(n)}@1`);
  }

  /** One more occurrence of an Event that is there. */
  async again(random: number): Promise<void> {
    const n = Math.floor(random * this.#counts.length);
    const group = this.#about.get(n);
    if (group === undefined) return this.create();
    // Nobody else may change it meanwhile: the count says which occurrence it is.
    this.#about.delete(n);
    const count = (this.#counts[n] ?? 0) + 1;
    const now = new Date().toISOString();
    const body =
      group === "core"
        ? { count, lastTimestamp: `${now.slice(0, 19)}Z` }
        : { series: { count, lastObservedTime: now.replace("Z", "000Z") } };
    const path = `${this.#path(group)}/${this.#name(n)}`;
    if (!(await this.#until("PATCH", path, body, [200]))) return;
    this.#counts[n] = count;
    this.#about.set(n, group);
    this.taken.add(`${this.#name(n)}@${count}`);
  }

  async close(): Promise<void> {
    const events = `/api/v1/namespaces/${this.#namespace}/events`;
    // So many are more than the API server deletes within the time of one request.
    for (let round = 0; round < 20; round += 1)
      if ((await this.#request("DELETE", events).catch(() => 0)) === 200) break;
    this.#agent.destroy();
  }

  #name(n: number): string {
    return `${this.#prefix}-${n}`;
  }

  #path(group: "core" | "events"): string {
    const api = group === "core" ? "/api/v1" : "/apis/events.k8s.io/v1";
    return `${api}/namespaces/${this.#namespace}/events`;
  }

  #core(n: number): object {
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    return {
      metadata: { name: this.#name(n), namespace: this.#namespace },
      involvedObject: this.#object(n),
      message: text(n),
      source: { component: "soak", host: `node-${n % 7}` },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      ...kindOf(n),
    };
  }

  #newer(n: number): object {
    return {
      metadata: { name: this.#name(n), namespace: this.#namespace },
      eventTime: new Date().toISOString().replace("Z", "000Z"),
      reportingController: "kube-crier.example/soak",
      reportingInstance: "soak-0",
      action: "Testing",
      regarding: this.#object(n),
      // The API takes 1 KB here.
      note: text(n).slice(0, 1000),
      ...kindOf(n),
    };
  }

  #object(n: number): object {
    const name = `web-${n % 50}-7d4b9c6f5d-x2x9z`;
    return { apiVersion: "v1", kind: "Pod", namespace: this.#namespace, name };
  }

  /** The same again until there is an answer: an Event of that name which is already there is this one. */
  async #until(method: string, path: string, body: object, good: readonly number[]) {
    for (let tries = 0; tries < 100; tries += 1) {
      const status = await this.#request(method, path, body).catch(() => 0);
      if (good.includes(status)) return true;
      if (status >= 400 && status < 429) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    this.failed += 1;
    return false;
  }

  #request(method: string, path: string, body?: object): Promise<number> {
    const data = body === undefined ? undefined : JSON.stringify(body);
    const type =
      method === "PATCH" ? "application/merge-patch+json" : "application/json; charset=utf-8";
    const headers = { ...this.#headers, ...(data === undefined ? {} : { "content-type": type }) };
    return new Promise((resolve, reject) => {
      const request = https.request(
        new URL(path, this.#server),
        { method, headers, agent: this.#agent, timeout: 60_000 },
        (response) => {
          response.on("error", reject).on("end", () => resolve(response.statusCode ?? 0));
          response.resume();
        },
      );
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject).end(data);
    });
  }
}

function kindOf(n: number): object {
  const reason = REASONS[n % REASONS.length];
  return { reason, type: n % 3 === 0 ? "Warning" : "Normal" };
}

function text(n: number): string {
  const message = `Back-off restarting failed container web (${n}) 你好 😀`;
  return n % 20 === 0 ? message.padEnd(10_000, " and so on") : message;
}

/** The API server where it is on this machine, and the kubeconfig that reaches it by another port. */
export function localServer(kubeconfig: string): LocalServer | null {
  const found = readFileSync(kubeconfig, "utf8");
  const [server, host, port] = /(https:\/\/(?:127\.0\.0\.1|localhost)):(\d+)/.exec(found) ?? [];
  if (server === undefined) return null;
  return { port: Number(port), by: (other) => found.replaceAll(server, `${host}:${other}`) };
}
