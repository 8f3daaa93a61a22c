import type { Message } from "../../src/sink/index.ts";

const COLOUR = { critical: "red", warning: "orange", info: "blue", notice: "grey" } as const;

type Told = Pick<Message, "blocks" | "lang" | "severity">;

/** A message before there is one: what is left is the mentions and the card around. */
export const NOTHING: Told = { blocks: {}, lang: "en", severity: "critical" };

export interface Form {
  readonly msgType: "card" | "card_v2" | "post" | "text";
  readonly atAll: boolean;
  readonly atUserIds: readonly string[];
}

/** The part of the body that differs by the kind of message. */
export function contentOf({ msgType, atAll, atUserIds }: Form, message: Told) {
  const ids = [...(atAll ? ["all"] : []), ...atUserIds.map(plainId)];
  return {
    text: () => ({ msg_type: "text", content: { text: asText(message, ids) } }),
    post: () => ({ msg_type: "post", content: { post: asPost(message, ids) } }),
    card: () => ({ msg_type: "interactive", card: asCard(message, ids) }),
    card_v2: () => ({ msg_type: "interactive", card: asCardV2(message, ids) }),
  }[msgType]();
}

function asText({ blocks, lang }: Told, ids: readonly string[]): string {
  const everyone = lang === "zh" ? "所有人" : "Everyone";
  const mentions = ids
    .map((id) => `<at user_id="${id}">${id === "all" ? everyone : id}</at>`)
    .join(" ");
  return [blocks["text"] ?? "", mentions].filter((line) => line !== "").join("\n");
}

/** Paragraphs of plain text elements: Lark reads no markup in them. */
function asPost(message: Told, ids: readonly string[]) {
  const content: unknown[][] = [];
  for (const line of lines(message)) content.push([{ tag: "text", text: line }]);
  const { link = "", "link-text": text = "" } = message.blocks;
  if (link !== "") content.push([{ tag: "a", text, href: link }]);
  for (const line of labels(message)) content.push([{ tag: "text", text: line }]);
  if (ids.length > 0) content.push(ids.map((id) => ({ tag: "at", user_id: id })));
  const title = message.blocks["title"] ?? "";
  return { [message.lang === "zh" ? "zh_cn" : "en_us"]: { title, content } };
}

function asCard(message: Told, ids: readonly string[]) {
  return {
    config: { wide_screen_mode: true },
    header: header(message),
    elements: [
      ...lines(message).map(paragraph),
      ...button(message).map((one) => ({
        tag: "action",
        actions: [{ ...one.face, url: one.url }],
      })),
      ...labels(message).map(paragraph),
      ...(ids.length > 0
        ? [{ tag: "div", text: { tag: "lark_md", content: cardMentions(ids) } }]
        : []),
    ],
  };
}

function asCardV2(message: Told, ids: readonly string[]) {
  return {
    schema: "2.0",
    header: header(message),
    body: {
      elements: [
        ...lines(message).map(paragraph),
        ...button(message).map((one) => ({
          ...one.face,
          behaviors: [{ type: "open_url", default_url: one.url }],
        })),
        ...labels(message).map(paragraph),
        ...(ids.length > 0 ? [{ tag: "markdown", content: cardMentions(ids) }] : []),
      ],
    },
  };
}

const header = (message: Told) => ({
  template: COLOUR[message.severity],
  title: { tag: "plain_text", content: message.blocks["title"] ?? "" },
});

const paragraph = (content: string) => ({ tag: "div", text: { tag: "plain_text", content } });

/** One where there is a page to open. */
function button({ blocks }: Told) {
  const { link = "", "link-text": content = "" } = blocks;
  const face = { tag: "button", text: { tag: "plain_text", content }, type: "default" };
  return link === "" ? [] : [{ face, url: link }];
}

const cardMentions = (ids: readonly string[]) => ids.map((id) => `<at id=${id}></at>`).join(" ");

function lines({ blocks }: Told): string[] {
  const where = [blocks["place"], blocks["times"]].filter(
    (part) => part !== undefined && part !== "",
  );
  return [where.join(" · "), blocks["message"] ?? "", blocks["command"] ?? ""].filter(
    (line) => line !== "",
  );
}

function labels({ blocks }: Told): string[] {
  const { labels: text = "" } = blocks;
  return text === "" ? [] : [text];
}

/** From the configuration, yet written into markup. */
export function plainId(id: string): string {
  return id.replaceAll(/[^\w-]/g, "");
}
