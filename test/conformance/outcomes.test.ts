import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Inbox, type Reply, startInbox } from "../support/inbox.ts";
import { becameOf, openRoad } from "../support/road.ts";

/**
 * What becomes of a delivery, for each thing that a platform is known to answer: through the real sink, lane, ledger and a socket.
 * The right side is what a person finds in `dead list`, in the history and in the log.
 */
let inbox: Inbox;
beforeAll(async () => {
  inbox = await startInbox();
});
afterAll(() => inbox.close());

async function outcome(uri: (origin: string) => string, reply: Reply): Promise<string> {
  inbox.reply(reply);
  const road = openRoad(uri(inbox.url));
  await road.owe();
  await road.attempts(1);
  return becameOf(road);
}

const ok = (body: unknown): Reply => ({ status: 200, body });

describe("DingTalk answers", () => {
  const robot = (origin: string) => `dingtalk:${origin}/robot/send?access_token=0123456789abcdef`;
  const TOKEN = "check the access_token of the webhook URL";
  const SECURITY =
    "the robot's security settings refused it: check `secret`, this machine's clock, its address in the allow list, or put the robot's keyword into a `label`";

  it.each([
    [{ errcode: 0, errmsg: "ok" }, "delivered after 0"],
    [{ errcode: "0", errmsg: "ok" }, "delivered after 0"],
    [{ errcode: -1, errmsg: "系统繁忙" }, "again in 0.5 s after 1, server: -1 系统繁忙"],
    [
      { errcode: 310000, errmsg: "sign not match" },
      `dead after 1, auth: 310000 sign not match; ${SECURITY}`,
    ],
    [
      { errcode: 310000, errmsg: "keywords not in content" },
      `dead after 1, auth: 310000 keywords not in content; ${SECURITY}`,
    ],
    [
      { errcode: 300001, errmsg: "token is not exist" },
      `dead after 1, auth: 300001 token is not exist; ${TOKEN}`,
    ],
    [
      { errcode: 300005, errmsg: "token is not exist" },
      `dead after 1, auth: 300005 token is not exist; ${TOKEN}`,
    ],
    [
      { errcode: 460101, errmsg: "message too long" },
      "dead after 1, tooLarge: 460101 message too long",
    ],
    [{ errcode: 101002, errmsg: "too long" }, "dead after 1, tooLarge: 101002 too long"],
    [
      { errcode: 130101, errmsg: "send too fast" },
      "paused for 600 s after 0: 130101 send too fast",
    ],
    [
      { status: 1111, wait: 5, punish: "deny" },
      "paused for 5 s after 0: muted by the gateway (1111)",
    ],
    [{ status: 1111, punish: "deny" }, "paused for 600 s after 0: muted by the gateway (1111)"],
    [{ status: 1111, wait: 0 }, "paused for 1 s after 0: muted by the gateway (1111)"],
    [
      { errcode: 90030, errmsg: "webhook over limit" },
      "paused for 3600 s after 0: 90030 webhook over limit; the tenant's monthly webhook quota is used up",
    ],
    [{ errcode: 987654, errmsg: "new" }, "again in 0.5 s after 1, unknown: 987654 new"],
    [{ errcode: 987654 }, "again in 0.5 s after 1, unknown: 987654"],
    [{}, "again in 0.5 s after 1, server: HTTP 200, but not the platform's own answer: {}"],
    [
      "<html>Sign in to the network</html>",
      "again in 0.5 s after 1, server: HTTP 200, but not the platform's own answer: <html>Sign in to the network</html>",
    ],
  ] as const)("%j: %s", async (body, expected) => {
    expect(await outcome(robot, ok(body))).toBe(expected);
  });

  it("with an error status and a code it knows: the code counts", async () => {
    const reply = { status: 500, body: { errcode: 300001, errmsg: "token is not exist" } };
    expect(await outcome(robot, reply)).toMatch(/^dead after 1, auth: 300001/);
  });

  it("with success in the body and an error in the status: the status counts", async () => {
    const reply = { status: 502, body: { errcode: 0, errmsg: "ok" } };
    expect(await outcome(robot, reply)).toBe(
      'again in 0.5 s after 1, server: HTTP 502: {"errcode":0,"errmsg":"ok"}',
    );
  });
});

