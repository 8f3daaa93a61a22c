import { type Bytes, decodeRune, isPrint } from "./bytes.ts";

/** Go's `html`, `js` and `urlquery`. */

const HTML: Readonly<Record<string, string>> = {
  "\0": "\u00ef\u00bf\u00bd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

export const escapeHtml = (s: Bytes): Bytes =>
  s.replace(/["'&<>\0]/g, (character) => HTML[character] ?? character);

const unicode = (rune: number): string => `\\u${rune.toString(16).toUpperCase().padStart(4, "0")}`;

export function escapeJs(s: Bytes): Bytes {
  let out = "";
  for (let at = 0; at < s.length;) {
    const [rune, size] = decodeRune(s, at);
    const bytes = s.slice(at, at + size);
    if (rune >= 0x80) out += isPrint(rune) ? bytes : unicode(rune);
    else if (/[\\'"]/.test(bytes)) out += `\\${bytes}`;
    else out += rune < 0x20 || /[<>&=]/.test(bytes) ? unicode(rune) : bytes;
    at += size;
  }
  return out;
}

export const escapeUrlQuery = (s: Bytes): Bytes =>
  s.replace(/[^A-Za-z0-9\-_.~]/g, (character) =>
    character === " "
      ? "+"
      : `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
