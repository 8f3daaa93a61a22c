import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Inbox, startInbox } from "../../support/inbox.ts";
import { cli } from "../../support/io.ts";
import { startSimulator, type RunningSimulator } from "../../../src/simulate/start.ts";

let inbox: Inbox;
let chats: RunningSimulator;
beforeEach(async () => {
  inbox = await startInbox();
  chats = await startSimulator();
});
afterEach(async () => {
  await inbox.close();
  await chats.close();
});

describe("send", () => {
  it("tells each chat one alert that nobody can take for a real one", async () => {
    const { code, stderr } = await cli([
      "send",
      `--sink=dingtalk:${chats.webhook("dingtalk", "ops")}&lang=zh`,
      `--sink=lark:${chats.webhook("lark", "ops")}`,
      `--sink=wecom:${chats.webhook("wecom", "ops")}`,
      `--sink=slack:${chats.webhook("slack", "T0/B0/ops")}`,
    ]);
    expect(code).toBe(0);
    const shown = chats.messages();
    expect(shown).toHaveLength(4);
    for (const { text, mentionsEveryone, state } of shown) {
      expect(state).toBe("shown");
      expect(text).toContain("Nothing happened");
      expect(text).toContain("测试告警");
      expect(mentionsEveryone).toBe(false);
    }
    expect(stderr.split("\n").filter((line) => line.includes("accepted"))).toHaveLength(4);
  });

  it("ignores filters: who asks for a test wants to see it", async () => {
    await cli(["send", `--sink=webhook:${inbox.url}/x?level=Warning&namespaces=shop`]);
    expect(inbox.requests).toHaveLength(1);
  });

  it.each([
    [
      "a refusal inside HTTP 200",
      { status: 200, body: { errcode: 310000, errmsg: "sign not match" } },
      /permanent\s+.*sign not match/,
    ],
    [
      "a muted robot",
      { status: 200, body: { errcode: 130101, errmsg: "send too fast" } },
      /throttled\s+.*send too fast/,
    ],
    ["a gateway in between", { status: 502, body: "<html>bad gateway" }, /retryable\s+HTTP 502/],
  ] as const)("shows %s, and ends with 3", async (_, reply, words) => {
    inbox.reply(reply);
    const { code, stderr } = await cli([
      "send",
      `--sink=dingtalk:${inbox.url}/robot/send?access_token=very-secret-token`,
    ]);
    expect(code).toBe(3);
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain("very-secret-token");
    expect(inbox.requests, "once, however it ends").toHaveLength(1);
  });

  it("shows where nobody listens, without the address", async () => {
    const { code, stderr } = await cli([
      "send",
      "--sink=webhook:http://127.0.0.1:9/hook-secret-path",
    ]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/webhook\s+retryable\s+.*ECONNREFUSED/);
    expect(stderr).not.toContain("hook-secret-path");
  });

  it("to a receiver that hangs it waits for as long as the sink's timeout says", async () => {
    inbox.reply("hang");
    const { code, stderr } = await cli(["send", `--sink=webhook:${inbox.url}/x?timeout=50ms`]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/retryable\s+.*50 ms/);
  });

  it("a dry run prints the requests, without secrets, and sends none", async () => {
    const { code, stdout } = await cli([
      "send",
      "--dry-run",
      "--to=b",
      `--sink=webhook:${inbox.url}/x?name=a`,
      `--sink=webhook:${inbox.url}/very-secret-path?name=b`,
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ method: "POST" })]);
    expect(stdout).not.toContain("very-secret-path");
    expect(inbox.connections).toBe(0);
  });
});
