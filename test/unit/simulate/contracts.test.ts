import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Budget } from "../../../src/delivery/budget.ts";
import type { Platform, RunningSimulator } from "../../../src/simulate/index.ts";
import { dingtalk } from "../../../src/simulate/dingtalk.ts";
import { lark } from "../../../src/simulate/lark.ts";
import { slackApi, slackWebhook } from "../../../src/simulate/slack.ts";
import { wecom } from "../../../src/simulate/wecom.ts";
import type { SinkDefinition } from "../../../src/sink/index.ts";
import { verdictOn } from "../../../src/sink/open.ts";
import { sinkOf } from "../../../sinks/index.ts";
import { type Answered, dingSigned, larkSigned, play, post } from "./support.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const dingText = (content: string) => ({ msgtype: "text", text: { content } });
const larkText = (text: string) => ({ msg_type: "text", content: { text } });
const SLACK = "T0/B0/x";
const api = { authorization: "Bearer xoxb-1" };

/** The chat sink of a platform, which judges answers over HTTP. */
function httpSink(type: string): Extract<SinkDefinition, { transport: "http" }> {
  const sink = sinkOf(type);
  if (sink?.transport !== "http") throw new Error(`${type} speaks HTTP`);
  return sink;
}

/** What the sink makes of an answer, as a lane hears it. */
function heard(type: string, { status, headers, text, json }: Answered) {
  const answer = { status, headers: Object.fromEntries(headers), text, json };
  const verdict = verdictOn(httpSink(type), answer, Date.parse("2026-11-20T08:00:00Z"));
  return verdict.kind === "permanent" ? `permanent ${verdict.reason}` : verdict.kind;
}

async function times(count: number, send: () => Promise<Answered>): Promise<Answered> {
  let answer = await send();
  for (let index = 1; index < count; index += 1) answer = await send();
  return answer;
}

type Story = readonly [
  what: string,
  platform: Platform,
  ask: (sim: RunningSimulator, now: number) => Promise<Answered>,
  code: string,
  verdict: string,
];

