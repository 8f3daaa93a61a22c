import type { Size } from "./define.ts";

/** UTF-8 bytes; a lone surrogate counts as the three bytes of U+FFFD it becomes on the wire. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

const PAIRS = /[\ud800-\udbff]/;

/** Unicode code points. */
export function characterLength(text: string): number {
  if (!PAIRS.test(text)) return text.length;
  let count = 0;
  for (let index = 0; index < text.length; index += width(text, index)) count += 1;
  return count;
}

export function measure(text: string, unit: Size["unit"]): number {
  return unit === "bytes" ? byteLength(text) : characterLength(text);
}

export function fits(text: string, size: Size): boolean {
  // No character takes more than three bytes a code unit: most texts need no counting.
  return text.length * 3 <= size.max || measure(text, size.unit) <= size.max;
}

/**
 * The longest beginning of `text` that together with `tail` is no larger than `size`; `text` itself where it fits.
 * Never ends inside a character, not even inside one that a reader sees as one (👩‍👩‍👧, a letter with its accents).
 * @param tail says that something is missing; left out where there is no room for it
 */
export function cut(text: string, size: Size, tail = "…"): string {
  if (fits(text, size)) return text;
  const room = size.max - measure(tail, size.unit);
  if (room < 0) return text.slice(0, boundary(text, prefixEnd(text, size.max, size.unit)));
  return text.slice(0, boundary(text, prefixEnd(text, room, size.unit))) + tail;
}

/** The first `count` characters. */
export function head(text: string, count: number): string {
  return text.slice(0, boundary(text, prefixEnd(text, count, "characters")));
}

/** The last `count` characters. */
export function tailOf(text: string, count: number): string {
  let index = text.length;
  for (let left = count; left > 0 && index > 0; left -= 1)
    index -= index > 1 && isPair(text, index - 2) ? 2 : 1;
  const grapheme = index > 0 ? graphemeAt(text, index) : null;
  // A character that began before is left out.
  return text.slice(grapheme !== null && grapheme.start < index ? grapheme.end : index);
}

/** At most `max` characters, what is missing taken out of the middle: both ends of a name tell it from others. */
export function shortenMiddle(text: string, max: number): string {
  if (characterLength(text) <= max) return text;
  if (max <= 1) return "…".slice(0, Math.max(0, max));
  const end = Math.floor((max - 1) / 2);
  return `${head(text, max - 1 - end)}…${tailOf(text, end)}`;
}

function isPair(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if (unit < 0xd800 || unit > 0xdbff) return false;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

function width(text: string, index: number): 1 | 2 {
  return isPair(text, index) ? 2 : 1;
}

/** Where the longest beginning of at most `max` units ends. */
function prefixEnd(text: string, max: number, unit: Size["unit"]): number {
  let used = 0;
  let index = 0;
  while (index < text.length) {
    const step = width(text, index);
    used += unit === "characters" ? 1 : bytesAt(text, index, step);
    if (used > max) break;
    index += step;
  }
  return index;
}

function bytesAt(text: string, index: number, step: 1 | 2): number {
  if (step === 2) return 4;
  const unit = text.charCodeAt(index);
  if (unit < 0x80) return 1;
  return unit < 0x800 ? 2 : 3;
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });
/** Longer sequences are no writing but an attack; they may be cut. */
const LONGEST_GRAPHEME = 64;

/** The character a reader sees around `index`; `null` where it is longer than any writing makes it. */
function graphemeAt(text: string, index: number): { start: number; end: number } | null {
  const from = Math.max(0, index - LONGEST_GRAPHEME);
  const start = from > 0 && isPair(text, from - 1) ? from + 1 : from;
  const window = text.slice(start, index + LONGEST_GRAPHEME);
  const segment = GRAPHEMES.segment(window).containing(index - start);
  if (segment === undefined || (segment.index === 0 && start > 0)) return null;
  const first = start + segment.index;
  return { start: first, end: first + segment.segment.length };
}

/** `index`, or the start of the character it stands in. */
function boundary(text: string, index: number): number {
  if (index <= 0 || index >= text.length) return index;
  return graphemeAt(text, index)?.start ?? (isPair(text, index - 1) ? index - 1 : index);
}
