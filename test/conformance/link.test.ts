import path from "node:path";
import { describe, expect, it } from "vitest";
import { composeFor } from "../../src/app/senders.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Alert } from "../../src/event/alert.ts";
import { parseQuery } from "../../src/history/parse.ts";
import { storedKey } from "../../src/ledger/key.ts";
import { previewOf } from "../../src/simulate/preview.ts";
import type { HttpRequest } from "../../src/sink/index.ts";
import { fits } from "../../src/sink/text.ts";
import { createTemplates } from "../../src/template/templates.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { bodyOf } from "../../sinks/wechat/sender.ts";
import { HOSTILE } from "../fixtures/hostile.ts";
import { anEvent } from "../support/events.ts";
import { DELIVERY_ID, RENDERED_AT } from "../support/rendering.ts";
import { aDigestOf, aGap } from "../support/alerts.ts";

/** What a message says of the page, in each chat and both languages, as the platforms' documentation has links. */
const PAGE = "https://events.example.com";
const SINKS: Readonly<Record<string, string>> = {
  "dingtalk markdown":
    "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef",
  "dingtalk text":
    "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef&msgType=text&atMobiles=13800000000",
  "dingtalk actionCard":
    "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef&msgType=actionCard&actionUrl=https%3A%2F%2Fgrafana.example.com",
  "lark card": "lark:https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef",
  "lark card_v2":
    "lark:https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef?msgType=card_v2",
  "lark post": "lark:https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef?msgType=post",
  "lark text": "lark:https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef?msgType=text",
  "wecom markdown":
    "wecom:https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0123456789abcdef&atUserIds=zhangsan",
  "wecom text":
    "wecom:https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0123456789abcdef&msgType=text",
  "wechat text":
    "wechat:https://qyapi.weixin.qq.com?corp_id=ww0123456789abcdef&corp_secret=fedcba9876543210&agent_id=1000002&to_user=zhangsan&msgType=text",
  "wechat markdown":
    "wechat:https://qyapi.weixin.qq.com?corp_id=ww0123456789abcdef&corp_secret=fedcba9876543210&agent_id=1000002&to_user=zhangsan&msgType=markdown",
  slack: "slack:https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnopqrstuvwx",
  webhook: "webhook:http://127.0.0.1:1/ops",
};
/** Chats whose look is known, so that a link can be pressed. */
const SHOWN = Object.keys(SINKS).filter((name) => !/^(wechat|webhook)| text$/.test(name));

const templates = createTemplates({
  builtinDir: path.resolve(import.meta.dirname, "../../templates"),
  overrides: [],
});

const configOf = (name: string, lang: string, more: Readonly<Record<string, string>>): Config =>
  loadConfig({
    flags: {
      sink: [`${SINKS[name] ?? ""}${/\?/.test(SINKS[name] ?? "") ? "&" : "?"}name=on-call`],
      clusterName: "prod-a",
      timezone: "Asia/Shanghai",
      lang,
      ...more,
    },
    registry,
    env: {},
  }).config;

const WITH = { webListen: "127.0.0.1:0", externalUrl: `${PAGE}/` };

/** What leaves the house, and the blocks it is made from. */
function sent(name: string, alert: Alert, lang: string, more: Readonly<Record<string, string>>) {
  const config = configOf(name, lang, more);
  const [sink] = config.sinks;
  if (sink === undefined) throw new Error("no sink");
  const type = sink.definition.type;
  const delivery = { id: DELIVERY_ID, alert };
  const composed = composeFor(config, sink, templates.get(type), delivery, RENDERED_AT);
  if (!composed.ok) throw new Error(JSON.stringify(composed.verdict));
  const { message, request } = composed;
  const app = {
    corpId: "",
    corpSecret: "",
    apiUrl: "",
    agentId: 1,
    toUser: [],
    toParty: [],
    toTag: [],
  };
  const msgType = message.blocks["text"] === undefined ? "markdown" : "text";
  const body = request?.body ?? bodyOf({ ...app, msgType }, message.blocks);
  return { sink, message, request, body };
}

