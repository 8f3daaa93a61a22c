import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";
import type { Span } from "./books.ts";

/**
 * stall: nothing passes, and goes on afterwards. half-open: nothing passes, and then the connection is gone. cut: reset, and so is whoever
 * comes. truncate: some bytes more, and then the end. drip: slowly.
 */
export type Fault = "stall" | "half-open" | "cut" | "truncate" | "drip";

const DRIP_BYTES = 600;
const DRIP_MS = 20;

/** A way to a server of 127.0.0.1 on which things go wrong. */
export class Way {
  readonly port: number;
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #faults: Span[] = [];
  #fault: Fault | null = null;
  #over = Promise.withResolvers<void>();
  /** How many bytes pass yet before the end, on each connection. */
  #left = 0;

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    server.on("connection", (client) => this.#join(client));
  }

  static async to(target: number): Promise<Way> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return new Way(server, address.port, target);
  }

  /** Times in which something was wrong; the last one may go on. */
  get faults(): readonly Span[] {
    return this.#faults;
  }

  /** @param bytes for `truncate`: what passes yet */
  begin(fault: Fault, bytes = 0): void {
    this.end();
    this.#faults.push({ from: Date.now(), to: Number.POSITIVE_INFINITY });
    this.#fault = fault;
    this.#left = bytes;
    this.#over = Promise.withResolvers();
    if (fault === "cut") this.#reset();
  }

  end(): void {
    const last = this.#faults.at(-1);
    if (this.#fault === null || last === undefined) return;
    if (this.#fault === "half-open") this.#reset();
    this.#faults[this.#faults.length - 1] = { from: last.from, to: Date.now() };
    this.#fault = null;
    this.#over.resolve();
  }

  async close(): Promise<void> {
    this.end();
    this.#reset();
    this.#server.close();
    await once(this.#server, "close");
  }

  #reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #join(client: Socket): void {
    if (this.#fault === "cut") {
      client.on("error", () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ host: "127.0.0.1", port: this.#target, noDelay: true });
    client.setNoDelay(true);
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", end);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    const back = this.#gate(end);
    server.pipe(back).pipe(client);
    const out = this.#gate(end);
    client.pipe(out).pipe(server);
  }

  #gate(end: () => void): Transform {
    let passed = 0;
    const gate = new Transform({
      transform: (chunk: Buffer, _, done) => {
        const pass = async () => {
          const whole = await this.#pass(chunk, passed, gate);
          passed = this.#fault === "truncate" ? passed + chunk.length : 0;
          if (whole) done();
          else end();
        };
        void pass();
      },
    });
    gate.on("error", () => undefined);
    return gate;
  }

  /** False: here it ends. */
  async #pass(chunk: Buffer, passed: number, gate: Transform): Promise<boolean> {
    for (;;) {
      switch (this.#fault) {
        case "stall":
        case "half-open":
          await this.#over.promise;
          continue;
        case "cut":
          return false;
        case "truncate": {
          const rest = chunk.subarray(0, Math.max(0, this.#left - passed));
          gate.push(rest);
          if (rest.length === chunk.length) return true;
          // What was passed is to arrive before the end does.
          await new Promise((resolve) => setImmediate(resolve));
          return false;
        }
        case "drip":
          for (let at = 0; at < chunk.length; at += DRIP_BYTES) {
            gate.push(chunk.subarray(at, at + DRIP_BYTES));
            if (this.#fault === "drip")
              await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
          }
          return true;
        case null:
          gate.push(chunk);
          return true;
      }
    }
  }
}
