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
  chats.messages(robot).filter(({ title }) => /^⚪ (Blind|事件缺失)/.test(title ?? ""));

const texts = (chats: RunningSimulator, robot: string) =>
  chats.messages(robot).map(({ text }) => text);

/** An event last seen so many minutes after 08:00 UTC, when the world begins. */
const seenAt = (minutes: number) => {
  const at = Date.parse("2026-11-20T08:00:00Z") + minutes * 60_000;
  const lastTimestamp = new Date(at).toISOString().replace(".000", "");
  return { firstTimestamp: lastTimestamp, lastTimestamp };
};

describe("what may have happened unseen is said, once, to each sink", () => {
  it("not running for longer than the cluster keeps events", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    await world.pass(3 * HOUR);
    world.api.forget();
    const second = await world.watching(flags);
    await second.delivered(2);
    const [zh] = gaps(chats, "dingtalk/ops");
    const [en] = gaps(chats, "lark/shop");
    expect(zh?.title).toBe("⚪ 事件缺失 16:00–18:00 · prod-a");
    expect(en?.title).toBe("⚪ Blind 16:00–18:00 · prod-a");
    expect(en?.text).toContain("for longer than the cluster keeps events");
    expect(en?.text).toContain("Nothing recovered by a relist, older ones unknown.");
    expect(zh?.text).toContain("重新列出后未找回事件，更早的未知。");
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
    world.api.forget();
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
    world.api.forget();
    world.api.create("kept", seenAt(175));
    world.api.compact();
    await world.pass(3 * HOUR);
    await world.api.up();
    await world.pass(60);
    expect(gaps(chats, "lark/shop").map(({ title }) => title)).toEqual([
      "⚪ Blind 16:00–18:00 · prod-a",
    ]);
    const [told, gap] = texts(chats, "lark/shop").slice(-2);
    expect(told).toContain("message of kept");
    expect(gap).toContain("1 recovered by a relist, older ones unknown.");
    expect(life.tally).toMatchObject({ received: 2, delivered: 6 });
  });

  it("once for all namespaces, though each is watched by itself", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    const source = [`${world.source()}&namespaces=shop,pay,default`];
    await world.pass(2 * HOUR);
    world.api.forget();
    world.api.create("in-shop", seenAt(110));
    world.api.create("in-pay", seenAt(111), "pay");
    world.api.compact();
    const second = await world.watching({ ...flags, source });
    await world.pass(10);
    expect(gaps(chats, "dingtalk/ops")).toHaveLength(1);
    expect(gaps(chats, "dingtalk/ops")[0]?.text, "of all of them").toContain("找回 2 条");
    await second.stop();
    await world.pass(2 * HOUR);
    world.api.forget();
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
    world.api.forget();
    chats.control({ robot: "dingtalk/ops", fault: { kind: "reset", seconds: 600 } });
    const second = await world.watching(flags);
    await second.delivered(1);
    await world.pass(660);
    expect(second.tally.delivered).toBe(2);
    expect(gaps(chats, "dingtalk/ops").filter(({ state }) => state === "shown")).toHaveLength(1);
    const history = openHistory(world.dataDir, "read");
    const rows = history.deliveries({}).filter(({ alert }) => alert.kind === "gap");
    const entries = history.events({ reason: "HistoryGap" });
    history.close();
    expect(
      entries.map(({ event, deliveries }) => [event.message, deliveries.map(({ sink }) => sink)]),
    ).toEqual([
      [expect.stringContaining("0 recovered by a relist"), ["dingtalk", "lark"]],
      [expect.stringContaining("the first start, or the ledger was lost"), []],
    ]);
    expect(rows.map(({ sink, state }) => [sink, state])).toEqual(
      expect.arrayContaining([
        ["dingtalk", "delivered"],
        ["lark", "delivered"],
      ]),
    );
  });

  it("gone from the cluster before their hour, as where Events are kept for minutes", async () => {
    const { world, chats, life } = await story();
    await world.pass(120);
    await world.api.down();
    world.api.forget();
    for (const name of ["a", "b", "c"]) world.api.create(name, seenAt(8));
    world.api.compact();
    await world.pass(420);
    await world.api.up();
    await world.pass(60);
    const [en] = gaps(chats, "lark/shop");
    expect(en?.title).toBe("⚪ Blind 16:00–16:09 · prod-a");
    expect(en?.text).toContain("the resourceVersion expired");
    expect(en?.text).toContain("3 recovered by a relist, older ones unknown.");
    const [zh] = gaps(chats, "dingtalk/ops");
    expect(zh?.text).toContain("resourceVersion 已过期，集群也已不再保留此前的事件。");
    expect(zh?.text).toContain("重新列出后找回 3 条，更早的未知。");
    expect(life.lines("warn").join("\n")).toContain("3 recovered by a relist");
    expect(await life.series('kube_crier_source_recovered_total{source="kubernetes"}')).toBe(3);
  });

  it("not where the cluster still holds what came before: it keeps Events for a day", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    world.api.create("hours-ago", seenAt(20));
    world.api.create("just-now", seenAt(290));
    world.api.compact();
    await world.pass(5 * HOUR);
    const second = await world.watching({ ...flags, maxAge: "6h" });
    await second.delivered(4);
    expect(gaps(chats, "dingtalk/ops")).toEqual([]);
    expect(texts(chats, "lark/shop").join()).toMatch(/hours-ago.*just-now/s);
    expect(second.lines("info").join("\n")).toContain(
      "listed again: 2 events had not been seen; none is missing",
    );
  });

  it("at the first start in log, metric and history, with what replay brought, in no chat", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    world.api.create("long-ago", seenAt(0));
    world.api.create("two-hours-ago", seenAt(180));
    await world.pass(5 * HOUR);
    const sink = [`lark:${chats.webhook("lark", "shop")}`];
    const life = await world.watching({ sink, replay: "4h" });
    await life.delivered(1);
    await world.pass(60);
    // More than maxAge ago, but asked for.
    expect(texts(chats, "lark/shop")).toEqual([expect.stringContaining("two-hours-ago")]);
    expect(life.lines("info").join("\n")).toContain(
      "what happened before 2026-11-20T09:00:00.000Z may be incomplete: nothing is known of an earlier run",
    );
    expect(
      await life.series('kube_crier_source_gaps_total{source="kubernetes",cause="firstStart"}'),
    ).toBe(1);
    const history = openHistory(world.dataDir, "read");
    expect(history.events({ reason: "HistoryGap" })).toMatchObject([{ deliveries: [] }]);
    history.close();
  });
});

