import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A real HTTP server on a loopback port that answers as the test says and keeps what it was sent. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as it came. */
  readonly bytes: Buffer;
  /** Resolves when the connection that brought it is closed, by whomever. */
  readonly closed: Promise<void>;
  /** Answers one that hangs, at last. */
  answer(reply: Reply): void;
}

export type Reply =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** Text as it is, anything else as JSON. */
      readonly body?: unknown;
    }
  /** These very bytes, after which the connection stays open. */
  | { readonly raw: string | Buffer }
  /** Never answers. */
  | "hang"
  /** Sends the head of an answer and then nothing more. */
  | "stall"
  /** Resets the connection instead of answering. */
  | "reset";

export interface Inbox {
  /** `http://127.0.0.1:PORT`, no slash at the end. */
  readonly url: string;
  readonly requests: readonly Received[];
  /** Connections made so far. */
  readonly connections: number;
  /** How to answer from now on: one reply for all, or one made for each. */
  reply(how: Reply | ((request: Received, index: number) => Reply)): void;
  /** Resolves with the `count`-th request once it has come. */
  received(count: number): Promise<Received>;
  close(): Promise<void>;
}

export async function startInbox(): Promise<Inbox> {
  const requests: Received[] = [];
  const sockets = new Set<Socket>();
  const closing = new WeakMap<Socket, Promise<void>>();
  const waiting: { count: number; wake: (request: Received) => void }[] = [];
  let connections = 0;
  let how: Reply | ((request: Received, index: number) => Reply) = { status: 200, body: "ok" };

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const request: Received = {
        method: incoming.method ?? "",
        url: incoming.url ?? "",
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString("utf8"),
        bytes: Buffer.concat(chunks),
        closed: closing.get(incoming.socket) ?? Promise.resolve(),
        answer: (reply) => answer(response, reply),
      };
      requests.push(request);
      answer(response, typeof how === "function" ? how(request, requests.length - 1) : how);
      for (const waiter of waiting) if (waiter.count === requests.length) waiter.wake(request);
    });
  });
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    closing.set(
      socket,
      new Promise((resolve) => {
        socket.once("close", () => {
          sockets.delete(socket);
          resolve();
        });
      }),
    );
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections;
    },
    reply(next) {
      how = next;
    },
    received(count) {
      const already = requests[count - 1];
      if (already !== undefined) return Promise.resolve(already);
      return new Promise((wake) => waiting.push({ count, wake }));
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === "hang") return;
  if (reply === "reset") {
    response.socket?.resetAndDestroy();
    return;
  }
  if (reply === "stall") {
    response.writeHead(200, { "content-length": "100" });
    response.write("{");
    return;
  }
  if ("raw" in reply) {
    response.socket?.write(reply.raw);
    return;
  }
  const { status, headers, body } = reply;
  // A 1xx other than 101 cannot be a final answer in Node's server.
  response.writeHead(status, { "content-type": "application/json", ...headers });
  if (body === undefined) response.end();
  else
    response.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}
