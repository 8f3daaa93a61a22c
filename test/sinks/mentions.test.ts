import { describe, expect, it } from "vitest";
import dingtalk from "../../sinks/dingtalk.ts";
import lark from "../../sinks/lark.ts";
import slack from "../../sinks/slack.ts";
import wecom from "../../sinks/wecom.ts";
import type { Alert } from "../../src/event/alert.ts";
import type { SinkDefinition } from "../../src/sink/index.ts";
import { characterLength } from "../../src/sink/text.ts";
import { aDigest, aGap } from "../support/alerts.ts";
import { anEvent } from "../support/events.ts";
import { problemsWith, requestOf, aMessage } from "../support/messages.ts";
import { mustRender } from "../support/rendering.ts";

/** Mentions are part of each message: what is left must tell of an event, and what leaves nothing is said at the start. */
interface Chat {
  readonly name: string;
  readonly sink: SinkDefinition;
  readonly given: Readonly<Record<string, unknown>>;
  /** The option that calls somebody, and the nth to be called. */
  readonly option: string;
  readonly who: (n: number) => string;
  /** What the platform measures, and how much of it it takes. */
  readonly measured: (body: string) => number;
  readonly most: number;
}

const bytes = (text: string) => Buffer.byteLength(text);
const content = (body: string) =>
  (JSON.parse(body) as { readonly markdown: { readonly content: string } }).markdown.content;
const DINGTALK = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef";
const LARK = "https://open.feishu.cn/open-apis/bot/v2/hook/01234567-89ab-cdef";
const openId = (n: number) => `ou_${String(n).padStart(32, "0")}`;
const mobile = (n: number) => `138${String(n).padStart(8, "0")}`;

const CHATS: readonly Chat[] = [
  ...(["markdown", "text"] as const).map((msgType) => ({
    name: `DingTalk, ${msgType}`,
    sink: dingtalk,
    given: { webhook: DINGTALK, msgType, clusterId: "c0123456789abcdef", region: "cn-hangzhou" },
    option: "atMobiles",
    who: mobile,
    measured: bytes,
    most: 20_000,
  })),
  ...(["card", "card_v2", "post", "text"] as const).map((msgType) => ({
    name: `Lark, ${msgType}`,
    sink: lark,
    given: { webhook: LARK, msgType, secret: "fedcba9876543210" },
    option: "atUserIds",
    who: openId,
    measured: bytes,
    most: 20_000,
  })),
  {
    name: "WeCom",
    sink: wecom,
    given: { webhook: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab" },
    option: "atUserIds",
    who: (n) => `zhang.san-${n}@example`,
    measured: (body) => bytes(content(body)),
    most: 4096,
  },
  {
    name: "Slack",
    sink: slack,
    given: { webhook: "https://hooks.slack.com/services/T0/B0/abcdefghijkl" },
    option: "mention",
    who: (n) => `U${String(n).padStart(10, "0")}`,
    measured: characterLength,
    most: 13_000,
  },
];

const called = ({ given, option, who }: Chat, count: number) => ({
  ...given,
  [option]: Array.from({ length: count }, (_, n) => who(n)),
});

/** How many may be called: one more is refused. */
function mostOf(chat: Chat): number {
  let least = 0;
  let tooMany = 4096;
  while (tooMany - least > 1) {
    const middle = Math.floor((least + tooMany) / 2);
    if (problemsWith(chat.sink, called(chat, middle)).length === 0) least = middle;
    else tooMany = middle;
  }
  return least;
}

// Letters that no hash has: it would be shortened.
const LONG = "z".repeat(63);
const longest = anEvent({
  cluster: "x".repeat(63),
  reason: "R".repeat(128),
  message: '"容器🟠\\'.repeat(50_000),
  object: {
    namespace: LONG,
    name: [LONG, LONG, LONG, LONG].join(".").slice(0, 253),
  },
  reporter: { component: LONG, host: LONG },
});
const ALERTS: readonly (readonly [string, Alert])[] = [
  ["the longest names and a huge message", { kind: "event", event: longest }],
  ["a digest", aDigest()],
  ["a gap", aGap()],
];

describe.each(CHATS)("$name", (chat) => {
  const most = mostOf(chat);

  it("calls at least thirty, a whole shift", () => {
    expect(most).toBeGreaterThanOrEqual(30);
  });

  it.each(ALERTS)("beside as many as it may call, tells of %s", (_, alert) => {
    for (const lang of ["en", "zh"] as const) {
      const { request } = mustRender(chat.sink, called(chat, most), alert, lang);
      const body = request?.body ?? "";
      expect(chat.measured(body)).toBeLessThanOrEqual(chat.most);
      const wanted = [chat.who(most - 1), "prod-a"];
      const there = alert.kind === "event" ? ["kubectl", "容器", chat.who(0)] : wanted;
      expect(there.filter((part) => !body.includes(part))).toEqual([]);
    }
  });

  it("refuses one more at the start, names the option, and says how much there may be", () => {
    const [problem = "", ...others] = problemsWith(chat.sink, called(chat, most + 1));
    expect(others).toEqual([]);
    expect(problem).toMatch(new RegExp(`^${chat.option}: `));
    expect(problem).toMatch(/takes? [\d,]+ .*(of the|Slack takes) \d+/);
  });
});

describe("who is called", () => {
  it.each([
    [dingtalk, { webhook: DINGTALK, atMobiles: [""] }, "atMobiles"],
    [dingtalk, { webhook: DINGTALK, atUserIds: [" "] }, "atUserIds"],
    [dingtalk, { webhook: DINGTALK, atUserIds: ["manager", "<>"] }, "atUserIds"],
    [lark, { webhook: LARK, atUserIds: ["张三"] }, "atUserIds"],
    [lark, { webhook: LARK, atUserIds: ["ou_1", ""] }, "atUserIds"],
    [wecom, { webhook: "https://h.example/?key=0", atUserIds: ["张三"] }, "atUserIds"],
    [slack, { webhook: "https://h.example/x", mention: [""] }, "mention"],
  ])("is somebody: $type refuses %j", (sink, given, option) => {
    expect(problemsWith(sink, given)).toEqual([expect.stringMatching(`^${option}: `)]);
  });

  it("counts in WeCom's markdown only: beside a text the lists stand apart", () => {
    const webhook = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab";
    const atUserIds = Array.from({ length: 900 }, (_, n) => `user${n}`);
    expect(problemsWith(wecom, { webhook, atUserIds })).toEqual([
      expect.stringContaining("or msgType text"),
    ]);
    const given = { webhook, atUserIds, msgType: "text" };
    expect(problemsWith(wecom, given)).toEqual([]);
    const told = requestOf(wecom, given, aMessage({ blocks: { text: "Back-off" } })).json();
    expect(told).toMatchObject({ text: { content: "Back-off", mentioned_list: atUserIds } });
  });

  it("shares DingTalk's room with the cluster's name and the button, which are named as well", () => {
    const url = `https://grafana.example/${"d".repeat(19_000)}`;
    const given = { webhook: DINGTALK, msgType: "actionCard", actionUrl: url };
    expect(problemsWith(dingtalk, given)).toEqual([expect.stringContaining("button's URL")]);
    const clusterId = "c".repeat(18_000);
    expect(problemsWith(dingtalk, { webhook: DINGTALK, clusterId })).toEqual([
      expect.stringContaining("clusterId"),
    ]);
  });
});
