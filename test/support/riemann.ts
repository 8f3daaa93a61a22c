import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import path from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { decode } from "./protobuf.ts";

/** An `Event` by the names of https://github.com/riemann/riemann-java-client/blob/main/riemann-java-client/src/main/proto/riemann/proto.proto. */
export interface ReadEvent {
  readonly time: bigint;
  readonly state: string;
  readonly service: string;
  readonly host: string | null;
  readonly description: string;
  readonly tags: readonly string[];
  readonly ttl: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeMicros: bigint;
  readonly metric: bigint;
}

export type Answer =
  /** Its `Msg`: taken, or refused with these words. */
  | { readonly ok: boolean; readonly error?: string }
  /** Bytes as they are. */
  | Buffer
  | "hang"
  | "reset";

/** A real server on a loopback port that reads Riemann's frames and answers each as the test says. */
export interface RiemannServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** The events of each message so far. */
  readonly messages: readonly (readonly ReadEvent[])[];
  readonly connections: number;
  reply(how: Answer | ((events: readonly ReadEvent[]) => Answer)): void;
  /** Answers the oldest message that hangs. */
  release(answer: Answer): void;
  /** Resolves when there have been as many messages. */
  received(count: number): Promise<void>;
  /** Says something on every connection; resolves when the client has closed them. */
  say(bytes: Buffer): Promise<void>;
  /** Closes every connection, as a server that restarts does. */
  hangUp(): Promise<void>;
  close(): Promise<void>;
}

export const TLS = path.resolve(import.meta.dirname, "../fixtures/kube-apiserver/tls");

/** @param secure `mutual`: as Riemann itself, a client without a certificate is refused */
export async function startRiemann(secure?: "tls" | "mutual"): Promise<RiemannServer> {
  const messages: (readonly ReadEvent[])[] = [];
  const sockets = new Set<Socket>();
  const hanging: Socket[] = [];
  const waiting: { readonly count: number; readonly wake: () => void }[] = [];
  let connections = 0;
  let how: Answer | ((events: readonly ReadEvent[]) => Answer) = { ok: true };

  const handle = (socket: Socket) => {
    let received = Buffer.alloc(0);
    connections += 1;
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readUInt32BE()) {
        const end = 4 + received.readUInt32BE();
        const events = eventsOf(received.subarray(4, end));
        received = received.subarray(end);
        messages.push(events);
        const answer = typeof how === "function" ? how(events) : how;
        if (answer === "hang") hanging.push(socket);
        else send(socket, answer);
        for (const waiter of waiting) if (waiter.count === messages.length) waiter.wake();
      }
    });
  };
  const file = (name: string) => readFileSync(path.join(TLS, name));
  const server =
    secure === undefined
      ? createServer(handle)
      : createTlsServer(
          {
            cert: file("server.crt"),
            key: file("server.key"),
            ca: file("ca.crt"),
            requestCert: secure === "mutual",
            rejectUnauthorized: secure === "mutual",
          },
          handle,
        );
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const allClosed = async (act: (socket: Socket) => void) => {
    const open = [...sockets];
    const closed = open.map(
      (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
    );
    for (const socket of open) act(socket);
    await Promise.all(closed);
  };
  const hangUp = () => allClosed((socket) => socket.destroy());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages,
    get connections() {
      return connections;
    },
    reply(next) {
      how = next;
    },
    release(answer) {
      const socket = hanging.shift();
      if (socket !== undefined) send(socket, answer);
    },
    received(count) {
      if (messages.length >= count) return Promise.resolve();
      return new Promise((wake) => waiting.push({ count, wake }));
    },
    say: (bytes) => allClosed((socket) => socket.write(bytes)),
    hangUp,
    async close() {
      await hangUp();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(socket: Socket, answer: Answer): void {
  if (answer === "reset") socket.resetAndDestroy();
  else if (Buffer.isBuffer(answer)) socket.write(answer);
  else if (answer !== "hang") {
    // `Msg`: ok is field 2, error is field 3.
    const words = Buffer.from(answer.error ?? "");
    const message = Buffer.from([
      0x10,
      answer.ok ? 1 : 0,
      ...(words.length === 0 ? [] : [0x1a, words.length, ...words]),
    ]);
    socket.write(Buffer.from([0, 0, 0, message.length]));
    // In pieces, as a network may bring it.
    socket.write(message.subarray(0, 1));
    socket.write(message.subarray(1));
  }
}

/** A `Msg` holds events in field 6, and a client's nothing else. */
export function eventsOf(message: Buffer): readonly ReadEvent[] {
  return decode(message).map(({ number, value }) => {
    if (number !== 6 || !Buffer.isBuffer(value)) throw new Error(`field ${number} in a message`);
    return eventOf(value);
  });
}

function eventOf(buffer: Buffer): ReadEvent {
  const fields = decode(buffer);
  const all = (number: number) => fields.filter((one) => one.number === number);
  const known = [1, 2, 3, 4, 5, 7, 8, 9, 10, 13];
  for (const { number } of fields)
    if (!known.includes(number)) throw new Error(`field ${number} in an event`);
  const texts = (number: number) => all(number).map(({ value }) => String(value));
  const whole = (number: number) => {
    const [first] = all(number);
    if (typeof first?.value !== "bigint") throw new Error(`field ${number} is no number`);
    return first.value;
  };
  const float = all(8)[0]?.value;
  if (!Buffer.isBuffer(float) || float.length !== 4) throw new Error("ttl is no float");
  const zigzag = whole(13);
  return {
    time: BigInt.asIntN(64, whole(1)),
    state: texts(2)[0] ?? "",
    service: texts(3)[0] ?? "",
    host: texts(4)[0] ?? null,
    description: texts(5)[0] ?? "",
    tags: texts(7),
    ttl: float.readFloatLE(),
    attributes: Object.fromEntries(
      all(9).map(({ value }) => {
        const pair = decode(value as Buffer);
        return [String(pair[0]?.value), String(pair[1]?.value)];
      }),
    ),
    timeMicros: BigInt.asIntN(64, whole(10)),
    metric: zigzag % 2n === 0n ? zigzag / 2n : -(zigzag + 1n) / 2n,
  };
}
