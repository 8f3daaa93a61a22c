import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";
import { json } from "node:stream/consumers";
import { FakeReviews } from "./reviews.ts";
import { FakeLeases } from "./leases.ts";

const FIXTURES = path.resolve(import.meta.dirname, "../fixtures/kube-apiserver");

/** What a real kube-apiserver answered, from the recorded files. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function recorded(name: string): Answer {
  const text = readFileSync(path.join(FIXTURES, `${name}.http`), "utf8");
  const end = /\r?\n\r?\n/.exec(text);
  const [head, body] = [
    text.slice(0, end?.index),
    text.slice((end?.index ?? 0) + (end?.[0].length ?? 0)),
  ];
  const [first = "", ...lines] = head.split(/\r?\n/);
  const headers = Object.fromEntries(
    lines
      .map((line) => line.split(": ") as [string, string])
      .filter(([name]) => !/^(transfer-encoding|content-length|date)$/i.test(name)),
  );
  return { status: Number(first.split(" ")[1]), headers, body };
}

type Fields = Readonly<Record<string, unknown>>;

export type RawEvent = Record<string, unknown> & {
  metadata: { name: string; namespace: string; uid: string; resourceVersion: string };
  count: number;
};

interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: RawEvent;
}

interface Watch {
  readonly response: http.ServerResponse;
  readonly namespace: string | null;
  readonly selector: string | null;
  readonly group: string;
  sentUpTo: number;
  silent: boolean;
}

/** Requests to match: lists and watches of Events. */
export const isWatch = (request: Request): boolean => request.query.get("watch") === "true";
export const isList = (request: Request): boolean =>
  request.method === "GET" && request.path.endsWith("/events") && !isWatch(request);
/** Events that are created or changed. */
export const isWrite = (request: Request): boolean =>
  (request.method === "POST" || request.method === "PATCH") && request.path.includes("/events");

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
}

/**
 * A kube-apiserver for tests: real HTTP or HTTPS on loopback, one store of Events under both API groups, lists in pages, watches from
 * any version not yet compacted, and every way of going wrong on command. Errors are the recorded ones.
 */
