import { describe, expect, it } from "vitest";
import { sinks as registry } from "../../../sinks/index.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { HttpAnswer, HttpSinkDefinition } from "../../../src/sink/index.ts";

/** How the webhook to this address is judged and paced. */
function webhookTo(address: string) {
  const { config } = loadConfig({
    flags: { source: ["file:-"], sink: [`webhook:${address}`] },
    registry,
    env: {},
  });
  const [sink] = config.sinks;
  if (sink === undefined) throw new Error("no sink");
  const definition = sink.definition as HttpSinkDefinition;
  const { rates, concurrency, body } = definition.limits(sink.options);
  const judged = (json: unknown, text = JSON.stringify(json)) => {
    const answer: HttpAnswer = { status: 200, headers: {}, text, json };
    return definition.accept(answer).kind;
  };
  return { rates, concurrency, body, judged, type: definition.type };
}

const DINGTALK = "https://oapi.dingtalk.com/robot/send?access_token=a";
const A_MINUTE = { perMs: 60_000 };

describe("a webhook to a robot", () => {
  it.each([
    [DINGTALK, [{ count: 20, ...A_MINUTE }], { errcode: 130101 }],
    [
      "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
      [{ count: 20, ...A_MINUTE }],
      { errcode: 45009 },
    ],
    [
      "https://oapi.dingtalk.io/robot/send?access_token=a",
      [{ count: 20, ...A_MINUTE }],
      { errcode: 130101 },
    ],
    // As kube-eventer's documentation writes it.
    [
      "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
      [{ count: 20, ...A_MINUTE }],
      { errcode: 45009 },
    ],
    [
      "https://open.feishu.cn/open-apis/bot/v2/hook/h",
      [
        { count: 5, perMs: 1000 },
        { count: 100, ...A_MINUTE },
      ],
      { code: 11232 },
    ],
    [
      "https://open.larksuite.com/open-apis/bot/v2/hook/h",
      [
        { count: 5, perMs: 1000 },
        { count: 100, ...A_MINUTE },
      ],
      { code: 11232 },
    ],
  ])("at %s keeps its rates and understands that it is throttled", (address, rates, said) => {
    const { type, judged, ...limits } = webhookTo(address);
    expect(type).toBe("webhook");
    expect(limits).toMatchObject({ rates, concurrency: 1 });
    expect(judged(said)).toBe("throttled");
    expect(judged(Object.fromEntries(Object.keys(said).map((name) => [name, 0])))).toBe("accepted");
  });

  it("is told one message a second where it is Slack's, which says ok in plain text", () => {
    const { rates, concurrency, judged } = webhookTo("https://hooks.slack.com/services/T1/B1/x");
    expect({ rates, concurrency }).toEqual({ rates: [{ count: 1, perMs: 1000 }], concurrency: 1 });
    expect(judged(undefined, "ok")).toBe("accepted");
  });

  it("is cut to what the robot takes", () => {
    expect(webhookTo(DINGTALK).body).toEqual({ max: 20_000, unit: "bytes" });
  });

  it("takes an answer without the platform's code as any receiver's: it would be told again and again", () => {
    const { judged } = webhookTo(DINGTALK);
    expect([judged(undefined, "ok"), judged({ queued: true })]).toEqual(["accepted", "accepted"]);
  });

  it.each([
    "https://hooks.example.com/robot/send?access_token=a",
    "https://oapi.dingtalk.com/v1.0/other",
    "https://qyapi.weixin.qq.com/cgi-bin/message/send?access_token=a",
  ])("is not what %s is", (address) => {
    const { rates, concurrency, judged } = webhookTo(address);
    expect({ rates, concurrency }).toEqual({ rates: [], concurrency: 8 });
    expect(judged({ errcode: 310000 })).toBe("accepted");
  });
});
