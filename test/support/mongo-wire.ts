import { type AddressInfo, createServer, type Socket } from "node:net";
import { BSON } from "mongodb";

/**
 * MongoDB's wire protocol (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/) on a loopback port, answering each command
 * as the test says: what a real server does once in a blue moon, at once.
 */
export interface Command {
  /** `insert`, `connectionStatus`, … */
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** What is to be inserted. */
  readonly documents: readonly Readonly<Record<string, unknown>>[];
}

export type Told = Readonly<Record<string, unknown>> | "hang" | "close";

export interface MongoWire {
  readonly uri: string;
  readonly commands: readonly Command[];
  /** Open now. */
  readonly open: number;
  /** Resolves when no connection is open. */
  left(): Promise<void>;
  /** Resolves with the nth command of this name. */
  asked(name: string, nth?: number): Promise<Command>;
  close(): Promise<void>;
}

const QUERY = 2004;
const MESSAGE = 2013;
const REPLY = 1;
const DOCUMENTS = 1;

/** @param limits what the server says of itself, in place of what MongoDB 7 says */
export async function startMongoWire(
  answer: (command: Command) => Told,
  limits: Readonly<Record<string, unknown>> = {},
): Promise<MongoWire> {
  const commands: Command[] = [];
  const sockets = new Set<Socket>();
  const waiting: { readonly name: string; readonly nth: number; wake(found: Command): void }[] = [];
  const leaving: (() => void)[] = [];
  const hello = {
    ok: 1,
    helloOk: true,
    ismaster: true,
    isWritablePrimary: true,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    logicalSessionTimeoutMinutes: 30,
    minWireVersion: 0,
    maxWireVersion: 21,
    ...limits,
  };
  const nthOf = (name: string, nth: number) =>
    commands.filter((command) => command.name === name)[nth - 1];

  const told = (command: Command): Told => {
    if (/^(hello|ismaster|isMaster)$/.test(command.name)) return hello;
    commands.push(command);
    const said = answer(command);
    for (const waiter of waiting) {
      const found = nthOf(waiter.name, waiter.nth);
      if (found !== undefined) waiter.wake(found);
    }
    return said;
  };
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) for (const gone of leaving.splice(0)) gone();
    });
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= received.readInt32LE()) {
        const whole = received.subarray(0, received.readInt32LE());
        received = received.subarray(whole.length);
        const isQuery = whole.readInt32LE(12) === QUERY;
        const said = told(isQuery ? queryIn(whole) : messageIn(whole));
        if (said === "close") socket.destroy();
        else if (said !== "hang") socket.write(framed(whole.readInt32LE(4), said, isQuery));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    uri: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    commands,
    get open() {
      return sockets.size;
    },
    left() {
      return sockets.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => leaving.push(resolve));
    },
    asked(name, nth = 1) {
      const already = nthOf(name, nth);
      if (already !== undefined) return Promise.resolve(already);
      return new Promise((wake) => waiting.push({ name, nth, wake }));
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

type Body = Readonly<Record<string, unknown>>;

function commandOf(body: Body, documents: readonly Body[]): Command {
  return { name: Object.keys(body)[0] ?? "", body, documents };
}

/** The greeting of a driver that does not know yet how new the server is. */
function queryIn(whole: Buffer): Command {
  const name = whole.indexOf(0, 20);
  return commandOf(BSON.deserialize(whole.subarray(name + 9)), []);
}

function messageIn(whole: Buffer): Command {
  let at = 20;
  let body: Body = {};
  const documents: Body[] = [];
  while (at < whole.length) {
    const kind = whole.readUInt8(at);
    const size = whole.readInt32LE(at + 1);
    const section = whole.subarray(at + 1, at + 1 + size);
    at += 1 + size;
    if (kind !== DOCUMENTS) {
      body = BSON.deserialize(section);
      continue;
    }
    let start = section.indexOf(0, 4) + 1;
    while (start < size) {
      const length = section.readInt32LE(start);
      documents.push(BSON.deserialize(section.subarray(start, start + length)));
      start += length;
    }
  }
  return commandOf(body, documents);
}

function framed(request: number, said: Body, isQuery: boolean): Buffer {
  const before = isQuery
    ? Buffer.from([8, ...Array.from({ length: 15 }, () => 0), 1, 0, 0, 0])
    : Buffer.alloc(5);
  const body = BSON.serialize(said);
  const head = Buffer.alloc(16);
  head.writeInt32LE(16 + before.length + body.length, 0);
  head.writeInt32LE(request, 8);
  head.writeInt32LE(isQuery ? REPLY : MESSAGE, 12);
  return Buffer.concat([head, before, body]);
}
