import type { Block, Inline } from "./marks.ts";

/** Slack's own markup: `*bold*`, `<url|label>`, `<!channel>`, `<@U1>`, and `&amp; &lt; &gt;`. */
const TOKEN =
  /`([^`\n]+)`|<([^<>\n]+)>|(?<![\p{L}\p{N}])([*_~])(?!\s)([^\n]{1,500}?)(?<!\s)\3(?![\p{L}\p{N}])/gu;
const MAX_DEPTH = 4;

export function parseMrkdwn(source: string): Block[] {
  const blocks: Block[] = [];
  let lines: { quoted: boolean; text: string }[] = [];
  const end = () => {
    if (lines.length === 0) return;
    const children = inline(lines.map(({ text }) => text).join("\n"), 0);
    const paragraph: Block = { kind: "paragraph", children };
    blocks.push(lines[0]?.quoted === true ? { kind: "quote", blocks: [paragraph] } : paragraph);
    lines = [];
  };
  // A fence may span lines and stand within one: it is a block of its own wherever it is.
  const pieces = source.replaceAll(/\r\n?/g, "\n").split(/```([\s\S]+?)```/);
  pieces.forEach((piece, index) => {
    if (index % 2 === 1) {
      end();
      blocks.push({ kind: "code", text: unescape(piece.replace(/^\n/, "").replace(/\n$/, "")) });
      return;
    }
    for (const line of (index > 0 ? piece.replace(/^\n/, "") : piece).split("\n")) {
      const quoted = /^(?:&gt;|>) ?/.exec(line);
      if (lines.length > 0 && lines[0]?.quoted !== (quoted !== null)) end();
      lines.push({
        quoted: quoted !== null,
        text: quoted === null ? line : line.slice(quoted[0].length),
      });
    }
    if (lines.every(({ text }) => text === "")) lines = [];
    end();
  });
  return blocks;
}

function inline(source: string, depth: number): Inline[] {
  const out: Inline[] = [];
  let last = 0;
  for (const match of depth > MAX_DEPTH ? [] : source.matchAll(TOKEN)) {
    out.push(...plainText(source.slice(last, match.index)));
    last = match.index + match[0].length;
    const [, code, reference, mark, marked] = match;
    if (code !== undefined) {
      out.push({ kind: "code", text: unescape(code) });
    } else if (reference !== undefined) {
      out.push(refer(reference));
    } else if (marked !== undefined) {
      const kind = mark === "*" ? "strong" : mark === "_" ? "emphasis" : "strike";
      out.push({ kind, children: inline(marked, depth + 1) });
    }
  }
  out.push(...plainText(source.slice(last)));
  return out;
}

function refer(reference: string): Inline {
  const bar = reference.indexOf("|");
  const target = bar === -1 ? reference : reference.slice(0, bar);
  const label = bar === -1 ? null : unescape(reference.slice(bar + 1));
  if (target.startsWith("!date^")) return { kind: "text", text: label ?? target };
  if (target.startsWith("!subteam^")) return { kind: "mention", who: target.slice(9) };
  if (/^[!@]/.test(target)) return { kind: "mention", who: target.slice(1) };
  if (target.startsWith("#")) return { kind: "text", text: `#${label ?? target.slice(1)}` };
  const url = unescape(target);
  return { kind: "link", url, children: [{ kind: "text", text: label ?? url }] };
}

function plainText(source: string): Inline[] {
  return source
    .split("\n")
    .flatMap((line, index): Inline[] => [
      ...(index > 0 ? [{ kind: "break" } as const] : []),
      ...(line === "" ? [] : [{ kind: "text", text: unescape(line) } as const]),
    ]);
}

function unescape(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
