import { isKnown } from "./unicode.ts";

/**
 * Go's strings are bytes: `len`, `slice` and `index` count them, and columns of errors too. Here a Go string is a JavaScript string
 * with one character for each byte; it becomes text only at the edge.
 */
export type Bytes = string;

export const fromText = (text: string): Bytes => Buffer.from(text, "utf8").toString("latin1");
export const toBuffer = (bytes: Bytes): Buffer => Buffer.from(bytes, "latin1");
export const toText = (bytes: Bytes): string => toBuffer(bytes).toString("utf8");

export const REPLACEMENT = 0xfffd;
const MAX_RUNE = 0x10ffff;

/** The rune that begins at a place and its bytes; what is no UTF-8 is U+FFFD of one byte. */
export function decodeRune(s: Bytes, at: number): readonly [rune: number, size: number] {
  const first = s.charCodeAt(at);
  if (first < 0x80) return [first, 1];
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > s.length) return [REPLACEMENT, 1];
  let rune = first & (0xff >> (size + 1));
  for (let i = 1; i < size; i++) {
    const next = s.charCodeAt(at + i);
    if ((next & 0xc0) !== 0x80) return [REPLACEMENT, 1];
    rune = (rune << 6) | (next & 0x3f);
  }
  const least = size === 2 ? 0x80 : size === 3 ? 0x800 : 0x10000;
  if (rune < least || rune > MAX_RUNE || isSurrogate(rune)) return [REPLACEMENT, 1];
  return [rune, size];
}

const isSurrogate = (rune: number): boolean => rune >= 0xd800 && rune <= 0xdfff;

export function encodeRune(rune: number): Bytes {
  const valid = rune >= 0 && rune <= MAX_RUNE && !isSurrogate(rune);
  return fromText(String.fromCodePoint(valid ? rune : REPLACEMENT));
}

export function* runesOf(s: Bytes): Generator<readonly [rune: number, size: number]> {
  for (let at = 0; at < s.length;) {
    const found = decodeRune(s, at);
    yield found;
    at += found[1];
  }
}

export function runeCount(s: Bytes): number {
  let count = 0;
  for (const _ of runesOf(s)) count++;
  return count;
}

const test = (pattern: RegExp, rune: number): boolean =>
  rune >= 0 && rune <= MAX_RUNE && !isSurrogate(rune) && pattern.test(String.fromCodePoint(rune));

export const isLetter = (rune: number): boolean => test(/\p{L}/u, rune) && isKnown(rune);
export const isDigit = (rune: number): boolean => test(/\p{Nd}/u, rune) && isKnown(rune);
export const isAlphaNumeric = (rune: number): boolean =>
  rune === 0x5f || isLetter(rune) || isDigit(rune);

/** Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export const isPrint = (rune: number): boolean =>
  rune === 0x20 || (test(/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u, rune) && isKnown(rune));

const NAMED_ESCAPES: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  12: "\\f",
  10: "\\n",
  13: "\\r",
  9: "\\t",
  11: "\\v",
};

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

function escaped(rune: number, quote: string, ascii: boolean): Bytes {
  if (rune === quote.charCodeAt(0) || rune === 0x5c) return `\\${String.fromCharCode(rune)}`;
  if (ascii ? rune < 0x80 && isPrint(rune) : isPrint(rune)) return encodeRune(rune);
  const named = NAMED_ESCAPES[rune];
  if (named !== undefined) return named;
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  const known = rune > MAX_RUNE || isSurrogate(rune) || rune < 0 ? REPLACEMENT : rune;
  return known < 0x10000 ? `\\u${hex(known, 4)}` : `\\U${hex(known, 8)}`;
}

/** strconv.Quote, or QuoteToASCII. */
export function quote(s: Bytes, ascii = false): Bytes {
  let out = '"';
  let at = 0;
  for (const [rune, size] of runesOf(s)) {
    out +=
      rune === REPLACEMENT && size === 1
        ? `\\x${hex(s.charCodeAt(at), 2)}`
        : escaped(rune, '"', ascii);
    at += size;
  }
  return `${out}"`;
}

/** strconv.QuoteRune, or QuoteRuneToASCII. */
export function quoteRune(rune: number, ascii = false): Bytes {
  const valid = rune >= 0 && rune <= MAX_RUNE && !isSurrogate(rune);
  return `'${escaped(valid ? rune : REPLACEMENT, "'", ascii)}'`;
}

/** Whether a string can stand between backquotes as it is, on one line. */
export function canBackquote(s: Bytes): boolean {
  for (const [rune, size] of runesOf(s)) {
    if (size > 1) {
      if (rune === 0xfeff) return false;
      continue;
    }
    if (rune === REPLACEMENT || (rune < 0x20 && rune !== 9) || rune === 0x60 || rune === 0x7f)
      return false;
  }
  return true;
}

/** How `%#U` writes a rune: `U+0040 '@'`. */
export function unicodeName(rune: number): Bytes {
  const name = `U+${rune.toString(16).toUpperCase().padStart(4, "0")}`;
  return isPrint(rune) ? `${name} '${encodeRune(rune)}'` : name;
}
