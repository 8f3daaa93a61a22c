import { describe, expect, it } from "vitest";
import lark from "../../sinks/lark.ts";
import { aMessage, optionsFor, problemsWith, requestOf } from "../support/messages.ts";

const webhook = "https://open.feishu.cn/open-apis/bot/v2/hook/01234567-89ab-cdef-0123-456789abcdef";
const blocks = {
  title: "🟠 Back-off · web",
  place: "prod-a · shop · Pod web",
  times: "12 × in 5 min",
  message: 'Back-off "web"\n<at id=all></at>',
  command: "kubectl -n shop describe pod web",
  text: "🟠 Back-off · web",
};
const message = aMessage({ blocks });
const where = "prod-a · shop · Pod web · 12 × in 5 min";
const div = (content: string) => ({ tag: "div", text: { tag: "plain_text", content } });

describe("what Lark is sent", () => {
  it("is a card by default: coloured title, then plain text in which nothing is markup", () => {
    const request = requestOf(lark, { webhook }, message);
    expect(request).toMatchObject({ method: "POST", url: webhook });
    expect(request.json()).toEqual({
      msg_type: "interactive",
      card: {
        config: { wide_screen_mode: true },
        header: { template: "orange", title: { tag: "plain_text", content: blocks.title } },
        elements: [div(where), div(blocks.message), div(blocks.command)],
      },
    });
  });

  it("is a card of the second schema when asked for", () => {
    expect(requestOf(lark, { webhook, msgType: "card_v2" }, message).json()).toEqual({
      msg_type: "interactive",
      card: {
        schema: "2.0",
        header: { template: "orange", title: { tag: "plain_text", content: blocks.title } },
        body: { elements: [div(where), div(blocks.message), div(blocks.command)] },
      },
    });
  });

  it.each([
    ["critical", "red"],
    ["warning", "orange"],
    ["info", "blue"],
    ["notice", "grey"],
  ] as const)("shows %s in %s", (severity, template) => {
    const body = requestOf(lark, { webhook }, aMessage({ blocks, severity })).json();
    expect(body).toMatchObject({ card: { header: { template } } });
  });

  it.each([
    ["en", "en_us"],
    ["zh", "zh_cn"],
  ] as const)("is a post in the reader's language: %s", (lang, key) => {
    const body = requestOf(lark, { webhook, msgType: "post" }, aMessage({ blocks, lang })).json();
    expect(body).toEqual({
      msg_type: "post",
      content: {
        post: {
          [key]: {
            title: blocks.title,
            content: [
              [{ tag: "text", text: where }],
              [{ tag: "text", text: blocks.message }],
              [{ tag: "text", text: blocks.command }],
            ],
          },
        },
      },
    });
  });

  it("is text when asked for", () => {
    expect(requestOf(lark, { webhook, msgType: "text" }, message).json()).toEqual({
      msg_type: "text",
      content: { text: blocks.text },
    });
  });

  it("leaves out what is empty", () => {
    const bare = aMessage({
      blocks: { title: "t", place: "", times: "", message: "m", command: "" },
    });
    expect(requestOf(lark, { webhook }, bare).json()).toMatchObject({
      card: { elements: [div("m")] },
    });
  });

  it.each([
    ["text", '<at user_id="all">Everyone</at> <at user_id="ou_1">ou_1</at>'],
    ["card", "<at id=all></at> <at id=ou_1></at>"],
    ["card_v2", "<at id=all></at> <at id=ou_1></at>"],
  ])("mentions as %s does it", (msgType, mention) => {
    const given = { webhook, msgType, atAll: true, atUserIds: "ou_1" };
    expect(JSON.stringify(requestOf(lark, given, message).json())).toContain(
      JSON.stringify(mention).slice(1, -1),
    );
  });

  it("mentions in a post by elements of their own", () => {
    const given = { webhook, msgType: "post", atUserIds: ["ou_1"] };
    expect(requestOf(lark, given, message).body).toContain('[{"tag":"at","user_id":"ou_1"}]');
  });

  it("lets no id break out of its tag", () => {
    const given = { webhook, msgType: "text", atUserIds: ['ou_1"></at><at user_id="all'] };
    expect(requestOf(lark, given, message).body).not.toContain('\\"all\\"');
  });
});

describe("Lark's signature", () => {
  // key=$(printf '%s\n%s' 1700000000 fedcba9876543210 | xxd -p -c 256)
  // printf '' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | base64
  const sign = "Q6Br1mnKWEpCI9ExYX60SANz5yH0aNq6srmh6jkogVI=";

  it("is what openssl computes over nothing with time and secret as the key, in seconds, in the body", () => {
    const request = requestOf(
      lark,
      { webhook, secret: "fedcba9876543210" },
      message,
      1_700_000_000_999,
    );
    expect(request.json()).toMatchObject({ timestamp: "1700000000", sign });
    expect(request.url).toBe(webhook);
  });

  it("is absent without a secret", () => {
    expect(requestOf(lark, { webhook }, message).json()).not.toHaveProperty("sign");
  });
});

describe("what Lark answers", () => {
  const accept = (json: unknown, headers: Record<string, string> = {}, status = 200) =>
    lark.accept({ status, headers, text: JSON.stringify(json), json });

  it.each([
    [{ code: 9499, msg: "too many request" }, "throttled"],
    [{ code: 9499, msg: "Bad Request" }, "permanent"],
    [{ StatusCode: 0, StatusMessage: "success", Extra: null }, "accepted"],
    [{ StatusCode: 0, StatusMessage: "success", code: 0, msg: "success" }, "accepted"],
    [{ code: 55555, msg: "?" }, "retryable"],
    [{}, "retryable"],
    [[], "retryable"],
  ])("%j is %s", (json, kind) => {
    expect(accept(json).kind).toBe(kind);
  });

  it("waits until the rate limit is reset", () => {
    const verdict = accept(
      { code: 99991400, msg: "frequency limit" },
      { "x-ogw-ratelimit-reset": "7" },
      429,
    );
    expect(verdict).toMatchObject({ kind: "throttled", retryAfterMs: 7000 });
  });

  it.each(["19021", "19024"])("says what to do about %s", (code) => {
    const verdict = accept({ code: Number(code), msg: "no" });
    expect(verdict).toMatchObject({
      kind: "permanent",
      detail: expect.stringMatching(/secret|keyword/) as unknown,
    });
  });
});

describe("Lark's options", () => {
  it("keep to both budgets of a bot", () => {
    expect(lark.limits(optionsFor(lark, { webhook })).rates).toEqual([
      { count: 5, perMs: 1000 },
      { count: 100, perMs: 60_000 },
    ]);
  });

  it("take both domains and loopback, no other http", () => {
    expect(problemsWith(lark, { webhook: webhook.replace("feishu.cn", "larksuite.com") })).toEqual(
      [],
    );
    expect(problemsWith(lark, { webhook: "http://[::1]:80/open-apis/bot/v2/hook/x" })).toEqual([]);
    expect(problemsWith(lark, { webhook: webhook.replace("https", "http") })).toHaveLength(1);
  });
});
