import type { Dialect } from "./dialect.ts";
import { parseMarkdown } from "./markdown.ts";
import { blockText, linksIn, plain } from "./marks.ts";
import type { Part } from "./message.ts";

export function markdownPart(source: string, dialect: Dialect, fine = false): Part {
  return { kind: "blocks", blocks: parseMarkdown(source, dialect), fine };
}

export function plainPart(text: string, fine = false): Part {
  return { kind: "blocks", blocks: [plain(text)], fine };
}

/** Everything a person reads, one line a paragraph. */
export function partsText(parts: readonly Part[]): string {
  return parts
    .map((part) => {
      switch (part.kind) {
        case "heading":
          return part.text;
        case "blocks":
          return part.blocks.map(blockText).join("\n");
        case "divider":
          return "";
        case "buttons":
          return part.buttons.map((button) => button.label).join(" ");
        case "columns":
          return part.columns.map(partsText).join("\n");
      }
    })
    .filter((text) => text !== "")
    .join("\n");
}

/** Everything a person could be led to by what does not show where it leads. */
export function partsLinks(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => {
    switch (part.kind) {
      case "blocks":
        return linksIn(part.blocks);
      case "buttons":
        return part.buttons.flatMap((button) => (button.url === null ? [] : [button.url]));
      case "columns":
        return part.columns.flatMap(partsLinks);
      case "heading":
      case "divider":
        return [];
    }
  });
}