/** Codes and their meaning as the platforms document them; what a sink is to make of each: docs/operating.md, the reasons of dead letters. */
const REFUSALS: readonly Story[] = [
  [
    "DingTalk: a 21st in a minute",
    "dingtalk",
    (sim) => times(21, () => post(sim.webhook("dingtalk", "ops"), dingText("x"))),
    "130101",
    "throttled",
  ],
  [
    "DingTalk: no signature",
    "dingtalk",
    (sim) => post(sim.webhook("dingtalk", "signed"), dingText("x")),
    "310000",
    "permanent auth",
  ],
  [
    "DingTalk: Lark's way to sign",
    "dingtalk",
    (sim, now) => post(sim.webhook("dingtalk", "signed"), larkSigned(dingText("x"), "SEC", now)),
    "310000",
    "permanent auth",
  ],
  [
    "DingTalk: signed an hour and a millisecond ago",
    "dingtalk",
    (sim, now) =>
      post(dingSigned(sim.webhook("dingtalk", "signed"), "SEC", now - HOUR - 1), dingText("x")),
    "310000",
    "permanent auth",
  ],
  [
    "DingTalk: none of the keywords",
    "dingtalk",
    (sim) => post(sim.webhook("dingtalk", "word"), dingText("x")),
    "310000",
    // One code for all of a robot's security settings.
    "permanent auth",
  ],
  [
    "DingTalk: 20001 bytes",
    "dingtalk",
    (sim) => post(sim.webhook("dingtalk", "ops"), sized(dingText, 20_001)),
    "460101",
    "permanent tooLarge",
  ],
  [
    "DingTalk: a token of nobody",
    "dingtalk",
    (sim) => post(sim.webhook("dingtalk", "nobody"), dingText("x")),
    "300001",
    "permanent auth",
  ],
  [
    "Lark: a sixth in a second",
    "lark",
    (sim) => times(6, () => post(sim.webhook("lark", "ops"), larkText("x"))),
    "11232",
    "throttled",
  ],
  [
    "Lark: DingTalk's way to sign",
    "lark",
    (sim, now) => post(dingSigned(`${sim.webhook("lark", "signed")}?`, "SEC", now), larkText("x")),
    "19021",
    "permanent auth",
  ],
  [
    "Lark: signed an hour and a second ago",
    "lark",
    (sim, now) =>
      post(sim.webhook("lark", "signed"), larkSigned(larkText("x"), "SEC", now - HOUR - 1000)),
    "19021",
    "permanent auth",
  ],
  [
    "Lark: milliseconds where seconds are asked for",
    "lark",
    (sim, now) => post(sim.webhook("lark", "signed"), larkSigned(larkText("x"), "SEC", now * 1000)),
    "19021",
    "permanent auth",
  ],
  [
    "Lark: none of the keywords",
    "lark",
    (sim) => post(sim.webhook("lark", "word"), larkText("x")),
    "19024",
    "permanent rejected",
  ],
  [
    "Lark: 20481 bytes",
    "lark",
    (sim) => post(sim.webhook("lark", "ops"), sized(larkText, 20_481)),
    "19036",
    "permanent tooLarge",
  ],
  [
    "Lark: a hook of nobody",
    "lark",
    (sim) => post(sim.webhook("lark", "nobody"), larkText("x")),
    "19001",
    "permanent auth",
  ],
  [
    "WeCom: a 21st in a minute",
    "wecom",
    (sim) => times(21, () => post(sim.webhook("wecom", "ops"), dingText("x"))),
    "45009",
    "throttled",
  ],
  [
    "WeCom: 2049 bytes of text",
    "wecom",
    (sim) => post(sim.webhook("wecom", "ops"), dingText("x".repeat(2049))),
    "40058",
    "permanent tooLarge",
  ],
  [
    "WeCom: a key of nobody",
    "wecom",
    (sim) => post(sim.webhook("wecom", "nobody"), dingText("x")),
    "93000",
    "permanent auth",
  ],
  [
    "Slack: more than a burst",
    "slack",
    (sim) => times(5, () => post(sim.webhook("slack", SLACK), { text: "x" })),
    "rate_limited",
    "throttled",
  ],
  [
    "Slack: 151 characters of a header",
    "slack",
    (sim) => post(sim.webhook("slack", SLACK), { blocks: [header("x".repeat(151))] }),
    "invalid_blocks",
    "permanent rejected",
  ],
  [
    "Slack: 51 blocks",
    "slack",
    (sim) => post(sim.webhook("slack", SLACK), { blocks: Array.from({ length: 51 }, divider) }),
    "invalid_blocks",
    "permanent rejected",
  ],
  [
    "Slack: 13201 characters of blocks",
    "slack",
    (sim) => post(sim.webhook("slack", SLACK), { blocks: sections(13_201) }),
    "msg_blocks_too_long",
    "permanent tooLarge",
  ],
  [
    "Slack: a webhook of nobody",
    "slack",
    (sim) => post(sim.webhook("slack", "T0/B0/nobody"), { text: "x" }),
    "no_service",
    "permanent auth",
  ],
  [
    "Slack's API: a channel of nobody",
    "slack",
    (sim) => post(`${sim.url}/api/chat.postMessage`, { channel: "C9", text: "x" }, api),
    "channel_not_found",
    "permanent config",
  ],
  [
    "Slack's API: another token",
    "slack",
    (sim) =>
      post(
        `${sim.url}/api/chat.postMessage`,
        { channel: "C1", text: "x" },
        { authorization: "Bearer xoxb-2" },
      ),
    "invalid_auth",
    "permanent auth",
  ],
  [
    "Slack's API: more than a burst",
    "slack",
    (sim) =>
      times(5, () => post(`${sim.url}/api/chat.postMessage`, { channel: "C1", text: "x" }, api)),
    "ratelimited",
    "throttled",
  ],
];

/** A body of exactly so many bytes. */
function sized(body: (text: string) => object, bytes: number): string {
  const empty = Buffer.byteLength(JSON.stringify(body("")));
  return JSON.stringify(body("x".repeat(bytes - empty)));
}

const header = (text: string) => ({ type: "header", text: { type: "plain_text", text } });
const divider = () => ({ type: "divider" });
const section = (length: number) => ({
  type: "section",
  text: { type: "mrkdwn", text: "x".repeat(length) },
});

/** Sections of so many characters together, none over its own limit. */
function sections(characters: number): object[] {
  return [
    ...Array.from({ length: Math.floor(characters / 3000) }, () => section(3000)),
    section(characters % 3000),
  ];
}

