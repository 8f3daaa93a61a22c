import { describe, expect, it } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import type { RunningSimulator } from "../../src/simulate/start.ts";
import { World } from "../support/world.ts";

const HOUR = 3600;

/** Two chats that are told of everything, and a first life that saw one event. */
async function story() {
  const world = await World.begin();
  const chats = await world.chats();
  const flags = {
    timezone: "Asia/Shanghai",
    sink: [
      `dingtalk:${chats.webhook("dingtalk", "ops")}&lang=zh`,
      `lark:${chats.webhook("lark", "shop")}?lang=en&namespaces=shop`,
    ],
  };
  const life = await world.watching(flags);
  world.api.create("first");
  await life.delivered(2);
  return { world, chats, flags, life };
}

const gaps = (chats: RunningSimulator, robot: string) =>
  chats.messages(robot).filter(({ title }) => title?.startsWith("⚪"));

describe("what may have happened unseen is said, once, to each sink", () => {
  it("not running for longer than the cluster keeps events", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    await world.pass(3 * HOUR);
    const second = await world.watching(flags);
    await second.delivered(2);
    const [zh] = gaps(chats, "dingtalk/ops");
    const [en] = gaps(chats, "lark/shop");
    expect(zh?.title).toBe("⚪ 事件缺失 16:00–18:00 · prod-a");
    expect(en?.title).toBe("⚪ Blind 16:00–18:00 · prod-a");
    expect(en?.text).toContain("for longer than the cluster keeps events");
    world.api.create("second");
    await second.delivered(4);
    expect(gaps(chats, "dingtalk/ops")).toHaveLength(1);
    expect(
      await second.series('kube_crier_source_gaps_total{source="kubernetes",cause="downtime"}'),
    ).toBe(1);
    await second.stop();
    const third = await world.watching(flags);
    await world.pass(60);
    expect(third.tally.delivered, "the gap is over").toBe(0);
  });

  it("not again at each start of one that crashes in a loop afterwards", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    await world.pass(2 * HOUR);
    const second = await world.watching(flags);
    await second.delivered(2);
    await second.stop();
    for (let start = 0; start < 3; start += 1) await (await world.watching(flags)).stop();
    expect(gaps(chats, "dingtalk/ops")).toHaveLength(1);
  });

  it("running, but cut off from the API server for longer than it keeps events", async () => {
    const { world, chats, life } = await story();
    await world.api.down();
    world.api.create("forgotten");
    world.api.remove("forgotten");
    world.api.create("kept");
    world.api.compact();
    await world.pass(3 * HOUR);
    await world.api.up();
    await world.pass(60);
    expect(gaps(chats, "lark/shop").map(({ title }) => title)).toEqual([
      "⚪ Blind 16:00–18:00 · prod-a",
    ]);
    expect(chats.messages("lark/shop").at(-1)?.text).toContain("message of kept");
    expect(life.tally).toMatchObject({ received: 2, delivered: 6 });
  });

  it("once for all namespaces, though each is watched by itself", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    const source = [`${world.source()}&namespaces=shop,pay,default`];
    await world.pass(2 * HOUR);
    const second = await world.watching({ ...flags, source });
    await world.pass(10);
    expect(gaps(chats, "dingtalk/ops")).toHaveLength(1);
    await second.stop();
    await world.pass(2 * HOUR);
    await (await world.watching({ ...flags, source })).delivered(2);
    expect(gaps(chats, "dingtalk/ops")).toHaveLength(2);
  });

  it("not for a restart within the hour", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    await world.pass(HOUR - 120);
    world.api.create("second");
    const second = await world.watching(flags);
    await second.delivered(2);
    expect(gaps(chats, "dingtalk/ops")).toEqual([]);
  });

  it("not for a quiet cluster that was watched all day", async () => {
    const { world, chats, flags, life } = await story();
    // Hours without a word: the watch is opened anew now and then, and the checkpoint stays young.
    for (let n = 0; n < 40; n += 1) {
      await world.pass(300);
      world.api.closeWatches();
      await world.pass(2);
    }
    await life.stop();
    const second = await world.watching(flags);
    world.api.create("second");
    await second.delivered(2);
    expect(gaps(chats, "dingtalk/ops")).toEqual([]);
  });

  it("the data directory comes from another cluster: told, and it begins there at now", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    world.api.becomeAnother();
    world.api.create("strange");
    const second = await world.watching(flags);
    await second.delivered(2);
    expect(gaps(chats, "dingtalk/ops")).toHaveLength(1);
    expect(gaps(chats, "lark/shop")[0]?.text).toContain("another cluster");
    world.api.create("new");
    await second.delivered(4);
    expect(
      chats
        .messages("lark/shop")
        .map(({ text }) => text)
        .join(),
    ).not.toContain("strange");
  });

  it("etcd was restored from a backup while nobody watched: told, with what the cluster holds now", async () => {
    const { world, chats, flags, life } = await story();
    const backup = Number(world.api.version);
    for (const name of ["later", "even-later"]) world.api.create(name);
    await life.delivered(6);
    await life.stop();
    world.api.restore(backup);
    world.api.create("after-the-restore");
    const second = await world.watching(flags);
    await world.pass(5);
    expect(gaps(chats, "lark/shop")).toHaveLength(1);
    expect(gaps(chats, "lark/shop")[0]?.text).toContain("restored");
    const told = chats
      .messages("dingtalk/ops")
      .map(({ text }) => /message of ([\w-]+)/.exec(text)?.[1]);
    expect(told.filter((name) => name !== undefined)).toEqual([
      "first",
      "later",
      "even-later",
      "after-the-restore",
    ]);
    expect(second.tally.suppressed, "what it knew already is not told again").toBe(1);
  });

  it("etcd was restored while it watched: the same", async () => {
    const { world, chats, life } = await story();
    const backup = Number(world.api.version);
    for (const name of ["later", "even-later"]) world.api.create(name);
    await life.delivered(6);
    await world.api.down();
    world.api.restore(backup);
    await world.api.up();
    await world.pass(60);
    world.api.create("after-the-restore");
    await life.delivered(10);
    expect(gaps(chats, "dingtalk/ops")).toHaveLength(1);
    expect(chats.messages("lark/shop").at(-1)?.text).toContain("after-the-restore");
  });

  it("a robot that is down hears of the gap when it is back, and history has it", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    await world.pass(2 * HOUR);
    chats.control({ robot: "dingtalk/ops", fault: { kind: "reset", seconds: 600 } });
    const second = await world.watching(flags);
    await second.delivered(1);
    await world.pass(660);
    expect(second.tally.delivered).toBe(2);
    expect(gaps(chats, "dingtalk/ops").filter(({ state }) => state === "shown")).toHaveLength(1);
    const history = openHistory(world.dataDir, "read");
    const rows = history.deliveries({}).filter(({ alert }) => alert.kind === "gap");
    history.close();
    expect(rows.map(({ sink, state }) => [sink, state])).toEqual(
      expect.arrayContaining([
        ["dingtalk", "delivered"],
        ["lark", "delivered"],
      ]),
    );
  });
});
