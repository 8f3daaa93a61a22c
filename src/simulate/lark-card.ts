import { LARK } from "./dialect.ts";
import type { Read } from "./lark.ts";
import { joinMentions, larkMentions, NOBODY, type Mentions } from "./mentions.ts";
import type { Button, Part } from "./message.ts";
import { markdownPart, plainPart } from "./parts.ts";
import { content } from "./platform.ts";
import { isObject, listAt, objectAt, textAt, type Json } from "./read.ts";

/** The header's colours. [open.feishu.cn, card header] */
const TEMPLATES: Readonly<Record<string, string>> = {
  blue: "#1456f0",
  wathet: "#3d8af0",
  turquoise: "#067062",
  green: "#258832",
  yellow: "#b26206",
  orange: "#c25705",
  red: "#d83931",
  carmine: "#b9317a",
  violet: "#8d2fb3",
  purple: "#6425d0",
  indigo: "#3a48c4",
  grey: "#646a73",
  default: "#646a73",
};
/** 2.0 knows neither of these; 1.0 knows nothing but the first list and `markdown`. */
const ONLY_V1 = new Set(["action", "note"]);
const ONLY_V2 = new Set(["button", "collapsible_panel", "table", "person"]);
const MAX_ELEMENTS = 200;

class Problem extends Error {}

interface Piece {
  readonly parts: readonly Part[];
  readonly mentions: readonly Mentions[];
}

/** An interactive card: 2.0 where it says `"schema": "2.0"`, 1.0 otherwise. */
export function readCard(card: Json): Read {
  const v2 = card["schema"] === "2.0";
  try {
    if (card["schema"] !== undefined && !v2)
      throw new Problem(`schema ${JSON.stringify(card["schema"])}, expected "2.0"`);
    const header = readHeader(card);
    const holder = v2 ? objectAt(card, "body") : card;
    const elements = holder?.["elements"];
    if (!Array.isArray(elements))
      throw new Problem(`${v2 ? "body.elements" : "elements"} is not a list`);
    if (elements.length > MAX_ELEMENTS) throw new Problem(`more than ${MAX_ELEMENTS} elements`);
    const pieces = elements.map((element) => readElement(element, v2));
    return content(
      "interactive",
      header?.title ?? null,
      pieces.flatMap((piece) => piece.parts),
      joinMentions([...(header?.mentions ?? []), ...pieces.flatMap((piece) => piece.mentions)]),
      header?.accent ?? null,
    );
  } catch (error) {
    if (error instanceof Problem) return { problem: `card: ${error.message}` };
    throw error;
  }
}

function readHeader(card: Json) {
  const header = objectAt(card, "header");
  if (header === null) return null;
  const { text, mentions } = readText(header["title"], "header.title");
  const template = textAt(header, "template") ?? "default";
  const accent = TEMPLATES[template];
  if (accent === undefined) throw new Problem(`header.template "${template}" is no colour of Lark`);
  return { title: text, accent, mentions };
}

function readText(value: unknown, where: string) {
  const text = isObject(value) ? textAt(value, "content") : null;
  if (!isObject(value) || text === null) throw new Problem(`${where} has no content`);
  switch (value["tag"]) {
    case "plain_text":
      return { text, part: plainPart(text), mentions: [NOBODY] };
    case "lark_md":
      return { text, part: markdownPart(text, LARK), mentions: [larkMentions(text)] };
    default:
      throw new Problem(`${where}.tag is neither plain_text nor lark_md`);
  }
}

function readElement(element: unknown, v2: boolean): Piece {
  if (!isObject(element)) throw new Problem("an element is not an object");
  const tag = textAt(element, "tag") ?? "";
  if ((v2 ? ONLY_V1 : ONLY_V2).has(tag))
    throw new Problem(`tag "${tag}" is not known to cards of version ${v2 ? "2.0" : "1.0"}`);
  switch (tag) {
    case "markdown": {
      const text = textAt(element, "content");
      if (text === null) throw new Problem("markdown has no content");
      const fine = textAt(element, "text_size") === "notation";
      return { parts: [markdownPart(text, LARK, fine)], mentions: [larkMentions(text)] };
    }
    case "div":
      return readDiv(element);
    case "hr":
      return { parts: [{ kind: "divider" }], mentions: [] };
    case "note": {
      const texts = listAt(element, "elements").map((item) => readText(item, "note.elements[]"));
      if (texts.length === 0) throw new Problem("note has no elements");
      const parts = texts.map(({ part }) =>
        part.kind === "blocks" ? { ...part, fine: true } : part,
      );
      return { parts, mentions: texts.flatMap(({ mentions }) => mentions) };
    }
    case "action":
      return readButtons(listAt(element, "actions"));
    case "button":
      return readButtons([element]);
    case "column_set":
      return readColumns(element, v2);
    case "collapsible_panel": {
      const pieces = listAt(element, "elements").map((item) => readElement(item, v2));
      return {
        parts: pieces.flatMap(({ parts }) => parts),
        mentions: pieces.flatMap(({ mentions }) => mentions),
      };
    }
    case "img":
      return { parts: [plainPart("▣", true)], mentions: [] };
    default:
      throw new Problem(`tag "${tag}" is not known`);
  }
}

function readDiv(element: Json): Piece {
  const texts = [
    ...(element["text"] === undefined ? [] : [readText(element["text"], "div.text")]),
    ...listAt(element, "fields").map((field) =>
      readText(isObject(field) ? field["text"] : null, "div.fields[].text"),
    ),
  ];
  if (texts.length === 0) throw new Problem("div has neither text nor fields");
  return {
    parts: texts.map(({ part }) => part),
    mentions: texts.flatMap(({ mentions }) => mentions),
  };
}

function readButtons(actions: readonly unknown[]): Piece {
  if (actions.length === 0) throw new Problem("action has no actions");
  const read = actions.map((action): Button => {
    if (!isObject(action) || action["tag"] !== "button")
      throw new Problem("an action is not a button");
    const opens = listAt(action, "behaviors").find(isObject);
    const url =
      textAt(action, "url") ?? (opens === undefined ? null : textAt(opens, "default_url"));
    return { label: readText(action["text"], "button.text").text, url };
  });
  return { parts: [{ kind: "buttons", buttons: read }], mentions: [] };
}

function readColumns(element: Json, v2: boolean): Piece {
  const columns = listAt(element, "columns").map((column) => {
    if (!isObject(column) || column["tag"] !== "column")
      throw new Problem("column_set.columns[] is not a column");
    return listAt(column, "elements").map((item) => readElement(item, v2));
  });
  return {
    parts: [
      { kind: "columns", columns: columns.map((pieces) => pieces.flatMap(({ parts }) => parts)) },
    ],
    mentions: columns.flat().flatMap(({ mentions }) => mentions),
  };
}
