import { readFileSync } from "node:fs";
import path from "node:path";

/** A fenced block of a document. */
export interface Snippet {
  readonly language: string;
  readonly text: string;
  /** The nearest heading above it. */
  readonly heading: string;
}

/** The fenced blocks of `docs/NAME`, in their order. */
export function snippetsOf(name: string): readonly Snippet[] {
  const lines = readFileSync(path.resolve(import.meta.dirname, "../../docs", name), "utf8").split(
    "\n",
  );
  const found: Snippet[] = [];
  let heading = "";
  let open: { language: string; lines: string[] } | null = null;
  for (const line of lines) {
    const fence = /^\s*```(\w*)$/.exec(line);
    if (open === null && fence !== null) open = { language: fence[1] ?? "", lines: [] };
    else if (open !== null && fence !== null) {
      found.push({ language: open.language, text: open.lines.join("\n"), heading });
      open = null;
    } else if (open !== null) open.lines.push(line);
    else heading = /^#+ (.*)/.exec(line)?.[1] ?? heading;
  }
  return found;
}
