import { describe, expect, it } from "vitest";
import { parseRobots } from "../../../src/simulate/index.ts";
import { play, post } from "./support.ts";

describe("a list of robots", () => {
  it("becomes robots", () => {
    const list = [
      { platform: "dingtalk", token: "ops", name: "值班群", secret: "SEC", keywords: ["告警"] },
      { platform: "slack", token: "T0/B0/X" },
    ];
    expect(parseRobots(list)).toEqual({
      robots: [list[0], { platform: "slack", token: "T0/B0/X", keywords: [] }],
    });
  });

  it("is what a strict simulator knows", async () => {
    const parsed = parseRobots([{ platform: "wecom", token: "k" }]);
    const robots = "robots" in parsed ? parsed.robots : [];
    const { sim } = await play({ robots, onlyConfigured: true });
    const body = { msgtype: "text", text: { content: "x" } };
    expect((await post(sim.webhook("wecom", "k"), body)).json).toMatchObject({ errcode: 0 });
    expect((await post(sim.webhook("wecom", "no"), body)).json).toMatchObject({ errcode: 93000 });
  });

  it.each([
    ["no list", {}, ["expected a JSON list"]],
    ["no object", ["x"], ["[0]: is not an object"]],
    [
      "an unknown platform",
      [{ platform: "teams", token: "x" }],
      ['[0]: platform is "teams"; expected dingtalk, lark'],
    ],
    ["no token", [{ platform: "lark" }], ["[0]: token is missing"]],
    [
      "an unknown key",
      [{ platform: "lark", token: "x", sercet: "y" }],
      ['[0]: unknown key "sercet"; expected platform, token, name, secret, keywords'],
    ],
    [
      "an empty secret",
      [{ platform: "lark", token: "x", secret: "" }],
      ["[0]: secret is not a text"],
    ],
    [
      "keywords as text",
      [{ platform: "lark", token: "x", keywords: "a" }],
      ["[0]: keywords is not a list"],
    ],
    [
      "what a platform never asks for",
      [
        { platform: "wecom", token: "x", keywords: ["a"] },
        { platform: "hook", token: "x", secret: "y", keywords: [] },
      ],
      ["[0]: keywords means nothing to wecom", "[1]: secret means nothing to hook"],
    ],
    [
      "a robot twice",
      [
        { platform: "lark", token: "x" },
        { platform: "lark", token: "x" },
      ],
      ["[1]: lark has this token twice"],
    ],
    [
      "several at once",
      [{}, { platform: "lark", token: "x", name: 1 }],
      ["[0]: platform", "[0]: token", "[1]: name"],
    ],
  ])("with %s says what is wrong where", (_, list, problems) => {
    expect(parseRobots(list)).toEqual({
      problems: problems.map((problem) => expect.stringContaining(problem) as string),
    });
  });

  it("never repeats a secret in what it says", () => {
    expect(JSON.stringify(parseRobots([{ secret: "SECvery", token: 1 }]))).not.toContain("SECvery");
  });
});
