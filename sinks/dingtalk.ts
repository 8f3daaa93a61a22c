import { createHmac } from "node:crypto";
import {
  bodyVerdict,
  type CodeTable,
  defineHttpSink,
  errcodeOf,
  fieldsOf,
  goJson,
  type HttpRequest,
  type Message,
  type OptionsOf,
  roomProblem,
  s,
  said,
  type StrictBlock,
  type StrictEvent,
  strictText,
  throttled,
} from "../src/sink/index.ts";
import { strictMarkdown } from "./dingtalk/markdown.ts";

const DOCS = "https://help.dingtalk.io/open/development/custom-robots-send-group-messages";
// A copy of the official table of global return codes.
const RETURN_CODES = "https://mabiji.com/dingtalk/errcode.html";
const TOKEN = "https://github.com/timonwong/prometheus-webhook-dingtalk/issues/91";
const OUTER = "https://github.com/timonwong/prometheus-webhook-dingtalk/issues/226";
const TOO_LONG = "https://github.com/timonwong/prometheus-webhook-dingtalk/issues/30";
const QUOTA = "WatchAlert, issue 91";
const SECURITY = "https://open.dingtalk.com/document/robots/customize-robot-security-settings";

const BODY_BYTES = 20_000;

const NO_TOKEN = {
  kind: "permanent",
  reason: "auth",
  next: "check the access_token of the webhook URL",
} as const;

const CODES: CodeTable = {
  "-1": { kind: "retryable", reason: "server", next: "" },
  "130101": { kind: "throttled", retryAfterMs: null, next: "" },
  "101002": { kind: "permanent", reason: "tooLarge", next: "" },
  "460101": { kind: "permanent", reason: "tooLarge", next: "" },
  "300001": NO_TOKEN,
  "300005": NO_TOKEN,
  "310000": {
    kind: "permanent",
    reason: "auth",
    next: "the robot's security settings refused it: check `secret`, this machine's clock, its address in the allow list, or put the robot's keyword into a `label`",
  },
  // The month's quota of a free tenant: asking once an hour does no harm, and is answered as soon as the quota is raised.
  "90030": {
    kind: "throttled",
    retryAfterMs: 3_600_000,
    next: "the tenant's monthly webhook quota is used up",
  },
};

const options = s
  .object({
    webhook: s.secretUrl({
      description: "The robot's webhook URL, access_token included.",
      example: "https://oapi.dingtalk.com/robot/send?access_token=…",
    }),
    secret: s
      .secret({
        description: "The robot's signing secret, where its security setting is “sign”.",
        example: "SEC…",
        aliases: ["sign"],
      })
      .optional(),
    msgType: s
      .oneOf(["markdown", "text", "actionCard"], {
        description: "The kind of message. An actionCard has one button and cannot mention anyone.",
      })
      .default("markdown"),
    atMobiles: s
      .list({ description: "Mobile numbers of members to mention.", example: ["13800000000"] })
      .prefault([]),
    atUserIds: s
      .list({ description: "User IDs of members to mention.", example: ["manager123"] })
      .prefault([]),
    atAll: s
      .bool({ description: "Mention everyone in the group.", aliases: ["isAtAll"] })
      .default(false),
    actionUrl: s
      .text({
        description: "Where the button of an actionCard leads: your dashboard.",
        example: "https://grafana.example.com/d/k8s",
      })
      .optional(),
    actionTitle: s.text({ description: "What the button of an actionCard says." }).default("Open"),
    clusterId: s
      .text({ description: "An identifier of the cluster, written at the end of each message." })
      .optional(),
    region: s.text({ description: "The cluster's region, written beside clusterId." }).optional(),
  })
  .superRefine((given, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    const { atMobiles, atUserIds } = given;
    for (const [name, ids] of Object.entries({ atMobiles, atUserIds }))
      if (ids.some((id) => plain(id).trim() === "")) problem(name, "has one that names nobody");
    const tooMany = roomProblem(
      Buffer.byteLength(bodyOf(given, { id: "", blocks: {} })),
      BODY_BYTES,
    );
    if (tooMany !== null) {
      const path = atMobiles.length > atUserIds.length ? "atMobiles" : "atUserIds";
      problem(path, `with clusterId, region and the button's URL they ${tooMany}`);
    }
    if (given.msgType !== "actionCard") return;
    if (given.actionUrl === undefined || !URL.canParse(given.actionUrl))
      problem("actionUrl", "an actionCard needs a URL for its button; expected https://HOST/PATH");
    if (given.atAll || atMobiles.length + atUserIds.length > 0)
      problem("msgType", "an actionCard cannot mention anyone; expected markdown or text");
  });

