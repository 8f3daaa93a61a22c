/** Riemann's messages in Protocol Buffers (https://protobuf.dev/programming-guides/encoding/), as far as a client writes and reads them. */
export interface RiemannEvent {
  /** Microseconds since the epoch. */
  readonly timeMicros: number;
  readonly state: string;
  readonly service: string;
  readonly host: string | null;
  readonly description: string;
  readonly tags: readonly string[];
  /** Seconds. */
  readonly ttl: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** A whole number. */
  readonly metric: number;
}

/** What the server says to a message. */
export interface Reply {
  readonly ok: boolean;
  readonly error: string;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** `Event` of https://github.com/riemann/riemann-java-client/blob/main/riemann-java-client/src/main/proto/riemann/proto.proto. */
export function encodeEvent(event: RiemannEvent): Buffer {
  const micros = BigInt(event.timeMicros);
  const seconds = BigInt(Math.floor(event.timeMicros / 1e6));
  return Buffer.concat([
    field(1, VARINT, varint(BigInt.asUintN(64, seconds))),
    text(2, event.state),
    text(3, event.service),
    ...(event.host === null ? [] : [text(4, event.host)]),
    text(5, event.description),
    ...event.tags.map((tag) => text(7, tag)),
    field(8, FIXED32, float(event.ttl)),
    ...Object.entries(event.attributes).map(([key, value]) =>
      bytes(9, Buffer.concat([text(1, key), text(2, value)])),
    ),
    field(10, VARINT, varint(BigInt.asUintN(64, micros))),
    field(13, VARINT, varint(zigzag(BigInt(event.metric)))),
  ]);
}

/** A `Msg` of encoded events, behind its length in four bytes. */
export function frame(events: readonly Buffer[]): Buffer {
  const message = Buffer.concat(events.map((event) => bytes(6, event)));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

/** A `Msg` from the server; `null` where it is none. */
export function decodeReply(message: Buffer): Reply | null {
  let ok: boolean | null = null;
  let error = "";
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    if (tag === null) return null;
    const number = tag.value >> 3n;
    const type = Number(tag.value & 7n);
    const head = type === VARINT || type === BYTES ? readVarint(message, tag.end) : null;
    if ((type === VARINT || type === BYTES) && head === null) return null;
    const start = head?.end ?? tag.end;
    const width = type === FIXED64 ? 8 : type === FIXED32 ? 4 : null;
    const size = type === VARINT ? 0 : type === BYTES ? Number(head?.value) : width;
    if (size === null || start + size > message.length) return null;
    if (number === 2n && type === VARINT) ok = head?.value !== 0n;
    if (number === 3n && type === BYTES) error = message.toString("utf8", start, start + size);
    at = start + size;
  }
  return ok === null ? null : { ok, error };
}

function field(number: number, type: number, value: Buffer): Buffer {
  return Buffer.concat([varint(BigInt((number << 3) | type)), value]);
}

function bytes(number: number, value: Buffer): Buffer {
  return field(number, BYTES, Buffer.concat([varint(BigInt(value.length)), value]));
}

function text(number: number, value: string): Buffer {
  return bytes(number, Buffer.from(value, "utf8"));
}

function float(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
}

/** Small numbers of either sign in few bytes. */
function zigzag(value: bigint): bigint {
  return BigInt.asUintN(64, value < 0n ? -value * 2n - 1n : value * 2n);
}

function varint(value: bigint): Buffer {
  const septets: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    septets.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...septets, Number(rest)]);
}

function readVarint(buffer: Buffer, start: number): { value: bigint; end: number } | null {
  let value = 0n;
  for (let index = start; index < buffer.length && index < start + 10; index += 1) {
    const byte = buffer[index] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * (index - start));
    if (byte < 0x80) return { value, end: index + 1 };
  }
  return null;
}
