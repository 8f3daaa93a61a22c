import { describe, expect, it } from "vitest";
import { placeholders } from "../../../src/config/placeholder.ts";
import { cli } from "../../support/io.ts";

describe("a placeholder that was left in a --sink", () => {
  it.each([
    ["dingtalk:https://oapi.dingtalk.com/robot/send?access_token=[your_token]", ["access_token"]],
    ["dingtalk:https://a/send?access_token=[token]&sign=[secret]", ["access_token", "sign"]],
    ["dingtalk:https://a/send?access_token=[abc123]&level=Warning", ["access_token"]],
    ["slack:https://hooks.slack.com/services/[T0]/[B0]/[key]", ["the address"]],
    ["lark:https://open.feishu.cn/open-apis/bot/v2/hook/[your hook]", ["the address"]],
    ["webhook:https://[your-host]/hook?level=Warning", ["the address"]],
    ["mysql:?[user]:[password]@tcp([host]:3306)/db?charset=utf8", ["the address"]],
    ["mysql:?root:a@tcp(db:3306)/db?charset=utf8&table=[your_table]", ["table"]],
    ["webhook:https://a/hook?label=[your_cluster]&level=Normal", ["label"]],
    ["webhook:https://a/hook?header=X-Token=[your_token]", ["header"]],
  ])("%s: %j", (uri, expected) => {
    expect(placeholders(uri, ["label", "reason", "header"])).toEqual(expected);
  });

  it.each([
    "webhook:http://[::1]:8080/hook",
    "webhook:http://[fd00::17]/hook?level=Warning",
    "webhook:https://a/hook?label=[prod]",
    "webhook:https://a/hook?reason=[A-Z]ailed",
    "webhook:https://a/hook?reason=[a-z]",
    "webhook:https://a/hook?header=X-List=[a]",
    "webhook:https://a/hook?key=a[b]c",
    "webhook:https://a/hook?key=[]",
    "webhook:https://a/hook?key=[1]",
    "webhook:https://a/${TOKEN}?key=${KEY:-a}",
  ])("is not found in %s", (uri) => {
    expect(placeholders(uri, ["label", "reason", "header"])).toEqual([]);
  });

  it("stops the start, and is not shown: it may be the secret between the brackets", async () => {
    const { code, stdout, stderr } = await cli([
      "check",
      "--source=file:-",
      "--sink=dingtalk:https://oapi.dingtalk.com/robot/send?access_token=[s3cret]&level=Warning",
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^one problem[\s\S]*--sink #1: access_token: .*square brackets is a placeholder\n\s+→ put the value in its place, without the brackets/,
    );
    expect(stdout + stderr).not.toContain("s3cret");
  });

  it("may come from a variable: nobody left it there", async () => {
    const { code } = await cli(
      ["check", "--source=file:-", "--sink=webhook:http://127.0.0.1:9/hook?token=${TOKEN}"],
      { env: { TOKEN: "[abc]" } },
    );
    expect(code).toBe(0);
  });
});
