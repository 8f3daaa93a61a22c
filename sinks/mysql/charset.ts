/** Text as a column of this character set can hold it: what it has no character for becomes a question mark, where the server would refuse the row. */
export function representable(text: string, charset: string | null): string {
  if (charset === null || WHOLE.has(charset) || !BEYOND_ASCII.test(text)) return text;
  if (BMP.has(charset)) return text.replaceAll(/[\u{10000}-\u{10ffff}]/gu, "?");
  const label = LABELS[charset];
  const known = label === undefined ? null : charactersOf(label);
  return text.replaceAll(/\P{ASCII}/gu, (character) =>
    known?.has(character) === true ? character : "?",
  );
}

const BEYOND_ASCII = /\P{ASCII}/u;
const WHOLE = new Set(["utf8mb4", "utf16", "utf16le", "utf32", "gb18030"]);
const BMP = new Set(["utf8", "utf8mb3", "ucs2"]);
/** MySQL's names of old tables' character sets → the Encoding Standard's. */
const LABELS: Readonly<Record<string, string>> = { latin1: "windows-1252", gbk: "gbk" };

const found = new Map<string, ReadonlySet<string>>();

/** Every character that one or two bytes stand for. */
function charactersOf(label: string): ReadonlySet<string> {
  const before = found.get(label);
  if (before !== undefined) return before;
  const decoder = new TextDecoder(label);
  const characters = new Set<string>();
  for (let first = 0x80; first <= 0xff; first += 1) {
    characters.add(decoder.decode(Uint8Array.of(first)));
    for (let second = 0x40; second <= 0xfe; second += 1) {
      const text = decoder.decode(Uint8Array.of(first, second));
      if (text.length === 1) characters.add(text);
    }
  }
  characters.delete("\ufffd");
  found.set(label, characters);
  return characters;
}
