import { createHmac } from "node:crypto";
import {
  bodyVerdict,
  type CodeTable,
  codeOf,
  defineHttpSink,
  fieldsOf,
  type HttpAnswer,
  type Message,
  type Said,
  s,
  said,
  throttled,
} from "../src/sink/index.ts";

const DOCS = "https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot";
const LIMITS = "https://open.larkoffice.com/document/ukTMukTMukTM/uUzN04SN3QjL1cDN.md";
const SIGN = "https://github.com/feiyu563/PrometheusAlert/issues/422";
const TOKEN = "https://github.com/sansan0/TrendRadar/issues/278";

const CODES: CodeTable = {
  "19001": {
    kind: "permanent",
    reason: "auth",
    next: "check the token at the end of the webhook URL",
  },
  "19021": { kind: "permanent", reason: "auth", next: "check `secret` and this machine's clock" },
  "19022": {
    kind: "permanent",
    reason: "auth",
    next: "this machine's address is not in the bot's allow list",
  },
  "19024": { kind: "permanent", reason: "rejected", next: "put the bot's keyword into a `label`" },
  "19036": { kind: "permanent", reason: "tooLarge", next: "" },
  "9499": { kind: "permanent", reason: "rejected", next: "" },
  "11232": { kind: "throttled", retryAfterMs: null, next: "" },
  "99991400": { kind: "throttled", retryAfterMs: null, next: "" },
  "2200": { kind: "retryable", reason: "server", next: "" },
};

const COLOUR = { critical: "red", warning: "orange", info: "blue", notice: "grey" } as const;

export default defineHttpSink({
  type: "lark",
  title: "Lark / Feishu",
  summary: "A custom bot in a Feishu or Lark group: card, post or text; signed; with mentions.",
  docs: DOCS,
  facts: {
    kind: "chat",
    auth: "the URL's token; HMAC-SHA256 signature (`secret`)",
    idempotency: "none: Lark knows no key, so an answer lost after acceptance is told again",
    batch: "one message a request",
    testedAgainst:
      "a server that goes by the documentation: signature, rate, size, code in HTTP 200",
  },
  options: s.object({
    webhook: s.secretUrl({
      description: "The bot's webhook URL, at open.feishu.cn or open.larksuite.com.",
      example: "https://open.feishu.cn/open-apis/bot/v2/hook/…",
    }),
    secret: s
      .secret({
        description: "The bot's signing secret, where its security setting is “signature”.",
        aliases: ["sign"],
      })
      .optional(),
    msgType: s
      .oneOf(["card", "card_v2", "post", "text"], {
        description: "The kind of message. `card_v2` needs a client of version 7.20 or newer.",
      })
      .default("card"),
    atUserIds: s
      .list({ description: "Open IDs (`ou_…`) of members to mention.", example: ["ou_abc123"] })
      .prefault([]),
    atAll: s.bool({ description: "Mention everyone in the group." }).default(false),
  }),
  uri: { target: "webhook", keep: [] },
  example: {
    uri: "lark:https://open.feishu.cn/open-apis/bot/v2/hook/01234567-89ab-cdef-0123-456789abcdef?secret=fedcba9876543210&at_user_ids=ou_abc123",
    yaml: {
      webhook: "https://open.feishu.cn/open-apis/bot/v2/hook/01234567-89ab-cdef-0123-456789abcdef",
      secret: "fedcba9876543210",
      atUserIds: ["ou_abc123"],
    },
  },
  blocks: ({ msgType }) =>
    msgType === "text"
      ? { text: "lark" }
      : {
          title: "text",
          place: "text",
          times: "text",
          message: "text",
          command: "text",
          link: "text",
          "link-text": "text",
        },
  robot: ({ webhook }) => webhook.reveal(),
  limits: () => ({
    // The platform's own; the second is the one a storm meets.
    rates: [
      { count: 5, perMs: 1000 },
      { count: 100, perMs: 60_000 },
    ],
    concurrency: 1,
    body: { max: 20_000, unit: "bytes" },
    // JSON may double a text of quotes; together they leave room for the card around them.
    blocks: {
      title: { max: 300, unit: "bytes" },
      place: { max: 400, unit: "bytes" },
      times: { max: 300, unit: "bytes" },
      message: { max: 6500, unit: "bytes" },
      command: { max: 600, unit: "bytes" },
      link: { max: 900, unit: "bytes" },
      "link-text": { max: 200, unit: "bytes" },
      text: { max: 8500, unit: "bytes" },
    },
    throttledMs: 60_000,
  }),
  request: (options, message, now) => {
    const ids = [...(options.atAll ? ["all"] : []), ...options.atUserIds.map(plainId)];
    const content = {
      text: () => ({ msg_type: "text", content: { text: asText(message, ids) } }),
      post: () => ({ msg_type: "post", content: { post: asPost(message, ids) } }),
      card: () => ({ msg_type: "interactive", card: asCard(message, ids) }),
      card_v2: () => ({ msg_type: "interactive", card: asCardV2(message, ids) }),
    }[options.msgType]();
    return {
      method: "POST",
      url: options.webhook.reveal(),
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify({ ...signature(options.secret?.reveal(), now), ...content }),
    };
  },
  accept: (answer) => {
    const heard = saidBy(answer);
    // "too many request" and "Bad Request" share one code.
    if (heard.code === "9499" && /too many|frequen/i.test(heard.text)) {
      return throttled(null, `9499 ${heard.text.slice(0, 200)}`);
    }
    const verdict = bodyVerdict(answer, heard, CODES);
    const reset = Number(answer.headers["x-ogw-ratelimit-reset"]);
    return verdict.kind === "throttled" && reset > 0
      ? throttled(reset * 1000, verdict.detail)
      : verdict;
  },
  refusesWith200: true,
  samples: [
    said("accepted", { code: 0, msg: "success", data: {} }, "accepted", DOCS),
    said("an old bot accepts", { StatusCode: 0, StatusMessage: "success" }, "accepted", DOCS),
    said(
      "an old bot refuses",
      { StatusCode: 19024, StatusMessage: "Key Words" },
      "permanent",
      DOCS,
    ),
    said("sign", { code: 19021, msg: "sign match fail", data: {} }, "permanent", SIGN),
    said("token", { code: 19001, msg: "access token invalid" }, "permanent", TOKEN),
    said("address", { code: 19022, msg: "Ip Not Allowed" }, "permanent", DOCS),
    said("keyword", { code: 19024, msg: "Key Words Not Found" }, "permanent", DOCS),
    said("bad request", { code: 9499, msg: "Bad Request" }, "permanent", DOCS),
    said("too many", { code: 9499, msg: "too many request" }, "throttled", DOCS),
    said("frequency", { code: 11232, msg: "frequency limited" }, "throttled", LIMITS),
    said("internal", { code: 2200, msg: "internal error" }, "retryable", "openclaw, issue 70879"),
    said("too large", { code: 19036, msg: "too large" }, "permanent", "hughcube/laravel-lark"),
    said("not Lark at all", "<html>Sign in to the network</html>", "retryable", DOCS),
    {
      name: "throttled as the open API does it",
      status: 400,
      headers: { "x-ogw-ratelimit-reset": "7" },
      body: { code: 99991400, msg: "request trigger frequency limit" },
      expect: "throttled",
      source: LIMITS,
    },
  ],
});

