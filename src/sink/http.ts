import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Readable } from "node:stream";
import { create, type AxiosRequestConfig, type AxiosResponse } from "axios";
import type { HttpAnswer, HttpRequest } from "./define.ts";
import { TransportError } from "./transport.ts";

/** The most of an answer that is read: what a platform says is short, and a hostile one must not fill our memory. */
const ANSWER_BYTES = 1024 * 1024;
/**
 * Idle connections are dropped before the usual server (60 s and more) does it under our hands. Where that happens nevertheless, the
 * lane tries again: a second request made here would not be in the platform's budget.
 */
const IDLE_MS = 10_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

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
  exchange(request: HttpRequest, options: ExchangeOptions): Promise<HttpAnswer>;
  /** Closes idle connections. */
  close(): void;
}

export interface HttpClientOptions {
  /** `kube-crier/0.1.0`. */
  readonly userAgent: string;
}

/** The only way out over HTTP. Honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY, except for loopback. */
export function createHttpClient({ userAgent }: HttpClientOptions): HttpClient {
  const agentOptions = { keepAlive: true, timeout: IDLE_MS };
  const httpAgent = new HttpAgent(agentOptions);
  const httpsAgent = new HttpsAgent(agentOptions);
  const client = create({
    adapter: "http",
    httpAgent,
    httpsAgent,
    maxRedirects: 0,
    responseType: "stream",
    // Our own deadline covers the whole exchange; axios' would start anew with every byte that drips in.
    timeout: 0,
    validateStatus: null,
    transformRequest: [(body: unknown) => body],
    transformResponse: [],
  });
  const defaults = {
    "user-agent": userAgent,
    accept: "application/json, text/plain;q=0.9, */*;q=0.8",
    "accept-encoding": "identity",
  };

  const once = async (request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> => {
    const config: AxiosRequestConfig<string> = {
      method: request.method,
      url: request.url,
      headers: { ...defaults, ...request.headers },
      data: request.body,
      signal,
    };
    if (isLoopback(request.url)) config.proxy = false;
    const response: AxiosResponse<Readable> = await client.request(config);
    const text = await readText(response.data);
    return {
      status: response.status,
      headers: plainHeaders(response.headers),
      text,
      json: parseJson(text),
    };
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
        // The AxiosError carries the URL, the headers and the body: it ends here.
        if (timedOut) throw TransportError.timeout(timeoutMs);
        if (signal.aborted) throw TransportError.aborted();
        throw TransportError.from(error);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      }
    },
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

function isLoopback(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && LOOPBACK.test(parsed.hostname);
}

function readText(stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = () => resolve(Buffer.concat(chunks).toString("utf8"));
    stream.on("data", (chunk: Buffer) => {
      const room = ANSWER_BYTES - size;
      chunks.push(chunk.length <= room ? chunk : chunk.subarray(0, room));
      size += chunk.length;
      if (size <= ANSWER_BYTES) return;
      finish();
      stream.destroy();
    });
    stream.once("end", finish);
    stream.on("error", reject);
    stream.once("close", () =>
      reject(Object.assign(new Error("closed early"), { code: "ECONNRESET" })),
    );
  });
}

function plainHeaders(headers: AxiosResponse["headers"]): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && value !== null) plain[name.toLowerCase()] = String(value);
  }
  return plain;
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
