import { type Bytes, toText } from "./bytes.ts";
import type { Piece } from "./execute.ts";

/** An object or a list, begun by the template itself; `[prod] …` is a text. */
const JSON_START = /^\s*(?:\{|\[\s*[\]["\d{])/;

const NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

const CONTROL = new RegExp(String.raw`["\\\u0000-\u001f]`, "g");

const escapeJson = (s: Bytes): Bytes =>
  s.replace(CONTROL, (c) => NAMED[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** What Go's `js` escaped already is JSON but for the apostrophe. */
const mendJs = (s: Bytes): Bytes =>
  s.replace(/\\(.)/gs, (whole, c: string) => (c === "'" ? c : whole));

/** Whether the text up to here ends within a string of JSON. */
class Place {
  inString = false;
  private escaped = false;

  read(s: Bytes): void {
    for (const c of s) {
      if (this.escaped) this.escaped = false;
      else if (this.inString && c === "\\") this.escaped = true;
      else if (c === '"') this.inString = !this.inString;
    }
  }
}

export interface SafeOutput {
  readonly text: string;
  /** The template writes JSON: values within its strings are escaped. */
  readonly json: boolean;
}

/**
 * The output of a template, made safe where it is JSON: what stands within a string is escaped, so that a message with quotes and newlines
 * stays in its place; what stands outside strings is left as it is.
 * @param given it is JSON, however it begins
 */
export function jsonSafe(pieces: readonly Piece[], given?: true): SafeOutput {
  const begin = pieces.findIndex(({ bytes }) => /\S/.test(bytes));
  const plain = pieces.map(({ bytes }) => bytes).join("");
  const json = given ?? (pieces[begin]?.kind === "text" && JSON_START.test(plain));
  if (!json) return { text: toText(plain), json };
  const place = new Place();
  let out = "";
  for (const { kind, bytes } of pieces) {
    if (kind !== "text" && place.inString) {
      out += kind === "js" ? mendJs(bytes) : escapeJson(bytes);
      continue;
    }
    place.read(bytes);
    out += bytes;
  }
  return { text: toText(out), json };
}
