/** https://www.alibabacloud.com/help/en/sls/developer-reference/data-encoding, in the wire format of Protocol Buffers. */
export interface Log {
  /** Seconds since the epoch. */
  readonly time: number;
  readonly nanoseconds: number;
  readonly contents: readonly (readonly [key: string, value: string])[];
}

export interface LogGroup {
  readonly logs: readonly Buffer[];
  readonly topic: string;
  readonly source: string;
}

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** A `Log`, ready to stand in a group. */
export function encodeLog({ time, nanoseconds, contents }: Log): Buffer {
  const fraction = Buffer.alloc(4);
  fraction.writeUInt32LE(nanoseconds);
  return Buffer.concat([
    tag(1, VARINT),
    varint(time),
    ...contents.map(([key, value]) => bytes(2, Buffer.concat([text(1, key), text(2, value)]))),
    tag(4, FIXED32),
    fraction,
  ]);
}

export function encodeGroup({ logs, topic, source }: LogGroup): Buffer {
  return Buffer.concat([
    ...logs.map((log) => bytes(1, log)),
    ...(topic === "" ? [] : [text(3, topic)]),
    ...(source === "" ? [] : [text(4, source)]),
  ]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value, "utf8"));
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([tag(field, BYTES), varint(value.length), value]);
}

function tag(field: number, wireType: number): Buffer {
  return varint(field * 8 + wireType);
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    out.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...out, rest]);
}