describe("Lark answers", () => {
  const bot = (origin: string) => `lark:${origin}/open-apis/bot/v2/hook/01234567-89ab-cdef`;

  it.each([
    [{ code: 0, msg: "success", data: {} }, "delivered after 0"],
    [{ StatusCode: 0, StatusMessage: "success" }, "delivered after 0"],
    [
      { code: 19001, msg: "param invalid: incoming webhook access token invalid" },
      "dead after 1, auth: 19001 param invalid: incoming webhook access token invalid; check the token at the end of the webhook URL",
    ],
    [
      { code: 19021, msg: "sign match fail or timestamp is not within one hour" },
      "dead after 1, auth: 19021 sign match fail or timestamp is not within one hour; check `secret` and this machine's clock",
    ],
    [
      { code: 19022, msg: "Ip Not Allowed" },
      "dead after 1, auth: 19022 Ip Not Allowed; this machine's address is not in the bot's allow list",
    ],
    [
      { code: 19024, msg: "Key Words Not Found" },
      "dead after 1, rejected: 19024 Key Words Not Found; put the bot's keyword into a `label`",
    ],
    [
      { StatusCode: 19024, StatusMessage: "Key Words Not Found" },
      "dead after 1, rejected: 19024 Key Words Not Found; put the bot's keyword into a `label`",
    ],
    [{ code: 19036, msg: "too large" }, "dead after 1, tooLarge: 19036 too large"],
    [{ code: 9499, msg: "Bad Request" }, "dead after 1, rejected: 9499 Bad Request"],
    [{ code: 9499, msg: "too many request" }, "paused for 60 s after 0: 9499 too many request"],
    [{ code: 9499, msg: "Frequency limit" }, "paused for 60 s after 0: 9499 Frequency limit"],
    [
      { code: 11232, msg: "frequency limited psm[x]" },
      "paused for 60 s after 0: 11232 frequency limited psm[x]",
    ],
    [
      { code: 99991400, msg: "request trigger frequency limit" },
      "paused for 60 s after 0: 99991400 request trigger frequency limit",
    ],
    [{ code: 2200, msg: "internal error" }, "again in 0.5 s after 1, server: 2200 internal error"],
    [{ code: 55555, msg: "?" }, "again in 0.5 s after 1, unknown: 55555 ?"],
    [[], "again in 0.5 s after 1, server: HTTP 200, but not the platform's own answer: []"],
  ] as const)("%j: %s", async (body, expected) => {
    expect(await outcome(bot, ok(body))).toBe(expected);
  });

  it.each([
    ["7", 7],
    ["0", 60],
    ["soon", 60],
  ])("with the header x-ogw-ratelimit-reset: %s it is left alone for %i s", async (reset, wait) => {
    const headers = { "x-ogw-ratelimit-reset": reset };
    const body = { code: 99991400, msg: "slow down" };
    expect(await outcome(bot, { status: 400, headers, body })).toBe(
      `paused for ${wait} s after 0: 99991400 slow down`,
    );
  });
});

describe("WeCom answers", () => {
  const robot = (origin: string) => `wecom:${origin}/cgi-bin/webhook/send?key=01234567-89ab`;

  it.each([
    [{ errcode: 0, errmsg: "ok" }, "delivered after 0"],
    [{ errcode: -1, errmsg: "system busy" }, "again in 0.5 s after 1, server: -1 system busy"],
    [
      { errcode: 45009, errmsg: "api freq out of limit" },
      "paused for 60 s after 0: 45009 api freq out of limit",
    ],
    [
      { errcode: 40058, errmsg: "markdown.content exceed max length 4096" },
      "dead after 1, tooLarge: 40058 markdown.content exceed max length 4096",
    ],
    [
      { errcode: 93000, errmsg: "invalid webhook url" },
      "dead after 1, auth: 93000 invalid webhook url; check the key of the webhook URL; the robot may have been removed from the group",
    ],
    [
      { errcode: 44004, errmsg: "empty content" },
      "again in 0.5 s after 1, unknown: 44004 empty content",
    ],
  ] as const)("%j: %s", async (body, expected) => {
    expect(await outcome(robot, ok(body))).toBe(expected);
  });
});

