import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { FileError } from "./fault.ts";

export interface Tls {
  /** Files, read at each connection: what renews certificates replaces them in place. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly trustsAnybody: boolean;
}

/** The connections of a client, so that they can be ended when the library would go on waiting. */
export class Sockets {
  readonly #tls: Tls | null;
  readonly #open = new Set<net.Socket>();
  #closed = false;

  constructor(secure: Tls | null) {
    this.#tls = secure;
  }

  /** @throws FileError */
  connect(host: string, port: number, connected: () => void): net.Socket {
    if (this.#closed) throw new Error("closed");
    const socket =
      this.#tls === null
        ? net.connect({ host, port }, connected)
        : tls.connect({ host, port, ...trust(this.#tls, host) }, connected);
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    socket.setKeepAlive(true, 10_000);
    socket.setNoDelay(true);
    return socket;
  }

  /** What is under way on them is rejected. */
  hangUp(which: (socket: net.Socket) => boolean = () => true): void {
    for (const socket of [...this.#open].filter(which))
      socket.destroy(Object.assign(new Error("hung up"), { code: "ECONNABORTED" }));
  }

  /** No new ones, and none that is being made. */
  close(): void {
    this.#closed = true;
    this.hangUp((socket) => socket.connecting);
  }
}

function trust({ ca, cert, key, trustsAnybody }: Tls, host: string): tls.ConnectionOptions {
  return {
    servername: net.isIP(host) === 0 ? host : "",
    minVersion: "TLSv1.2",
    rejectUnauthorized: !trustsAnybody,
    ...(ca === null ? {} : { ca: file(ca, "cacert") }),
    ...(cert === null ? {} : { cert: file(cert, "cert") }),
    ...(key === null ? {} : { key: file(key, "key") }),
  };
}

function file(path: string, option: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new FileError(`${option} ${path} cannot be read: ${words}`, { cause: error });
  }
}
