import { describe, expect, it } from "vitest";
import wecom from "../../sinks/wecom.ts";
import { aMessage, optionsFor, problemsWith, requestOf } from "../support/messages.ts";

const webhook = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab-cdef";
const message = aMessage({
  blocks: { markdown: "**🟠 web**\n> Back-off", text: "🟠 web\nBack-off" },
});

describe("what WeCom is sent", () => {
  it("is markdown by default", () => {
    const request = requestOf(wecom, { webhook }, message);
    expect(request).toMatchObject({ method: "POST", url: webhook });
    expect(request.json()).toEqual({
      msgtype: "markdown",
      markdown: { content: "**🟠 web**\n> Back-off" },
    });
  });

  it("mentions user IDs in the markdown itself", () => {
    const given = { webhook, atUserIds: ["zhangsan", "li.si"] };
    expect(requestOf(wecom, given, message).json()).toEqual({
      msgtype: "markdown",
      markdown: { content: "**🟠 web**\n> Back-off\n<@zhangsan><@li.si>" },
    });
  });

  it("is text with its lists of mentions when asked for", () => {
    const given = {
      webhook,
      msgType: "text",
      atUserIds: ["zhangsan"],
      atMobiles: ["13800000000"],
      atAll: true,
    };
    expect(requestOf(wecom, given, message).json()).toEqual({
      msgtype: "text",
      text: {
        content: "🟠 web\nBack-off",
        mentioned_list: ["zhangsan", "@all"],
        mentioned_mobile_list: ["13800000000"],
      },
    });
  });

  it("mentions nobody unasked", () => {
    expect(requestOf(wecom, { webhook, msgType: "text" }, message).json()).toMatchObject({
      text: { mentioned_list: [], mentioned_mobile_list: [] },
    });
  });

  it("lets no id break out of its mention", () => {
    const given = { webhook, atUserIds: ["x>[click](https://evil.example)<@all"] };
    expect(requestOf(wecom, given, message).body).not.toMatch(/\]\(|<@all>/);
  });
});

describe("WeCom's limits", () => {
  it("count the mentions, which are part of the 4096 bytes", () => {
    const { blocks } = wecom.limits(optionsFor(wecom, { webhook, atUserIds: ["zhangsan"] }));
    expect(blocks["markdown"]).toEqual({ max: 4096 - "\n<@zhangsan>".length, unit: "bytes" });
    expect(blocks["text"]).toEqual({ max: 2048, unit: "bytes" });
  });

  it("keep to twenty a minute", () => {
    expect(wecom.limits(optionsFor(wecom, { webhook })).rates).toEqual([
      { count: 20, perMs: 60_000 },
    ]);
  });
});

describe("WeCom's options", () => {
  it.each([{ atAll: true }, { atMobiles: ["13800000000"] }])(
    "refuse what markdown cannot do: %j",
    (extra) => {
      expect(problemsWith(wecom, { webhook, ...extra })).toEqual([
        expect.stringContaining("msgType: markdown can mention user IDs only"),
      ]);
      expect(problemsWith(wecom, { webhook, msgType: "text", ...extra })).toEqual([]);
    },
  );
});

describe("what WeCom answers", () => {
  const accept = (json: unknown) =>
    wecom.accept({ status: 200, headers: {}, text: JSON.stringify(json), json });

  it.each([
    [{ errcode: 0, errmsg: "ok" }, { kind: "accepted" }],
    [{ errcode: 45009 }, { kind: "throttled", retryAfterMs: null }],
    [{ errcode: 40058 }, { kind: "permanent", reason: "tooLarge" }],
    [{ errcode: 93000 }, { kind: "permanent", reason: "auth" }],
    [{ errcode: -1 }, { kind: "retryable", reason: "server" }],
    [{ errcode: 1 }, { kind: "retryable", reason: "unknown" }],
  ])("%j is %j", (json, verdict) => {
    expect(accept(json)).toMatchObject(verdict);
  });
});
