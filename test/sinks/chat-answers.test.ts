import { describe, expect, it } from "vitest";
import { sinks } from "../../sinks/index.ts";
import type { FailureReason } from "../../src/event/reason.ts";
import type { HttpSinkDefinition } from "../../src/sink/index.ts";
import { anExchange } from "../support/exchange.ts";
import { filled, openAt } from "../support/sinks.ts";

/**
 * What a chat answers, from its documentation and from what its users report: what becomes of the message, what the metric counts it as, and
 * what the person who reads the dead letter is told to do. A platform's limit pauses; what waiting cannot cure is not sent again.
 */
type Row = readonly [
  status: number,
  body: unknown,
  becomes: "retried" | "dead" | `paused ${number | "as ever"}`,
  reason: FailureReason | null,
  todo: RegExp | null,
  headers?: Readonly<Record<string, string>>,
];

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  dingtalk: [
    [200, { errcode: -1, errmsg: "系统繁忙" }, "retried", "server", null],
    [200, { errcode: 130101, errmsg: "send too fast" }, "paused as ever", null, null],
    [200, { status: 1111, wait: 5, punish: "deny" }, "paused 5000", null, null],
    [200, { status: 1111, wait: "5" }, "paused as ever", null, null],
    [200, { errcode: 90030, errmsg: "over limit" }, "paused 3600000", null, /monthly.*quota/],
    [200, { errcode: 310000, errmsg: "sign not match" }, "dead", "auth", /secret.*clock/],
    [200, { errcode: 310000, errmsg: "ip not in whitelist" }, "dead", "auth", /allow list/],
    [200, { errcode: 310000, errmsg: "keywords not in content" }, "dead", "auth", /keyword.*label/],
    [200, { errcode: 300001, errmsg: "token is not exist" }, "dead", "auth", /access_token/],
    [200, { errcode: 300005, errmsg: "token is not exist" }, "dead", "auth", /access_token/],
    [200, { errcode: 460101, errmsg: "message too long" }, "dead", "tooLarge", null],
    [200, { errcode: 101002, errmsg: "message is too long" }, "dead", "tooLarge", null],
    [200, { errcode: "310000", errmsg: "sign not match" }, "dead", "auth", /secret/],
    [200, { errcode: 424242, errmsg: "new" }, "retried", "unknown", null],
    [500, { errcode: 310000, errmsg: "sign not match" }, "dead", "auth", /secret/],
  ],
  lark: [
    [200, { code: 19001, msg: "param invalid" }, "dead", "auth", /token at the end of the webhook/],
    [200, { code: 19021, msg: "sign match fail" }, "dead", "auth", /secret.*clock/],
    [200, { code: 19022, msg: "Ip Not Allowed" }, "dead", "auth", /address.*allow list/],
    [200, { code: 19024, msg: "Key Words Not Found" }, "dead", "rejected", /keyword.*label/],
    [200, { StatusCode: 19024, StatusMessage: "Key" }, "dead", "rejected", /keyword.*label/],
    [200, { code: 19036, msg: "too large" }, "dead", "tooLarge", null],
    [200, { code: 9499, msg: "Bad Request" }, "dead", "rejected", null],
    [200, { code: 9499, msg: "Too Many Request" }, "paused as ever", null, null],
    [200, { code: 11232, msg: "frequency limited" }, "paused as ever", null, null],
    [200, { code: 2200, msg: "internal error" }, "retried", "server", null],
    [400, { code: 99991400, msg: "limit" }, "paused as ever", null, null],
    [400, { code: 99991400 }, "paused 7000", null, null, { "x-ogw-ratelimit-reset": "7" }],
    [429, { code: 99991400 }, "paused as ever", null, null, { "x-ogw-ratelimit-reset": "soon" }],
    // The header is there with every answer; only a limit that was hit makes it a wait.
    [200, { code: 2200 }, "retried", "server", null, { "x-ogw-ratelimit-reset": "7" }],
    [200, { code: 424242, msg: "new" }, "retried", "unknown", null],
  ],
  wecom: [
    [200, { errcode: -1, errmsg: "system busy" }, "retried", "server", null],
    [200, { errcode: 45009, errmsg: "api freq out of limit" }, "paused as ever", null, null],
    [200, { errcode: 40058, errmsg: "exceed max length 4096" }, "dead", "tooLarge", null],
    [200, { errcode: 93000, errmsg: "invalid webhook url" }, "dead", "auth", /key of the webhook/],
    [200, { errcode: 424242, errmsg: "new" }, "retried", "unknown", null],
  ],
  slack: [
    [429, { ok: false, error: "ratelimited" }, "paused 30000", null, null, { "retry-after": "30" }],
    [200, { ok: false, error: "ratelimited" }, "paused as ever", null, null],
    [429, "rate_limited", "paused as ever", null, null],
    [200, { ok: false, error: "message_limit_exceeded" }, "paused as ever", null, null],
    [200, { ok: false, error: "internal_error" }, "retried", "server", null],
    [200, { ok: false, error: "fatal_error" }, "retried", "server", null],
    [200, { ok: false, error: "service_unavailable" }, "retried", "server", null],
    [200, { ok: false, error: "request_timeout" }, "retried", "server", null],
    [500, "rollup_error", "retried", "server", null],
    [200, { ok: false, error: "invalid_auth" }, "dead", "auth", /token/],
    [200, { ok: false, error: "not_authed" }, "dead", "auth", /token/],
    [200, { ok: false, error: "account_inactive" }, "dead", "auth", /user or workspace is gone/],
    [200, { ok: false, error: "token_revoked" }, "dead", "auth", /install the app again/],
    [200, { ok: false, error: "token_expired" }, "dead", "auth", /install the app again/],
    [
      200,
      { ok: false, error: "missing_scope", needed: "chat:write" },
      "dead",
      "auth",
      /give the app/,
    ],
    [200, { ok: false, error: "no_permission" }, "dead", "auth", /give the app/],
    [403, "invalid_token", "dead", "auth", /webhook URL/],
    [404, "no_service", "dead", "auth", /make a new one/],
    [404, "no_active_hooks", "dead", "auth", /make a new one/],
    [200, { ok: false, error: "channel_not_found" }, "dead", "config", /channel.*invite/],
    [404, "channel_not_found", "dead", "config", /channel.*invite/],
    [200, { ok: false, error: "not_in_channel" }, "dead", "config", /invite the app/],
    [410, "channel_is_archived", "dead", "config", /archived/],
    [200, { ok: false, error: "is_archived" }, "dead", "config", /archived/],
    [403, "action_prohibited", "dead", "config", /administrator/],
    [200, { ok: false, error: "restricted_action" }, "dead", "config", /workspace setting/],
    [200, { ok: false, error: "msg_too_long" }, "dead", "tooLarge", null],
    [200, { ok: false, error: "msg_blocks_too_long" }, "dead", "tooLarge", null],
    [400, "invalid_blocks", "dead", "rejected", null],
    [400, "invalid_payload", "dead", "rejected", null],
    [400, "no_text", "dead", "rejected", null],
    [200, { ok: false, error: "brand_new" }, "retried", "unknown", null],
    // Accepted is what says so, not what does not complain.
    [200, { ok: "true" }, "retried", "server", null],
    [200, "okay", "retried", "unknown", null],
  ],
};

