import { blockText, type Block, type Inline } from "./marks.ts";
import type { Mentions } from "./mentions.ts";
import type { Part } from "./message.ts";
import { charLength, isObject, listAt, objectAt, textAt, type Json } from "./read.ts";

/** Thrown for what Slack answers with invalid_blocks. */
export class InvalidBlock extends Error {}

/** A rich_text block: formatting as data, so text in it can neither format nor mention. */
export function readRichText(elements: readonly unknown[]): {
  part: Part;
  characters: number;
  mentions: Mentions[];
} {
  if (elements.length === 0) throw new InvalidBlock("rich_text.elements");
  const mentions: Mentions[] = [];
  const blocks = elements.map((element) => {
    if (!isObject(element)) throw new InvalidBlock("rich_text element");
    return readElement(element, mentions);
  });
  const characters = blocks.reduce((sum, block) => sum + charLength(blockText(block)), 0);
  return { part: { kind: "blocks", blocks, fine: false }, characters, mentions };
}

function readElement(element: Json, mentions: Mentions[]): Block {
  const children = listAt(element, "elements");
  const inlines = () => children.flatMap((child) => readInline(child, mentions));
  switch (element["type"]) {
    case "rich_text_section":
      return { kind: "paragraph", children: inlines() };
    case "rich_text_quote":
      return { kind: "quote", blocks: [{ kind: "paragraph", children: inlines() }] };
    case "rich_text_preformatted":
      return { kind: "code", text: blockText({ kind: "paragraph", children: inlines() }) };
    case "rich_text_list": {
      const items = children.map((child) => {
        if (!isObject(child)) throw new InvalidBlock("rich_text_list");
        return listAt(child, "elements").flatMap((inner) => readInline(inner, mentions));
      });
      return { kind: "list", ordered: element["style"] === "ordered", items };
    }
    default:
      throw new InvalidBlock(`rich_text ${JSON.stringify(element["type"])}`);
  }
}

function readInline(value: unknown, mentions: Mentions[]): Inline[] {
  if (!isObject(value)) throw new InvalidBlock("rich_text piece");
  switch (value["type"]) {
    case "text": {
      const text = textAt(value, "text");
      if (text === null) throw new InvalidBlock("text is empty");
      return styled(text, objectAt(value, "style") ?? {});
    }
    case "link": {
      const url = textAt(value, "url");
      if (url === null) throw new InvalidBlock("link without url");
      return [
        { kind: "link", url, children: [{ kind: "text", text: textAt(value, "text") ?? url }] },
      ];
    }
    case "user":
    case "usergroup": {
      const who = textAt(value, "user_id") ?? textAt(value, "usergroup_id");
      if (who === null) throw new InvalidBlock("user without id");
      mentions.push({ everyone: false, who: [who] });
      return [{ kind: "mention", who }];
    }
    case "broadcast": {
      const who = textAt(value, "range");
      if (who === null) throw new InvalidBlock("broadcast without range");
      mentions.push({ everyone: true, who: [] });
      return [{ kind: "mention", who }];
    }
    case "emoji":
      return [{ kind: "text", text: `:${textAt(value, "name") ?? ""}:` }];
    default:
      throw new InvalidBlock(`rich_text piece ${JSON.stringify(value["type"])}`);
  }
}

function styled(text: string, style: Json): Inline[] {
  if (style["code"] === true) return [{ kind: "code", text }];
  const inline = text
    .split("\n")
    .flatMap((line, index): Inline[] => [
      ...(index > 0 ? [{ kind: "break" } as const] : []),
      ...(line === "" ? [] : [{ kind: "text", text: line } as const]),
    ]);
  return style["bold"] === true ? [{ kind: "strong", children: inline }] : inline;
}
