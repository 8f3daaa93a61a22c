import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * An HTTP proxy (CONNECT) that can be cut: a way of one process's own to a server that all of them know by one address, as
 * `proxy-url` of a kubeconfig.
 */
export class CuttableProxy {
  readonly url: string;
  /** Where it was asked to lead to, `host:port`, in order. */
  readonly tunnels: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #isCut = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
    server.on("connect", ({ url = "" }, client: Duplex, head: Buffer) =>
      this.#join(url, client, head),
    );
  }

  static async start(): Promise<CuttableProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return new CuttableProxy(server, address.port);
  }

  /** Ends what is open, and whatever comes. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(authority: string, client: Duplex, head: Buffer): void {
    client.on("error", () => undefined);
    this.tunnels.push(authority);
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const { hostname, port } = new URL(`http://${authority}`);
    const server: Socket = connect({ host: hostname, port: Number(port) }, () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      server.write(head);
      client.pipe(server).pipe(client);
    });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
  }
}
