import {
  bodyVerdict,
  type CodeTable,
  codeOf,
  defineHttpSink,
  fieldsOf,
  type HttpAnswer,
  type Meaning,
  type Said,
  s,
  said,
} from "../src/sink/index.ts";

const DOCS = "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks";
const METHOD = "https://docs.slack.dev/reference/methods/chat.postMessage";
const RATES = "https://docs.slack.dev/apis/web-api/rate-limits";
const TOO_LONG = "https://github.com/slackapi/bolt-js/issues/2509";
const API = "https://slack.com/api/chat.postMessage";

const COLOUR = {
  critical: "#d92d20",
  warning: "#f79009",
  info: "#2e90fa",
  notice: "#98a2b3",
} as const;

/** Characters of a section's text. */
const SECTION = 3000;

const auth = (next: string): Meaning => ({ kind: "permanent", reason: "auth", next });
const config = (next: string): Meaning => ({ kind: "permanent", reason: "config", next });
const tooLarge: Meaning = { kind: "permanent", reason: "tooLarge", next: "" };
const refused: Meaning = { kind: "permanent", reason: "rejected", next: "" };
const busy: Meaning = { kind: "retryable", reason: "server", next: "" };
const slower: Meaning = { kind: "throttled", retryAfterMs: null, next: "" };

const CODES: CodeTable = {
  ratelimited: slower,
  rate_limited: slower,
  message_limit_exceeded: slower,
  internal_error: busy,
  fatal_error: busy,
  service_unavailable: busy,
  request_timeout: busy,
  rollup_error: busy,
  invalid_auth: auth("check `token`"),
  not_authed: auth("check `token`"),
  account_inactive: auth("the token's user or workspace is gone"),
  token_revoked: auth("install the app again and take its new token"),
  token_expired: auth("install the app again and take its new token"),
  missing_scope: auth("give the app the scope chat:write"),
  no_permission: auth("give the app the scope chat:write"),
  invalid_token: auth("check the webhook URL"),
  no_service: auth("the webhook was removed; make a new one"),
  no_active_hooks: auth("the webhook was removed; make a new one"),
  channel_not_found: config("check `channel`, and invite the app to it"),
  not_in_channel: config("invite the app to the channel"),
  is_archived: config("the channel is archived"),
  channel_is_archived: config("the channel is archived"),
  action_prohibited: config("an administrator has restricted this webhook"),
  restricted_action: config("a workspace setting forbids posting there"),
  msg_too_long: tooLarge,
  msg_blocks_too_long: tooLarge,
  invalid_blocks: refused,
  invalid_payload: refused,
  no_text: refused,
};