/** What a reader can press. */
async function pressed(name: string, request: HttpRequest | null): Promise<readonly string[]> {
  const preview =
    request === null ? null : previewOf(name.split(" ")[0] ?? "", request, RENDERED_AT);
  if (preview?.kind !== "shown") throw new Error(JSON.stringify(preview));
  return [...(await preview.drawn).matchAll(/href="([^"]*)"/g)].map(([, href = ""]) =>
    href.replaceAll("&amp;", "&"),
  );
}

const event = (changes: Parameters<typeof anEvent>[0] = {}): Alert => ({
  kind: "event",
  event: anEvent(changes),
});
const DIGEST = aDigestOf(37);
const GAP = aGap();
const LINK = `${PAGE}/events/${encodeURIComponent(storedKey(anEvent()))}`;
const LABEL = { en: "Open in kube-crier", zh: "在 kube-crier 中查看" } as const;

/** As each platform has links: a part of the body, which is JSON. */
const FORMS: Readonly<Record<string, (text: string) => string>> = {
  "dingtalk markdown": (text) => `[${text}](${LINK})`,
  "dingtalk text": (text) => `${text} ${LINK}\\n`,
  "dingtalk actionCard": (text) => `[${text}](${LINK})`,
  "lark card": (text) =>
    `{"tag":"action","actions":[{"tag":"button","text":{"tag":"plain_text","content":"${text}"},"type":"default","url":"${LINK}"}]}`,
  "lark card_v2": (text) =>
    `{"tag":"button","text":{"tag":"plain_text","content":"${text}"},"type":"default","behaviors":[{"type":"open_url","default_url":"${LINK}"}]}`,
  "lark post": (text) => `[{"tag":"a","text":"${text}","href":"${LINK}"}]`,
  "lark text": (text) => `${text} ${LINK}`,
  "wecom markdown": (text) => `[${text}](${LINK})`,
  "wecom text": (text) => `${text} ${LINK}`,
  // Its text knows no Markdown; an address alone can be pressed.
  "wechat text": (text) => `${text} ${LINK}`,
  "wechat markdown": (text) => `[${text}](${LINK})`,
  slack: (text) => `{"type":"context","elements":[{"type":"mrkdwn","text":"<${LINK}|${text}>"}]}`,
  webhook: (text) => `${text} ${LINK}`,
};

describe.each(Object.keys(SINKS))("a message to %s", (name) => {
  it.each(["en", "zh"] as const)("leads to its event (%s), once", (lang) => {
    const { body } = sent(name, event(), lang, WITH);
    expect(body).toContain(FORMS[name]?.(LABEL[lang]));
    expect(body.split(LINK)).toHaveLength(2);
  });

  it("has no link without the option, or without a page", () => {
    const plain = sent(name, event(), "en", {}).body;
    expect(plain).not.toContain("kube-crier 中查看");
    expect(plain).not.toContain("Open in kube-crier");
    expect(sent(name, event(), "en", { webListen: "127.0.0.1:0" }).body).toBe(plain);
    expect(sent(name, event(), "en", { externalUrl: PAGE }).body).toBe(plain);
  });

  it("stays within the platform's limits however long the event's text is, and the link is whole", () => {
    for (const message of [
      "x".repeat(60_000),
      '"<\\`'.repeat(9_000),
      "镜像拉取失败".repeat(5_000),
    ]) {
      const { sink, message: told, request, body } = sent(name, event({ message }), "zh", WITH);
      const { body: most, blocks } = sink.definition.limits(sink.options);
      expect(body).toContain(FORMS[name]?.(LABEL.zh));
      expect(most === null || request === null || fits(request.body, most)).toBe(true);
      for (const [block, size] of Object.entries(blocks))
        expect(fits(told.blocks[block] ?? "", size), block).toBe(true);
    }
  });
});

