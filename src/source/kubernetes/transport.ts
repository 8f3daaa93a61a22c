import http from "node:http";
import https from "node:https";
import type { Clock } from "../../clock.ts";
import { linkAbort, within } from "./deadline.ts";
import {
  ApiError,
  ConnectionError,
  connectionError,
  CredentialsError,
  statusError,
} from "./errors.ts";

export type Query = Readonly<Record<string, string>>;

/** A connection to one cluster. Paths start with `/api`; a path in the server's URL (Rancher) goes before them. */
export interface KubeClient {
  /** For messages: `https://10.0.0.1:6443`. */
  readonly server: string;
  /** Of the kubeconfig: context and file, or in-cluster. For messages. */
  readonly origin: string;
  /** The namespace that the context names; in a pod its own. `null`: none is named. */
  readonly namespace: string | null;
  /** A hash of server and CA: tells clusters apart where nothing better may be read. */
  readonly fingerprint: string;
  /** The parsed JSON answer. Throws ApiError, ConnectionError, CredentialsError. */
  get(path: string, query: Query, signal: AbortSignal): Promise<unknown>;
  /** The same for a question that is asked by creating an object (access reviews). */
  post(path: string, body: unknown, signal: AbortSignal): Promise<unknown>;
  /** Replaces an object by one of the same version; answers it as it is then. */
  put(path: string, body: unknown, signal: AbortSignal): Promise<unknown>;
  /** Changes an object by a JSON merge patch; answers it as it is then. */
  patch(path: string, body: unknown, signal: AbortSignal): Promise<unknown>;
  /** An open answer, decoded as UTF-8, once its headers are there; ends with `signal`. Throws like `get`. */
  stream(path: string, query: Query, signal: AbortSignal): Promise<http.IncomingMessage>;
  close(): void;
}

/** What one request needs to be let in: made anew for each, so that rotated tokens and certificates are used. */
export interface Access {
  readonly server: URL;
  readonly agent: http.Agent;
  readonly headers: Readonly<Record<string, string>>;
  /** `user:password`, for basic authentication. */
  readonly auth: string | null;
}

/** The API server gives up on a list after 60 seconds. */
const ANSWER_MS = 70_000;
const HEADERS_MS = 30_000;
const MAX_BODY = 64 * 1024 * 1024;
const KEEPALIVE_MS = 30_000;

export interface TransportPorts {
  readonly clock: Clock;
  readonly access: (signal: AbortSignal) => Promise<Access>;
  /** What `access` is made from may be out of date. */
  readonly outdated: () => void;
  /** For messages. */
  readonly server: string;
  readonly userAgent: string;
}

export interface Transport {
  get: KubeClient["get"];
  post: KubeClient["post"];
  put: KubeClient["put"];
  patch: KubeClient["patch"];
  stream: KubeClient["stream"];
}

/** HTTP by Node's own client: one keep-alive connection for lists, one for each watch. */
export function createTransport(ports: TransportPorts): Transport {
  const { clock, server } = ports;

  /** Whatever was refused for who we are, or for who they are, is asked the next time with what the files say then. */
  async function open(...request: Parameters<typeof attempt>): Promise<http.IncomingMessage> {
    try {
      return await attempt(...request);
    } catch (error) {
      if (isOutdated(error)) ports.outdated();
      throw error;
    }
  }

  async function attempt(
    path: string,
    query: Query,
    accept: number,
    signal: AbortSignal,
    sending: Sending = NOTHING,
  ): Promise<http.IncomingMessage> {
    const access = await ports.access(signal);
    signal.throwIfAborted();
    const response = await send(access, path, query, ports.userAgent, sending, signal).catch(
      (error: unknown) => {
        throw connectionError(error, server);
      },
    );
    response.setEncoding("utf8");
    if (response.statusCode === accept) return response;
    const status = response.statusCode ?? 0;
    const text = withoutCredentials(await readBody(response, server), access);
    throw statusError(status, parse(text) ?? text.trim(), response.headers["retry-after"] ?? null);
  }

  async function asJson(response: http.IncomingMessage, path: string): Promise<unknown> {
    const body = parse(await readBody(response, server));
    if (body !== undefined) return body;
    throw new ConnectionError(`${server}${path} answered something that is not JSON`);
  }

  const late = (ms: number) => () =>
    new ConnectionError(`no answer from ${server} within ${ms / 1000} s`);

  return {
    get: (path, query, signal) =>
      within(clock, ANSWER_MS, signal, late(ANSWER_MS), async (inner) =>
        asJson(await open(path, query, 200, inner), path),
      ),

    post: (path, body, signal) =>
      within(clock, HEADERS_MS, signal, late(HEADERS_MS), async (inner) =>
        asJson(await open(path, {}, 201, inner, asPost(body)), path),
      ),

    put: (path, body, signal) =>
      within(clock, HEADERS_MS, signal, late(HEADERS_MS), async (inner) =>
        asJson(await open(path, {}, 200, inner, asPut(body)), path),
      ),

    patch: (path, body, signal) =>
      within(clock, HEADERS_MS, signal, late(HEADERS_MS), async (inner) =>
        asJson(await open(path, {}, 200, inner, asMergePatch(body)), path),
      ),

    async stream(path, query, signal) {
      const response = await within(clock, HEADERS_MS, signal, late(HEADERS_MS), (inner) =>
        open(path, query, 200, inner),
      );
      const unlink = linkAbort(signal, () => response.destroy());
      response.once("close", unlink);
      return response;
    },
  };
}

