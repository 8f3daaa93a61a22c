import { packed, unpacked } from "../varints.ts";
import { spread } from "../words.ts";

/** Rising numbers as their differences. */
export function packedRising(numbers: readonly number[]): Buffer {
  return packed(numbers.map((one, index) => one - (index === 0 ? 0 : (numbers[index - 1] ?? 0))));
}

export function unpackedRising(bytes: Uint8Array): number[] {
  const numbers = unpacked(bytes);
  for (let index = 1; index < numbers.length; index += 1)
    numbers[index] = (numbers[index] ?? 0) + (numbers[index - 1] ?? 0);
  return numbers;
}

/** What is in both, of two rising lists. */
export function inBoth(some: readonly number[], others: readonly number[]): number[] {
  const both: number[] = [];
  let at = 0;
  for (const one of some) {
    while (at < others.length && (others[at] ?? 0) < one) at += 1;
    if (others[at] === one) both.push(one);
  }
  return both;
}

const SURROGATE = /[\uD800-\uDFFF]/;

/** Every trigram of a text, as `grams` of a question asks for them. */
export function gramsIn(text: string): ReadonlySet<string> {
  const marked = spread(text);
  const found = new Set<string>();
  if (SURROGATE.test(marked)) {
    // As the table has it: halves of pairs are all the same there, and one trigram has one row.
    const characters = Array.from(marked.toWellFormed());
    for (let at = 0; at + 3 <= characters.length; at += 1)
      found.add(characters.slice(at, at + 3).join(""));
    return found;
  }
  for (let at = 0; at + 3 <= marked.length; at += 1) found.add(marked.slice(at, at + 3));
  return found;
}

/** A column of bytes, as the driver hands it over. */
export function bytesOf(cell: unknown): Uint8Array {
  if (cell instanceof Uint8Array) return cell;
  throw new TypeError(`the index holds ${typeof cell} for bytes`);
}

export function hex(bytes: Buffer): string {
  // Without digits there is nothing to say what it is.
  return bytes.length === 0 ? "''" : `X'${bytes.toString("hex")}'`;
}
