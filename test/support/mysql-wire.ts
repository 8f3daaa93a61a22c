import { type AddressInfo, createServer, type Socket } from "node:net";

/**
 * MySQL's protocol (https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html) on a loopback port, as far as a client of text
 * values needs it, answering each statement as the test says: what a real server does once in a blue moon, at once.
 */
export interface Statement {
  readonly sql: string;
  /** Of a prepared one. */
  readonly values: readonly string[];
  /** Of which connection, from 1. */
  readonly connection: number;
}

export type Said =
  | { readonly changed: number }
  | { readonly rows: readonly (readonly (string | null)[])[] }
  | { readonly error: number; readonly message: string; readonly state?: string }
  /** Nothing more is said on this connection. */
  | "hang"
  | "close";

export interface MysqlWire {
  readonly port: number;
  /** Statements that were run, in their order. */
  readonly statements: readonly Statement[];
  readonly connections: number;
  /** Open now. */
  readonly open: number;
  /** Resolves when one is run whose text has this in it: the nth of them. */
  ran(part: string | RegExp, nth?: number): Promise<Statement>;
  /** Resolves when no connection is open. */
  left(): Promise<void>;
  /** Ends every connection, as a server does that is tired of the idle. */
  hangUp(): void;
  close(): Promise<void>;
}

export interface WireOptions {
  readonly answer: (statement: Statement) => Said;
  /** What is said of a statement that is only prepared, where it is not taken. */
  readonly refuses?: (sql: string) => { readonly error: number; readonly message: string } | null;
  /** What a connection is greeted with; by default it is let in. */
  readonly greets?: (connection: number) => "in" | "hang" | { error: number; message: string };
}

const CAPABILITIES = 0x0008_a20d;
const VAR_STRING = 0xfd;

export async function startMysqlWire({
  answer,
  refuses = () => null,
  greets = () => "in",
}: WireOptions): Promise<MysqlWire> {
  const statements: Statement[] = [];
  const sockets = new Set<Socket>();
  const waiting: { matches(): Statement | undefined; wake(found: Statement): void }[] = [];
  const leaving: (() => void)[] = [];
  let connections = 0;

  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) for (const gone of leaving.splice(0)) gone();
    });
    const greeting = greets(connection);
    if (greeting === "hang") return;
    if (greeting !== "in") {
      socket.end(packet(0, errorPacket(greeting.error, greeting.message, "")));
      return;
    }
    const prepared = new Map<number, string>();
    let isIn = false;
    socket.write(packet(0, handshake(connection)));
    const say = (said: Said, binary: boolean) => {
      if (said === "close") socket.destroy();
      else if (said !== "hang") socket.write(replyOf(said, binary));
    };
    const run = (sql: string, values: readonly string[], binary: boolean) => {
      const statement = { sql, values, connection };
      statements.push(statement);
      say(answer(statement), binary);
      for (const waiter of waiting) {
        const found = waiter.matches();
        if (found !== undefined) waiter.wake(found);
      }
    };
    eachPacket(socket, (body) => {
      if (!isIn) {
        isIn = true;
        socket.write(packet(2, OK));
        return;
      }
      const text = body.toString("utf8", 1);
      switch (body.readUInt8(0)) {
        case 0x01:
          return socket.end();
        case 0x03:
          return run(text, [], false);
        case 0x16: {
          const refusal = refuses(text);
          if (refusal !== null) return say(refusal, false);
          const id = prepared.size + 1;
          prepared.set(id, text);
          return socket.write(prepareReply(id, text.split("?").length - 1));
        }
        case 0x17: {
          const sql = prepared.get(body.readUInt32LE(1)) ?? "";
          return run(sql, valuesOf(body, sql.split("?").length - 1), true);
        }
        default:
          return undefined;
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    port: (server.address() as AddressInfo).port,
    statements,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    ran(part, nth = 1) {
      const matches = () =>
        statements.filter(({ sql }) =>
          typeof part === "string" ? sql.includes(part) : part.test(sql),
        )[nth - 1];
      const already = matches();
      if (already !== undefined) return Promise.resolve(already);
      return new Promise((wake) => waiting.push({ matches, wake }));
    },
    left() {
      return sockets.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => leaving.push(resolve));
    },
    hangUp() {
      for (const socket of sockets) socket.end();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function eachPacket(socket: Socket, heard: (body: Buffer) => void): void {
  let received = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 4 && received.length >= 4 + received.readUIntLE(0, 3)) {
      const end = 4 + received.readUIntLE(0, 3);
      const body = received.subarray(4, end);
      received = received.subarray(end);
      heard(body);
    }
  });
}

