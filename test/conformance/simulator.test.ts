import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sinkOf } from "../../sinks/index.ts";
import { type Platform, type RunningSimulator, startSimulator } from "../../src/simulate/index.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { openSink } from "../../src/sink/open.ts";
import { FakeClock } from "../support/clock.ts";
import { aMessage } from "../support/messages.ts";
import { quietIo } from "../support/sinks.ts";

/** The sinks against the platforms in a box: every kind of message is taken, shown and mentions whom it should. */
const clock = new FakeClock();
const never = new AbortController().signal;
const blocks = {
  title: "🟠 Back-off · web",
  text: "🟠 Back-off · web\nprod-a · shop\nBack-off",
  markdown: "#### 🟠 Back-off · web\n**prod-a · shop**\n> Back-off",
  fallback: "🟠 Back-off · web",
  place: "prod-a · shop",
  context: "prod-a · shop",
  times: "12 ×",
  message: "Back-off",
  command: "kubectl -n shop describe pod web",
};

let chats: RunningSimulator;
let client: HttpClient;

beforeAll(async () => {
  chats = await startSimulator({
    clock,
    robots: [
      { platform: "dingtalk", token: "d1", secret: "SECfedcba" },
      { platform: "lark", token: "l1", secret: "fedcba98" },
      { platform: "slack", token: "C1", secret: "xoxb-token" },
    ],
  });
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
beforeEach(() => chats.control({ clear: true, resetLimits: true }));
afterAll(async () => {
  client.close();
  await chats.close();
});

const TOKENS = { dingtalk: "d1", lark: "l1", wecom: "w1", slack: "T1/B1/X1", hook: "h1" };

async function tell(platform: Platform, given: Readonly<Record<string, unknown>>) {
  const sink = sinkOf(platform === "hook" ? "webhook" : platform);
  if (sink === undefined) throw new Error(`no sink ${platform}`);
  const address =
    given["token"] === undefined
      ? chats.webhook(platform, TOKENS[platform])
      : `${chats.url.replace(/\/$/, "")}/api/chat.postMessage`;
  const options = sink.options.parse({ [sink.uri.target ?? ""]: address, ...given });
  const open = openSink(sink, options, { client, timeoutMs: 5000, ...quietIo() });
  const { verdict } = await open.tell(aMessage({ blocks }), clock.now(), never);
  return { verdict, shown: chats.messages().at(-1) };
}

describe("each kind of message", () => {
  it.each<[Platform, Record<string, unknown>, string]>([
    ["dingtalk", { secret: "SECfedcba" }, "markdown"],
    ["dingtalk", { secret: "SECfedcba", msgType: "text" }, "text"],
    [
      "dingtalk",
      { secret: "SECfedcba", msgType: "actionCard", actionUrl: "https://a.example" },
      "actionCard",
    ],
    ["lark", { secret: "fedcba98" }, "interactive"],
    ["lark", { secret: "fedcba98", msgType: "card_v2" }, "interactive"],
    ["lark", { secret: "fedcba98", msgType: "post" }, "post"],
    ["lark", { secret: "fedcba98", msgType: "text" }, "text"],
    ["wecom", {}, "markdown"],
    ["wecom", { msgType: "text" }, "text"],
    ["slack", {}, "blocks"],
    ["slack", { token: "xoxb-token", channel: "C1" }, "blocks"],
  ])("of %s %j is shown in the chat", async (platform, given, type) => {
    const { verdict, shown } = await tell(platform, given);
    expect(verdict).toEqual({ kind: "accepted" });
    expect(shown).toMatchObject({ state: "shown", type, mentionsEveryone: false, mentions: [] });
    const seen = `${shown?.title ?? ""}\n${shown?.text ?? ""}`;
    for (const part of ["🟠 Back-off · web", "prod-a · shop", "Back-off"])
      expect(seen).toContain(part);
  });
});

describe("a mention", () => {
  it.each<[Platform, Record<string, unknown>, Record<string, unknown>]>([
    [
      "dingtalk",
      { secret: "SECfedcba", atMobiles: ["13800000000"] },
      { mentions: ["13800000000"] },
    ],
    ["dingtalk", { secret: "SECfedcba", msgType: "text", atUserIds: ["m1"] }, { mentions: ["m1"] }],
    ["dingtalk", { secret: "SECfedcba", atAll: true }, { mentionsEveryone: true }],
    ["lark", { secret: "fedcba98", atUserIds: ["ou_1"] }, { mentions: ["ou_1"] }],
    ["lark", { secret: "fedcba98", msgType: "card_v2", atAll: true }, { mentionsEveryone: true }],
    ["lark", { secret: "fedcba98", msgType: "post", atUserIds: ["ou_1"] }, { mentions: ["ou_1"] }],
    ["lark", { secret: "fedcba98", msgType: "text", atAll: true }, { mentionsEveryone: true }],
    ["wecom", { atUserIds: ["zhangsan"] }, { mentions: ["zhangsan"] }],
    ["wecom", { msgType: "text", atAll: true }, { mentionsEveryone: true }],
    ["slack", { mention: ["channel"] }, { mentionsEveryone: true }],
  ])("of %s %j reaches whom it should", async (platform, given, expected) => {
    expect((await tell(platform, given)).shown).toMatchObject({ state: "shown", ...expected });
  });
});

describe("a refusal", () => {
  it.each<[Platform, Record<string, unknown>]>([
    ["dingtalk", { secret: "SECwrong" }],
    ["dingtalk", {}],
    ["lark", { secret: "wrong-one" }],
    ["lark", {}],
    ["slack", { token: "xoxb-wrong", channel: "C1" }],
  ])("of %s for %j is the secret's fault", async (platform, given) => {
    const { verdict, shown } = await tell(platform, given);
    expect(verdict).toMatchObject({ kind: "permanent", reason: "auth" });
    expect(shown?.state).toBe("refused");
  });

  it("of a clock that is two hours off is the signature's, too", async () => {
    chats.control({ clockOffsetSeconds: 7200 });
    for (const [platform, secret] of [
      ["dingtalk", "SECfedcba"],
      ["lark", "fedcba98"],
    ] as const) {
      expect((await tell(platform, { secret })).verdict).toMatchObject({ reason: "auth" });
    }
    chats.control({ clockOffsetSeconds: 0 });
  });

  it.each<[Platform, number, Record<string, unknown>]>([
    ["dingtalk", 20, { secret: "SECfedcba" }],
    ["wecom", 20, {}],
    ["lark", 5, { secret: "fedcba98" }],
  ])("of %s after %i messages is a throttle", async (platform, count, given) => {
    for (let turn = 0; turn < count; turn += 1) {
      expect((await tell(platform, given)).verdict.kind).toBe("accepted");
    }
    expect((await tell(platform, given)).verdict.kind).toBe("throttled");
  });
});

describe("an attempt whose answer was lost", () => {
  it("is not shown again by DingTalk: both carry one msgUuid", async () => {
    chats.control({ robot: "dingtalk/d1", fault: { kind: "lost", requests: 1 } });
    expect((await tell("dingtalk", { secret: "SECfedcba" })).verdict).toMatchObject({
      kind: "retryable",
    });
    const again = await tell("dingtalk", { secret: "SECfedcba" });
    expect(again.verdict).toEqual({ kind: "accepted" });
    expect(chats.messages("dingtalk/d1").map((message) => message.state)).toEqual([
      "shown",
      "duplicate",
    ]);
  });
});
