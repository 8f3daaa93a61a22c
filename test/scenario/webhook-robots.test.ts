import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { RobotOptions } from "../../src/simulate/index.ts";
import { World } from "../support/world.ts";

/** Bodies as kube-eventer's users keep them. */
const BODIES = {
  dingtalk: '{"msgtype":"text","text":{"content":"{{ .Reason }} {{ .Message }}"}}',
  lark: '{"msg_type":"text","content":{"text":"{{ .Reason }} {{ .Message }}"}}',
  wecom: '{"msgtype":"text","text":{"content":"{{ .Reason }} {{ .Message }}"}}',
} as const;
type Platform = keyof typeof BODIES;

/** A robot as strict as the real one, told by the webhook sink. */
async function story(platform: Platform, robot: Partial<RobotOptions> = {}) {
  const world = await World.begin();
  const chats = await world.chats({ robots: [{ platform, token: "ops", ...robot }] });
  const file = world.file("body.txt");
  writeFileSync(file, BODIES[platform]);
  const hook = chats.webhook(platform, "ops");
  const sink = `webhook:${hook}${hook.includes("?") ? "&" : "?"}body_file=${file}`;
  const life = await world.watching({ sink: [sink] });
  const states = () => new Set(chats.messages(`${platform}/ops`).map(({ state }) => state));
  return { world, life, chats, states };
}

describe("a webhook to a robot of a chat, as kube-eventer's users have it", () => {
  it.each<[Platform, Partial<RobotOptions>, RegExp]>([
    ["dingtalk", { keywords: ["prod"] }, /310000/],
    ["lark", { keywords: ["prod"] }, /19024/],
  ])("%s: what it refuses inside HTTP 200 is a dead letter", async (platform, robot, said) => {
    const { world, life, states } = await story(platform, robot);
    world.api.create("one");
    await life.until("dead", () => life.observed.of("dead").length > 0);
    expect(life.tally).toMatchObject({ delivered: 0, dead: 1 });
    expect(life.log).toMatch(said);
    expect([...states()]).toEqual(["refused"]);
  });

  it.each<Platform>(["dingtalk", "lark", "wecom"])(
    "%s: in a storm it is never muted",
    async (platform) => {
      const { world, life, states } = await story(platform);
      for (let n = 0; n < 150; n += 1)
        world.api.create(`event-${n}`, {
          involvedObject: { kind: "Pod", namespace: "shop", name: `web-${n}` },
        });
      await world.pass(600);
      expect(life.tally).toMatchObject({ received: 150, dead: 0 });
      expect([...states()]).toEqual(["shown"]);
    },
  );
});
