import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import type { Inbox } from "../support/inbox.ts";
import { World } from "../support/world.ts";

const told = (inbox: Inbox) =>
  inbox.requests.map(({ body }) => /message of ([\w-]+)/.exec(body)?.[1] ?? body);
const keys = (inbox: Inbox) => inbox.requests.map(({ headers }) => headers["idempotency-key"]);

async function story() {
  const world = await World.begin();
  const inbox = await world.inbox();
  return { world, inbox, api: world.api, hook: `webhook:${inbox.url}/hook` };
}

describe("a receiver that", () => {
  it("hangs: each request ends at its time, and what it was told in vain comes again with the same key", async () => {
    const { world, inbox, api, hook } = await story();
    const life = await world.watching({ sink: [`${hook}?timeout=5s`] });
    inbox.reply("hang");
    api.create("patient");
    await inbox.received(1);
    await world.pass(4);
    expect(life.observed.of("attemptFailed")).toEqual([]);
    await world.pass(2);
    expect(life.observed.of("attemptFailed")[0]?.slice(2, 4)).toEqual([
      "timeout",
      "no complete answer within 5000 ms",
    ]);
    await world.pass(60);
    inbox.reply({ status: 200 });
    await world.pass(15);
    expect(life.tally).toMatchObject({ delivered: 1, dead: 0 });
    expect(new Set(keys(inbox)).size).toBe(1);
    expect(new Set(told(inbox))).toEqual(new Set(["patient"]));
  });

  it("stalls in the middle of its answer, or resets the connection: tried again, heard once", async () => {
    const { world, inbox, api, hook } = await story();
    inbox.reply((_, index) => (["stall", "reset"] as const)[index] ?? { status: 204 });
    const life = await world.watching({ sink: [`${hook}?timeout=5s`] });
    api.create("one");
    await world.pass(30);
    expect(life.tally.delivered).toBe(1);
    expect(inbox.requests).toHaveLength(3);
    expect(new Set(keys(inbox)).size).toBe(1);
    expect(life.observed.of("attemptFailed").map(([, , reason]) => reason)).toEqual([
      "timeout",
      "network",
    ]);
  });

  it("says 429 with Retry-After: nobody knocks before, and then everything is told", async () => {
    const { world, inbox, api, hook } = await story();
    inbox.reply((_, index) =>
      index === 0 ? { status: 429, headers: { "retry-after": "120" } } : { status: 200 },
    );
    const life = await world.watching({ sink: [hook] });
    api.create("first");
    await inbox.received(1);
    await life.said("paused until");
    for (const name of ["second", "third"]) api.create(name);
    await world.pass(118);
    expect(inbox.requests).toHaveLength(1);
    await world.pass(5);
    expect(life.tally).toMatchObject({ delivered: 3, dead: 0 });
    expect(told(inbox).toSorted()).toEqual(["first", "first", "second", "third"]);
    expect(life.lines("info").some((line) => line.includes("goes on"))).toBe(true);
  });

  it("says 503 for ten minutes is asked every few seconds, not by everything that waits, and recovers within seconds", async () => {
    const { world, inbox, api, hook } = await story();
    inbox.reply({ status: 503 });
    const life = await world.watching({ sink: [hook] });
    for (let n = 0; n < 100; n += 1) api.create(`event-${n}`);
    await life.received(100);
    await world.pass(600);
    const asked = inbox.requests.length;
    expect(asked).toBeGreaterThan(600 / 6);
    expect(asked).toBeLessThan(600 / 2);
    inbox.reply({ status: 200 });
    await world.pass(10);
    expect(life.tally).toMatchObject({ delivered: 100, dead: 0 });
    expect(inbox.requests).toHaveLength(asked + 100);
    expect(new Set(keys(inbox)).size).toBe(100);
  });

  it("is gone for longer than the give-up age: dead letters, each with its reason, and new events are told", async () => {
    const { world, inbox, api, hook } = await story();
    inbox.reply("reset");
    const life = await world.watching({ sink: [`${hook}?give_up_after=30m`] });
    for (const name of ["one", "two"]) api.create(name);
    await life.received(2);
    await world.pass(29 * 60);
    expect(life.tally.dead).toBe(0);
    await world.pass(120);
    expect(life.tally.dead).toBe(2);
    inbox.reply({ status: 200 });
    api.create("three");
    await world.pass(10);
    expect(told(inbox).at(-1)).toBe("three");
    const dead = openHistory(world.dataDir, "read");
    expect(dead.deliveries({ state: "dead" })).toMatchObject([
      { reason: "expired", detail: "not accepted within 30 min" },
      { reason: "expired", detail: "not accepted within 30 min" },
    ]);
    dead.close();
    expect(await life.stop()).toMatchObject({ delivered: 1, dead: 2, pending: 0 });
  });

  it("is dead does not delay its neighbour: every event is told to the other at once", async () => {
    const { world, inbox, api, hook } = await story();
    const other = await world.inbox();
    other.reply("hang");
    const life = await world.watching({
      sink: [`${hook}?name=good`, `webhook:${other.url}/hook?name=bad&concurrency=1`],
    });
    for (let count = 1; count <= 50; count += 1) {
      api.create(`event-${count}`);
      // In no time at all: the world's clock stands still.
      await life.delivered(count);
    }
    expect(inbox.requests).toHaveLength(50);
    expect(other.requests).toHaveLength(1);
    expect(await life.series('kube_crier_deliveries_pending{sink="bad"}')).toBe(50);
    expect(await life.series('kube_crier_deliveries_pending{sink="good"}')).toBe(0);
    other.reply({ status: 200 });
    await world.pass(60);
    expect(life.tally).toMatchObject({ delivered: 100, dead: 0 });
  });

  it("gets a body that is no JSON: never sent, a dead letter that shows where; the others are sent", async () => {
    const { world, inbox, api, hook } = await story();
    const file = world.file("body.hbs");
    writeFileSync(file, '{"text": "{{message}}", "nodes": {{default event.action "0"}} }');
    const life = await world.watching({ sink: [`${hook}?body_file=${file}`] });
    api.create("bad", { action: "Scale\ndown" });
    api.create("good");
    await life.delivered(1);
    expect(inbox.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { text: "message of good", nodes: 0 },
    ]);
    expect(life.lines("error")).toEqual([
      expect.stringMatching(
        /given up \(the template could not be rendered.*did not give valid JSON: line 1, column \d+/,
      ),
    ]);
    const history = openHistory(world.dataDir, "read");
    const [dead] = history.deliveries({ state: "dead" });
    history.close();
    expect(dead).toMatchObject({ reason: "template", sink: "webhook" });
    writeFileSync(file, '{"text": "{{message}}", "action": {{json event.action}} }');
    expect(await life.stop()).toMatchObject({ dead: 1 });
    const writing = openHistory(world.dataDir, "write");
    writing.retry([dead?.id ?? ""], null, world.clock.now());
    writing.close();
    const second = await world.watching({ sink: [`${hook}?body_file=${file}`] });
    await second.delivered(1);
    expect(JSON.parse(inbox.requests[1]?.body ?? "")).toEqual({
      text: "message of bad",
      action: "Scale\ndown",
    });
  });
});
