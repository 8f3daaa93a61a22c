import type { KubeEvent } from "../event/event.ts";

/** Words of a text, in small letters; what stands in "quotes" stays together. */
export function readWords(text: string): readonly string[] {
  const words = [...text.matchAll(/"([^"]*)"?|([^\s"]+)/gu)].map((match) =>
    fold(match[1] ?? match[2] ?? "").trim(),
  );
  return [...new Set(words.filter((word) => word !== ""))];
}

/** What words are looked for in, as one text. */
export function searched(event: KubeEvent): string {
  return fold(`${event.reason}\n${event.object.name}\n${event.message}`);
}

export function containsAll(event: KubeEvent, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = searched(event);
  return words.every((word) => text.includes(word));
}

function fold(text: string): string {
  return text.toLowerCase();
}

const MARK = "\u00b7";
/** Scripts that are written without spaces, where a word may be of one or two characters. */
const DENSE = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/gu;

/**
 * The text as it is given to an index of trigrams. A mark on both sides of each Chinese, Japanese or Korean character makes a trigram
 * of every single one, and of every two neighbours: so a word of two characters is found by the index, as its usual there. What is
 * part of a text stays part of it.
 */
export function spread(text: string): string {
  return text.replaceAll(DENSE, `${MARK}$&${MARK}`).replaceAll(MARK + MARK, MARK);
}

/** At most this many trigrams are asked of the index: what it finds is looked at anyway. */
const GRAMS = 12;

/** Trigrams that must all be there where `words` are; empty: the index cannot help. A zero byte would be the end of a question to it. */
export function grams(words: readonly string[]): readonly string[] {
  const found = words.flatMap((word) => gramsOf(spread(word)));
  const all = [...new Set(found)].filter((gram) => !gram.includes("\0"));
  const every = Math.ceil(all.length / GRAMS);
  return all.filter((_, index) => index % every === 0);
}

function gramsOf(word: string): readonly string[] {
  const characters = Array.from(word);
  const last = characters.length - 3;
  const all = characters.slice(0, Math.max(0, last + 1)).map((_, index) => ({
    gram: characters.slice(index, index + 3).join(""),
    // Side by side they say all there is to say.
    needed: index % 3 === 0 || index === last || characters[index + 1] === MARK,
  }));
  const telling = all.filter(({ gram }) => !(gram.startsWith(MARK) && gram.endsWith(MARK)));
  const some = telling.filter(({ needed }) => needed);
  return (some.length > 0 ? some : telling.length > 0 ? telling : all).map(({ gram }) => gram);
}

/** An FTS5 expression of them all. */
export function matching(all: readonly string[]): string {
  return all.map((gram) => `"${gram.replaceAll('"', '""')}"`).join(" AND ");
}
