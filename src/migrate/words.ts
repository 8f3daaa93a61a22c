import { ConfigError } from "../config/config.ts";
import { isMap } from "../config/tree.ts";

/** A word of a command line, and where it stands: `file:line:column`. */
export interface Word {
  readonly text: string;
  readonly where: string;
}

/**
 * A command line as a shell splits it: quotes, backslashes, lines that go on behind a backslash, comments. Nothing is expanded, and the `&`
 * of a URL that nobody quoted belongs to it. The end of a line between two words is a word of its own, `\n`.
 * @throws ConfigError for a quote that is never closed
 */
export function shellWords(text: string, file: string): readonly Word[] {
  const words: Word[] = [];
  let word: { text: string; at: number } | null = null;
  let quote = "";
  let opened = 0;
  const add = (piece: string, at: number) =>
    (word = { text: (word?.text ?? "") + piece, at: word?.at ?? at });
  const end = () => {
    if (word !== null) words.push({ text: word.text, where: placeAt(text, word.at, file) });
    word = null;
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    const next = text[at + 1] ?? "";
    if (quote === "'" || (quote === '"' && char !== "\\")) {
      if (char === quote) quote = "";
      else add(char, at);
    } else if (char === "\\") {
      const stays = quote === '"' && !/["\\$`\n]/.test(next);
      if (next === "\n") at += 1;
      else if (next === "\r" && text[at + 2] === "\n") at += 2;
      else {
        add(stays ? char + next : next, at);
        at += 1;
      }
    } else if (char === "'" || char === '"') {
      quote = char;
      opened = at;
      add("", at);
    } else if (/\s/.test(char)) {
      end();
      if (char === "\n") words.push({ text: "\n", where: placeAt(text, at, file) });
    } else if (char === "#" && word === null) {
      const line = text.indexOf("\n", at);
      at = line === -1 ? text.length : line - 1;
    } else add(char, at);
  }
  end();
  if (quote === "") return words;
  const where = placeAt(text, opened, file);
  throw new ConfigError([
    { where, message: "this quote is never closed", hint: "close it, or take it out" },
  ]);
}

function placeAt(text: string, at: number, file: string): string {
  const before = text.slice(0, at).split("\n");
  return `${file}:${before.length}:${(before.at(-1) ?? "").length + 1}`;
}

/** A value of YAML as the text it was meant to be: `--sink=log:` without quotes is a map of one key. */
export function asText(value: unknown): string {
  if (typeof value === "string") return value;
  const [[key, item] = [], ...rest] = isMap(value) ? Object.entries(value) : [];
  if (key !== undefined && item === null && rest.length === 0) return `${key}:`;
  return JSON.stringify(value) ?? "";
}
