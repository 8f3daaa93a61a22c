import { createHmac } from "node:crypto";
import {
  bodyVerdict,
  type CodeTable,
  codeOf,
  defineHttpSink,
  fieldsOf,
  type HttpAnswer,
  roomProblem,
  type Said,
  s,
  said,
  throttled,
} from "../src/sink/index.ts";
import { contentOf, NOTHING, plainId } from "./lark/content.ts";

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

const BODY_BYTES = 20_000;

const options = s
  .object({
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
  })
  .superRefine((given, ctx) => {
    const problem = (message: string) =>
      ctx.addIssue({ code: "custom", path: ["atUserIds"], message });
    if (given.atUserIds.some((id) => plainId(id) === ""))
      problem("has one that is no open ID; expected ou_…");
    const taken = Buffer.byteLength(JSON.stringify(contentOf(given, NOTHING)));
    const tooMany = roomProblem(taken, BODY_BYTES);
    if (tooMany !== null) problem(tooMany);
  });

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
  options,
  uri: {
    target: "webhook",
    keep: [],
    robots: { hosts: ["open.feishu.cn", "open.larksuite.com"], path: "/open-apis/bot/" },
  },
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
          labels: "text",
        },
  robot: ({ webhook }) => webhook.reveal(),
  limits: () => ({
    // The platform's own; the second is the one a storm meets.
    rates: [
      { count: 5, perMs: 1000 },
      { count: 100, perMs: 60_000 },
    ],
    concurrency: 1,
    body: { max: BODY_BYTES, unit: "bytes" },
    // JSON may double a text of quotes; together they leave room for the card around them.
    blocks: {
      title: { max: 300, unit: "bytes" },
      place: { max: 400, unit: "bytes" },
      times: { max: 300, unit: "bytes" },
      message: { max: 5500, unit: "bytes" },
      command: { max: 600, unit: "bytes" },
      link: { max: 900, unit: "bytes" },
      "link-text": { max: 200, unit: "bytes" },
      // All that a configuration takes: a robot's required keyword may be the last of them.
      labels: { max: 1100, unit: "bytes" },
      text: { max: 8500, unit: "bytes" },
    },
    throttledMs: 60_000,
  }),
  request: (given, message, now) => ({
    method: "POST",
    url: given.webhook.reveal(),
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify({
      ...signature(given.secret?.reveal(), now),
      ...contentOf(given, message),
    }),
  }),
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