describe("what a list brings after a break is no flood", () => {
  it("thousands that are older than maxAge come as one digest for each chat; what is younger comes singly", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    const inbox = await world.inbox();
    const flags = {
      timezone: "Asia/Shanghai",
      maxAge: "30m",
      sink: [
        `dingtalk:${chats.webhook("dingtalk", "ops")}&lang=zh`,
        `lark:${chats.webhook("lark", "shop")}?lang=en&namespaces=shop`,
        `webhook:${inbox.url}/store?digest=false`,
      ],
    };
    const life = await world.watching(flags);
    world.api.create("first");
    await life.delivered(3);
    await life.stop();
    for (let n = 0; n < 3_000; n += 1)
      world.api.create(
        `old-${n}`,
        { ...seenAt(10), involvedObject: { kind: "Pod", namespace: "shop", name: `web-${n % 7}` } },
        "shop",
      );
    const pay = { kind: "Node", name: "node-3" };
    for (let n = 0; n < 12; n += 1)
      world.api.create(
        `pay-${n}`,
        { ...seenAt(20), reason: "NodeNotReady", involvedObject: pay },
        "default",
      );
    for (const name of ["young-1", "young-2"]) world.api.create(name, seenAt(50));
    world.api.compact();
    await world.pass(55 * 60);

    const second = await world.watching(flags);
    await second.delivered(2 + 3_014);
    await world.pass(120);
    // DingTalk, Lark: two young ones and the digest each; the store takes no digests and gets all.
    const zh = texts(chats, "dingtalk/ops").slice(1);
    expect(zh).toHaveLength(3);
    expect(zh.slice(0, 2).join()).toMatch(/young-1.*young-2/s);
    expect(zh[2]).toContain("较早 3,012 条");
    expect(zh[2]).toContain("找回的未监视期间事件，时间较早，不再逐条发送：");
    expect(zh[2]).toContain("12 × NodeNotReady · node-3");
    expect(zh[2]).toContain("3,000 × BackOff · shop/web（7 个 Pod）");
    const en = texts(chats, "lark/shop").slice(1);
    expect(en).toHaveLength(3);
    expect(chats.messages("lark/shop").at(-1)?.title).toBe(
      "⚪ 3,000 older: 3,000 × BackOff in shop",
    );
    expect(en[2]).toContain("too old to be told one by one:");
    expect(gaps(chats, "lark/shop"), "nothing is missing").toEqual([]);
    expect(inbox.requests).toHaveLength(1 + 3_014);
    expect(await second.series('kube_crier_source_recovered_total{source="kubernetes"}')).toBe(
      3_014,
    );
  });

  it("what is owed to nobody is in history with its reason, counted, and not told again by the next list", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    for (let n = 0; n < 1_200; n += 1) world.api.create(`old-${n}`, seenAt(5));
    world.api.compact();
    await world.pass(HOUR + 5 * 60 + 1);
    const second = await world.watching(flags);
    await second.delivered(2);
    expect(second.tally).toMatchObject({ received: 1_200, suppressed: 1_200, enqueued: 0 });
    expect(await second.series('kube_crier_events_suppressed_total{reason="tooOld"}')).toBe(1_200);
    world.api.expireWatches();
    await world.pass(60);
    expect(second.tally, "the second list brought nothing").toMatchObject({ received: 1_200 });
    expect(texts(chats, "lark/shop")).toHaveLength(2);
    const history = openHistory(world.dataDir, "read");
    const rows = history.events({ name: "web-0", limit: 5_000 });
    history.close();
    expect(rows.filter(({ suppressed }) => suppressed === "tooOld")).toHaveLength(1_200);
    expect(rows.filter(({ suppressed }) => suppressed === null)).toHaveLength(1);
  });

  it("killed in the middle of the list: each event is in history once, no chat is flooded, and the digest tells of all", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    for (let n = 0; n < 9_000; n += 1) world.api.create(`old-${n}`, seenAt(5));
    world.api.create("young", seenAt(60));
    world.api.compact();
    await world.pass(HOUR + 5 * 60 + 1);
    const second = world.start(flags);
    await second.received(2_000);
    world.kill(second);
    const third = await world.watching(flags);
    await third.delivered(4);
    await world.pass(120);
    const history = openHistory(world.dataDir, "read");
    const rows = history.events({ name: "web-0", limit: 20_000 });
    history.close();
    expect(new Set(rows.map(({ event }) => event.uid)).size).toBe(9_002);
    expect(rows).toHaveLength(9_002);
    expect(rows.filter(({ suppressed }) => suppressed === "tooOld")).toHaveLength(9_000);
    const told = texts(chats, "lark/shop").slice(1).join("\n");
    expect(told.match(/message of \S+/g)).toEqual(["message of young"]);
    expect(told.match(/too old to be told one by one/g)).toHaveLength(1);
    expect(chats.messages("lark/shop").at(-1)?.title).toBe(
      "⚪ 9,000 older: 9,000 × BackOff in shop",
    );
    await third.stop();
    const fourth = await world.watching(flags);
    world.api.expireWatches();
    await world.pass(120);
    expect(fourth.tally.delivered, "and that once").toBe(0);
  });

  it("etcd restored: of all it holds only what is new to the ledger counts", async () => {
    const { world, chats, life } = await story();
    for (const name of ["a", "b", "c"]) world.api.create(name);
    await life.delivered(8);
    const backup = Number(world.api.version);
    for (const name of ["lost-1", "lost-2", "lost-3"]) world.api.create(name);
    await world.pass(10);
    await life.delivered(14);
    await world.api.down();
    world.api.restore(backup);
    world.api.create("new-1");
    world.api.create("new-2");
    await world.api.up();
    await world.pass(60);
    expect(gaps(chats, "lark/shop")[0]?.text).toContain("2 recovered by a relist");
  });
});
