import { once } from "node:events";
import { readFileSync } from "node:fs";
import https from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Books, Span } from "./books.ts";
import type { Chance } from "./random.ts";

type Seen = Books["watched"][number];

/**
 * Stands before the API server and passes every request on: it lets watches end after 5 to 10 seconds, as `--min-request-timeout=5` does for
 * clients that ask for no time of their own, and writes down when a watch was open and when a list was made.
 */
export class Gateway {
  readonly port: number;
  readonly watched: Seen[] = [];
  readonly listed: Seen[] = [];
  /** Lists of this namespace are answered later by so much. */
  slow: { readonly namespace: string; readonly ms: number } | null = null;
  readonly #server: https.Server;
  readonly #open = new Set<{ readonly from: number; readonly namespace: string | null }>();

  private constructor(server: https.Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(options: {
    readonly pem: string;
    readonly target: number;
    readonly ca: string;
    readonly chance: Chance;
  }): Promise<Gateway> {
    const pem = readFileSync(options.pem);
    const server = https.createServer({ key: pem, cert: pem }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const gateway = new Gateway(server, address.port);
    const agent = new https.Agent({ keepAlive: true, ca: options.ca });
    server.on("tlsClientError", () => undefined);
    server.on("request", (request: IncomingMessage, response: ServerResponse) =>
      gateway.#pass(request, response, { ...options, agent }),
    );
    server.once("close", () => agent.destroy());
    return gateway;
  }

  /** Whether a watch is open just now. */
  get watching(): boolean {
    return this.#open.size > 0;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #pass(
    request: IncomingMessage,
    response: ServerResponse,
    { target, agent, chance }: { target: number; agent: https.Agent; chance: Chance },
  ): void {
    const url = new URL(request.url ?? "/", "https://gateway");
    const isWatch = url.searchParams.get("watch") === "true";
    if (isWatch) url.searchParams.set("timeoutSeconds", String(chance.between(5, 10)));
    const isList =
      !isWatch &&
      url.pathname.endsWith("/events") &&
      Number(url.searchParams.get("limit") ?? 2) > 1;
    const namespace = /\/namespaces\/([^/]+)\/events$/.exec(url.pathname)?.[1] ?? null;
    const from = Date.now();
    const { host: _, ...headers } = request.headers;
    const up = https.request({
      agent,
      host: "127.0.0.1",
      port: target,
      method: request.method ?? "GET",
      path: url.pathname + url.search,
      headers,
    });
    up.on("error", () => response.socket?.destroy());
    response.on("error", () => undefined);
    response.once("close", () => up.destroy());
    up.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.on("error", () => response.socket?.destroy());
      answer.pipe(response);
      if (answer.statusCode !== 200) return;
      if (isList) answer.once("end", () => this.listed.push({ namespace, from, to: Date.now() }));
      if (isWatch) this.#note({ namespace, from: Date.now() }, answer, response);
    });
    if (isList && this.slow?.namespace === namespace)
      setTimeout(() => request.pipe(up), this.slow?.ms);
    else request.pipe(up);
  }

  #note(
    opened: { readonly namespace: string | null; readonly from: number },
    answer: IncomingMessage,
    response: ServerResponse,
  ): void {
    this.#open.add(opened);
    const end = () => {
      if (this.#open.delete(opened)) this.watched.push({ ...opened, to: Date.now() });
    };
    // A version that is gone is answered with 200, and then in a line: that was no watch.
    answer.once("data", (chunk: Buffer) => {
      if (chunk.toString("utf8").startsWith('{"type":"ERROR"')) this.#open.delete(opened);
    });
    answer.once("close", end);
    response.once("close", end);
  }
}

/** What is left of the spans where nothing was wrong. */
export function without<T extends Span>(
  spans: readonly T[],
  faults: readonly Span[],
): readonly T[] {
  return faults.reduce<readonly T[]>(
    (left, fault) =>
      left.flatMap((span) =>
        [
          { ...span, to: Math.min(span.to, fault.from) },
          { ...span, from: Math.max(span.from, fault.to) },
        ].filter(({ from, to }) => from < to),
      ),
    spans,
  );
}
