import { describe, expect, it } from "vitest";
import slack from "../../sinks/slack.ts";
import { parseSinkUri } from "../../src/sink/uri.ts";
import { aMessage, optionsFor, problemsWith, requestOf } from "../support/messages.ts";

const webhook = "https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnopqrstuvwx";
const blocks = {
  title: "🟠 Back-off · web",
  fallback: "🟠 Back-off · web",
  context: "prod-a · shop · 12 ×",
  message: "Back-off <!channel> *bold* <https://evil.example|x>",
  command: "kubectl -n shop describe pod web",
};
const message = aMessage({ blocks });

describe("what Slack is sent", () => {
  it("is a header, and beside a coloured bar the place, the event's words and the command", () => {
    const request = requestOf(slack, { webhook }, message);
    expect(request).toMatchObject({ method: "POST", url: webhook });
    expect(request.headers).not.toHaveProperty("authorization");
    expect(request.json()).toEqual({
      text: blocks.fallback,
      blocks: [{ type: "header", text: { type: "plain_text", text: blocks.title, emoji: false } }],
      attachments: [
        {
          color: "#f79009",
          blocks: [
            { type: "context", elements: [{ type: "mrkdwn", text: blocks.context }] },
            {
              type: "rich_text",
              elements: [
                {
                  type: "rich_text_preformatted",
                  elements: [{ type: "text", text: blocks.message }],
                },
              ],
            },
            {
              type: "rich_text",
              elements: [
                {
                  type: "rich_text_section",
                  elements: [{ type: "text", text: blocks.command, style: { code: true } }],
                },
              ],
            },
          ],
        },
      ],
      unfurl_links: false,
      unfurl_media: false,
    });
  });

  it("goes by chat.postMessage with a bot token", () => {
    const request = requestOf(slack, { token: "xoxb-123", channel: "C0123" }, message);
    expect(request.url).toBe("https://slack.com/api/chat.postMessage");
    expect(request.headers["authorization"]).toBe("Bearer xoxb-123");
    expect(request.json()).toMatchObject({ channel: "C0123", text: blocks.fallback });
    expect(request.body).not.toContain("xoxb");
  });

  it.each([
    ["critical", "#d92d20"],
    ["warning", "#f79009"],
    ["info", "#2e90fa"],
    ["notice", "#98a2b3"],
  ] as const)("shows %s with a bar of %s", (severity, color) => {
    const body = requestOf(slack, { webhook }, aMessage({ blocks, severity })).json();
    expect(body).toMatchObject({ attachments: [{ color }] });
  });

  it("leaves out what is empty, as Slack refuses empty blocks", () => {
    const bare = aMessage({
      blocks: { title: "t", fallback: "t", context: "", message: "", command: "" },
    });
    expect(requestOf(slack, { webhook }, bare).json()).not.toHaveProperty("attachments");
  });

  it("mentions users, groups, here and channel as told, each in Slack's way", () => {
    const given = { webhook, mention: "U0123,S0456,here" };
    expect(requestOf(slack, given, message).json()).toMatchObject({
      blocks: [
        { type: "header" },
        { type: "section", text: { type: "mrkdwn", text: "<@U0123> <!subteam^S0456> <!here>" } },
      ],
    });
  });
});

describe("Slack's options", () => {
  it.each([
    [{}, "webhook: is missing"],
    [{ webhook, channel: "C1" }, "channel: an incoming webhook has its own channel"],
    [{ token: "xoxb-1" }, "channel: is missing"],
    [{ webhook, mention: ["bob"] }, 'mention: "bob" is not a user ID'],
    [{ webhook: "http://hooks.slack.com/services/x" }, "webhook: says http"],
  ])("refuse %j", (given, problem) => {
    expect(problemsWith(slack, given).join("\n")).toContain(problem);
  });

  it("take a token and a channel from a URI without an address", () => {
    const { options, issues } = parseSinkUri(
      slack,
      "slack:?token=xoxb-1&channel=C1",
      [],
      () => null,
    );
    expect(issues).toEqual([]);
    expect(optionsFor(slack, options)).toMatchObject({ channel: "C1" });
  });

  it("stay below the size at which Slack refuses blocks, even if JSON doubles every character", () => {
    const { blocks, body } = slack.limits(optionsFor(slack, { webhook }));
    const full = Object.fromEntries(
      Object.entries(blocks).map(([name, { max }]) => [name, '"'.repeat(max)]),
    );
    const request = requestOf(slack, { webhook }, aMessage({ blocks: full }));
    expect(request.body.length).toBeLessThanOrEqual(body?.max ?? 0);
  });
});

describe("what Slack answers", () => {
  const accept = (status: number, text: string) => {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return slack.accept({ status, headers: {}, text, json });
  };

  it.each([
    [200, "ok", { kind: "accepted" }],
    [200, "ok\n", { kind: "accepted" }],
    [200, '{"ok":true}', { kind: "accepted" }],
    [200, '{"ok":false,"error":"ratelimited"}', { kind: "throttled" }],
    [200, '{"ok":false,"error":"token_revoked"}', { kind: "permanent", reason: "auth" }],
    [200, '{"ok":false,"error":"is_archived"}', { kind: "permanent", reason: "config" }],
    [200, '{"ok":false,"error":"msg_too_long"}', { kind: "permanent", reason: "tooLarge" }],
    [200, '{"ok":false}', { kind: "retryable", reason: "server" }],
    [200, "", { kind: "retryable", reason: "server" }],
    [400, "invalid_payload", { kind: "permanent", reason: "rejected" }],
    [403, "action_prohibited", { kind: "permanent", reason: "config" }],
    [404, "no_service", { kind: "permanent", reason: "auth" }],
    [500, "rollup_error", { kind: "retryable", reason: "server" }],
    [503, "<html>", { kind: "retryable", reason: "server" }],
  ])("HTTP %i %s is %j", (status, text, verdict) => {
    expect(accept(status, text)).toMatchObject(verdict);
  });
});
