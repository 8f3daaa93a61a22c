/**
 * Snappy (https://github.com/google/snappy/blob/main/format_description.txt) and LZ4
 * (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md and lz4_Frame_format.md) as far as a producer needs them: to compress.
 * The packages for it are native, or write frames of dependent blocks, which Kafka refuses.
 */

/** Offsets fit two bytes in both formats, and a table entry, too. */
const BLOCK = 65_536;
const TABLE_BITS = 14;
const SHORTEST = 4;
/** LZ4 wants the last bytes of a block as literals and no match that begins just before them; it does Snappy no harm. */
const LAST_LITERALS = 5;
const LAST_MATCH = 12;
const SKIP_SHIFT = 5;

/** The whole in one block of the format. */
export function snappy(input: Buffer): Buffer {
  const output = new Output(32 + input.length + Math.ceil(input.length / 6));
  output.septets(input.length);
  for (let start = 0; start < input.length; start += BLOCK) {
    const block = input.subarray(start, start + BLOCK);
    const left = eachMatch(block, (literals, length, offset) => {
      snappyLiterals(output, literals);
      snappyCopy(output, length, offset);
    });
    snappyLiterals(output, left);
  }
  return output.written();
}

/** Version 1, independent blocks of at most 64 KiB, and the checksum of these two bytes. */
const LZ4_HEAD = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
const STORED = 0x8000_0000;

/** A frame, as Kafka wants it. */
export function lz4(input: Buffer): Buffer {
  const parts: Buffer[] = [LZ4_HEAD];
  for (let start = 0; start < input.length; start += BLOCK) {
    const block = input.subarray(start, start + BLOCK);
    const packed = lz4Block(block);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(packed.length < block.length ? packed.length : block.length + STORED);
    parts.push(size, packed.length < block.length ? packed : block);
  }
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}

function lz4Block(block: Buffer): Buffer {
  const output = new Output(16 + block.length + Math.ceil(block.length / 255));
  const left = eachMatch(block, (literals, length, offset) => {
    const over = length - SHORTEST;
    output.byte((Math.min(literals.length, 15) << 4) | Math.min(over, 15));
    lz4Length(output, literals.length);
    output.bytes(literals);
    output.byte(offset & 0xff);
    output.byte(offset >> 8);
    lz4Length(output, over);
  });
  output.byte(Math.min(left.length, 15) << 4);
  lz4Length(output, left.length);
  output.bytes(left);
  return output.written();
}

function lz4Length(output: Output, length: number): void {
  if (length < 15) return;
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) output.byte(255);
  output.byte(rest);
}

function snappyLiterals(output: Output, literals: Buffer): void {
  const { length } = literals;
  if (length === 0) return;
  const last = length - 1;
  if (last < 60) output.byte(last << 2);
  else {
    output.byte((last < 256 ? 60 : 61) << 2);
    output.byte(last & 0xff);
    if (last >= 256) output.byte(last >> 8);
  }
  output.bytes(literals);
}

/** At most 64 bytes at a time. */
function snappyCopy(output: Output, length: number, offset: number): void {
  for (let rest = length; rest > 0; rest -= 64) {
    output.byte(((Math.min(rest, 64) - 1) << 2) | 2);
    output.byte(offset & 0xff);
    output.byte(offset >> 8);
  }
}

/** What stood there before, at least four bytes long, found by a table of hashes; answers the literals that are left. */
function eachMatch(
  block: Buffer,
  found: (literals: Buffer, length: number, offset: number) => void,
): Buffer {
  const table = new Uint16Array(1 << TABLE_BITS);
  const matchLimit = block.length - LAST_MATCH;
  const end = block.length - LAST_LITERALS;
  let done = 0;
  let at = 1;
  // The longer nothing is found, the longer the steps: what cannot be packed costs little.
  let misses = 1 << SKIP_SHIFT;
  while (at < matchLimit) {
    const word = block.readUInt32LE(at);
    const slot = Math.imul(word, 0x9e37_79b1) >>> (32 - TABLE_BITS);
    const before = table[slot] ?? 0;
    table[slot] = at;
    if (before >= at || block.readUInt32LE(before) !== word) {
      at += misses >> SKIP_SHIFT;
      misses += 1;
      continue;
    }
    let length = SHORTEST;
    while (at + length < end && block[at + length] === block[before + length]) length += 1;
    found(block.subarray(done, at), length, at - before);
    at += length;
    done = at;
    misses = 1 << SKIP_SHIFT;
  }
  return block.subarray(done);
}

class Output {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  byte(value: number): void {
    this.#buffer[this.#at] = value;
    this.#at += 1;
  }

  bytes(value: Buffer): void {
    this.#at += value.copy(this.#buffer, this.#at);
  }

  /** Seven bits at a time, the lowest first. */
  septets(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  written(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }
}
