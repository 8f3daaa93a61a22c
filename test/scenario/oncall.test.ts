import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { RunningSimulator } from "../../src/simulate/start.ts";
import { openHistory } from "../../src/ledger/open.ts";
import { World } from "../support/world.ts";

const OOM = {
  reason: "OOMKilling",
  message: "Memory cgroup out of memory: Killed process 4242 (java) total-vm:2096128kB",
  involvedObject: { kind: "Node", name: "node-3", apiVersion: "v1" },
};
const PULL = {
  reason: "Failed",
  message: 'Failed to pull image "shop/web:v2": not found',
  involvedObject: { kind: "Pod", namespace: "shop", name: "web-7d4b9c", apiVersion: "v1" },
};

const sinksOf = (chats: RunningSimulator) => [
  `dingtalk:${chats.webhook("dingtalk", "ops")}&lang=zh`,
  `slack:${chats.webhook("slack", "T0/B0/ops")}?lang=en`,
];
/** The lines a person reads in the DingTalk group. */
const read = (chats: RunningSimulator, robot = "dingtalk/ops") =>
  chats.messages(robot).map(({ text }) => text.split("\n"));

describe("a day of an on-call engineer", () => {
  it("begins at now: what had happened before the first start is not told", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    world.api.create("yesterday");
    world.api.create("an-hour-ago", OOM, "default");
    const life = await world.watching({ sink: sinksOf(chats) });
    world.api.create("now", PULL);
    await life.delivered(2);
    expect(chats.messages().map(({ title }) => title)).toEqual([
      expect.stringContaining("web-7d4b9c"),
      expect.stringContaining("web-7d4b9c"),
    ]);
  });

  it("hears of a process killed for memory in Chinese in DingTalk and in English in Slack", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    const life = await world.watching({ sink: sinksOf(chats), timezone: "Asia/Shanghai" });
    world.api.create("oom", OOM, "default");
    await life.delivered(2);
    expect(read(chats)).toEqual([
      [
        "🔴 内存不足，进程被杀 OOMKilling · node-3",
        "prod-a · Node　1 次，16:00:00",
        OOM.message,
        "kubectl describe node node-3",
      ],
    ]);
    expect(read(chats, "slack/T0/B0/ops")).toEqual([
      [
        "🔴 Out of memory, process killed · node-3",
        "prod-a · Node node-3 · once · 16:00:00 · OOMKilling",
        OOM.message,
        "kubectl describe node node-3",
      ],
    ]);
  });

  it("has it on the screen as the event happens, not when somebody looks next", async () => {
    const world = await World.begin();
    const inbox = await world.inbox();
    const life = await world.watching({ sink: [`webhook:${inbox.url}/hook`] }, systemClock);
    const took: number[] = [];
    for (let count = 1; count <= 20; count += 1) {
      const began = performance.now();
      world.api.create(`event-${count}`);
      await inbox.received(count);
      took.push(performance.now() - began);
      await life.delivered(count);
    }
    // How many milliseconds is for bench/README.md to say; what looks for news now and then takes seconds.
    expect(took.toSorted((a, b) => a - b)[10]).toBeLessThan(1_000);
  });

  it("hears again when it goes on, with the number; not of a label, nor of the Event's end", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    const life = await world.watching({ sink: sinksOf(chats).slice(0, 1), lang: "en" });
    const event = world.api.create("pull", PULL);
    await life.delivered(1);
    world.api.update("pull", { lastTimestamp: "2026-11-20T08:05:00Z" });
    await life.delivered(2);
    world.api.update("pull", {
      count: 2,
      metadata: { ...event.metadata, labels: { seen: "yes" } },
    });
    world.api.remove("pull");
    world.api.create("another", OOM, "default");
    await life.delivered(3);
    expect(read(chats).map((lines) => lines[1])).toEqual([
      "prod-a · shop · Pod　1 次，08:00:00",
      "prod-a · shop · Pod　2 次，持续 5 分，最近 08:05:00",
      "prod-a · Node　1 次，08:00:00",
    ]);
    expect(life.tally).toMatchObject({ received: 3, suppressed: 0 });
  });

  it("notices nothing of a restart but what happened meanwhile, told once", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    const flags = { sink: sinksOf(chats) };
    const first = await world.watching(flags);
    world.api.create("before");
    await first.delivered(2);
    expect(await first.stop()).toMatchObject({ delivered: 2, pending: 0, dead: 0, lost: 0 });
    await world.pass(600);
    world.api.create("meanwhile", PULL);
    world.api.update("before");
    const second = await world.watching(flags);
    await world.pass(2);
    expect(second.tally.delivered).toBe(4);
    world.api.create("afterwards", OOM, "default");
    await second.received(3);
    await world.pass(2);
    expect(second.tally.delivered).toBe(6);
    const heard = read(chats).map((lines) => lines[0]);
    expect(heard).toHaveLength(4);
    expect(new Set(chats.messages().map((one) => one.idempotencyKey ?? one.id)).size).toBe(8);
    expect(second.tally).toMatchObject({ received: 3, suppressed: 0 });
    expect(second.observed.of("sourceGap")).toEqual([]);
    expect([...second.lines("warn"), ...second.lines("error")]).toEqual([]);
  });

  it("asks in the evening what happened and who was told", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    const sink = [...sinksOf(chats), `wecom:${chats.webhook("wecom", "pay")}&namespaces=pay`];
    const life = await world.watching({ sink });
    world.api.create("oom", OOM, "default");
    world.api.create("pay", {}, "pay");
    await life.received(2);
    await world.pass(2);
    expect(life.tally.delivered).toBe(5);
    await life.stop();
    const history = openHistory(world.dataDir, "read");
    const told = history
      .events({})
      .map(({ event, deliveries }) => [event.reason, deliveries.map(({ sink }) => sink)]);
    history.close();
    expect(told).toEqual([
      ["BackOff", ["dingtalk", "slack", "wecom"]],
      ["OOMKilling", ["dingtalk", "slack"]],
      // What was before the first start.
      ["HistoryGap", []],
    ]);
  });

  it("replays the last quarter of an hour on the first start, if asked to", async () => {
    const world = await World.begin();
    const inbox = await world.inbox();
    world.api.create("old");
    await world.pass(1800);
    world.api.create("recent", { lastTimestamp: "2026-11-20T08:20:00Z" });
    const flags = { sink: [`webhook:${inbox.url}/hook`], replay: "15m" };
    const life = await world.watching(flags);
    await life.delivered(1);
    await life.stop();
    const again = await world.watching(flags);
    world.api.create("new");
    await again.delivered(1);
    expect(inbox.requests.map(({ body }) => /message of \w+/.exec(body)?.[0])).toEqual([
      "message of recent",
      "message of new",
    ]);
  });
});
