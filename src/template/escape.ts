import type { Medium } from "../sink/define.ts";

/** U+2060 WORD JOINER: takes no room, breaks no line, and parts what must not be read together. */
export const JOINER = "\u2060";
/** U+FEFF: as invisible, and white space to the regular expressions of JavaScript, where a mark must not open. */
const SPACE = "\ufeff";

/** As Markdown has it: what was not cleaned may end its lines by a carriage return alone. */
export const LINE_END = /\r\n?|\n/g;

/**
 * What calls people in one chat or another: `<!channel>`, `<@U1>`, `<at id=all>`, `@all`. A `<` or `@` at the end might meet its rest in the next value.
 * Discord's `@everyone` and `@here` need no end of a word, and Mattermost takes `@all_` for `@all`.
 */
const MENTION = /<(?=[!@]|\/?at\b|$)|@(?=everyone|here|(?:all|channel)(?![a-z0-9])|所有人|$)/gi;

/** The same text to the eye, in which nobody is called. */
export function breakMentions(text: string): string {
  if (!text.includes("<") && !text.includes("@")) return text;
  return text.replace(MENTION, `$&${JOINER}`);
}

/** The beginning of another word (`@alligator`, `<attribute`), which behind a cut would call somebody. */
const REVIVED = /(?:@(?:all|everyone|here|channel|所有人)|<\/?at)(?=…|$)/gi;

/** A cut text in which its cuts (`…`, or the end) made no mention of what was none. */
export function withoutRevived(cut: string): string {
  return cut.includes("@") || cut.includes("<") ? cut.replace(REVIVED, "") : cut;
}

/**
 * `text` for a place of this medium, so that it neither formats, mentions nor links there and yet reads the same.
 *
 * - `text`: plain text; only mentions are broken, by an invisible U+2060.
 * - `markdown`: CommonMark and DingTalk: backslashes where a character would mean something, U+2060 in links, tags and entities.
 * - `wecom`: its Markdown knows no backslash: U+2060, and ˋ for the backtick that nothing else can stop.
 * - `slack`: mrkdwn: `&amp; &lt; &gt;`, invisible characters beside marks, ˋ for the backtick.
 * - `lark`: text messages and lark_md: invisible characters only, for the one shows what the other reads.
 * - `json`: the inside of a JSON string, nothing else: the text arrives exactly.
 * - `html`: the five entities.
 */
export function escape(medium: Medium, text: string): string {
  switch (medium) {
    case "text":
      return breakMentions(text);
    case "markdown":
      return markdown(text);
    case "wecom":
      return wecom(text);
    case "slack":
      return slack(text);
    case "lark":
      return lark(text);
    case "json":
      return json(text);
    case "html":
      return html(text);
  }
}

