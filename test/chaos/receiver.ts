import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Acceptance, Span } from "./books.ts";
import type { Chance } from "./random.ts";

/** How a receiver answers while something is wrong with it. */
export type Answer =
  | "500"
  /** Retry-After: 1. */
  | "429"
  /** Refused for good. */
  | "400"
  | "hang"
  | "reset"
  | "slow"
  /** HTTP 200 whose body says: try again. */
  | "busy"
  /** HTTP 200 whose body says: leave me alone for a second. */
  | "muted"
  /** HTTP 200 whose body says: refused for good. */
  | "refused";

/** What is read of a request: the idempotency key, which process sent it and, where the message says, the occurrence. */
export type ReadKey = (
  request: Pick<IncomingMessage, "url" | "headers">,
  body: string,
) => Pick<Acceptance, "id" | "life" | "occurrence">;

/** Each process has an address of its own. */
export const HOOK_PATH = "/hook/";
export const CHAT_PATH = "/robot/send?access_token=";
const lifeIn = (url: string | undefined, path: string) =>
  Number.parseInt((url ?? "").slice(path.length), 10);

/** A header says which occurrence it is; digests and gaps are none. */
export const readHook: ReadKey = ({ url, headers }, body) => {
  const { event } = JSON.parse(body) as { event?: { key?: string } | null };
  const id = String(headers["idempotency-key"]);
  return { id, life: lifeIn(url, HOOK_PATH), occurrence: event?.key ?? null };
};

/** DingTalk's message of text, with its key in the body. */
export const readDingtalk: ReadKey = ({ url }, body) => {
  const { msgUuid } = JSON.parse(body) as { msgUuid?: string };
  return { id: String(msgUuid), life: lifeIn(url, CHAT_PATH), occurrence: null };
};

/** How long an answer may be on its way; what goes wrong with the way meanwhile may lose it. */
const ANSWER_MS = 1_000;

/** A sink's receiver, which keeps what it accepts. */
export class Receiver {
  readonly port: number;
  readonly refused = new Set<string>();
  readonly #server: Server;
  readonly #sink: string;
  readonly #read: ReadKey;
  readonly #chance: Chance;
  readonly #accepted: Omit<Acceptance, "doubtful">[] = [];
  #answer: { readonly how: Answer; readonly share: number } | null = null;

  private constructor(server: Server, port: number, options: ReceiverOptions) {
    this.#server = server;
    this.port = port;
    this.#sink = options.sink;
    this.#read = options.read;
    this.#chance = options.chance;
    server.on("request", (request, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("error", () => undefined);
      request.on("end", () =>
        this.#take(request, Buffer.concat(chunks).toString("utf8"), response),
      );
    });
  }

  static async start(options: ReceiverOptions): Promise<Receiver> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return new Receiver(server, address.port, options);
  }

  /** This share of the requests is answered so from now on. */
  begin(how: Answer, share: number): void {
    this.#answer = { how, share };
  }

  end(): void {
    this.#answer = null;
  }

  has(occurrence: string): boolean {
    return this.#accepted.some((one) => one.occurrence === occurrence);
  }

  /** @param faults of the way to it */
  accepted(faults: readonly Span[]): readonly Acceptance[] {
    return this.#accepted.map((one) => ({
      ...one,
      doubtful: faults.some(({ from, to }) => from <= one.at + ANSWER_MS && to >= one.at),
    }));
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #take(request: IncomingMessage, body: string, response: ServerResponse): void {
    const read = this.#read(request, body);
    const { id } = read;
    const wrong = this.#answer;
    const accept = () => {
      // Who has gone before the answer is not told; and we have not taken it.
      if (response.socket?.destroyed !== false) return;
      this.#accepted.push({ sink: this.#sink, ...read, at: Date.now() });
      json(response, 200, { errcode: 0, errmsg: "ok" });
    };
    if (wrong === null || this.#chance.next() >= wrong.share) return accept();
    switch (wrong.how) {
      case "500":
        return json(response, 500, { error: "down" });
      case "429":
        return json(response, 429, {}, { "retry-after": "1" });
      case "400":
        this.refused.add(id);
        return json(response, 400, { error: "not so" });
      case "hang":
        return;
      case "reset":
        response.socket?.resetAndDestroy();
        return;
      case "slow":
        setTimeout(accept, this.#chance.between(100, 2_000));
        return;
      case "busy":
        return json(response, 200, { errcode: -1, errmsg: "系统繁忙" });
      case "muted":
        return json(response, 200, { status: 1111, wait: 1, punish: "deny" });
      case "refused":
        this.refused.add(id);
        return json(response, 200, { errcode: 310000, errmsg: "keywords not in content" });
    }
  }
}

export interface ReceiverOptions {
  readonly sink: string;
  readonly read: ReadKey;
  readonly chance: Chance;
}

function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