async function strict() {
  return play({
    onlyConfigured: true,
    robots: [
      ...(["dingtalk", "lark", "wecom"] as const).flatMap((platform) => [
        { platform, token: "ops" },
        { platform, token: "signed", secret: "SEC" },
        { platform, token: "word", keywords: ["alert"] },
      ]),
      { platform: "slack", token: SLACK },
      { platform: "slack", token: "C1", secret: "xoxb-1" },
    ],
  });
}

describe("what a platform refuses, the sink understands", () => {
  it.each(REFUSALS)("%s", async (_, platform, ask, code, verdict) => {
    const { sim, clock } = await strict();
    const answer = await ask(sim, clock.now());
    const message = sim.messages().at(-1);
    expect([message?.state, message?.refusal?.code]).toEqual(["refused", code]);
    expect(heard(platform, answer)).toBe(verdict);
  });

  it.each([
    ["dingtalk", "20000 bytes", sized(dingText, 20_000)],
    ["lark", "20480 bytes", sized(larkText, 20_480)],
    ["wecom", "2048 bytes of text", dingText("x".repeat(2048))],
    ["wecom", "4096 bytes", { msgtype: "markdown", markdown: { content: "é".repeat(2048) } }],
    ["slack", "150 characters of a header", { blocks: [header("😀".repeat(150))] }],
    ["slack", "50 blocks", { blocks: Array.from({ length: 50 }, divider) }],
    ["slack", "13200 characters of blocks", { blocks: sections(13_200) }],
  ] as const)("%s takes exactly %s", async (platform, _, body) => {
    const { sim } = await strict();
    const answer = await post(sim.webhook(platform, platform === "slack" ? SLACK : "ops"), body);
    expect(sim.messages().at(-1)?.state).toBe("shown");
    expect(heard(platform, answer)).toBe("accepted");
  });

  it("a signature is good for exactly an hour, behind or ahead", async () => {
    const { sim, clock } = await strict();
    const now = clock.now();
    for (const at of [now - HOUR, now + HOUR]) {
      const ding = dingSigned(sim.webhook("dingtalk", "signed"), "SEC", at);
      expect(heard("dingtalk", await post(ding, dingText("x")))).toBe("accepted");
      const signed = larkSigned(larkText("x"), "SEC", at);
      expect(heard("lark", await post(sim.webhook("lark", "signed"), signed))).toBe("accepted");
    }
  });
});

describe("the rates a sink declares", () => {
  /** https://docs.slack.dev/apis/web-api/rate-limits and the platforms' pages of their robots. */
  it.each([
    ["dingtalk", [[20, MINUTE]]],
    [
      "lark",
      [
        [5, 1000],
        [100, MINUTE],
      ],
    ],
    ["wecom", [[20, MINUTE]]],
    ["slack", [[1, 1000]]],
  ])("%s: are those of its platform", (type, documented) => {
    const sink = httpSink(type);
    const { rates } = sink.limits(sink.options.parse(sink.example.yaml));
    expect(rates.map(({ count, perMs }) => [count, perMs])).toEqual(documented);
  });

  const rules = { dingtalk, lark, wecom, slack: slackWebhook, "slack by token": slackApi };

  it.each(Object.entries(rules))(
    "%s: whoever keeps to them is never refused, however long a request is on its way",
    (name, { limit }) => {
      const sink = httpSink(name.split(" ")[0] ?? "");
      const { rates } = sink.limits(sink.options.parse(sink.example.yaml));
      const delay = fc.integer({ min: 0, max: 3000 });
      fc.assert(
        fc.property(
          fc.array(fc.tuple(delay, delay, fc.integer({ min: 0, max: 400 })), {
            minLength: 1,
            maxLength: 150,
          }),
          (requests) => {
            const [budget, platform] = [new Budget(rates), limit()];
            let now = 0;
            for (const [there, back, idle] of requests) {
              now = budget.nextSlotAt(now + idle);
              budget.start();
              // One at a time, as these sinks send.
              expect(platform.take(now + there)).toBeNull();
              now += there + back;
              budget.end(now);
            }
          },
        ),
        { numRuns: 50 },
      );
    },
  );
});
