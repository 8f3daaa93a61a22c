import type { Dialect } from "./dialect.ts";
import type { Inline } from "./marks.ts";

const MAX_DEPTH = 8;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const WORD = /[\p{L}\p{N}]/u;
const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(lt|gt|amp|quot|apos|nbsp));/iy;
const LARK_AT = /<at\s+(?:id|ids|user_id|email)\s*=\s*["']?([^\s"'>]+)["']?\s*(?:\/>|>)/iy;
const WECOM_AT = /<@([^\s<>]{1,64})>/y;
const FONT = /<font\s+color\s*=\s*["']?([#\w-]+)["']?\s*>/iy;
const ANCHOR = /<a\s+href\s*=\s*["']([^"']*)["'][^<>]*>/iy;
const AUTOLINK = /<(https?:\/\/[^\s<>]*)>/iy;
/** Of a link: no spaces but around it and its title, or what follows would be hidden in it. */
const TARGET = /^\s*(\S*)(?:\s+(?:"[^"]*"|'[^']*'))?\s*$/;
const BREAK = /<br\s*\/?>/iy;

const NAMED: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

/** Formatting within a paragraph. What does not parse stands as it was written. */
export function parseInline(source: string, dialect: Dialect, depth = 0): Inline[] {
  const out: Inline[] = [];
  const text: string[] = [];
  /** Delimiters known to have no partner further on: keeps hostile input linear. */
  const lonely = new Set<string>();
  const flush = () => {
    if (text.length > 0) out.push({ kind: "text", text: text.splice(0).join("") });
  };
  const emit = (inline: Inline) => {
    flush();
    out.push(inline);
  };
  const within = (inner: string) => parseInline(inner, dialect, depth + 1);
  const find = (needle: string, from: number): number => {
    if (lonely.has(needle)) return -1;
    const at = source.indexOf(needle, from);
    if (at === -1) lonely.add(needle);
    return at;
  };

  let at = 0;
  while (at < source.length) {
    const char = source.charAt(at);
    const next = special(char, at);
    if (next === at) {
      text.push(char);
      at += 1;
    } else {
      at = next;
    }
  }
  flush();
  return out;

  /** Where reading goes on; `at` itself where nothing special begins. */
  function special(char: string, at: number): number {
    switch (char) {
      case "\\":
        if (!dialect.backslash || !PUNCTUATION.test(source.charAt(at + 1))) return at;
        text.push(source.charAt(at + 1));
        return at + 2;
      case "\n":
        return lineEnd(at);
      case "&":
        return dialect.entities ? entity(at) : at;
      case "`":
        return code(at);
      case "<":
        return tag(at);
      case "!":
        return source.charAt(at + 1) === "[" ? link(at + 1, true) : at;
      case "[":
        return link(at, false);
      case "*":
      case "_":
      case "~":
        return emphasis(char, at);
      default:
        return at;
    }
  }

  function lineEnd(at: number): number {
    const hard = text.at(-1) === " " && text.at(-2) === " ";
    if (dialect.softBreak === "break" || hard) {
      while (text.at(-1) === " ") text.pop();
      emit({ kind: "break" });
    } else {
      text.push(" ");
    }
    return at + 1;
  }

  function entity(at: number): number {
    const match = matchAt(ENTITY, source, at);
    if (match === null) return at;
    const [whole, decimal, hex, name] = match;
    const point = decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? "", 16);
    if (name !== undefined) text.push(NAMED[name.toLowerCase()] ?? whole);
    else
      text.push(
        point > 0 && point <= 0x10ffff ? String.fromCodePoint(point).toWellFormed() : "\ufffd",
      );
    return at + whole.length;
  }

  function code(at: number): number {
    let ticks = 1;
    while (source.charAt(at + ticks) === "`") ticks += 1;
    const fence = "`".repeat(ticks);
    for (let end = find(fence, at + ticks); end !== -1; end = source.indexOf(fence, end)) {
      let run = ticks;
      while (source.charAt(end + run) === "`") run += 1;
      if (run === ticks) {
        const inner = source.slice(at + ticks, end).replaceAll("\n", " ");
        emit({ kind: "code", text: ticks > 1 ? inner.replace(/^ (.*) $/, "$1") : inner });
        return end + ticks;
      }
      end += run;
    }
    text.push(fence);
    return at + ticks;
  }

  function tag(at: number): number {
    if (dialect.mention === "lark") {
      const mention = matchAt(LARK_AT, source, at);
      if (mention !== null) {
        emit({ kind: "mention", who: mention[1] ?? "" });
        const after = at + mention[0].length;
        const close = source.slice(after, after + 80).indexOf("</at>");
        return close === -1 ? after : after + close + 5;
      }
      const anchor = paired(ANCHOR, "</a>", at);
      if (anchor !== null) {
        emit({ kind: "link", url: anchor.value, children: within(anchor.inner) });
        return anchor.end;
      }
    }
    if (dialect.mention === "wecom") {
      const mention = matchAt(WECOM_AT, source, at);
      if (mention !== null) {
        emit({ kind: "mention", who: mention[1] ?? "" });
        return at + mention[0].length;
      }
    }
    const font = dialect.font ? paired(FONT, "</font>", at) : null;
    if (font !== null) {
      emit({ kind: "coloured", colour: font.value, children: within(font.inner) });
      return font.end;
    }
    const auto = matchAt(AUTOLINK, source, at);
    if (auto !== null) {
      const url = auto[1] ?? "";
      emit({ kind: "link", url, children: [{ kind: "text", text: url }] });
      return at + auto[0].length;
    }
    const br = matchAt(BREAK, source, at);
    if (br === null) return at;
    emit({ kind: "break" });
    return at + br[0].length;
  }

  function paired(open: RegExp, close: string, at: number) {
    if (depth >= MAX_DEPTH) return null;
    const match = matchAt(open, source, at);
    if (match === null) return null;
    const from = at + match[0].length;
    const to = find(close, from);
    if (to === -1) return null;
    return { value: match[1] ?? "", inner: source.slice(from, to), end: to + close.length };
  }

  /** @param at where the bracket opens */
  function link(at: number, image: boolean): number {
    const none = image ? at - 1 : at;
    if (depth >= MAX_DEPTH) return none;
    const middle = find("](", at + 1);
    if (middle === -1) return none;
    const label = source.slice(at + 1, middle);
    if (/(?:^|[^\\])[[\]]/.test(label) || label.includes("\n\n")) return none;
    const end = find(")", middle + 2);
    if (end === -1) return none;
    const url = TARGET.exec(source.slice(middle + 2, end))?.[1];
    if (url === undefined) return none;
    if (image) emit({ kind: "image", url, alt: label });
    else emit({ kind: "link", url, children: within(label) });
    return end + 1;
  }

  function emphasis(char: string, at: number): number {
    const double = source.charAt(at + 1) === char;
    if (char === "~" && !double) return at;
    if (!dialect.emphasis && !(char === "*" && double)) return at;
    const mark = double ? char + char : char;
    const from = at + mark.length;
    const inside = source.charAt(from);
    if (depth >= MAX_DEPTH || inside === "" || /\s/.test(inside)) return at;
    // Within a word an underscore is part of a name, as in restart_count.
    if (char === "_" && WORD.test(source.charAt(at - 1))) return at;
    for (let end = find(mark, from + 1), tries = 0; end !== -1 && tries < 20; tries += 1) {
      const closes =
        !/[\s\\]/.test(source.charAt(end - 1)) &&
        (char !== "_" || !WORD.test(source.charAt(end + mark.length)));
      if (closes) {
        const kind = char === "~" ? "strike" : double ? "strong" : "emphasis";
        emit({ kind, children: within(source.slice(from, end)) });
        return end + mark.length;
      }
      end = source.indexOf(mark, end + 1);
    }
    return at;
  }
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}
