import { describe, expect, it } from "vitest";
import dingtalk from "../../sinks/dingtalk.ts";
import { parseSinkUri } from "../../src/sink/uri.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor, problemsWith, requestOf } from "../support/messages.ts";
import { mustRender } from "../support/rendering.ts";

const webhook = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef";
const blocks = {
  title: "🟠 Back-off · web",
  text: "🟠 Back-off · web\nprod-a · shop",
  markdown: "#### 🟠 Back-off · web\n**prod-a · shop**",
};
const message = aMessage({ blocks });

describe("what DingTalk is sent", () => {
  it("is markdown by default, with the title for the notification and the delivery's id against doubles", () => {
    const request = requestOf(dingtalk, { webhook }, message);
    expect(request).toMatchObject({
      method: "POST",
      url: webhook,
      headers: { "content-type": "application/json;charset=utf-8" },
    });
    expect(request.json()).toEqual({
      msgtype: "markdown",
      markdown: { title: blocks.title, text: blocks.markdown },
      at: { atMobiles: [], atUserIds: [], isAtAll: false },
      msgUuid: message.id,
    });
  });

  it("is text when asked for", () => {
    expect(requestOf(dingtalk, { webhook, msgType: "text" }, message).json()).toMatchObject({
      msgtype: "text",
      text: { content: blocks.text },
    });
  });

  it("is a card with one button, which mentions nobody", () => {
    const given = { webhook, msgType: "actionCard", actionUrl: "https://grafana.example.com" };
    expect(requestOf(dingtalk, given, message).json()).toEqual({
      msgtype: "actionCard",
      actionCard: {
        title: blocks.title,
        text: blocks.markdown,
        singleTitle: "Open",
        singleURL: "https://grafana.example.com",
      },
      msgUuid: message.id,
    });
  });

  it.each([
    ["markdown", "markdown.text"],
    ["text", "text.content"],
  ])("names those it mentions in the text, too: %s", (msgType) => {
    const given = { webhook, msgType, atMobiles: ["13800000000"], atUserIds: ["manager123"] };
    const body = requestOf(dingtalk, given, message).json() as Record<string, never>;
    expect(body).toMatchObject({
      at: { atMobiles: ["13800000000"], atUserIds: ["manager123"], isAtAll: false },
    });
    expect(JSON.stringify(body[msgType])).toContain("@13800000000 @manager123");
  });

  it("mentions everyone when told to, and only then", () => {
    const loud = requestOf(dingtalk, { webhook, atAll: "true" }, message).json();
    expect(loud).toMatchObject({ at: { isAtAll: true } });
    const shouting = aMessage({ blocks: { ...blocks, markdown: "@all @所有人" } });
    expect(requestOf(dingtalk, { webhook }, shouting).json()).toMatchObject({
      at: { atMobiles: [], atUserIds: [], isAtAll: false },
    });
  });

  it("says at the end which cluster it was, as kube-eventer's options name it", () => {
    const uri =
      "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=t&cluster_id=c0ffee&region=cn-hangzhou";
    const { options, issues } = parseSinkUri(dingtalk, uri, [], () => null);
    expect(issues).toEqual([]);
    expect(requestOf(dingtalk, options, message).json()).toMatchObject({
      markdown: { text: `${blocks.markdown}\n\nc0ffee · cn-hangzhou` },
    });
  });

  it("lets no option break out of the text", () => {
    const given = { webhook, clusterId: "[click](https://evil.example)", atUserIds: ["a](x)**"] };
    expect(requestOf(dingtalk, given, message).json()).toMatchObject({
      markdown: { text: `${blocks.markdown}\n\nclickhttps://evil.example\n\n@ax` },
    });
  });
});

describe("DingTalk's signature", () => {
  // printf '%s\n%s' 1700000000000 SECfedcba9876543210 | openssl dgst -sha256 -hmac SECfedcba9876543210 -binary | base64
  const sign = "K5pDZOVQ6ZWM8+c92s66FGndJiGBZJG29px3ZECfMzQ=";

  it("is what openssl computes, encoded once", () => {
    const { url } = requestOf(dingtalk, { webhook, secret: "SECfedcba9876543210" }, message);
    expect(url).toBe(`${webhook}&sign=${encodeURIComponent(sign)}&timestamp=1700000000000`);
    expect(new URL(url).searchParams.get("sign")).toBe(sign);
  });

  it("is made anew for each attempt, while the id stays", () => {
    const given = { webhook, secret: "SECfedcba9876543210" };
    const first = requestOf(dingtalk, given, message, 1_700_000_000_000);
    const later = requestOf(dingtalk, given, message, 1_700_003_600_000);
    expect(later.url).not.toBe(first.url);
    expect(later.body).toBe(first.body);
  });

  it("leaves the URL alone without a secret", () => {
    expect(requestOf(dingtalk, { webhook }, message).url).toBe(webhook);
  });
});

