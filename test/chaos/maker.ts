import https from "node:https";
import type { Created } from "./books.ts";
import type { Chance } from "./random.ts";

export interface ApiServer {
  readonly port: number;
  readonly ca: string;
  readonly token: string;
}

interface Made {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly type: Created["type"];
  readonly series: boolean;
  count: number;
  busy: boolean;
}

const AT_ONCE = 6;
const LONG = "x".repeat(10_000);
/** An answer that takes longer counts as none. */
const ANSWER_MS = 20_000;

/** Makes Events in both API groups and writes down what the API server acknowledged. */
export class Maker {
  readonly created: Created[] = [];
  /** When it was asked for. */
  readonly attempted = new Map<string, number>();
  readonly #api: ApiServer;
  readonly #agent: https.Agent;
  readonly #prefix: string;
  readonly #namespaces: readonly string[];
  readonly #chance: Chance;
  #pool: Made[] = [];
  #made = 0;

  constructor(options: {
    readonly api: ApiServer;
    /** Of the names of the Events and of the objects they are about. */
    readonly prefix: string;
    readonly namespaces: readonly string[];
    readonly chance: Chance;
  }) {
    this.#api = options.api;
    this.#prefix = options.prefix;
    this.#namespaces = options.namespaces;
    this.#chance = options.chance;
    this.#agent = new https.Agent({ keepAlive: true, maxSockets: AT_ONCE, ca: options.api.ca });
  }

  /** New ones and changes of those there are, as fast as the API server takes them. */
  async burst(
    count: number,
    how: { readonly updates: number; readonly long?: boolean },
  ): Promise<void> {
    let left = count;
    const work = async () => {
      while (left > 0) {
        left -= 1;
        const one = this.#chance.next() < how.updates ? this.#idle() : undefined;
        await (one === undefined ? this.create(how.long) : this.#update(one));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** Answers the occurrence; `null` where the API server did not say yes. */
  async create(
    long = false,
    namespace: string = this.#chance.pick(this.#namespaces),
  ): Promise<Created | null> {
    this.#made += 1;
    const series = !long && this.#made % 2 === 0;
    const name = `${this.#prefix}-${this.#made}`;
    const type = this.#chance.next() < 0.3 ? "Warning" : "Normal";
    const object = {
      apiVersion: "v1",
      kind: "Pod",
      namespace,
      name: `${this.#prefix}-pod-${this.#made % 40}`,
    };
    const text = `message of ${name}${long ? ` ${LONG}` : ""}`;
    const body = { metadata: { name, namespace }, type, reason: this.#chance.pick(REASONS) };
    const began = Date.now();
    const answer = await this.#ask("POST", this.#path(series, namespace), {
      ...body,
      ...(series ? newApi(object, text) : core(object, text)),
    });
    const uid = (answer as { metadata?: { uid?: string } } | null)?.metadata?.uid;
    if (uid === undefined) {
      this.attempted.set(`${name}@1`, began);
      return null;
    }
    const one = { namespace, name, uid, count: 1, type, began, acked: Date.now() } as const;
    this.created.push(one);
    this.#pool.push({ namespace, name, uid, type, series, count: 1, busy: false });
    return one;
  }

  /** All Events of its namespaces are gone, as after their time. */
  async forget(): Promise<void> {
    this.#pool = [];
    for (const namespace of this.#namespaces)
      await this.#ask("DELETE", this.#path(false, namespace), undefined);
  }

  close(): void {
    this.#agent.destroy();
  }

  #idle(): Made | undefined {
    const idle = this.#pool.filter(({ busy }) => !busy);
    return idle.length === 0 ? undefined : this.#chance.pick(idle);
  }

  async #update(one: Made): Promise<void> {
    one.busy = true;
    one.count += 1;
    const { namespace, name, uid, type, count } = one;
    const began = Date.now();
    const now = new Date(began).toISOString();
    const path = `${this.#path(one.series, namespace)}/${name}`;
    const answer = await this.#ask(
      "PATCH",
      path,
      one.series
        ? { series: { count, lastObservedTime: now.replace("Z", "000Z") } }
        : { count, lastTimestamp: `${now.slice(0, 19)}Z` },
    );
    one.busy = false;
    if (answer !== null)
      this.created.push({ namespace, name, uid, count, type, began, acked: Date.now() });
    else this.attempted.set(`${name}@${count}`, began);
  }

  #path(series: boolean, namespace: string): string {
    return `${series ? "/apis/events.k8s.io/v1" : "/api/v1"}/namespaces/${namespace}/events`;
  }

  /** The answer to a request that was granted; `null` for anything else, which may have been done all the same. */
  #ask(method: string, path: string, body: unknown): Promise<unknown> {
    return new Promise((resolve) => {
      const request = https.request(
        {
          agent: this.#agent,
          host: "127.0.0.1",
          port: this.#api.port,
          method,
          path,
          headers: {
            authorization: `Bearer ${this.#api.token}`,
            "content-type":
              method === "PATCH" ? "application/merge-patch+json" : "application/json",
          },
          timeout: ANSWER_MS,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", () => resolve(null));
          response.on("end", () => {
            const granted = response.statusCode === 200 || response.statusCode === 201;
            resolve(granted ? JSON.parse(Buffer.concat(chunks).toString("utf8")) : null);
          });
        },
      );
      request.on("timeout", () => request.destroy());
      request.on("error", () => resolve(null));
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

const REASONS = ["BackOff", "FailedScheduling", "Pulled", "Started", "Killing", "Unhealthy"];

function core(object: unknown, message: string): Record<string, unknown> {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  return {
    apiVersion: "v1",
    kind: "Event",
    involvedObject: object,
    message,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component: "kubelet", host: "node-1" },
    reportingComponent: "kubelet",
    reportingInstance: "node-1",
  };
}

function newApi(regarding: unknown, note: string): Record<string, unknown> {
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    eventTime: new Date().toISOString().replace("Z", "000Z"),
    reportingController: "default-scheduler",
    reportingInstance: "default-scheduler-0",
    action: "Testing",
    regarding,
    note,
  };
}