/** `text` as a piece of code, where the medium has such a thing; escaped text where it has none or the text would end it. */
export function code(medium: Medium, text: string): string {
  if (text === "" || /[`\n\r]/.test(text)) return escape(medium, text);
  switch (medium) {
    case "markdown":
    case "wecom":
      return `\`${breakTags(breakMentions(text))}\``;
    case "slack":
      return `\`${entities(breakMentions(text))}\``;
    case "html":
      return `<code>${html(text)}</code>`;
    case "text":
    case "lark":
    case "json":
      return escape(medium, text);
  }
}

/** Nothing in it ends a link, opens markup or needs escaping, in whatever medium. */
const PLAIN_URL = /^https?:\/\/[\w.~:/?#&=%+,;@[\]-]+$/;

/** A link that says `text`, where the medium has links; else `text` and the address behind it. */
export function anchor(medium: Medium, url: string, text: string): string {
  const both = [text, url].filter((part) => part !== "").join(" ");
  if (!PLAIN_URL.test(url)) return escape(medium, both);
  switch (medium) {
    case "markdown":
    case "wecom":
      return text === "" ? url : `[${escape(medium, text)}](${url})`;
    case "slack":
      return text === "" ? `<${entities(url)}>` : `<${entities(url)}|${escape(medium, text)}>`;
    case "html":
      return `<a href="${html(url)}">${html(text === "" ? url : text)}</a>`;
    case "text":
    case "lark":
      return [escape(medium, text), url].filter((part) => part !== "").join(" ");
    case "json":
      return json(both);
  }
}

/** `text` as a quotation: each line marked, so that none of them can be taken for ours. */
export function quote(medium: Medium, text: string): string {
  if (text === "") return "";
  const lines = (separator: string) =>
    text
      .split(LINE_END)
      .map((line) => `> ${escape(medium, line)}`.trimEnd())
      .join(separator);
  switch (medium) {
    case "markdown":
      // Two spaces: CommonMark would join the lines.
      return lines("  \n");
    case "wecom":
    case "slack":
    case "text":
    case "lark":
      return lines("\n");
    case "json":
      return json(quote("text", text));
    case "html":
      return `<blockquote>${html(text).replaceAll(LINE_END, "<br>")}</blockquote>`;
  }
}

/** The end of a cut block: half an entity or a lone backslash would change what follows it, and half a word might call somebody. */
export function mendCut(medium: Medium, text: string): string {
  return withoutRevived(mended(medium, text));
}

function mended(medium: Medium, text: string): string {
  switch (medium) {
    case "slack":
    case "html":
      return text.replace(/&[a-z0-9#]{0,5}$/i, "");
    case "markdown": {
      let slashes = 0;
      while (text.charAt(text.length - 1 - slashes) === "\\") slashes += 1;
      const whole = slashes % 2 === 1 ? text.slice(0, -1) : text;
      // An open code span would swallow the mark of the cut and whatever the platform appends.
      return whole.replace(/`[^`\n]*$/, (open) => (codeIsOpen(whole) ? open.slice(1) : open));
    }
    case "text":
    case "wecom":
    case "lark":
    case "json":
      return text;
  }
}

function codeIsOpen(text: string): boolean {
  const last = text.slice(text.lastIndexOf("\n") + 1);
  return (last.match(/(?<!\\)`/g)?.length ?? 0) % 2 === 1;
}

/** Tags need a letter, `/`, `!` or `?` right behind the bracket. */
function breakTags(text: string): string {
  return text.replace(/<(?=[a-z/!?]|$)/gi, `<${JOINER}`);
}

/** `](`, `][` and `]:` make links, whatever stands before; at the end the next character is not ours to know. */
function breakLinks(text: string): string {
  return text.replace(/\](?=[([:]|$)/g, `]${JOINER}`);
}

/** Within a word `_` means nothing. Beyond U+FFFF a client that reads halves of characters sees no letter. */
const LETTER = String.raw`[[\p{L}\p{N}]&&[\0-\uffff]]`;
const MARKDOWN_MARK = new RegExp(`(?<!${LETTER})_|_(?!${LETTER})`, "gv");
const SLACK_MARK = new RegExp(String.raw`(?<!${LETTER})[*_~](?!\s)`, "gv");
const LARK_MARK = new RegExp(String.raw`[*~](?!\s)|(?<!${LETTER})_(?!\s)`, "gv");

function markdown(text: string): string {
  const tildes = (text.match(/~/g)?.length ?? 0) > 1;
  return breakLinks(breakTags(breakMentions(text)))
    .replace(/&(?=#?[a-z0-9]{1,31};)/gi, `&${JOINER}`)
    .replace(/\\(?=[!-/:-@[-`{-~]|$)/gm, "\\\\")
    .replace(/`|\*/g, "\\$&")
    .replace(/~/g, tildes ? "\\~" : "~")
    .replace(MARKDOWN_MARK, "\\_")
    .split(LINE_END)
    .map(lineOfMarkdown)
    .join("  \n");
}

/** Headings, quotes, lists, tables, rules and code blocks begin a line; its indentation is kept in a form that makes no code of it. */
function lineOfMarkdown(line: string): string {
  return line
    .replace(/^[ \t]+/, (indent) => indent.replaceAll("\t", "    ").replaceAll(" ", "\u00a0"))
    .replace(/^(\u00a0*)(\d{1,9})(?=[.)](?:\s|$))/, "$1$2\\")
    .replace(
      /^(\u00a0*)([>|]|#(?=#{0,5}(?:\s|$))|[-+](?=\s|$)|-(?=[-|:])|:(?=-)|=(?=[=\s]|$))/,
      "$1\\$2",
    );
}

function wecom(text: string): string {
  return breakLinks(breakTags(breakMentions(text)))
    .replaceAll("`", "ˋ")
    .replace(/\*(?=\*|$)|_(?=_)|~(?=~)/g, `$&${JOINER}`)
    .replace(/^([ \t]*)(?=>|#{1,6}(?:\s|$))/gm, `$1${JOINER}`);
}

function slack(text: string): string {
  return entities(breakMentions(text))
    .replaceAll("`", "ˋ")
    .replace(SLACK_MARK, `$&${SPACE}`)
    .replace(/:(?=(?:[+-]1|[a-z0-9_+'-]{0,32}[a-z][a-z0-9_+'-]{0,32}):)/gi, `:${JOINER}`)
    .replace(/^(?=[ \t]*&gt;)/gm, JOINER);
}

function entities(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Nothing but invisible characters: a text message would show a backslash or an entity, a card's lark_md would read both. */
function lark(text: string): string {
  return breakLinks(breakTags(breakMentions(text)))
    .replaceAll("`", "ˋ")
    .replace(/&(?=#?[a-z0-9]{1,31};)/gi, `&${JOINER}`)
    .replace(/\\(?=[!-/:-@[-`{-~]|$)/gm, `\\${JOINER}`)
    .replace(LARK_MARK, `$&${SPACE}`)
    .replace(
      /^([ \t]*)(?=[>|=]|#{1,6}(?:\s|$)|[-+*](?:\s|-|$)|\d{1,9}[.)](?:\s|$))/gm,
      `$1${JOINER}`,
    );
}

function json(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML[character] ?? character);
}
