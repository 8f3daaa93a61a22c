import { describe, expect, it } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import type { RunningSimulator } from "../../src/simulate/start.ts";
import { cutOff, databaseIn, flip, PAGE } from "../support/damage.ts";
import { World } from "../support/world.ts";

const LOST = 'kube_crier_source_gaps_total{source="kubernetes",cause="lostLedger"}';

async function story() {
  const world = await World.begin();
  const chats = await world.chats();
  const flags = {
    sink: [
      `dingtalk:${chats.webhook("dingtalk", "ops")}&lang=zh`,
      `lark:${chats.webhook("lark", "shop")}?lang=en`,
    ],
  };
  const life = await world.watching(flags);
  world.api.create("first");
  await life.delivered(2);
  return { world, chats, flags, life };
}

const gaps = (chats: RunningSimulator, robot: string) =>
  chats.messages(robot).filter(({ title }) => title?.startsWith("⚪"));

describe("a ledger that is damaged", () => {
  it("at the start: set aside, logged, counted, told once in each chat, kept in history; and alerts go on", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    cutOff(databaseIn(world.dataDir), PAGE / 2);
    await world.pass(60);

    const second = await world.watching(flags);
    await second.delivered(2);
    expect(second.lines("error")).toEqual([
      expect.stringMatching(
        /^the ledger is damaged: .*it lies now at \S+\.damaged-\S+, and a new one is in use/,
      ),
    ]);
    expect(await second.series("kube_crier_ledger_replaced_total")).toBe(1);
    expect(await second.series(LOST)).toBe(1);
    expect(gaps(chats, "lark/shop").map(({ title, text }) => [title, text])).toEqual([
      [
        expect.stringMatching(/^⚪ Blind .* · prod-a$/),
        expect.stringContaining("the ledger was damaged and begun anew"),
      ],
    ]);
    expect(gaps(chats, "dingtalk/ops")[0]?.text).toContain("本地账本损坏");
    world.api.create("second");
    await second.delivered(4);
    await second.stop();

    const third = await world.watching(flags);
    await world.pass(60);
    expect(third.tally.delivered, "said once").toBe(0);
    expect(third.lines("error")).toEqual([]);
    await third.stop();
    const history = openHistory(world.dataDir, "read");
    const told = history.deliveries({}).filter(({ alert }) => alert.kind === "gap");
    history.close();
    expect(new Set(told.map(({ sink, state }) => `${sink} ${state}`))).toEqual(
      new Set(["dingtalk delivered", "lark delivered"]),
    );
  });

  it("while it runs: nothing stops, and the chats hear of it", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    // Its description is whole: what is torn shows when it is read.
    flip(databaseIn(world.dataDir), PAGE);
    const second = await world.watching(flags);
    second.unwritten = true;
    world.api.create("second");
    await second.until("the event and the gap", () => second.tally.delivered >= 4);
    expect(await second.series("kube_crier_ledger_replaced_total")).toBe(1);
    expect(await second.series("kube_crier_ledger_writable")).toBe(1);
    expect(gaps(chats, "lark/shop")).toHaveLength(1);
    expect(
      chats
        .messages("lark/shop")
        .map(({ text }) => text)
        .join(),
    ).toContain("message of second");
    expect(await second.stop()).toMatchObject({ pending: 0, lost: 0, dead: 0 });
  });

  it("at a start that fails for another reason: told by the next one that does not", async () => {
    const { world, chats, flags, life } = await story();
    await life.stop();
    cutOff(databaseIn(world.dataDir), 0);
    const failing = world.start({ ...flags, source: [`file:${world.file("no-such-file.json")}`] });
    await expect(failing.summary).rejects.toThrow(/no-such-file/);
    expect(gaps(chats, "lark/shop")).toEqual([]);
    const next = await world.watching(flags);
    await next.delivered(2);
    expect(gaps(chats, "lark/shop")).toHaveLength(1);
  });
});