describe("Slack's API answers", () => {
  const api = (origin: string) => `slack:${origin}/api/chat.postMessage?token=xoxb-1&channel=C1`;
  const dead =
    (reason: string, next = "") =>
    (error: string) =>
      `dead after 1, ${reason}: ${error}${next === "" ? "" : `; ${next}`}`;
  const paused = (error: string) => `paused for 30 s after 0: ${error}`;
  const again = (error: string) => `again in 0.5 s after 1, server: ${error}`;

  it("ok: delivered", async () => {
    expect(await outcome(api, ok({ ok: true, ts: "1503435956.000247" }))).toBe("delivered after 0");
  });

  it.each([
    ["ratelimited", paused],
    ["rate_limited", paused],
    ["message_limit_exceeded", paused],
    ["internal_error", again],
    ["fatal_error", again],
    ["service_unavailable", again],
    ["request_timeout", again],
    ["rollup_error", again],
    ["invalid_auth", dead("auth", "check `token`")],
    ["not_authed", dead("auth", "check `token`")],
    ["account_inactive", dead("auth", "the token's user or workspace is gone")],
    ["token_revoked", dead("auth", "install the app again and take its new token")],
    ["token_expired", dead("auth", "install the app again and take its new token")],
    ["no_permission", dead("auth", "give the app the scope chat:write")],
    ["invalid_token", dead("auth", "check the webhook URL")],
    ["no_service", dead("auth", "the webhook was removed; make a new one")],
    ["no_active_hooks", dead("auth", "the webhook was removed; make a new one")],
    ["channel_not_found", dead("config", "check `channel`, and invite the app to it")],
    ["not_in_channel", dead("config", "invite the app to the channel")],
    ["is_archived", dead("config", "the channel is archived")],
    ["channel_is_archived", dead("config", "the channel is archived")],
    ["action_prohibited", dead("config", "an administrator has restricted this webhook")],
    ["restricted_action", dead("config", "a workspace setting forbids posting there")],
    ["msg_too_long", dead("tooLarge")],
    ["msg_blocks_too_long", dead("tooLarge")],
    ["invalid_blocks", dead("rejected")],
    ["invalid_payload", dead("rejected")],
    ["no_text", dead("rejected")],
    ["brand_new", (error: string) => `again in 0.5 s after 1, unknown: ${error}`],
  ] as const)("%s", async (error, expected) => {
    expect(await outcome(api, ok({ ok: false, error }))).toBe(expected(error));
  });

  it("missing_scope: says which scope it wants", async () => {
    const body = { ok: false, error: "missing_scope", needed: "chat:write", provided: "commands" };
    expect(await outcome(api, ok(body))).toBe(
      "dead after 1, auth: missing_scope chat:write; give the app the scope chat:write",
    );
  });

  it("Retry-After: left alone for so long, whatever else it says", async () => {
    const reply = {
      status: 429,
      headers: { "retry-after": "7" },
      body: { ok: false, error: "ratelimited" },
    };
    expect(await outcome(api, reply)).toMatch(/^paused for 7 s after 0: ratelimited/);
  });
});

