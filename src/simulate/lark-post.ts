import { LARK } from "./dialect.ts";
import type { Read } from "./lark.ts";
import { parseMarkdown } from "./markdown.ts";
import type { Block, Inline } from "./marks.ts";
import { fromIds, joinMentions, larkMentions, NOBODY, type Mentions } from "./mentions.ts";
import { content } from "./platform.ts";
import { isObject, objectAt, textAt, type Json } from "./read.ts";

/** A `post`: paragraphs of tagged pieces, per language; the first language is shown. */
export function readPost(message: Json): Read {
  const post = objectAt(objectAt(message, "content") ?? {}, "post");
  if (post === null) return { problem: "content.post is missing" };
  const language = Object.keys(post).find((key) => isObject(post[key]));
  if (language === undefined) return { problem: "content.post has no language, such as zh_cn" };
  const body = objectAt(post, language) ?? {};
  const lines = body["content"];
  if (!Array.isArray(lines) || !lines.every((line) => Array.isArray(line)))
    return { problem: `content.post.${language}.content is not a list of lists` };

  const blocks: Block[] = [];
  const mentions: Mentions[] = [];
  for (const line of lines as readonly (readonly unknown[])[]) {
    const children: Inline[] = [];
    for (const piece of line) {
      if (!isObject(piece)) return { problem: "a piece of the post is not an object" };
      const read = readPiece(piece);
      if (read === null) return { problem: `tag "${textAt(piece, "tag") ?? ""}" of the post` };
      mentions.push(read.mentions);
      children.push(...read.inlines);
      blocks.push(...read.blocks);
    }
    if (children.length > 0) blocks.push({ kind: "paragraph", children });
  }
  const title = textAt(body, "title");
  const parts = [
    ...(title === null ? [] : [{ kind: "heading", text: title } as const]),
    { kind: "blocks", blocks, fine: false } as const,
  ];
  return content("post", title, parts, joinMentions(mentions));
}

interface Piece {
  readonly inlines: readonly Inline[];
  readonly blocks: readonly Block[];
  readonly mentions: Mentions;
}

function readPiece(piece: Json): Piece | null {
  const text = textAt(piece, "text") ?? "";
  const only = (inline: Inline, mentions = NOBODY): Piece => ({
    inlines: [inline],
    blocks: [],
    mentions,
  });
  switch (piece["tag"]) {
    case "text":
      return only({ kind: "text", text });
    case "a": {
      const url = textAt(piece, "href");
      return url === null ? null : only({ kind: "link", url, children: [{ kind: "text", text }] });
    }
    case "at": {
      const who = textAt(piece, "user_id");
      if (who === null) return null;
      return only(
        { kind: "mention", who },
        fromIds([who], (id) => id === "all"),
      );
    }
    case "code_block":
      return { inlines: [], blocks: [{ kind: "code", text }], mentions: NOBODY };
    case "hr":
      return { inlines: [], blocks: [{ kind: "rule" }], mentions: NOBODY };
    case "md":
      return { inlines: [], blocks: parseMarkdown(text, LARK), mentions: larkMentions(text) };
    case "img":
    case "media":
    case "emotion":
      return only({ kind: "text", text: "▣" });
    default:
      return null;
  }
}
