import { globSync, readFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../..");

/** A block of code and where it begins. */
export interface Block {
  /** Of a fence; empty for a block that is indented, or a fence without one. */
  readonly language: string;
  readonly text: string;
  /** Line of the document, from 1. */
  readonly line: number;
}

export interface DocumentText {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Without its blocks: every line has its place still. */
  readonly prose: string;
}

/** Everything that is written for people, as Markdown. */
export const DOCUMENTS: readonly DocumentText[] = globSync(
  ["*.md", "docs/**/*.md", "sinks/*.md", "bench/*.md", "test/**/*.md", "deploy/**/*.md"],
  { cwd: ROOT },
)
  .toSorted()
  .map((file) => {
    const text = readFileSync(path.join(ROOT, file), "utf8");
    return { path: file, text, ...split(text) };
  });

function split(text: string): Pick<DocumentText, "blocks" | "prose"> {
  const blocks: Block[] = [];
  let open: { language: string; fence: boolean; line: number; lines: string[] } | null = null;
  const close = () => {
    if (open !== null)
      blocks.push({ language: open.language, line: open.line, text: open.lines.join("\n") });
    open = null;
  };
  const prose = text.split("\n").map((line, index) => {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence !== null) {
      const isEnd = open?.fence === true;
      close();
      if (!isEnd) open = { language: fence[1] ?? "", fence: true, line: index + 2, lines: [] };
      return "";
    }
    if (open?.fence !== true && /^ {4}\S/.test(line))
      open ??= { language: "", fence: false, line: index + 1, lines: [] };
    else if (open?.fence === false && !/^( {4}|\s*$)/.test(line)) close();
    if (open === null) return line;
    open.lines.push(line);
    return "";
  });
  close();
  return { blocks, prose: prose.join("\n") };
}
