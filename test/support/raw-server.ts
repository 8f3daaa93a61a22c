import net, { type AddressInfo, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

/** Says on each connection, once a request has come, byte for byte what it is given; for answers that no HTTP server would give. */
export class RawServer {
  /** The heads of the requests, in order. */
  readonly requests: string[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: net.Server;
  #speak: (socket: Socket) => Promise<void> | void = () => undefined;
  #waiting: { condition: () => boolean; resolve: () => void }[] = [];

  private constructor() {
    this.#server = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#changed();
      });
      socket.on("data", (data) => {
        this.requests.push(data.toString("latin1"));
        this.#changed();
        void this.#speak(socket);
      });
    });
  }

  /** @param host a loopback address */
  static async start(host = "127.0.0.1"): Promise<RawServer> {
    const server = new RawServer();
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(0, host, resolve);
    });
    return server;
  }

  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** What it says to each request from now on, and what becomes of the connection then. */
  says(text: string, then: "end" | "reset" | "nothing" = "end"): void {
    this.speaks((socket) => {
      socket.write(text, () => {
        if (then === "end") socket.end();
        else if (then === "reset") socket.resetAndDestroy();
      });
    });
  }

  /** The same in parts, each of which is sent by itself. */
  dribbles(parts: Iterable<Uint8Array>): void {
    this.speaks(async (socket) => {
      socket.setNoDelay(true);
      for (const part of parts) {
        socket.write(part);
        await turn();
      }
      socket.end();
    });
  }

  speaks(speak: (socket: Socket) => Promise<void> | void): void {
    this.#speak = speak;
  }

  /** Resolves as soon as `condition` holds, looked at after each request and each end of a connection. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #changed(): void {
    const ready = this.#waiting.filter((one) => one.condition());
    this.#waiting = this.#waiting.filter((one) => !ready.includes(one));
    for (const one of ready) one.resolve();
  }
}