describe("a Slack webhook answers", () => {
  const hook = (origin: string) => `slack:${origin}/services/T01234567/B01234567/abcdefghijkl`;

  it.each([
    [200, "ok", "delivered after 0"],
    [200, "ok\n", "delivered after 0"],
    [400, "invalid_payload", "dead after 1, rejected: invalid_payload"],
    [400, "no_text", "dead after 1, rejected: no_text"],
    [
      403,
      "action_prohibited",
      "dead after 1, config: action_prohibited; an administrator has restricted this webhook",
    ],
    [403, "invalid_token", "dead after 1, auth: invalid_token; check the webhook URL"],
    [404, "no_service", "dead after 1, auth: no_service; the webhook was removed; make a new one"],
    [
      404,
      "channel_not_found",
      "dead after 1, config: channel_not_found; check `channel`, and invite the app to it",
    ],
    [
      410,
      "channel_is_archived",
      "dead after 1, config: channel_is_archived; the channel is archived",
    ],
    [500, "rollup_error", "again in 0.5 s after 1, server: rollup_error"],
    [404, "Not Found", "dead after 1, rejected: HTTP 404: Not Found"],
    [
      200,
      "<html>",
      "again in 0.5 s after 1, server: HTTP 200, but not the platform's own answer: <html>",
    ],
    [200, "", "again in 0.5 s after 1, server: HTTP 200, but not the platform's own answer:"],
  ] as const)("HTTP %i %j: %s", async (status, body, expected) => {
    const said = (await outcome(hook, { status, body })).trimEnd();
    expect(said).toBe(expected);
  });
});

describe("a webhook's receiver answers", () => {
  const hook = (origin: string) => `webhook:${origin}/k8s`;

  it.each([
    [200, {}, "delivered after 0"],
    [202, {}, "delivered after 0"],
    [204, {}, "delivered after 0"],
    [301, { location: "/elsewhere" }, "dead after 1, rejected: HTTP 301"],
    [400, {}, "dead after 1, rejected: HTTP 400"],
    [401, {}, "dead after 1, auth: HTTP 401"],
    [403, {}, "dead after 1, auth: HTTP 403"],
    [404, {}, "dead after 1, rejected: HTTP 404"],
    [407, {}, "dead after 1, auth: HTTP 407"],
    [408, {}, "again in 0.5 s after 1, timeout: HTTP 408"],
    [413, {}, "dead after 1, tooLarge: HTTP 413"],
    [425, {}, "again in 0.5 s after 1, timeout: HTTP 425"],
    [429, {}, "paused for 5 s after 0: HTTP 429"],
    [429, { "retry-after": "90" }, "paused for 90 s after 0: HTTP 429"],
    [429, { "retry-after": "0" }, "paused for 1 s after 0: HTTP 429"],
    [429, { "retry-after": "999999" }, "paused for 86400 s after 0: HTTP 429"],
    [429, { "retry-after": "Fri, 20 Nov 2026 08:00:42 GMT" }, "paused for 42 s after 0: HTTP 429"],
    [429, { "retry-after": "Fri, 20 Nov 2026 07:00:00 GMT" }, "paused for 1 s after 0: HTTP 429"],
    [429, { "retry-after": "in a while" }, "paused for 5 s after 0: HTTP 429"],
    [500, {}, "again in 0.5 s after 1, server: HTTP 500"],
    [501, {}, "dead after 1, rejected: HTTP 501"],
    [502, {}, "again in 0.5 s after 1, server: HTTP 502"],
    [503, {}, "again in 0.5 s after 1, server: HTTP 503"],
    [503, { "retry-after": "30" }, "paused for 30 s after 0: HTTP 503"],
    [504, {}, "again in 0.5 s after 1, server: HTTP 504"],
    [505, {}, "dead after 1, rejected: HTTP 505"],
  ] as const)("HTTP %i %j: %s", async (status, headers, expected) => {
    expect(await outcome(hook, { status, headers })).toBe(expected);
  });

  it("words: they are quoted, in one line and not too many", async () => {
    const reply = { status: 400, body: `no such\n\u001b[31mteam ${"x".repeat(500)}` };
    const said = await outcome(hook, reply);
    expect(said).toMatch(/^dead after 1, rejected: HTTP 400: no such \[31mteam x+$/);
    expect(said.length).toBeLessThan(250);
  });

  it("with a reset connection: tried again", async () => {
    expect(await outcome(hook, "reset")).toBe(
      "again in 0.5 s after 1, network: the connection was reset before the answer was complete (ECONNRESET)",
    );
  });
});