function packet(sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head.writeUInt8(sequence & 0xff, 3);
  return Buffer.concat([head, body]);
}

function handshake(connection: number): Buffer {
  const fixed = Buffer.alloc(4);
  fixed.writeUInt32LE(connection);
  const scramble = Buffer.alloc(20, "s");
  const low = Buffer.alloc(2);
  low.writeUInt16LE(CAPABILITIES & 0xffff);
  const high = Buffer.alloc(2);
  high.writeUInt16LE(CAPABILITIES >>> 16);
  return Buffer.concat([
    Buffer.from("\n8.0.0-wire\0"),
    fixed,
    scramble.subarray(0, 8),
    Buffer.from([0]),
    low,
    Buffer.from([45, 2, 0]),
    high,
    Buffer.from([21]),
    Buffer.alloc(10),
    scramble.subarray(8),
    Buffer.from("\0mysql_native_password\0"),
  ]);
}

const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const EOF = Buffer.from([0xfe, 0, 0, 2, 0]);

function errorPacket(error: number, message: string, state: string): Buffer {
  const code = Buffer.alloc(2);
  code.writeUInt16LE(error);
  return Buffer.concat([Buffer.from([0xff]), code, Buffer.from(`${state}${message}`)]);
}

/** A number as MySQL writes lengths. */
function lengthOf(value: number): Buffer {
  if (value < 251) return Buffer.from([value]);
  const long = Buffer.alloc(4);
  long.writeUIntLE(value, 1, 3);
  long.writeUInt8(0xfd);
  return long;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([lengthOf(bytes.length), bytes]);
}

function column(name: string): Buffer {
  const rest = Buffer.from([0x0c, 45, 0, 0xff, 0xff, 0, 0, VAR_STRING, 0, 0, 0, 0, 0]);
  return Buffer.concat([..."def,,,".split(",").map(text), text(name), text(name), rest]);
}

function replyOf(said: Exclude<Said, string>, binary: boolean): Buffer {
  if ("error" in said)
    return packet(1, errorPacket(said.error, said.message, `#${said.state ?? "HY000"}`));
  if ("changed" in said)
    return packet(
      1,
      Buffer.concat([Buffer.from([0]), lengthOf(said.changed), Buffer.from([0, 2, 0, 0, 0])]),
    );
  const width = Math.max(1, ...said.rows.map((row) => row.length));
  const bodies = [
    lengthOf(width),
    ...Array.from({ length: width }, (_, index) => column(`c${index}`)),
    EOF,
    ...said.rows.map(binary ? binaryRow : textRow),
    EOF,
  ];
  return Buffer.concat(bodies.map((body, index) => packet(index + 1, body)));
}

function textRow(row: readonly (string | null)[]): Buffer {
  return Buffer.concat(row.map((cell) => (cell === null ? Buffer.from([0xfb]) : text(cell))));
}

function binaryRow(row: readonly (string | null)[]): Buffer {
  const nulls = Buffer.alloc(Math.floor((row.length + 9) / 8));
  for (const [index, cell] of row.entries()) {
    const place = (index + 2) >> 3;
    if (cell === null) nulls[place] = (nulls[place] ?? 0) | (1 << ((index + 2) & 7));
  }
  const cells = row.flatMap((cell) => (cell === null ? [] : [text(cell)]));
  return Buffer.concat([Buffer.from([0]), nulls, ...cells]);
}

function prepareReply(id: number, parameters: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(id, 1);
  head.writeUInt16LE(parameters, 7);
  const bodies = [
    head,
    ...Array.from({ length: parameters }, () => column("?")),
    ...(parameters > 0 ? [EOF] : []),
  ];
  return Buffer.concat(bodies.map((body, index) => packet(index + 1, body)));
}

/** All of them are texts. */
function valuesOf(body: Buffer, count: number): readonly string[] {
  if (count === 0) return [];
  let at = 10 + Math.floor((count + 7) / 8) + 1 + 2 * count;
  return Array.from({ length: count }, () => {
    const first = body.readUInt8(at);
    const width = first < 251 ? 0 : first === 0xfc ? 2 : first === 0xfd ? 3 : 8;
    const length = width === 0 ? first : body.readUIntLE(at + 1, Math.min(width, 6));
    const start = at + 1 + width;
    at = start + length;
    return body.toString("utf8", start, at);
  });
}