export default defineHttpSink({
  type: "slack",
  title: "Slack",
  summary:
    "A Slack channel, by an incoming webhook or by chat.postMessage with a bot token; Block Kit.",
  docs: DOCS,
  facts: {
    kind: "chat",
    auth: "the URL's token, or a bot token",
    idempotency: "none: Slack knows no key, so an answer lost after acceptance is told again",
    batch: "one message a request",
    testedAgainst: "a server that goes by the documentation: rate, size, `ok: false` in HTTP 200",
  },
  options: s
    .object({
      webhook: s
        .secretUrl({
          description: `The incoming webhook's URL; with \`token\` the API method to call, by default ${API}.`,
          example: "https://hooks.slack.com/services/T…/B…/…",
        })
        .optional(),
      token: s
        .headerSecret({
          description: "A bot token with the scope chat:write, to post by chat.postMessage.",
          example: "xoxb-…",
        })
        .optional(),
      channel: s
        .text({
          description: "The channel's ID or name; with `token` only.",
          example: "C0123456789",
        })
        .optional(),
      mention: s
        .list({
          description:
            "Whom to mention: user IDs (`U…`), user group IDs (`S…`), `here` or `channel`.",
          example: ["U0123456789", "here"],
        })
        .prefault([]),
    })
    .superRefine((options, ctx) => {
      const problem = (path: string, message: string) =>
        ctx.addIssue({ code: "custom", path: [path], message });
      if (options.token === undefined) {
        if (options.webhook === undefined) {
          problem(
            "webhook",
            "is missing; expected an incoming webhook's URL, or token and channel",
          );
        }
        if (options.channel !== undefined) {
          problem("channel", "an incoming webhook has its own channel; expected a token with it");
        }
      } else if (options.channel === undefined) {
        problem("channel", "is missing; expected the channel to post to with the token");
      }
      const { length } = mentionsOf(options.mention);
      if (length > SECTION)
        problem(
          "mention",
          `takes ${length} characters; Slack takes ${SECTION}: mention a user group (S…) in their place`,
        );
      for (const name of options.mention) {
        if (mentionOf(name) === null) {
          problem("mention", `"${name}" is not a user ID, a user group ID, here or channel`);
        }
      }
    }),
  uri: {
    target: "webhook",
    keep: [],
    // What is beyond its rate Slack may hide, and say ok.
    robots: { hosts: ["hooks.slack.com"], path: "/services/" },
  },
  example: {
    uri: "slack:https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnopqrstuvwx?mention=U0123456789",
    yaml: {
      webhook: "https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnopqrstuvwx",
      mention: ["U0123456789"],
    },
  },
  blocks: () => ({
    title: "text",
    fallback: "slack",
    context: "slack",
    message: "text",
    command: "text",
    link: "slack",
    labels: "slack",
  }),
  robot: ({ webhook, token, channel }) =>
    JSON.stringify(token === undefined ? webhook?.reveal() : [token.reveal(), channel]),
  limits: () => ({
    rates: [{ count: 1, perMs: 1000 }],
    concurrency: 1,
    // Blocks beyond about 13,200 characters are refused (msg_blocks_too_long), as found by users.
    body: { max: 13_000, unit: "characters" },
    blocks: {
      title: { max: 150, unit: "characters" },
      fallback: { max: 650, unit: "characters" },
      context: { max: 650, unit: "characters" },
      message: { max: 2400, unit: "characters" },
      command: { max: 600, unit: "characters" },
      link: { max: 640, unit: "characters" },
      // All that a configuration takes.
      labels: { max: 1024, unit: "characters" },
    },
    throttledMs: 30_000,
  }),
  request: ({ webhook, token, channel, mention }, message) => {
    const {
      title = "",
      fallback = "",
      context = "",
      message: text = "",
      command = "",
      link = "",
      labels = "",
    } = message.blocks;
    const mentions = mentionsOf(mention);
    const headline = { type: "header", text: { type: "plain_text", text: title, emoji: false } };
    const ping =
      mentions === "" ? [] : [{ type: "section", text: { type: "mrkdwn", text: mentions } }];
    const detail = [
      ...(context === "" ? [] : [fine(context)]),
      ...(text === "" ? [] : [preformatted(text)]),
      ...(command === "" ? [] : [code(command)]),
      // No button: one with a URL asks the app, too, and a webhook has none to answer.
      ...(link === "" ? [] : [fine(link)]),
      ...(labels === "" ? [] : [fine(labels)]),
    ];
    return {
      method: "POST",
      url: webhook?.reveal() ?? API,
      headers: {
        "content-type": "application/json; charset=utf-8",
        ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
      },
      body: JSON.stringify({
        ...(channel === undefined || token === undefined ? {} : { channel }),
        // Shown in the notification; the blocks stand in its place in the channel.
        text: fallback,
        blocks: [headline, ...ping],
        ...(detail.length === 0
          ? {}
          : { attachments: [{ color: COLOUR[message.severity], blocks: detail }] }),
        unfurl_links: false,
        unfurl_media: false,
      }),
    };
  },
  accept: (answer) => bodyVerdict(answer, saidBy(answer), CODES),
  refusesWith200: true,
  samples: [
    said("a webhook accepts", "ok", "accepted", DOCS),
    said("the API accepts", { ok: true, ts: "1503435956.000247" }, "accepted", METHOD),
    said("rate limited", { ok: false, error: "ratelimited" }, "throttled", RATES),
    said("token", { ok: false, error: "invalid_auth" }, "permanent", METHOD),
    said("scope", { ok: false, error: "missing_scope", needed: "chat:write" }, "permanent", METHOD),
    said("channel", { ok: false, error: "channel_not_found" }, "permanent", METHOD),
    said("not invited", { ok: false, error: "not_in_channel" }, "permanent", METHOD),
    said("blocks too long", { ok: false, error: "msg_blocks_too_long" }, "permanent", TOO_LONG),
    said("internal", { ok: false, error: "internal_error" }, "retryable", METHOD),
    said("an error nobody knows", { ok: false, error: "brand_new" }, "retryable", METHOD),
    said("not Slack at all", "<html>Sign in to the network</html>", "retryable", DOCS),
    { name: "payload", status: 400, body: "invalid_payload", expect: "permanent", source: DOCS },
    { name: "webhook removed", status: 404, body: "no_service", expect: "permanent", source: DOCS },
    {
      name: "archived",
      status: 410,
      body: "channel_is_archived",
      expect: "permanent",
      source: DOCS,
    },
    { name: "rollup", status: 500, body: "rollup_error", expect: "retryable", source: DOCS },
    {
      name: "too many requests",
      status: 429,
      headers: { "retry-after": "30" },
      body: { ok: false, error: "ratelimited" },
      expect: "throttled",
      source: RATES,
    },
  ],
});

/** `{"ok":false,"error":…}` of the API, or the plain word of a webhook. */
function saidBy(answer: HttpAnswer): Said {
  const fields = fieldsOf(answer.json);
  if (fields !== null) {
    const code = codeOf(fields["error"]);
    return { code, ok: fields["ok"] === true, text: codeOf(fields["needed"]) ?? "" };
  }
  const word = answer.text.trim();
  return { code: /^[a-z_]{4,40}$/.test(word) ? word : null, ok: word === "ok", text: "" };
}

const fine = (text: string) => ({ type: "context", elements: [{ type: "mrkdwn", text }] });

/** Rich text is data: Slack reads no markup, mention or link in it. */
const richText = (element: unknown) => ({ type: "rich_text", elements: [element] });

const preformatted = (text: string) =>
  richText({ type: "rich_text_preformatted", elements: [{ type: "text", text }] });

const code = (text: string) =>
  richText({
    type: "rich_text_section",
    elements: [{ type: "text", text, style: { code: true } }],
  });

function mentionsOf(names: readonly string[]): string {
  return names.map((name) => mentionOf(name)).join(" ");
}

function mentionOf(name: string): string | null {
  if (name === "here" || name === "channel") return `<!${name}>`;
  if (/^[UW][A-Z0-9]+$/.test(name)) return `<@${name}>`;
  return /^S[A-Z0-9]+$/.test(name) ? `<!subteam^${name}>` : null;
}