/**
 * Not DingTalk's: here "timestamp\nsecret" is the key and the message is empty; seconds; in the body.
 * Made anew for each attempt, as it is good for an hour.
 */
function signature(secret: string | undefined, now: number) {
  if (secret === undefined) return {};
  const timestamp = String(Math.floor(now / 1000));
  const sign = createHmac("sha256", `${timestamp}\n${secret}`).update("").digest("base64");
  return { timestamp, sign };
}

/** `code`/`msg`, or `StatusCode`/`StatusMessage` as bots of the first generation say it. */
function saidBy(answer: HttpAnswer): Said {
  const fields = fieldsOf(answer.json);
  const code = codeOf(fields?.["code"] ?? fields?.["StatusCode"]);
  const text = codeOf(fields?.["msg"] ?? fields?.["StatusMessage"]) ?? "";
  return { code, ok: code === "0", text };
}

function asText({ blocks, lang }: Message, ids: readonly string[]): string {
  const everyone = lang === "zh" ? "所有人" : "Everyone";
  const mentions = ids
    .map((id) => `<at user_id="${id}">${id === "all" ? everyone : id}</at>`)
    .join(" ");
  return [blocks["text"] ?? "", mentions].filter((line) => line !== "").join("\n");
}

/** Paragraphs of plain text elements: Lark reads no markup in them. */
function asPost(message: Message, ids: readonly string[]) {
  const content: unknown[][] = [];
  for (const line of lines(message)) content.push([{ tag: "text", text: line }]);
  const { link = "", "link-text": text = "" } = message.blocks;
  if (link !== "") content.push([{ tag: "a", text, href: link }]);
  if (ids.length > 0) content.push(ids.map((id) => ({ tag: "at", user_id: id })));
  const title = message.blocks["title"] ?? "";
  return { [message.lang === "zh" ? "zh_cn" : "en_us"]: { title, content } };
}

function asCard(message: Message, ids: readonly string[]) {
  return {
    config: { wide_screen_mode: true },
    header: header(message),
    elements: [
      ...lines(message).map(paragraph),
      ...button(message).map((one) => ({
        tag: "action",
        actions: [{ ...one.face, url: one.url }],
      })),
      ...(ids.length > 0
        ? [{ tag: "div", text: { tag: "lark_md", content: cardMentions(ids) } }]
        : []),
    ],
  };
}

function asCardV2(message: Message, ids: readonly string[]) {
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
        ...(ids.length > 0 ? [{ tag: "markdown", content: cardMentions(ids) }] : []),
      ],
    },
  };
}

const header = (message: Message) => ({
  template: COLOUR[message.severity],
  title: { tag: "plain_text", content: message.blocks["title"] ?? "" },
});

const paragraph = (content: string) => ({ tag: "div", text: { tag: "plain_text", content } });

/** One where there is a page to open. */
function button({ blocks }: Message) {
  const { link = "", "link-text": content = "" } = blocks;
  const face = { tag: "button", text: { tag: "plain_text", content }, type: "default" };
  return link === "" ? [] : [{ face, url: link }];
}

const cardMentions = (ids: readonly string[]) => ids.map((id) => `<at id=${id}></at>`).join(" ");

function lines({ blocks }: Message): string[] {
  const where = [blocks["place"], blocks["times"]].filter(
    (part) => part !== undefined && part !== "",
  );
  return [where.join(" · "), blocks["message"] ?? "", blocks["command"] ?? ""].filter(
    (line) => line !== "",
  );
}

/** From the configuration, yet written into markup. */
const plainId = (id: string) => id.replaceAll(/[^\w-]/g, "");