describe.each(SHOWN)("in the chat of %s", (name) => {
  it("the link can be pressed, and an event's text makes no other", async () => {
    const own = name.endsWith("actionCard") ? ["https://grafana.example.com"] : [];
    for (const message of [
      "Back-off restarting failed container",
      ...HOSTILE.map(({ text }) => text),
    ]) {
      const links = await pressed(name, sent(name, event({ message }), "en", WITH).request);
      // A chat makes links of bare addresses by itself.
      const ours = links.filter((link) => link.startsWith(PAGE));
      expect(ours, message).toEqual([LINK]);
      expect(links.filter((link) => own.includes(link))).toEqual(own);
    }
  });

  it("that of a digest leads to the list of what it tells of", async () => {
    const links = await pressed(name, sent(name, DIGEST, "en", WITH).request);
    const [link = ""] = links.filter((one) => one.startsWith(PAGE));
    const { pathname, searchParams } = new URL(link);
    expect(pathname).toBe("/");
    expect(parseQuery(searchParams, RENDERED_AT).filter).toMatchObject({
      from: Date.parse("2026-11-20T08:00:00Z"),
      // The end of a list is exclusive, and the last event belongs to it.
      to: Date.parse("2026-11-20T08:05:30Z") + 1,
      sinks: ["on-call"],
      states: ["folded"],
    });
  });
});

describe("the link", () => {
  const linkIn = async (alert: Alert) => {
    const [link = ""] = await pressed("slack", sent("slack", alert, "en", WITH).request);
    return link;
  };

  it("of a digest of what came too late leads to what was owed to nobody for its age", async () => {
    const { searchParams } = new URL(await linkIn({ ...DIGEST, tooOld: true }));
    const { filter } = parseQuery(searchParams, RENDERED_AT);
    expect(filter).toMatchObject({ suppressed: ["tooOld"], sinks: [], states: [] });
  });

  it("of a gap leads to what is known of its time", async () => {
    const { searchParams } = new URL(await linkIn(GAP));
    expect(parseQuery(searchParams, RENDERED_AT).filter).toMatchObject({
      from: Date.parse("2026-11-20T02:02:00Z"),
      to: Date.parse("2026-11-20T02:09:00Z") + 1,
      sinks: [],
    });
  });

  it("holds nothing that means something in a chat, whatever uid a file gives an Event", async () => {
    const uid = `a](https://evil.example) <!channel> "'\`*_~@all|\n`;
    const link = await linkIn(event({ uid }));
    expect(link.slice(PAGE.length)).toMatch(/^\/events\/[\w.~%-]+$/);
    expect(decodeURIComponent(link)).toBe(`${PAGE}/events/${storedKey(anEvent({ uid }))}`);
  });

  it("is left out where a uid makes it longer than platforms have room for", () => {
    const uid = "u".repeat(3_000);
    expect(sent("wecom text", event({ uid }), "en", WITH).body).not.toContain(PAGE);
  });

  it.each(["dingtalk text", "dingtalk markdown", "wechat text", "webhook"])(
    "is not in what compat: strict sends as kube-eventer did: %s",
    (name) => {
      const strict = { compat: "strict" };
      const plain = sent(name, event(), "en", strict).body;
      expect(sent(name, event(), "en", { ...strict, ...WITH }).body).toBe(plain);
      expect(plain).not.toContain(PAGE);
    },
  );

  it("is a template's own to place", () => {
    const own = templates.withFiles([
      {
        source: "own.hbs",
        text: '{{#*inline "text"}}{{reason}}{{#if link}} → {{anchor link linkText}}{{/if}}{{/inline}}',
      },
    ]);
    const config = configOf("wecom text", "en", WITH);
    const [sink] = config.sinks;
    if (sink === undefined) throw new Error("no sink");
    const delivery = { id: DELIVERY_ID, alert: event() };
    const composed = composeFor(config, sink, own.get("wecom"), delivery, RENDERED_AT);
    expect(composed.ok && composed.message.blocks["text"]).toBe(
      `BackOff → Open in kube-crier ${LINK}`,
    );
  });
});