function isOutdated(error: unknown): boolean {
  return error instanceof ApiError
    ? error.status === 401
    : error instanceof CredentialsError || (error instanceof ConnectionError && error.permanent);
}

/** What a request asks for, and what it carries. */
interface Sending {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  readonly type: string;
  readonly body: string | null;
}

const NOTHING: Sending = { method: "GET", type: "", body: null };

function asPost(body: unknown): Sending {
  return { method: "POST", type: "application/json", body: JSON.stringify(body) };
}

function asPut(body: unknown): Sending {
  return { ...asPost(body), method: "PUT" };
}

function asMergePatch(body: unknown): Sending {
  return { method: "PATCH", type: "application/merge-patch+json", body: JSON.stringify(body) };
}

function send(
  access: Access,
  path: string,
  query: Query,
  userAgent: string,
  { method, type, body }: Sending,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const { server } = access;
  const search = new URLSearchParams(query).toString();
  const options: https.RequestOptions = {
    method,
    agent: access.agent,
    protocol: server.protocol,
    hostname: server.hostname.replace(/^\[|\]$/g, ""),
    port: server.port,
    path: `${server.pathname.replace(/\/$/, "")}${path}${search === "" ? "" : `?${search}`}`,
    headers: {
      Accept: "application/json",
      "User-Agent": userAgent,
      ...(body === null ? {} : { "Content-Type": type }),
      ...access.headers,
    },
    signal,
    ...(access.auth === null ? {} : { auth: access.auth }),
  };
  return new Promise((resolve, reject) => {
    const request = (server.protocol === "https:" ? https : http).request(options, resolve);
    // A peer that vanished without a word is noticed by TCP itself.
    request.on("socket", (socket) => socket.setKeepAlive(true, KEEPALIVE_MS));
    request.on("error", reject);
    request.end(body ?? undefined);
  });
}

/** A gateway before the API server may quote what it refuses. */
function withoutCredentials(text: string, { headers, auth }: Access): string {
  const authorization = Object.entries(headers)
    .filter(([name]) => name.toLowerCase() === "authorization")
    .map(([, value]) => value.replace(/^\S+\s+/, ""));
  const basic =
    auth === null ? [] : [Buffer.from(auth).toString("base64"), auth.slice(auth.indexOf(":") + 1)];
  return [...authorization, ...basic]
    .filter((secret) => secret !== "")
    .reduce((clean, secret) => clean.replaceAll(secret, "<redacted>"), text);
}

async function readBody(response: http.IncomingMessage, server: string): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  try {
    for await (const chunk of response) {
      const part = chunk as string;
      length += part.length;
      if (length > MAX_BODY)
        throw new ConnectionError(`an answer of ${server} exceeds ${MAX_BODY >> 20} MiB`, {
          tooLarge: true,
        });
      parts.push(part);
    }
  } catch (error) {
    throw connectionError(error, server);
  }
  return parts.join("");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
