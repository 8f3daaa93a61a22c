import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import type { Account } from "./judge.ts";

/** What is about no single occurrence. */
const NOTICE = "notice";

/** How a receiver may be unwell. */
export const HICCUPS = ["500", "429", "hang", "reset", "slow"] as const;
export type Hiccup = (typeof HICCUPS)[number];

/** Takes webhooks and books per occurrence how often it has said yes; one half of its paths can be made unwell. */
export class Receiver {
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();
  readonly #books = new Map<string, Map<string, number>>();
  /** What the paths that are not always well answer now. */
  hiccup: Hiccup | null = null;
  refused = 0;

  async start(): Promise<string> {
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
    });
    this.#server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => this.#judge(request.url ?? "", chunks, response));
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  account(path: string, created: ReadonlySet<string>): Account {
    const book = this.#books.get(path) ?? new Map<string, number>();
    const lost = [...created].filter((occurrence) => !book.has(occurrence)).length;
    const twice = [...book].reduce((sum, [what, n]) => sum + (what === NOTICE ? 0 : n - 1), 0);
    return { sink: path, lost, twice };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #judge(path: string, chunks: readonly Buffer[], response: ServerResponse): void {
    const { event } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
      event?: { eventName: string; count: number };
    };
    const occurrence = event === undefined ? NOTICE : `${event.eventName}@${event.count}`;
    const how = path === "/well" ? null : this.hiccup;
    if (how !== null && how !== "slow") {
      this.refused += 1;
      refuse(how, response);
      return;
    }
    const accept = () => {
      if (response.destroyed) return;
      const book = this.#books.get(path) ?? new Map<string, number>();
      this.#books.set(path, book.set(occurrence, (book.get(occurrence) ?? 0) + 1));
      response.writeHead(200).end("ok");
    };
    if (how === "slow") setTimeout(accept, 300);
    else accept();
  }
}

function refuse(how: Exclude<Hiccup, "slow">, response: ServerResponse): void {
  switch (how) {
    case "500":
      response.writeHead(500).end("no");
      return;
    case "429":
      response.writeHead(429, { "retry-after": "3" }).end("later");
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "hang":
      return;
  }
}
