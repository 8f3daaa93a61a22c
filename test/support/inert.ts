import type { Medium } from "../../src/sink/index.ts";
import { DINGTALK, type Dialect, LARK, WECOM } from "../../src/simulate/dialect.ts";
import { parseMarkdown } from "../../src/simulate/markdown.ts";
import { type Block, blockText, type Inline, linksIn } from "../../src/simulate/marks.ts";
import { larkMentions, slackMentions, wecomMentions } from "../../src/simulate/mentions.ts";
import { parseMrkdwn } from "../../src/simulate/mrkdwn.ts";

/** Judges rendered text with the readers of the simulated chats, which know nothing of how it was escaped. */

const DIALECTS: Partial<Record<Medium, Dialect>> = { markdown: DINGTALK, wecom: WECOM, lark: LARK };

function blocksOf(medium: Medium, text: string): readonly Block[] {
  if (medium === "slack") return parseMrkdwn(text);
  const dialect = DIALECTS[medium];
  return dialect === undefined ? [] : parseMarkdown(text, dialect);
}

/** What a person reads: markup taken away, invisible characters gone, white space as one space. */
export function asRead(medium: Medium, text: string): string {
  const blocks = blocksOf(medium, text);
  const shown =
    blocks.length > 0
      ? blocks.map(blockText).join("\n")
      : medium === "json"
        ? (JSON.parse(`"${text}"`) as string)
        : medium === "html"
          ? decoded(text)
          : text;
  return visible(shown);
}

function decoded(html: string): string {
  return html
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

/** The same text to the eye. */
export function visible(text: string): string {
  return text
    .replaceAll(/[\u2060\ufeff]/g, "")
    .replaceAll("ˋ", "`")
    .replaceAll(/[\s\u00a0]+/g, " ")
    .trim();
}

/**
 * Markup that a client would act on: kinds of formatting, targets of links, who is notified. Empty for inert text.
 * @param allowed kinds that are ours
 */
export function activeIn(
  medium: Medium,
  text: string,
  allowed: readonly string[] = [],
): readonly string[] {
  const blocks = blocksOf(medium, text);
  const mentions = [
    larkMentions(text),
    wecomMentions(text),
    slackMentions(medium === "slack" ? text : ""),
  ];
  // Data and pages notify nobody.
  if (medium === "json" || medium === "html") return [];
  const found = [
    ...blocks.flatMap(formatting),
    ...linksIn(blocks).map((url) => `link to ${url}`),
    ...mentions.flatMap(({ everyone, who }) => [...(everyone ? ["everyone"] : []), ...who]),
    ...(/@(?:everyone|here|所有人|(?:all|channel)(?![a-z0-9]))/i.exec(text) ?? []),
  ];
  return found.filter((effect) => !allowed.includes(effect));
}

function formatting(block: Block): readonly string[] {
  switch (block.kind) {
    case "paragraph":
      return block.children.flatMap(marks);
    case "heading":
    case "list":
    case "rule":
    case "code":
      return [block.kind];
    case "quote":
      return ["quote", ...block.blocks.flatMap(formatting)];
  }
}

function marks(inline: Inline): readonly string[] {
  return inline.kind === "text" || inline.kind === "break" ? [] : [inline.kind];
}
