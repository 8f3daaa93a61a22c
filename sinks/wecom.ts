import {
  bodyVerdict,
  type CodeTable,
  defineHttpSink,
  errcodeOf,
  roomProblem,
  s,
  said,
} from "../src/sink/index.ts";

const DOCS = "https://developer.work.weixin.qq.com/document/path/91770";
const CODES_PAGE = "https://developer.work.weixin.qq.com/document/path/90313";
const INVALID_URL = "https://github.com/wes-lin/Cloud189Checkin/issues/175";
const TOO_OFTEN = "https://github.com/WecomTeam/wecom-openclaw-plugin/issues/48";

/** Of a markdown's content, with the mentions in it. */
const MARKDOWN_BYTES = 4096;

const CODES: CodeTable = {
  "-1": { kind: "retryable", reason: "server", next: "" },
  "45009": { kind: "throttled", retryAfterMs: null, next: "" },
  "40058": { kind: "permanent", reason: "tooLarge", next: "" },
  "93000": {
    kind: "permanent",
    reason: "auth",
    next: "check the key of the webhook URL; the robot may have been removed from the group",
  },
};

export default defineHttpSink({
  type: "wecom",
  title: "WeCom",
  summary: "A group robot in WeCom (企业微信): markdown or text; with mentions.",
  docs: DOCS,
  facts: {
    kind: "chat",
    auth: "the URL's key",
    idempotency: "none: the robot knows no key, so an answer lost after acceptance is told again",
    batch: "one message a request",
    testedAgainst: "a server that goes by the documentation: rate, size, errcode in HTTP 200",
  },
  options: s
    .object({
      webhook: s.secretUrl({
        description: "The robot's webhook URL, key included.",
        example: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…",
      }),
      msgType: s
        .oneOf(["markdown", "text"], {
          description: "The kind of message. Markdown can mention user IDs only.",
        })
        .default("markdown"),
      atUserIds: s
        .list({
          description: "User IDs of members to mention.",
          example: ["zhangsan"],
          aliases: ["mentionedList"],
        })
        .prefault([]),
      atMobiles: s
        .list({
          description: "Mobile numbers of members to mention; `msgType: text` only.",
          example: ["13800000000"],
          aliases: ["mentionedMobileList"],
        })
        .prefault([]),
      atAll: s
        .bool({ description: "Mention everyone in the group; `msgType: text` only." })
        .default(false),
    })
    .superRefine((options, ctx) => {
      const problem = (path: string, message: string) =>
        ctx.addIssue({ code: "custom", path: [path], message });
      if (options.msgType === "text") return;
      if (options.atAll || options.atMobiles.length > 0)
        problem(
          "msgType",
          "markdown can mention user IDs only; expected `text` with atAll or atMobiles, or atUserIds instead",
        );
      if (options.atUserIds.some((id) => plainId(id) === ""))
        problem(
          "atUserIds",
          "has one that is no user ID; expected letters, digits and - _ . @, as in the admin console",
        );
      const taken = Buffer.byteLength(mentions(options.atUserIds));
      const tooMany = roomProblem(taken, MARKDOWN_BYTES);
      if (tooMany !== null)
        problem("atUserIds", `${tooMany} (or msgType text, beside which they stand)`);
    }),
  uri: {
    target: "webhook",
    keep: ["key"],
    robots: { hosts: ["qyapi.weixin.qq.com"], path: "/cgi-bin/webhook/send" },
  },
  example: {
    uri: "wecom:https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab-cdef-0123-456789abcdef&at_user_ids=zhangsan",
    yaml: {
      webhook:
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab-cdef-0123-456789abcdef",
      atUserIds: ["zhangsan"],
    },
  },
  blocks: ({ msgType }) => (msgType === "text" ? { text: "text" } : { markdown: "wecom" }),
  robot: ({ webhook }) => new URL(webhook.reveal()).searchParams.get("key") ?? webhook.reveal(),
  limits: (options) => ({
    rates: [{ count: 20, perMs: 60_000 }],
    concurrency: 1,
    body: null,
    blocks: {
      text: { max: 2048, unit: "bytes" },
      // The mentions are part of the content and count.
      markdown: {
        max: MARKDOWN_BYTES - Buffer.byteLength(mentions(options.atUserIds)),
        unit: "bytes",
      },
    },
    throttledMs: 60_000,
  }),
  request: (options, message) => {
    const content = {
      text: () => ({
        content: message.blocks["text"] ?? "",
        mentioned_list: [...options.atUserIds, ...(options.atAll ? ["@all"] : [])],
        mentioned_mobile_list: options.atMobiles,
      }),
      markdown: () => ({
        content: (message.blocks["markdown"] ?? "") + mentions(options.atUserIds),
      }),
    }[options.msgType]();
    return {
      method: "POST",
      url: options.webhook.reveal(),
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify({ msgtype: options.msgType, [options.msgType]: content }),
    };
  },
  accept: (answer) => bodyVerdict(answer, errcodeOf(answer), CODES),
  refusesWith200: true,
  samples: [
    said("accepted", { errcode: 0, errmsg: "ok" }, "accepted", DOCS),
    said("system busy", { errcode: -1, errmsg: "system busy" }, "retryable", CODES_PAGE),
    said("too often", { errcode: 45009, errmsg: "api freq out of limit" }, "throttled", TOO_OFTEN),
    said(
      "too long",
      { errcode: 40058, errmsg: "markdown.content exceed max length 4096" },
      "permanent",
      DOCS,
    ),
    said(
      "no such key",
      { errcode: 93000, errmsg: "invalid webhook url" },
      "permanent",
      INVALID_URL,
    ),
    said("not WeCom at all", "<html>Sign in to the network</html>", "retryable", DOCS),
    said("a code nobody knows", { errcode: 987654, errmsg: "new" }, "retryable", CODES_PAGE),
  ],
});

/** At the end of a markdown content; empty without IDs. */
function mentions(userIds: readonly string[]): string {
  if (userIds.length === 0) return "";
  return `\n${userIds.map((id) => `<@${plainId(id)}>`).join("")}`;
}

/** From the configuration, yet written into markdown. */
function plainId(id: string): string {
  return id.replaceAll(/[^\w.@-]/g, "");
}