export default defineHttpSink({
  type: "dingtalk",
  title: "DingTalk",
  summary:
    "A custom robot in a DingTalk group: text, markdown or a card with a button; signed; with mentions.",
  docs: DOCS,
  facts: {
    kind: "chat",
    auth: "the URL's access_token; HMAC-SHA256 signature (`secret`)",
    idempotency: "`msgUuid` is the same for each attempt; DingTalk does not promise to heed it",
    batch: "one message a request",
    testedAgainst:
      "a server that goes by the documentation: signature, rate, size, errcode in HTTP 200",
  },
  options,
  uri: {
    target: "webhook",
    keep: ["access_token"],
    robots: { hosts: ["oapi.dingtalk.com", "oapi.dingtalk.io"], path: "/robot/send" },
    alwaysHttps: /^http:\/\/[\w.-]*\.dingtalk\.(com|io)\b/i,
  },
  example: {
    uri: "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef&sign=SECfedcba9876543210&at_mobiles=13800000000",
    yaml: {
      webhook: "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef",
      secret: "SECfedcba9876543210",
      atMobiles: ["13800000000"],
    },
  },
  blocks: ({ msgType }) =>
    msgType === "text" ? { text: "text" } : { title: "text", markdown: "markdown" },
  // The rest of the address is how it is reached, and a signature.
  robot: ({ webhook }) =>
    new URL(webhook.reveal()).searchParams.get("access_token") ?? webhook.reveal(),
  limits: () => ({
    rates: [{ count: 20, perMs: 60_000 }],
    concurrency: 1,
    body: { max: BODY_BYTES, unit: "bytes" },
    // JSON may double a text of quotes; the rest is for title and mentions.
    blocks: {
      title: { max: 300, unit: "bytes" },
      text: { max: 8500, unit: "bytes" },
      markdown: { max: 8500, unit: "bytes" },
    },
    throttledMs: 600_000,
  }),
  strict: {
    about:
      "the text (without `msgType`) or the markdown of kube-eventer, byte for byte, with the Event's own name in it and without a `msgUuid`: what is sent again because its answer was lost is shown twice. Mended: a `%` in a label stays one, nothing in a message formats or mentions, and a message too long for DingTalk is cut.",
    defaults: { msgType: "text" },
    blocks: strictBlocks,
    request: strictRequest,
  },
  request,
  accept: (answer) => {
    const fields = fieldsOf(answer.json);
    // The gateway's own words when a robot is muted: {"status":1111,"wait":5,"punish":"deny"}.
    if (fields?.["status"] === 1111) {
      const wait = fields["wait"];
      return throttled(
        typeof wait === "number" ? wait * 1000 : null,
        "muted by the gateway (1111)",
      );
    }
    return bodyVerdict(answer, errcodeOf(answer), CODES);
  },
  refusesWith200: true,
  samples: [
    said("accepted", { errcode: 0, errmsg: "ok" }, "accepted", DOCS),
    said("system busy", { errcode: -1, errmsg: "系统繁忙" }, "retryable", RETURN_CODES),
    said("sign", { errcode: 310000, errmsg: "sign not match" }, "permanent", SECURITY),
    said("keyword", { errcode: 310000, errmsg: "keywords not in content" }, "permanent", SECURITY),
    said("no such token", { errcode: 300001, errmsg: "token is not exist" }, "permanent", TOKEN),
    said("outer group", { errcode: 300005, errmsg: "token is not exist" }, "permanent", OUTER),
    said("too fast", { errcode: 130101, errmsg: "send too fast" }, "throttled", DOCS),
    said("muted", { status: 1111, wait: 5, punish: "deny" }, "throttled", DOCS),
    said("quota", { errcode: 90030, errmsg: "webhook over limit" }, "throttled", QUOTA),
    said("too long", { errcode: 460101, errmsg: "message too long" }, "permanent", TOO_LONG),
    said("too long, older", { errcode: 101002, errmsg: "too long" }, "permanent", TOO_LONG),
    said("not DingTalk at all", "<html>Sign in to the network</html>", "retryable", DOCS),
    said("a code nobody knows", { errcode: 987654, errmsg: "new" }, "retryable", DOCS),
  ],
});

