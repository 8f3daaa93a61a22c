import type http from "node:http";
import { json } from "node:stream/consumers";

export interface LeaseObject {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly resourceVersion: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

const PATH = /^\/apis\/coordination\.k8s\.io\/v1\/namespaces\/([^/]+)\/leases(?:\/([^/]+))?$/;
/** RFC 3339 with six digits, as metav1.MicroTime demands it. */
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** The Leases of an API server: created once, replaced on the version that was read, judged as Kubernetes judges them. */
export class FakeLeases {
  readonly #objects = new Map<string, LeaseObject>();
  #version = 5_000;
  #lost = 0;
  #refused: string | null = null;

  static serves(path: string): boolean {
    return PATH.test(path);
  }

  /** `namespace/name`. */
  get(key: string): LeaseObject | undefined {
    return this.#objects.get(key);
  }

  /** As somebody else would write it, whatever is there. */
  put(key: string, spec: LeaseObject["spec"], metadata: Readonly<Record<string, unknown>> = {}) {
    const [namespace = "", name = ""] = key.split("/");
    this.#version += 1;
    const object: LeaseObject = {
      metadata: { name, namespace, ...metadata, resourceVersion: String(this.#version) },
      spec,
    };
    this.#objects.set(key, object);
    return object;
  }

  remove(key: string): void {
    this.#objects.delete(key);
  }

  /** Takes the next writes, and resets the connection instead of answering. */
  loseAnswers(times: number): void {
    this.#lost = times;
  }

  /** What this holder writes is answered with 503 from now on. */
  refuse(holder: string): void {
    this.#refused = holder;
  }

  async handle(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { pathname } = new URL(message.url ?? "/", "http://fake");
    const [, namespace = "", name = ""] = PATH.exec(pathname) ?? [];
    const body = message.method === "GET" ? null : ((await json(message)) as LeaseObject);
    const [status, answer] = this.#answer(message.method ?? "", namespace, name, body);
    if (body !== null && status < 300 && this.#lost > 0) {
      this.#lost -= 1;
      message.socket.resetAndDestroy();
      return;
    }
    const whole = "spec" in answer ? { apiVersion: API, kind: "Lease", ...answer } : answer;
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(whole));
  }

  #answer(
    method: string,
    namespace: string,
    name: string,
    body: LeaseObject | null,
  ): readonly [number, object] {
    const wanted = name === "" ? String(body?.metadata["name"]) : name;
    const key = `${namespace}/${wanted}`;
    const there = this.#objects.get(key);
    if (method === "POST" && there !== undefined)
      return refusal(409, "AlreadyExists", `leases.coordination.k8s.io "${wanted}" already exists`);
    if (method !== "POST" && there === undefined)
      return refusal(404, "NotFound", `leases.coordination.k8s.io "${wanted}" not found`);
    if (body === null) return [200, there ?? {}];
    if (body.spec["holderIdentity"] === this.#refused)
      return refusal(503, "ServiceUnavailable", "etcd does not answer");
    const { resourceVersion } = body.metadata;
    if (method === "PUT" && resourceVersion !== there?.metadata.resourceVersion)
      return refusal(
        409,
        "Conflict",
        `Operation cannot be fulfilled on leases.coordination.k8s.io "${wanted}": the object has been modified; please apply your changes to the latest version and try again`,
      );
    const problem = invalid(body.spec);
    if (problem !== null) return refusal(422, "Invalid", problem);
    return [method === "POST" ? 201 : 200, this.put(key, body.spec, body.metadata)];
  }
}

const API = "coordination.k8s.io/v1";

function invalid(spec: LeaseObject["spec"]): string | null {
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions } = spec;
  const whole = (value: unknown, least: number) =>
    value === undefined ||
    (typeof value === "number" && Number.isInteger(value) && value >= least && value < 2 ** 31);
  if (!whole(seconds, 1)) return "spec.leaseDurationSeconds: must be greater than 0";
  if (!whole(transitions, 0)) return "spec.leaseTransitions: must be greater or equal than 0";
  for (const key of ["acquireTime", "renewTime"]) {
    const time = spec[key];
    if (time !== undefined && !(typeof time === "string" && MICRO_TIME.test(time)))
      return `${key}: cannot be parsed as a MicroTime`;
  }
  return null;
}

function refusal(code: number, reason: string, message: string): readonly [number, object] {
  return [code, { kind: "Status", status: "Failure", reason, message, code }];
}
