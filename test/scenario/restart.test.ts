import { describe, expect, it } from "vitest";
import type { RunningSimulator } from "../../src/simulate/start.ts";
import { startSimulator } from "../../src/simulate/start.ts";
import { FakeApiServer } from "../support/apiserver.ts";
import { Crier } from "../support/crier.ts";
import { temporaryDirectory } from "../support/ledger.ts";
import { kubeconfigFor } from "../support/source.ts";
import { World } from "../support/world.ts";

const ROBOT = "dingtalk/ops";

/** Requests to the robot in any minute. */
function busiestMinute(chats: RunningSimulator): number {
  const times = chats.messages(ROBOT).map(({ at }) => Date.parse(at));
  return Math.max(
    ...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length),
  );
}

const refused = (chats: RunningSimulator) =>
  chats.messages(ROBOT).filter(({ state }) => state === "refused");

describe("a restart does not spend a robot's budget twice", () => {
  it("after a stop: the twenty of this minute are twenty over both lives", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    const flags = { sink: [`dingtalk:${chats.webhook("dingtalk", "ops")}&lang=en`] };
    const first = await world.watching(flags);
    for (let n = 0; n < 18; n += 1) world.api.create(`before-${n}`);
    await first.delivered(18);
    await first.stop();
    const second = await world.watching(flags);
    for (let n = 0; n < 10; n += 1) world.api.create(`after-${n}`);
    await second.received(10);
    await world.pass(50);
    expect(chats.messages(ROBOT).length).toBeLessThanOrEqual(20);
    await world.pass(60);
    expect(busiestMinute(chats)).toBeLessThanOrEqual(20);
    expect(refused(chats)).toEqual([]);
    expect(await second.stop()).toMatchObject({ pending: 0, dead: 0 });
  });

  it("killed again and again in the middle of a storm: never more than twenty a minute, and nothing is lost", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    const flags = { sink: [`dingtalk:${chats.webhook("dingtalk", "ops")}&lang=en`] };
    let life = await world.watching(flags);
    for (let round = 0; round < 8; round += 1) {
      for (let n = 0; n < 12; n += 1) world.api.create(`event-${round}-${n}`);
      await world.pass(round % 3 === 0 ? 2 : 11);
      world.kill(life);
      await world.pass(1);
      life = await world.watching(flags);
    }
    await world.pass(300);
    expect(busiestMinute(chats)).toBeLessThanOrEqual(20);
    expect(refused(chats)).toEqual([]);
    const told = chats
      .messages(ROBOT)
      .filter(({ state }) => state === "shown")
      .map(({ title }) => Number(/^⚪ (\d+) more/u.exec(title ?? "")?.[1] ?? 1));
    expect(told.reduce((sum, one) => sum + one, 0)).toBe(96);
    expect(await life.stop()).toMatchObject({ pending: 0, dead: 0 });
  });

  it("killed while the platform has asked for peace: the next one keeps it too", async () => {
    const world = await World.begin();
    const inbox = await world.inbox();
    inbox.reply({ status: 429, headers: { "retry-after": "300" } });
    const flags = { sink: [`webhook:${inbox.url}/hook`] };
    const first = await world.watching(flags);
    world.api.create("one");
    await first.said("paused until");
    await world.pass(1);
    world.kill(first);
    inbox.reply({ status: 200 });
    const second = await world.watching(flags);
    await world.pass(280);
    expect(inbox.requests).toHaveLength(1);
    expect(second.lines("warn")).toEqual([expect.stringContaining("before the start")]);
    await world.pass(30);
    expect(second.tally.delivered).toBe(1);
    expect(inbox.requests[1]?.headers["idempotency-key"]).toBe(
      inbox.requests[0]?.headers["idempotency-key"],
    );
  });
});

describe("killed", () => {
  it("between the request and its answer: told again with the same key, so that the platform shows it once", async () => {
    const world = await World.begin();
    const chats = await world.chats();
    const flags = { sink: [`dingtalk:${chats.webhook("dingtalk", "ops")}&lang=en`] };
    chats.control({ robot: ROBOT, fault: { kind: "lost", requests: 1 } });
    const first = await world.watching(flags);
    const arrived = chats.shown(1, ROBOT);
    world.api.create("one");
    await arrived;
    world.kill(first);
    const second = await world.watching(flags);
    await second.delivered(1);
    expect(chats.messages(ROBOT).map(({ state }) => state)).toEqual(["shown", "duplicate"]);
  });

  it("before it could write what it had read: the API server says it again, and it is told once", async () => {
    const world = await World.begin();
    const inbox = await world.inbox();
    const flags = { sink: [`webhook:${inbox.url}/hook`] };
    const first = await world.watching(flags);
    // The disk as it was before the events came.
    world.kill(first);
    for (const name of ["one", "two", "three"]) world.api.create(name);
    const second = await world.watching(flags);
    await second.delivered(3);
    expect(second.tally).toMatchObject({ received: 3, suppressed: 0 });
    expect(second.observed.of("sourceGap")).toEqual([]);
  });

  it(
    "for real, by SIGKILL, in the middle of a storm: nothing lost, nothing shown twice, no mute",
    { timeout: 60_000 },
    async () => {
      const api = await FakeApiServer.start();
      const chats = await startSimulator();
      const args = [
        "run",
        `--source=kubernetes:?kubeconfig=${kubeconfigFor(api)}`,
        `--sink=dingtalk:${chats.webhook("dingtalk", "ops")}&lang=en`,
        `--data-dir=${temporaryDirectory()}`,
        "--listen=127.0.0.1:0",
      ];
      let crier = new Crier(args);
      try {
        await crier.ready();
        for (let n = 0; n < 12; n += 1) api.create(`before-${n}`);
        await chats.shown(7, ROBOT);
        crier.kill("SIGKILL");
        await crier.ended();
        for (let n = 0; n < 4; n += 1) api.create(`meanwhile-${n}`);
        crier = new Crier(args);
        await crier.ready();
        api.create("afterwards");
        const shown = await chats.shown(17, ROBOT);
        const names = shown.map(({ text }) => /message of ([\w-]+)/.exec(text)?.[1]);
        expect(new Set(names).size).toBe(17);
        expect(refused(chats)).toEqual([]);
        crier.kill("SIGTERM");
        expect(await crier.ended()).toBe(0);
        expect(crier.log.at(-1)).toMatchObject({ pending: 0, dead: 0, lost: 0 });
      } finally {
        await crier.destroy();
        await chats.close();
        await api.close();
      }
    },
  );
});
