import type { Dialect } from "./dialect.ts";
import { parseInline } from "./inline.ts";
import type { Block, Inline } from "./marks.ts";

const FENCE = /^\s{0,3}(`{3,}|~{3,})[^`]*$/;
const HEADING = /^(#{1,6})\s+(.*?)(?:\s+#+)?$/;
const RULE = /^\s{0,3}(?:-\s*){3,}$|^\s{0,3}(?:\*\s*){3,}$/;
const BULLET = /^\s{0,3}(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const QUOTE = /^\s{0,3}>\s?/;
const MAX_QUOTES = 4;

/** The subset of Markdown a chat shows. Never throws; what is no markup stands as text. */
export function parseMarkdown(source: string, dialect: Dialect, nested = 0): Block[] {
  const lines = source.replaceAll(/\r\n?/g, "\n").split("\n");
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const endParagraph = () => {
    if (paragraph.length === 0) return;
    const children = parseInline(paragraph.join("\n"), dialect);
    blocks.push({ kind: "paragraph", children });
    paragraph = [];
  };

  for (let index = 0; index < lines.length;) {
    const line = lines[index] ?? "";
    const fence = dialect.fences ? FENCE.exec(line) : null;
    const heading = HEADING.exec(line);
    if (fence !== null) {
      endParagraph();
      index = code(index + 1, fence[1] ?? "```");
    } else if (heading !== null) {
      endParagraph();
      const children = parseInline(heading[2] ?? "", dialect);
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, children });
      index += 1;
    } else if (QUOTE.test(line) && nested < MAX_QUOTES) {
      endParagraph();
      index = quote(index);
    } else if (dialect.lists && RULE.test(line)) {
      endParagraph();
      blocks.push({ kind: "rule" });
      index += 1;
    } else if (dialect.lists && BULLET.test(line)) {
      endParagraph();
      index = list(index);
    } else {
      if (line.trim() === "") endParagraph();
      else paragraph.push(line);
      index += 1;
    }
  }
  endParagraph();
  return blocks;

  /** @returns the index of the line after the block; an unclosed fence takes the rest, as in every chat. */
  function code(from: number, mark: string): number {
    let to = from;
    const closes = (line: string) =>
      line.trim().startsWith(mark) && line.trim().replaceAll(mark.charAt(0), "") === "";
    while (to < lines.length && !closes(lines[to] ?? "")) to += 1;
    blocks.push({ kind: "code", text: lines.slice(from, to).join("\n") });
    return to + 1;
  }

  function quote(from: number): number {
    let to = from;
    while (to < lines.length && QUOTE.test(lines[to] ?? "")) to += 1;
    const inner = lines.slice(from, to).map((line) => line.replace(QUOTE, ""));
    blocks.push({ kind: "quote", blocks: parseMarkdown(inner.join("\n"), dialect, nested + 1) });
    return to;
  }

  function list(from: number): number {
    const items: Inline[][] = [];
    let to = from;
    let ordered = false;
    for (; to < lines.length; to += 1) {
      const match = BULLET.exec(lines[to] ?? "");
      if (match === null) break;
      ordered ||= match[1] !== undefined;
      items.push(parseInline(match[2] ?? "", dialect));
    }
    blocks.push({ kind: "list", ordered, items });
    return to;
  }
}
