import { LARK } from "./dialect.ts";
import { parseMarkdown } from "./markdown.ts";
import { plain, type Block } from "./marks.ts";
import { NOBODY, slackMentions, type Mentions } from "./mentions.ts";
import type { Button, Part } from "./message.ts";
import { parseMrkdwn } from "./mrkdwn.ts";
import { charLength, isObject, listAt, textAt, type Json } from "./read.ts";
import { InvalidBlock, readRichText } from "./slack-rich-text.ts";

export interface BlocksRead {
  readonly count: number;
  /** All text, as the undocumented total counts it. */
  readonly characters: number;
  readonly parts: readonly Part[];
  readonly mentions: readonly Mentions[];
}

/** `null`: invalid_blocks. Sizes as in docs.slack.dev/reference/block-kit. */
export function readBlocks(blocks: readonly unknown[]): BlocksRead | null {
  try {
    const read = blocks.map((block) => {
      if (!isObject(block)) throw new InvalidBlock("not an object");
      if (charLength(textAt(block, "block_id") ?? "") > 255) throw new InvalidBlock("block_id");
      return readBlock(block);
    });
    return {
      count: blocks.length,
      characters: read.reduce((sum, one) => sum + one.characters, 0),
      parts: read.map((one) => one.part),
      mentions: read.flatMap((one) => one.mentions),
    };
  } catch (error) {
    if (error instanceof InvalidBlock) return null;
    throw error;
  }
}

interface BlockRead {
  readonly part: Part;
  readonly characters: number;
  readonly mentions: readonly Mentions[];
}

function readBlock(block: Json): BlockRead {
  switch (block["type"]) {
    case "header": {
      const { text } = readText(block["text"], 150, "plain_text");
      return { part: { kind: "heading", text }, characters: charLength(text), mentions: [] };
    }
    case "section": {
      const fields = listAt(block, "fields");
      if (fields.length > 10) throw new InvalidBlock("fields");
      const texts = [
        ...(block["text"] === undefined ? [] : [readText(block["text"], 3000)]),
        ...fields.map((field) => readText(field, 2000)),
      ];
      if (texts.length === 0) throw new InvalidBlock("section without text");
      return join(texts, false);
    }
    case "context": {
      const elements = listAt(block, "elements");
      if (elements.length === 0 || elements.length > 10) throw new InvalidBlock("elements");
      return join(
        elements.map((element) => readText(element, 3000)),
        true,
      );
    }
    case "divider":
      return { part: { kind: "divider" }, characters: 0, mentions: [] };
    case "markdown": {
      const text = textAt(block, "text");
      if (text === null || charLength(text) > 12_000) throw new InvalidBlock("markdown.text");
      const part: Part = { kind: "blocks", blocks: parseMarkdown(text, MARKDOWN), fine: false };
      return { part, characters: charLength(text), mentions: [slackMentions(text)] };
    }
    case "actions":
      return readActions(listAt(block, "elements"));
    case "rich_text":
      return readRichText(listAt(block, "elements"));
    default:
      throw new InvalidBlock(`type ${JSON.stringify(block["type"])}`);
  }
}

/** The markdown block reads standard Markdown. */
const MARKDOWN = { ...LARK, font: false, mention: null };

interface TextRead {
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly mentions: Mentions;
}

function readText(value: unknown, max: number, only?: "plain_text"): TextRead {
  const text = isObject(value) ? textAt(value, "text") : null;
  if (!isObject(value) || text === null || charLength(text) > max) throw new InvalidBlock("text");
  if (value["type"] === "plain_text") return { text, blocks: [plain(text)], mentions: NOBODY };
  if (value["type"] !== "mrkdwn" || only !== undefined) throw new InvalidBlock("text.type");
  return { text, blocks: parseMrkdwn(text), mentions: slackMentions(text) };
}

function join(texts: readonly TextRead[], fine: boolean): BlockRead {
  return {
    part: { kind: "blocks", blocks: texts.flatMap(({ blocks }) => blocks), fine },
    characters: texts.reduce((sum, { text }) => sum + charLength(text), 0),
    mentions: texts.map(({ mentions }) => mentions),
  };
}

function readActions(elements: readonly unknown[]): BlockRead {
  if (elements.length === 0 || elements.length > 25) throw new InvalidBlock("elements");
  const buttons = elements.map((element): Button => {
    if (!isObject(element) || element["type"] !== "button") throw new InvalidBlock("element");
    const url = textAt(element, "url");
    if (url !== null && charLength(url) > 3000) throw new InvalidBlock("url");
    return { label: readText(element["text"], 75, "plain_text").text, url };
  });
  const characters = buttons.reduce((sum, { label }) => sum + charLength(label), 0);
  return { part: { kind: "buttons", buttons }, characters, mentions: [] };
}
