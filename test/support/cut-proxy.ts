import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

const PRODUCE = 0;

/** Stands before a broker and passes everything on, but for answers it is told to lose. */
export class CutProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many answers to Produce are still to be lost, and their connections with them. */
  #toLose = 0;
  /** How many batches came by. */
  produced = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(target: number): Promise<CutProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const proxy = new CutProxy(server, address.port);
    server.on("connection", (client) => proxy.#join(client, target));
    return proxy;
  }

  /** The broker writes the next batches, and nobody hears of it. */
  loseAnswers(count: number): void {
    this.#toLose = count;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, target: number): void {
    const broker = connect({ host: "127.0.0.1", port: target });
    const end = () => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on("error", end);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    let losing = false;
    // A frame is a length in four bytes, and the request's key in two.
    let frame = Buffer.alloc(0);
    client.on("data", (chunk: Buffer) => {
      frame = Buffer.concat([frame, chunk]);
      while (frame.length >= 6 && frame.length >= 4 + frame.readInt32BE()) {
        if (frame.readInt16BE(4) === PRODUCE) {
          this.produced += 1;
          losing = this.#toLose > 0;
        }
        frame = frame.subarray(4 + frame.readInt32BE());
      }
      broker.write(chunk);
    });
    broker.on("data", (chunk: Buffer) => {
      if (!losing) {
        client.write(chunk);
        return;
      }
      this.#toLose -= 1;
      end();
    });
  }
}