describe("DingTalk's options", () => {
  it("take kube-eventer's URI as it is", () => {
    const uri =
      "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=abc&sign=SECx&msg_type=markdown&level=Warning&label=prod&label=eu&namespaces=shop,pay&kinds=Pod";
    const house = ["level", "label", "namespaces", "kinds"];
    const parsed = parseSinkUri(dingtalk, uri, house, () => null);
    expect(parsed).toEqual({
      options: {
        webhook: "https://oapi.dingtalk.com/robot/send?access_token=abc",
        secret: "SECx",
        msgType: "markdown",
      },
      house: {
        level: ["Warning"],
        label: ["prod", "eu"],
        namespaces: ["shop,pay"],
        kinds: ["Pod"],
      },
      issues: [],
    });
    expect(() => optionsFor(dingtalk, parsed.options)).not.toThrow();
  });

  it.each([
    [{}, "webhook: "],
    [{ webhook: "http://oapi.dingtalk.com/robot/send?access_token=x" }, "webhook: says http"],
    [{ webhook: "oapi.dingtalk.com" }, "webhook: is not a URL"],
    [{ webhook, msgType: "link" }, "msgType: "],
    [{ webhook, msgType: "actionCard" }, "actionUrl: an actionCard needs a URL"],
    [
      { webhook, msgType: "actionCard", actionUrl: "https://a", atAll: true },
      "msgType: an actionCard cannot",
    ],
    [{ webhook, typo: 1 }, "typo"],
  ])("refuse %j", (given, problem) => {
    expect(problemsWith(dingtalk, given).join("\n")).toContain(problem);
  });

  it("take http for loopback, where the simulator lives", () => {
    expect(
      problemsWith(dingtalk, { webhook: "http://127.0.0.1:8080/robot/send?access_token=x" }),
    ).toEqual([]);
  });
});

describe("what DingTalk answers", () => {
  const accept = (json: unknown, status = 200) =>
    dingtalk.accept({ status, headers: {}, text: JSON.stringify(json), json });

  it("waits as long as the gateway says", () => {
    expect(accept({ status: 1111, wait: 5, punish: "deny" })).toMatchObject({
      kind: "throttled",
      retryAfterMs: 5000,
    });
    expect(accept({ status: 1111 })).toMatchObject({ kind: "throttled", retryAfterMs: null });
  });

  it("asks again in an hour when the month's quota is used up", () => {
    expect(accept({ errcode: 90030 })).toMatchObject({
      kind: "throttled",
      retryAfterMs: 3_600_000,
    });
  });

  it("is quiet for the ten minutes DingTalk mutes a robot", () => {
    expect(dingtalk.limits(optionsFor(dingtalk, { webhook }))).toMatchObject({
      rates: [{ count: 20, perMs: 60_000 }],
      throttledMs: 600_000,
    });
  });

  it("says what to do about a refused signature", () => {
    expect(accept({ errcode: 310000, errmsg: "sign not match" })).toMatchObject({
      kind: "permanent",
      reason: "auth",
      detail: expect.stringContaining("clock") as unknown,
    });
  });
});

describe("DingTalk as kube-eventer spoke to it", () => {
  const event = { kind: "event", event: anEvent() } as const;
  const strict = (given: Readonly<Record<string, unknown>>) => {
    if (dingtalk.strict === undefined) throw new Error("dingtalk has no strict form");
    const options = optionsFor(dingtalk, { webhook, ...given });
    const { blocks } = mustRender(dingtalk, { webhook, ...given }, event).message;
    const form = dingtalk.strict;
    return {
      own: form.blocks(options),
      sent: form.request(options, aMessage({ blocks }), 0),
    };
  };

  it("has no cards of its own: one is as ever", () => {
    const card = { msgType: "actionCard", actionUrl: "https://grafana.example/d/k8s" };
    const { own, sent } = strict(card);
    expect(own).toEqual({});
    const { blocks } = mustRender(dingtalk, { webhook, ...card }, event).message;
    expect(sent).toEqual(
      dingtalk.request(
        optionsFor(dingtalk, { webhook, ...card }) as never,
        aMessage({ blocks }),
        0,
      ),
    );
  });

  it("mentions whom an option names, in the one content that is not empty", () => {
    const { sent } = strict({ msgType: "text", atMobiles: ["13800000000"], atAll: true });
    const body = JSON.parse(sent.body) as { text: { content: string }; markdown: { text: string } };
    expect(body).toMatchObject({ msgtype: "text", markdown: { title: "", text: "" } });
    expect(body.text.content).toMatch(/\n@13800000000$/);
    expect(body).toMatchObject({ at: { atMobiles: ["13800000000"], isAtAll: true } });
    expect(body).not.toHaveProperty("msgUuid");
    expect(JSON.parse(strict({ msgType: "text" }).sent.body)).not.toHaveProperty("at");
  });
});