/** Every chat: what stands between us and it answers in its place. */
const BETWEEN: readonly Row[] = [
  [
    200,
    "<html>Sign in to the network</html>",
    "retried",
    "server",
    /not the platform's own answer/,
  ],
  [200, "", "retried", "server", /not the platform's own answer/],
  [200, [], "retried", "server", null],
  [204, "", "retried", "server", null],
  [302, "", "dead", "rejected", null],
  [407, "proxy", "dead", "auth", null],
  [413, "<html>Request Entity Too Large</html>", "dead", "tooLarge", null],
  [502, "<html>Bad Gateway</html>", "retried", "server", /502/],
  [503, "", "paused 12000", null, null, { "retry-after": "12" }],
  [429, "", "paused as ever", null, null, { "retry-after": "-5" }],
];

const NOW = Date.parse("2026-11-20T08:05:31Z");
const { inbox, client } = await anExchange();

const chats = sinks.filter(
  (sink): sink is HttpSinkDefinition => Object.hasOwn(ROWS, sink.type) && sink.transport === "http",
);

describe.each(chats.map((sink) => [sink.type, sink] as const))("%s answers", (type, sink) => {
  const rows = [...(ROWS[type] ?? []), ...BETWEEN].map((row) => ({
    row,
    name: `HTTP ${row[0]} ${JSON.stringify(row[1])}: ${row[2]}, ${row[3] ?? "a limit"}`,
  }));

  it.each(rows)("$name", async ({ row }) => {
    const [status, body, becomes, reason, todo, headers = {}] = row;
    inbox.reply({ status, headers, body });
    const { open, options } = openAt(sink, inbox.url, client);
    const message = filled(sink, options as never, "Back-off");
    const { verdict } = await open.tell(message, NOW, new AbortController().signal);
    expect(verdict).toMatchObject({ ...meaning(becomes), ...(reason === null ? {} : { reason }) });
    const detail = verdict.kind === "accepted" ? "" : verdict.detail;
    for (const words of ownWords(body)) expect(detail).toContain(words);
    expect(detail).toMatch(todo ?? "");
  });
});

function meaning(becomes: Row[2]) {
  if (becomes === "retried") return { kind: "retryable" };
  if (becomes === "dead") return { kind: "permanent" };
  const wait = becomes.slice("paused ".length);
  return { kind: "throttled", retryAfterMs: wait === "as ever" ? null : Number(wait) };
}

/** The platform's: they are what one searches for. */
function ownWords(body: unknown): readonly string[] {
  return ["errmsg", "msg", "StatusMessage", "error"]
    .map((name) => (body as Record<string, unknown>)[name])
    .filter((words) => typeof words === "string");
}
