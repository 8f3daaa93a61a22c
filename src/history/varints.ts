/** Numbers in as few bytes as they need: seven bits in each, the lowest first, and the eighth where more follow (LEB128). */
export function packed(numbers: Iterable<number>): Buffer {
  const bytes: number[] = [];
  for (const one of numbers) {
    let left = one;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
    bytes.push(left);
  }
  return Buffer.from(bytes);
}

/** `each` ends it by answering true. */
export function eachPacked(bytes: Uint8Array, each: (n: number) => boolean | void): void {
  let value = 0;
  let factor = 1;
  for (const byte of bytes) {
    // A number may be beyond 32 bits: no shifting.
    value += (byte & 0x7f) * factor;
    factor *= 0x80;
    if (byte >= 0x80) continue;
    if (each(value) === true) return;
    value = 0;
    factor = 1;
  }
}

export function unpacked(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  eachPacked(bytes, (one) => void numbers.push(one));
  return numbers;
}