type Options = OptionsOf<typeof options>;

function request(given: Options, message: Message, now: number): HttpRequest {
  return posted(given, now, bodyOf(given, message));
}

type Body = Omit<Options, "webhook" | "secret">;

function bodyOf(given: Body, message: Pick<Message, "id" | "blocks">): string {
  const { title = "", text = "", markdown = "" } = message.blocks;
  const cluster = [given.clusterId, given.region]
    .filter((part) => part !== undefined)
    .map(plain)
    .join(" · ");
  const tail = [cluster, mentionsOf(given)].filter((line) => line !== "");
  const paragraphs = (body: string) => [body, ...tail].join("\n\n");
  const content = {
    text: () => ({ text: { content: [text, ...tail].join("\n") }, at: atOf(given) }),
    markdown: () => ({ markdown: { title, text: paragraphs(markdown) }, at: atOf(given) }),
    actionCard: () => ({
      actionCard: {
        title,
        text: paragraphs(markdown),
        singleTitle: given.actionTitle,
        singleURL: given.actionUrl,
      },
    }),
  }[given.msgType]();
  return JSON.stringify({ msgtype: given.msgType, ...content, msgUuid: message.id });
}

/** kube-eventer writes both contents, one of them empty. Nobody is mentioned unless an option says so, which it does not know. */
function strictRequest(given: Options, message: Message, now: number): HttpRequest {
  if (given.msgType === "actionCard") return request(given, message, now);
  const { title = "", text = "", markdown = "" } = message.blocks;
  const mentions = mentionsOf(given);
  const called = (body: string, between: string) =>
    body === "" || mentions === "" ? body : `${body}${between}${mentions}`;
  const body = goJson({
    msgtype: given.msgType,
    text: { content: called(text, "\n") },
    markdown: { title, text: called(markdown, "\n\n") },
    ...(mentions !== "" || given.atAll ? { at: atOf(given) } : {}),
  });
  return posted(given, now, body);
}

/** It has no cards: they stay as they are. */
function strictBlocks(given: Options): Readonly<Record<string, StrictBlock>> {
  switch (given.msgType) {
    case "text":
      return { text: { medium: "text", write: textOf } };
    case "markdown":
      return {
        title: { medium: "text", write: () => `Kubernetes(ID:${given.clusterId ?? ""}) Event` },
        markdown: { medium: "markdown", write: (event) => strictMarkdown(event, given) },
      };
    case "actionCard":
      return {};
  }
}

/** Without fractions of a second and without the zone. */
function textOf(event: StrictEvent): string {
  return strictText(event, event.time.slice(0, "2006-01-02 15:04:05".length));
}

function posted(given: Options, now: number, body: string): HttpRequest {
  return {
    method: "POST",
    url: signed(given.webhook.reveal(), given.secret?.reveal(), now),
    headers: { "content-type": "application/json;charset=utf-8" },
    body,
  };
}

/** DingTalk mentions only whom the text names, too. */
function mentionsOf({ atMobiles, atUserIds }: Body): string {
  return [...atMobiles, ...atUserIds].map((name) => `@${plain(name)}`).join(" ");
}

function atOf({ atMobiles, atUserIds, atAll }: Body) {
  return { atMobiles, atUserIds, isAtAll: atAll };
}

/** `sign` = base64 of HMAC-SHA256 over "timestamp\nsecret" with the secret as key; milliseconds; made anew for each attempt, as it is good for an hour. */
function signed(webhook: string, secret: string | undefined, now: number): string {
  if (secret === undefined) return webhook;
  const sign = createHmac("sha256", secret).update(`${now}\n${secret}`).digest("base64");
  const separator = webhook.includes("?") ? "&" : "?";
  return `${webhook}${separator}sign=${encodeURIComponent(sign)}&timestamp=${now}`;
}

/** From the configuration, yet part of a text: nothing that markdown would take for its own. */
function plain(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}_\-+$. :/]/gu, "");
}
