import { describe, expect, it } from "vitest";
import { sharedBudgets } from "../../../src/app/robots.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { sinks as registry } from "../../../sinks/index.ts";

/** By the names that share a budget, in groups; who shares none is in none. */
function groupsOf(...sink: string[]): string[][] {
  const { config } = loadConfig({
    flags: { source: ["file:-"], sink: sink.map((uri, at) => `${uri}&name=${"abcdefg"[at]}`) },
    registry,
    env: {},
  });
  const shared = sharedBudgets(config.sinks);
  return [...Map.groupBy(shared.keys(), (name) => shared.get(name)).values()];
}

const DINGTALK = "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=";
const LARK = "lark:https://open.feishu.cn/open-apis/bot/v2/hook/";
const WECOM = "wecom:https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=";
const SLACK = "slack:https://hooks.slack.com/services/T1/B1/";
const WECHAT = "wechat:https://qyapi.weixin.qq.com?corp_id=ww1&corp_secret=x&agent_id=";

describe("sinks that share the rate of a robot", () => {
  it.each([
    ["DingTalk", `${DINGTALK}ops`, `${DINGTALK}dba`],
    ["Lark", `${LARK}ops?lang=en`, `${LARK}dba?lang=en`],
    ["WeCom", `${WECOM}ops`, `${WECOM}dba`],
    ["Slack by webhook", `${SLACK}ops?lang=en`, `${SLACK}dba?lang=en`],
    [
      "Slack by token",
      "slack:?token=xoxb-1&channel=C1",
      // Its limit is the channel's.
      "slack:?token=xoxb-1&channel=C2",
    ],
    ["the WeCom app", `${WECHAT}1&to_user=li,wu`, `${WECHAT}1&to_user=li`],
  ])("%s: those of one robot, whatever else differs, and no others", (_, one, other) => {
    expect(groupsOf(`${one}&level=Normal`, other, `${one}&namespaces=shop&digest=false`)).toEqual([
      ["a", "c"],
    ]);
    expect(groupsOf(one, other)).toEqual([]);
  });

  it("are the same robot's however its address, or who is told, is written", () => {
    expect(
      groupsOf(
        `${DINGTALK}ops&sign=SEC1`,
        "dingtalk:http://oapi.dingtalk.com/robot/send?access_token=ops",
      ),
    ).toEqual([["a", "b"]]);
    expect(groupsOf(`${WECHAT}1&to_user=li,wu`, `${WECHAT}1&to_user=wu,li`)).toEqual([["a", "b"]]);
    expect(groupsOf(`${WECHAT}1&to_user=li`, `${WECHAT}2&to_user=li`), "another app").toEqual([]);
  });

  it("are those that are told by the webhook sink, too", () => {
    const hook = `webhook:${DINGTALK.slice("dingtalk:".length)}ops`;
    expect(groupsOf(hook, `${hook}&level=Normal`, `${DINGTALK}ops`)).toEqual([["a", "b", "c"]]);
  });

  it("are none whose other side has no rate", () => {
    const hook = "webhook:https://hooks.example.com/x?level=Normal";
    expect(groupsOf(hook, hook)).toEqual([]);
    expect(groupsOf(`${hook}&rate_per_minute=5`, `${hook}&rate_per_minute=5`)).toEqual([]);
  });

  it("share nothing where each has been given its part, and all where only one has", () => {
    const part = `${DINGTALK}ops&rate_per_minute=10`;
    expect(groupsOf(part, part)).toEqual([]);
    expect(groupsOf(part, `${DINGTALK}ops`)).toEqual([["a", "b"]]);
  });

  it("may use what the platform allows, not what one of them was given", () => {
    const { config } = loadConfig({
      flags: {
        source: ["file:-"],
        sink: [`${DINGTALK}ops&name=a&rate_per_minute=3`, `${DINGTALK}ops&name=b`],
      },
      registry,
      env: {},
    });
    expect(sharedBudgets(config.sinks).get("a")?.available(0)).toBe(20);
  });
});
