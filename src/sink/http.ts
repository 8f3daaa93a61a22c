import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Readable } from "node:stream";
import type { HttpAnswer, Outgoing } from "./define.ts";
import { directly } from "./direct.ts";
import { sendable } from "./header.ts";
import { TransportError } from "./transport.ts";

/** The most of an answer that is read: what a platform says is short, and a hostile one must not fill our memory. */
const ANSWER_BYTES = 1024 * 1024;
/**
 * Idle connections are dropped before the usual server (60 s and more) does it under our hands. Where that happens nevertheless, the
 * lane tries again: a second request made here would not be in the platform's budget.
 */
const IDLE_MS = 10_000;
const PROXIES = ["http_proxy", "https_proxy", "all_proxy"];
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

/** What came back, its body still to be read. */
export interface Arrived {
  readonly status: number;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Readable;
}

export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export interface ExchangeOptions {
  /** From the first byte of the connection to the last byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HttpClient {
  /**
   * One request, one answer, whatever its status; a redirect is an answer, never followed.
   * An answer beyond 1 MB is cut there. Rejects with `TransportError` and nothing else.
   */
  exchange(request: Outgoing, options: ExchangeOptions): Promise<HttpAnswer>;
  /** Closes idle connections. */
  close(): void;
}

export interface HttpClientOptions {
  /** `kube-crier/0.1.0`. */
  readonly userAgent: string;
  /** The environment names a proxy; for which hosts, it says too. */
  readonly proxy: boolean;
}

/** The only way out over HTTP. Honours HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, except for loopback and what is to go directly. */
export function createHttpClient({ userAgent, proxy }: HttpClientOptions): HttpClient {
  const agentOptions = { keepAlive: true, timeout: IDLE_MS };
  const agents = { http: new HttpAgent(agentOptions), https: new HttpsAgent(agentOptions) };
  // Loaded where it is needed: axios brings much along, fetch and http2 among it.
  let proxied: Promise<(request: Outgoing, signal: AbortSignal) => Promise<Arrived>> | null = null;
  const byProxy = async (request: Outgoing, signal: AbortSignal): Promise<Arrived> => {
    proxied ??= import("./proxied.ts").then((library) => library.byProxy(agents));
    return (await proxied)(request, signal);
  };
  const defaults = {
    "user-agent": userAgent,
    accept: "application/json, text/plain;q=0.9, */*;q=0.8",
    "accept-encoding": "identity",
  };

  const once = async (request: Outgoing, signal: AbortSignal): Promise<HttpAnswer> => {
    signal.throwIfAborted();
    const headersSent = sendable(request.headers);
    // Node would write such headers as UTF-8 once more together with a body that is a string.
    const isPlain = headersSent === request.headers || typeof request.body !== "string";
    const outgoing = {
      ...request,
      headers: { ...defaults, ...headersSent },
      body: isPlain ? request.body : Buffer.from(request.body),
    };
    const { status, headers, body } =
      proxy && request.direct !== true && !isLoopback(request.url)
        ? await byProxy(outgoing, signal)
        : await directly(outgoing, agents, signal);
    const read = await readText(body);
    return { status, headers: plainHeaders(headers), ...read, json: parseJson(read.text) };
  };

  return {
    async exchange(request, { timeoutMs, signal }) {
      const stop = new AbortController();
      let timedOut = false;
      const abort = () => stop.abort();
      const timer = setTimeout(() => {
        timedOut = true;
        abort();
      }, timeoutMs);
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      try {
        return await once(request, stop.signal);
      } catch (error) {
        // The library's error carries the URL, the headers and the body: it ends here.
        if (timedOut) throw TransportError.timeout(timeoutMs);
        if (signal.aborted) throw TransportError.aborted();
        throw TransportError.from(error);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      }
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** Whether the environment names a proxy for anything. */
export function namesProxy(env: Readonly<Record<string, string | undefined>>): boolean {
  return PROXIES.some((name) => (env[name] ?? env[name.toUpperCase()] ?? "") !== "");
}

function isLoopback(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && LOOPBACK.test(parsed.hostname);
}

/** The codes of Node's zlib, brotli's with them. */
const UNPACKING = /^(Z_|ERR__ERROR_|ERR_BROTLI_)/;
const UNREADABLE = "(a body that cannot be unpacked)";

/** A body that came whole and cannot be unpacked leaves the status to speak for itself. */
function readText(stream: Readable): Promise<Pick<HttpAnswer, "text" | "isCut">> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let finished = false;
    const finish = () => {
      finished = true;
      const text = textOf(Buffer.concat(chunks));
      resolve(size > ANSWER_BYTES ? { text, isCut: true } : { text });
    };
    stream.on("data", (chunk: Buffer) => {
      const room = ANSWER_BYTES - size;
      chunks.push(chunk.length <= room ? chunk : chunk.subarray(0, room));
      size += chunk.length;
      if (size <= ANSWER_BYTES) return;
      finish();
      stream.destroy();
    });
    stream.once("end", finish);
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (UNPACKING.test(error.code ?? "")) resolve({ text: UNREADABLE });
      else reject(error);
    });
    stream.once("close", () => {
      // An Error takes the stack with it: not one for every answer.
      if (!finished) reject(Object.assign(new Error("closed early"), { code: "ECONNRESET" }));
    });
  });
}

/** Without the byte order mark that .NET's servers may begin with: it is no part of the text, and JSON knows none. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

function plainHeaders(headers: Arrived["headers"]): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = String(value);
  }
  return plain;
}

/** How a JSON text may begin: "ok" and "<html>" need no exception to be told from it. */
const JSON_START = /^\s*["[{\dtfn-]/;

function parseJson(text: string): unknown {
  if (!JSON_START.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