export class FakeApiServer {
  readonly requests: Request[] = [];
  /** Whose tokens it knows, and what they may do. */
  readonly reviews = new FakeReviews();
  readonly leases = new FakeLeases();
  /** What was created and patched. */
  readonly written: { readonly method: string; readonly path: string; readonly body: Fields }[] =
    [];
  /** Answers instead of the store, first match first; `times` counts down. */
  readonly #overrides: {
    match: (request: Request) => boolean;
    answer: Answer | null;
    times: number;
  }[] = [];
  readonly #secure: boolean;
  readonly #objects = new Map<string, RawEvent>();
  #history: Change[] = [];
  #compacted = 0;
  #version = 100;
  #namespaceUid = "11111111-aaaa-4aaa-8aaa-000000000001";
  #watches = new Set<Watch>();
  #sockets = new Set<Socket>();
  #server: http.Server;
  #port = 0;
  #silentFromNow = false;
  #waiting: { condition: () => boolean; resolve: () => void }[] = [];
  #uids = 0;
  #lost = 0;

  private constructor(secure: boolean) {
    this.#secure = secure;
    this.#server = this.#create();
  }

  static async start(options: { secure?: boolean } = {}): Promise<FakeApiServer> {
    const server = new FakeApiServer(options.secure ?? false);
    await server.up();
    return server;
  }

  get url(): string {
    return `${this.#secure ? "https" : "http"}://127.0.0.1:${this.#port}`;
  }

  static get ca(): string {
    return readFileSync(path.join(FIXTURES, "tls/ca.crt"), "utf8");
  }

  get version(): string {
    return String(this.#version);
  }

  get watching(): number {
    return this.#watches.size;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Requests of one kind so far: whether they asked for a watch. */
  asked(kind: "watch" | "list"): readonly Request[] {
    return this.requests.filter(kind === "watch" ? isWatch : isList);
  }

  /** Resolves as soon as `condition` holds, looked at after each request, connection and watch. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  // The store.

  create(name: string, fields: Record<string, unknown> = {}, namespace = "shop"): RawEvent {
    this.#uids += 1;
    const event: RawEvent = {
      kind: "Event",
      apiVersion: "v1",
      metadata: {
        name,
        namespace,
        uid: `uid-${this.#uids}-${name}`,
        resourceVersion: "",
        creationTimestamp: "2026-11-20T08:00:00Z",
      },
      involvedObject: { kind: "Pod", namespace, name: "web-0", apiVersion: "v1" },
      reason: "BackOff",
      message: `message of ${name}`,
      source: { component: "kubelet", host: "node-1" },
      firstTimestamp: "2026-11-20T08:00:00Z",
      lastTimestamp: "2026-11-20T08:00:00Z",
      count: 1,
      type: "Warning",
      eventTime: null,
      reportingComponent: "kubelet",
      reportingInstance: "node-1",
      ...fields,
    } as RawEvent;
    return this.#store("ADDED", event);
  }

  /** A MODIFIED with one more of its kind, or with whatever `fields` say. */
  update(name: string, fields: Record<string, unknown> = {}, namespace = "shop"): RawEvent {
    const event = this.#find(name, namespace);
    return this.#store("MODIFIED", { ...event, count: event.count + 1, ...fields });
  }

  remove(name: string, namespace = "shop"): void {
    const event = this.#find(name, namespace);
    this.#objects.delete(`${namespace}/${name}`);
    this.#store("DELETED", event);
  }

  /** Everything before now is gone from history: a watch from before is expired. */
  compact(): void {
    // As in a real cluster, where leases and other objects move the version on.
    this.#version += 1;
    this.#compacted = this.#version;
    this.#history = [];
  }

  /** Hours pass: no Event lives that long, and history is compacted. */
  forget(): void {
    this.#objects.clear();
    this.compact();
  }

  /** etcd is restored from a backup of `version`. */
  restore(version: number): void {
    this.#version = version;
    this.#history = this.#history.filter((change) => change.version <= version);
    for (const [key, object] of this.#objects)
      if (Number(object.metadata.resourceVersion) > version) this.#objects.delete(key);
  }

  /** From now on it is another cluster. */
  becomeAnother(): void {
    this.#namespaceUid = "22222222-bbbb-4bbb-8bbb-000000000002";
  }

  // Going wrong.

  /** `null`: takes the request and never answers. */
  answer(
    answer: Answer | null,
    match: (request: Request) => boolean = () => true,
    times = 1,
  ): void {
    this.#overrides.push({ match, answer, times });
  }

  /** Nothing is answered instead of the store any more. */
  takeEverything(): void {
    this.#overrides.length = 0;
  }

  /** Takes the next writes, and resets the connection instead of answering. */
  loseAnswers(times: number): void {
    this.#lost = times;
  }

  /** Ends open watches as the server does after their time. */
  closeWatches(): void {
    for (const watch of this.#watches) watch.response.end();
    this.#watches.clear();
  }

  resetConnections(): void {
    this.#watches.clear();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** 410 within open watches, as after an API server lost its etcd. */
  expireWatches(): void {
    this.compact();
    this.send(recorded("watch-410-expired").body);
    this.closeWatches();
  }

  /** Open watches, and those to come, stay open and say nothing: a half-open connection. */
  fallSilent(): void {
    this.#silentFromNow = true;
    for (const watch of this.#watches) watch.silent = true;
  }

  speakAgain(): void {
    this.#silentFromNow = false;
  }

  /** Text as it stands, to all open watches. */
  send(text: string): void {
    this.sendBytes(Buffer.from(text));
  }

  sendBytes(bytes: Buffer): void {
    for (const watch of this.#watches) watch.response.write(bytes);
  }

  down(): Promise<void> {
    this.resetConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async up(): Promise<void> {
    this.#server = this.#create();
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.down();
  }

  // The server.

  #create(): http.Server {
    const handler: http.RequestListener = (request, response) => this.#handle(request, response);
    const server = this.#secure
      ? https.createServer(
          {
            cert: readFileSync(path.join(FIXTURES, "tls/server.crt")),
            key: readFileSync(path.join(FIXTURES, "tls/server.key")),
          },
          handler,
        )
      : http.createServer(handler);
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#changed();
      });
    });
    return server;
  }

  #handle(message: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(message.url ?? "/", "http://fake");
    const request = {
      method: message.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: message.headers,
    };
    this.requests.push(request);
    const override = this.#overrides.find((one) => one.times > 0 && one.match(request));
    if (override !== undefined) {
      override.times -= 1;
      if (override.answer !== null) reply(response, override.answer);
    } else if (/\/(tokenreviews|subjectaccessreviews)$/.test(url.pathname)) {
      void this.#review(message, response);
    } else if (FakeLeases.serves(request.path)) {
      void this.leases.handle(message, response).then(() => this.#changed());
    } else if (isWrite(request)) {
      void json(message).then((body) => this.#write(request, body as Fields, response));
    } else if (url.pathname.endsWith("/events")) this.#events(request, response);
    else if (url.pathname.endsWith("/namespaces/kube-system"))
      replyJson(response, { kind: "Namespace", metadata: { uid: this.#namespaceUid } });
    else
      replyJson(
        response,
        { kind: "Status", status: "Failure", reason: "NotFound", code: 404 },
        404,
      );
    this.#changed();
  }

  async #review(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    replyJson(response, this.reviews.answer((await json(message)) as Fields), 201);
    this.#changed();
  }

  /** Creates an Event, or changes one by a merge patch, as either group does it. */
  #write(request: Request, body: Fields, response: http.ServerResponse): void {
    this.written.push({ method: request.method, path: request.path, body });
    const [, namespace = "", name = ""] =
      /\/namespaces\/([^/]+)\/events(?:\/([^/]+))?$/.exec(request.path) ?? [];
    const group = request.path.includes("/apis/events.k8s.io/") ? "events.k8s.io/v1" : "v1";
    if (this.#lost > 0) {
      this.#lost -= 1;
      response.socket?.once("close", () => undefined);
      response.end = () => response.destroy();
    }
    const answer = (status: number, reason: string, message: string) =>
      replyJson(
        response,
        { kind: "Status", status: "Failure", reason, message, code: status },
        status,
      );
    if (request.method === "PATCH") {
      const event = this.#objects.get(`${namespace}/${name}`);
      if (event === undefined) answer(404, "NotFound", `events "${name}" not found`);
      else if (request.headers["content-type"] !== "application/merge-patch+json")
        answer(415, "UnsupportedMediaType", "the body of the request was in an unknown format");
      else if (group !== "v1" && Object.keys(body).some((key) => key !== "series"))
        answer(422, "Invalid", "field is immutable");
      else {
        const changed = { ...event, ...body };
        // As the real one: what changes nothing is no event on any watch.
        const same = JSON.stringify(changed) === JSON.stringify(event);
        replyJson(response, present(same ? event : this.#store("MODIFIED", changed), group));
      }
    } else {
      const meta = body["metadata"] as { name: string; namespace: string };
      const about = (body["involvedObject"] ?? body["regarding"]) as { namespace?: string };
      if (this.#objects.has(`${namespace}/${meta.name}`))
        answer(409, "AlreadyExists", `events "${meta.name}" already exists`);
      else if (meta.namespace !== namespace || about.namespace !== namespace)
        answer(
          422,
          "Invalid",
          "involvedObject.namespace: Invalid value: does not match event.namespace",
        );
      else
        replyJson(
          response,
          present(this.create(meta.name, stored(body, group), namespace), group),
          201,
        );
    }
    this.#changed();
  }

  #events(request: Request, response: http.ServerResponse): void {
    const group = request.path.includes("/apis/events.k8s.io/") ? "events.k8s.io/v1" : "v1";
    const namespace = /\/namespaces\/([^/]+)\/events$/.exec(request.path)?.[1] ?? null;
    if (request.query.get("watch") !== "true") {
      this.#list(request.query, namespace, group, response);
      return;
    }
    const from = Number(request.query.get("resourceVersion"));
    if (Number.isNaN(from)) {
      reply(response, recorded("watch-bad-version"));
      return;
    }
    response.writeHead(200, recorded("watch").headers);
    response.flushHeaders();
    const watch: Watch = {
      response,
      namespace,
      group,
      selector: request.query.get("fieldSelector"),
      sentUpTo: from,
      silent: this.#silentFromNow,
    };
    response.on("close", () => {
      this.#watches.delete(watch);
      this.#changed();
    });
    if (from < this.#compacted) {
      response.end(recorded("watch-410-expired").body);
      return;
    }
    this.#watches.add(watch);
    for (const change of this.#history) this.#tell(watch, change);
  }

  #list(
    query: URLSearchParams,
    namespace: string | null,
    group: string,
    response: http.ServerResponse,
  ): void {
    const [version, after] = query.has("continue")
      ? (JSON.parse(Buffer.from(query.get("continue") ?? "", "base64").toString()) as [
          number,
          string,
        ])
      : [this.#version, ""];
    if (version !== -1 && version < this.#compacted) {
      const gone = recorded("list-410-continue");
      const status = JSON.parse(gone.body) as { metadata: { continue: string } };
      status.metadata.continue = token(-1, after);
      reply(response, { ...gone, body: JSON.stringify(status) });
      return;
    }
    const selector = query.get("fieldSelector");
    const keys = [...this.#objects.keys()].toSorted().filter((key) => {
      const object = this.#objects.get(key);
      return object !== undefined && key > after && selects(object, namespace, selector);
    });
    const page = keys.slice(0, Number(query.get("limit") ?? keys.length));
    const rest = keys.length - page.length;
    replyJson(response, {
      kind: "EventList",
      apiVersion: group,
      metadata: {
        resourceVersion: String(version === -1 ? this.#version : version),
        ...(rest > 0
          ? { continue: token(version, page.at(-1) ?? ""), remainingItemCount: rest }
          : {}),
      },
      // Items of a real list carry no kind.
      items: page.map((key) => {
        const {
          kind: _kind,
          apiVersion: _apiVersion,
          ...item
        } = present(this.#objects.get(key), group);
        return item;
      }),
    });
  }

  #store(type: Change["type"], event: RawEvent): RawEvent {
    this.#version += 1;
    const object = {
      ...event,
      metadata: { ...event.metadata, resourceVersion: String(this.#version) },
    } as RawEvent;
    if (type !== "DELETED")
      this.#objects.set(`${object.metadata.namespace}/${object.metadata.name}`, object);
    const change = { version: this.#version, type, object };
    this.#history.push(change);
    for (const watch of this.#watches) this.#tell(watch, change);
    return object;
  }

  #tell(watch: Watch, change: Change): void {
    if (watch.silent || change.version <= watch.sentUpTo) return;
    watch.sentUpTo = change.version;
    if (!selects(change.object, watch.namespace, watch.selector)) return;
    const object = present(change.object, watch.group);
    watch.response.write(`${JSON.stringify({ type: change.type, object })}\n`);
  }

  #find(name: string, namespace: string): RawEvent {
    const event = this.#objects.get(`${namespace}/${name}`);
    if (event === undefined)
      throw new Error(`the fake API server has no event ${namespace}/${name}`);
    return event;
  }

  #changed(): void {
    const ready = this.#waiting.filter((one) => one.condition());
    this.#waiting = this.#waiting.filter((one) => !ready.includes(one));
    for (const one of ready) one.resolve();
  }
}

function selects(event: RawEvent, namespace: string | null, selector: string | null): boolean {
  if (namespace !== null && event.metadata.namespace !== namespace) return false;
  return selector === null || event["type"] !== selector.replace("type!=", "");
}

/** What the store keeps of a created Event: one form for both groups, nothing that was not given. */
function stored(body: Fields, group: string): Fields {
  const { metadata: _metadata, kind: _kind, apiVersion: _apiVersion, ...given } = body;
  const none = { source: {}, firstTimestamp: null, lastTimestamp: null, count: 0 };
  if (group === "v1") return { ...none, ...given };
  const { regarding, note, reportingController, ...rest } = given;
  return {
    ...none,
    ...rest,
    involvedObject: regarding,
    message: note,
    reportingComponent: reportingController,
  };
}

/** The same object as events.k8s.io/v1 shows it. */
function present(event: RawEvent | undefined, group: string): Record<string, unknown> {
  if (event === undefined) return {};
  if (group === "v1") return event;
  const {
    involvedObject,
    message,
    source,
    count,
    firstTimestamp,
    lastTimestamp,
    reportingComponent,
    ...rest
  } = event;
  return {
    ...rest,
    apiVersion: group,
    regarding: involvedObject,
    note: message,
    reportingController: reportingComponent,
    deprecatedSource: source,
    deprecatedCount: count,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
  };
}

function token(version: number, after: string): string {
  return Buffer.from(JSON.stringify([version, after])).toString("base64");
}

function reply(response: http.ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

function replyJson(response: http.ServerResponse, body: unknown, status = 200): void {
  reply(response, { status, headers: recorded("list-page1").headers, body: JSON.stringify(body) });
}
