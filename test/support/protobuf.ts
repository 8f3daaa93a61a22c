export interface Field {
  readonly number: number;
  /** A varint as it stands; of every other wire type its bytes. */
  readonly value: bigint | Buffer;
}

/** Any message of Protocol Buffers, by nothing but the wire format (https://protobuf.dev/programming-guides/encoding/). */
export function decode(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= message.length || shift > 63n) throw new Error("a varint without an end");
      const byte = message.readUInt8(at);
      at += 1;
      value += BigInt(byte % 128) * 2n ** shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number) => {
    if (at + length > message.length) throw new Error("a field beyond the message");
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const number = Number(tag / 8n);
    const type = Number(tag % 8n);
    if (type === 0) fields.push({ number, value: varint() });
    else if (type === 1) fields.push({ number, value: take(8) });
    else if (type === 2) fields.push({ number, value: take(Number(varint())) });
    else if (type === 5) fields.push({ number, value: take(4) });
    else throw new Error(`wire type ${type}`);
  }
  return fields;
}
