/** Reads what Kafka's compressed batches hold, by the formats' descriptions; throws where they are broken. */

/** By https://github.com/google/snappy/blob/main/format_description.txt. */
export function unsnappy(input: Buffer): Buffer {
  const output: number[] = [];
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[at++] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  while (at < input.length) {
    const tag = input[at++] ?? 0;
    if ((tag & 3) === 0) {
      const more = Math.max(0, (tag >> 2) - 59);
      const count = 1 + (more === 0 ? tag >> 2 : input.readUIntLE(at, more));
      at += more;
      for (const byte of input.subarray(at, at + count)) output.push(byte);
      at += count;
    } else {
      must((tag & 3) === 2, "a copy with two bytes of offset");
      copy(output, input.readUInt16LE(at), (tag >> 2) + 1);
      at += 2;
    }
  }
  must(output.length === length, "the length it says");
  return Buffer.from(output);
}

/** By https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md. */
export function unlz4(input: Buffer): Buffer {
  must(input.readUInt32LE() === 0x184d2204, "the magic number");
  const blocks: Buffer[] = [];
  for (let at = 7; ;) {
    const size = input.readUInt32LE(at);
    at += 4;
    if (size === 0) {
      must(at === input.length, "nothing behind the end");
      return Buffer.concat(blocks);
    }
    const stored = size >= 0x8000_0000;
    const block = input.subarray(at, at + (size % 0x8000_0000));
    at += block.length;
    blocks.push(stored ? block : unlz4Block(block));
  }
}

function unlz4Block(block: Buffer): Buffer {
  const output: number[] = [];
  let at = 0;
  const length = (start: number) => {
    let whole = start;
    if (start < 15) return whole;
    for (let byte = 255; byte === 255; whole += byte) byte = block[at++] ?? 0;
    return whole;
  };
  for (;;) {
    const token = block[at++] ?? 0;
    const literals = length(token >> 4);
    for (const byte of block.subarray(at, at + literals)) output.push(byte);
    at += literals;
    if (at >= block.length) {
      // "The last 5 bytes of input are always literals."
      must(literals >= Math.min(5, output.length), "literals at the end");
      return Buffer.from(output);
    }
    const offset = block.readUInt16LE(at);
    at += 2;
    copy(output, offset, length(token & 15) + 4);
  }
}

function copy(output: number[], offset: number, count: number): void {
  const from = output.length - offset;
  must(offset > 0 && from >= 0, "an offset into what is there");
  for (let index = 0; index < count; index += 1) output.push(output[from + index] ?? 0);
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected ${what}`);
}
