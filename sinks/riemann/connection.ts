import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
import type { Address } from "./address.ts";
import { decodeReply, type Reply } from "./protobuf.ts";

/** Riemann's door to the network: a connection, on which one message is answered after the other. */

export interface Target {
  readonly address: Address;
  /** PEM files, read at each connection: what renews certificates replaces them in place. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** A certificate or key that cannot be read. */
export class FileError extends Error {}

/** What answers does not speak Riemann's protocol. */
export class ProtocolError extends Error {}

/** Its answers are a word or two: more than this is somebody else's. */
const ANSWER_BYTES = 1024 * 1024;
const STRANGE = "the answer is not Riemann's";

interface Asked {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

export class Connection {
  readonly #socket: net.Socket;
  #open = true;
  #asked: Asked | null = null;
  #received = Buffer.alloc(0);

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () =>
      this.#end(Object.assign(new Error("closed by the server"), { code: "ECONNRESET" })),
    );
  }

  /** Rejects with Node's errors or `FileError`. The signal ends the attempt to connect, and nothing after it. */
  static async open(target: Target, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    const socket = socketTo(target);
    const stop = () =>
      socket.destroy(Object.assign(new Error("stopped"), { code: "ECONNABORTED" }));
    signal.addEventListener("abort", stop, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(target.address.tls ? "secureConnect" : "connect", () => resolve());
        socket.once("error", reject);
      });
    } finally {
      signal.removeEventListener("abort", stop);
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    return new Connection(socket);
  }

  get open(): boolean {
    return this.#open;
  }

  /** One at a time. Rejects where the connection ends first, or what comes is no answer. */
  ask(message: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#socket.write(message);
    });
  }

  close(): void {
    this.#end(Object.assign(new Error("closed"), { code: "ECONNABORTED" }));
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    const { length } = this.#received;
    const end = length < 4 ? 4 : 4 + this.#received.readUInt32BE();
    const asked = this.#asked;
    if (asked !== null && length < end && end <= ANSWER_BYTES) return;
    const reply = length < end ? null : decodeReply(this.#received.subarray(4, end));
    // What nobody asked for would be taken for the answer to the next message.
    if (asked === null || reply === null || length > end) this.#end(new ProtocolError(STRANGE));
    this.#asked = null;
    this.#received = Buffer.alloc(0);
    if (reply !== null) asked?.resolve(reply);
  }

  #end(error: Error): void {
    this.#open = false;
    this.#socket.destroy();
    this.#asked?.reject(error);
    this.#asked = null;
  }
}

function socketTo({ address, ca, cert, key }: Target): net.Socket {
  const { host, port } = address;
  if (!address.tls) return net.connect({ host, port });
  return tls.connect({
    host,
    port,
    servername: net.isIP(host) === 0 ? host : "",
    minVersion: "TLSv1.2",
    ...(ca === null ? {} : { ca: file(ca, "ca") }),
    ...(cert === null ? {} : { cert: file(cert, "cert") }),
    ...(key === null ? {} : { key: file(key, "key") }),
  });
}

function file(path: string, option: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new FileError(`${option} ${path} cannot be read: ${words}`, { cause: error });
  }
}
