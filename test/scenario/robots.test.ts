import { describe, expect, it } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import type { RunningSimulator } from "../../src/simulate/start.ts";
import { World } from "../support/world.ts";

const ROBOT = "dingtalk/ops";
const MINUTE = 60_000;

/** A DingTalk robot as strict as the real one. */
async function story(robot: { secret?: string; keywords?: readonly string[] } = {}) {
  const world = await World.begin();
  const chats = await world.chats({ robots: [{ platform: "dingtalk", token: "ops", ...robot }] });
  const sink = `dingtalk:${chats.webhook("dingtalk", "ops")}&lang=en`;
  return { world, chats, sink };
}

/** How many events a person has read of, singly or in digests. */
function accountedFor(chats: RunningSimulator): number {
  const shown = chats.messages(ROBOT).filter(({ state }) => state === "shown");
  return shown.reduce(
    (sum, { title }) => sum + Number(/^⚪ (\d+) more/u.exec(title ?? "")?.[1] ?? 1),
    0,
  );
}

/** The most requests that reached the robot in any minute, whatever became of them. */
function busiestMinute(chats: RunningSimulator): number {
  const times = chats.messages(ROBOT).map(({ at }) => Date.parse(at));
  return Math.max(
    ...times.map((from) => times.filter((at) => at >= from && at < from + MINUTE).length),
  );
}

const states = (chats: RunningSimulator) =>
  new Set(chats.messages(ROBOT).map(({ state }) => state));

describe("a DingTalk robot and more than it takes", () => {
  it("half an hour of outage and 500 events: told in a few digests, the worst singly, and never muted", async () => {
    const { world, chats, sink } = await story();
    const life = await world.watching({ sink: [sink] });
    chats.control({ robot: ROBOT, fault: { kind: "status", status: 502, seconds: 1800 } });
    for (let batch = 0; batch < 25; batch += 1) {
      for (let n = 0; n < 20; n += 1)
        world.api.create(`event-${batch}-${n}`, {
          reason: n === 0 && batch % 5 === 0 ? "Evicted" : "BackOff",
          involvedObject: { kind: "Pod", namespace: "shop", name: `web-${n}` },
        });
      await world.pass(72);
    }
    expect(life.tally).toMatchObject({ received: 500, delivered: 0, dead: 0 });
    await world.pass(60);
    const back = chats.messages(ROBOT).filter(({ state }) => state === "shown");
    expect(back.length, "it is told within a minute of the end of the outage").toBeGreaterThan(0);
    await world.pass(900);
    expect(accountedFor(chats)).toBe(500);
    expect(busiestMinute(chats)).toBeLessThanOrEqual(20);
    expect([...states(chats)].toSorted()).toEqual(["failed", "shown"]);
    const shown = chats.messages(ROBOT).filter(({ state }) => state === "shown");
    expect(shown.filter(({ title }) => title?.startsWith("🔴")).length).toBe(5);
    expect(shown.length).toBeLessThan(60);
    expect(await life.stop()).toMatchObject({ pending: 0, dead: 0, lost: 0 });
  });

  it("a storm of 300 events at once: twenty a minute, one of them a digest that names what and where", async () => {
    const { world, chats, sink } = await story();
    const life = await world.watching({ sink: [sink] });
    for (let n = 0; n < 300; n += 1)
      world.api.create(`event-${n}`, {
        involvedObject: { kind: "Pod", namespace: "shop", name: `web-${n % 7}` },
      });
    await life.received(300);
    await world.pass(120);
    expect(accountedFor(chats)).toBe(300);
    expect(busiestMinute(chats)).toBeLessThanOrEqual(20);
    expect([...states(chats)]).toEqual(["shown"]);
    const digest = chats.messages(ROBOT).find(({ title }) => title?.startsWith("⚪"));
    expect(digest?.title).toMatch(/^⚪ \d+ more: \d+ × BackOff in shop/u);
    expect(life.tally.delivered + life.tally.folded).toBeGreaterThan(300);
    expect(await life.stop()).toMatchObject({ pending: 0, dead: 0 });
  });

  it("digest=false keeps every one of them: they wait, in order, within the rate", async () => {
    const { world, chats, sink } = await story();
    const life = await world.watching({ sink: [`${sink}&digest=false`] });
    for (let n = 0; n < 50; n += 1) world.api.create(`event-${String(n).padStart(2, "0")}`);
    await life.received(50);
    await world.pass(60);
    expect(chats.messages(ROBOT).length).toBeLessThanOrEqual(40);
    await world.pass(120);
    const names = chats.messages(ROBOT).map(({ text }) => /event-\d+/.exec(text)?.[0] ?? "");
    expect(names).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(50);
    expect(busiestMinute(chats)).toBeLessThanOrEqual(20);
  });

  it("someone else uses the same robot: it is muted, left alone as long as it takes, and then told", async () => {
    const { world, chats, sink } = await story();
    for (let n = 0; n < 21; n += 1)
      await fetch(chats.webhook("dingtalk", "ops"), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ msgtype: "text", text: { content: `somebody else ${n}` } }),
      });
    const life = await world.watching({ sink: [sink] });
    world.api.create("late");
    await life.said("paused until");
    const before = chats.messages(ROBOT).length;
    await world.pass(590);
    expect(chats.messages(ROBOT).length, "asking would only make it worse").toBe(before);
    expect(await life.series('kube_crier_lane_paused{sink="dingtalk"}')).toBe(1);
    await world.pass(20);
    expect(life.tally).toMatchObject({ delivered: 1, dead: 0 });
    expect(await life.series('kube_crier_lane_paused{sink="dingtalk"}')).toBe(0);
  });
});

describe("two sinks that speak by one robot", () => {
  const both = (sink: string) => [`${sink}&name=web&names=web-*`, `${sink}&name=db&names=db-*`];
  const owe = (world: World, kind: string, count: number) => {
    for (let n = 0; n < count; n += 1)
      world.api.create(`${kind}-event-${n}`, {
        involvedObject: { kind: "Pod", namespace: "shop", name: `${kind}-${n % 7}` },
      });
  };

  it("stay together within its rate, and all is told", async () => {
    const { world, chats, sink } = await story();
    const life = await world.watching({ sink: both(sink) });
    owe(world, "web", 18);
    owe(world, "db", 18);
    await life.received(36);
    await world.pass(200);
    expect([...states(chats)], "neither takes what the other has used").toEqual(["shown"]);
    expect(accountedFor(chats)).toBe(36);
    expect(busiestMinute(chats)).toBeLessThanOrEqual(20);
    expect(await life.stop()).toMatchObject({ pending: 0, dead: 0 });
  });

  it("know after a restart what the other one has sent before it", async () => {
    const { world, chats, sink } = await story();
    const first = await world.watching({ sink: both(sink) });
    owe(world, "web", 18);
    await first.received(18);
    await world.pass(10);
    expect(await first.stop()).toMatchObject({ delivered: 18, pending: 0 });
    const second = await world.watching({ sink: both(sink) });
    owe(world, "db", 18);
    await second.received(18);
    await world.pass(150);
    expect([...states(chats)]).toEqual(["shown"]);
    expect(accountedFor(chats)).toBe(36);
    expect(busiestMinute(chats)).toBeLessThanOrEqual(20);
  });

  it("do not hold up one that speaks by another", async () => {
    const { world, chats, sink } = await story();
    const other = `dingtalk:${chats.webhook("dingtalk", "other")}&name=other&names=db-*&lang=en`;
    const life = await world.watching({ sink: [`${sink}&name=web&names=web-*`, other] });
    owe(world, "web", 18);
    owe(world, "db", 18);
    await life.delivered(36);
    expect(chats.messages("dingtalk/other")).toHaveLength(18);
    expect(chats.messages(ROBOT)).toHaveLength(18);
  });
});

describe("what a robot refuses", () => {
  it("a clock that is wrong: a dead letter that says so; retried by hand it arrives, signed anew", async () => {
    const { world, chats, sink } = await story({ secret: "SECsigned" });
    chats.control({ robot: ROBOT, clockOffsetSeconds: 2 * 3600 });
    const life = await world.watching({ sink: [`${sink}&sign=SECsigned`] });
    world.api.create("late");
    await life.until("dead", () => life.tally.dead === 1);
    expect(life.lines("error")).toEqual([
      expect.stringMatching(/given up .*invalid timestamp.*this machine's clock.*dead list/),
    ]);
    chats.control({ robot: ROBOT, clockOffsetSeconds: 0 });
    await world.pass(3600);
    expect(chats.messages(ROBOT), "never tried again by itself").toHaveLength(1);
    const history = openHistory(world.dataDir, "write");
    const [dead] = history.deliveries({ state: "dead" });
    expect(dead).toMatchObject({ reason: "auth", attempts: 1, sink: "dingtalk" });
    expect(history.retry([], null, world.clock.now())).toBe(1);
    history.close();
    life.retriedByHand = 1;
    await world.pass(2);
    expect(chats.messages(ROBOT).map(({ state }) => state)).toEqual(["refused", "shown"]);
    expect(chats.messages(ROBOT)[1]?.idempotencyKey).toBe(dead?.id);
  });

  it("a keyword that is missing: with the label it asks for, the dead letter arrives after a restart", async () => {
    const { world, chats, sink } = await story({ keywords: ["#k8s"] });
    const first = await world.watching({ sink: [sink] });
    world.api.create("unheard");
    await first.until("dead", () => first.tally.dead === 1);
    expect(first.lines("error")[0]).toContain("keywords not in content");
    expect(await first.stop()).toMatchObject({ dead: 1, pending: 0 });
    const history = openHistory(world.dataDir, "write");
    history.retry([], "dingtalk", world.clock.now());
    history.close();
    const second = await world.watching({ sink: [`${sink}&label=%23k8s`] });
    await second.delivered(1);
    expect(chats.messages(ROBOT)[1]?.text).toContain("#k8s");
    expect(chats.messages(ROBOT)[1]?.text).toContain("message of unheard");
  });
});
