import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { FlagValues } from "../../src/config/flags.ts";
import { openHistory } from "../../src/ledger/open.ts";
import type { Inbox } from "../support/inbox.ts";
import { World } from "../support/world.ts";

const told = (inbox: Inbox) =>
  inbox.requests.map(({ body }) => /message of ([\w-]+)/.exec(body)?.[1] ?? body);

/** The disk under the ledger, which can be filled: SQLite itself refuses to grow the file. */
function disk() {
  const exec = vi.spyOn(DatabaseSync.prototype, "exec");
  onTestFinished(() => exec.mockRestore());
  const limit = (pages: (now: number) => number) => {
    for (const db of new Set(exec.mock.contexts as DatabaseSync[])) {
      if (!db.isOpen || db.location()?.endsWith("ledger.db") !== true) continue;
      const now = Number(db.prepare("PRAGMA page_count").get()?.["page_count"]);
      db.exec(`PRAGMA max_page_count = ${pages(now)}`);
    }
  };
  return { fill: () => limit((now) => now), makeRoom: () => limit(() => 1_000_000) };
}

async function story(more: FlagValues = {}) {
  const room = disk();
  const world = await World.begin();
  const inbox = await world.inbox();
  const flags = { sink: [`webhook:${inbox.url}/hook`], ...more };
  const life = await world.watching(flags);
  let made = 0;
  /** Each with a message of a page. */
  const happen = (count: number) => {
    for (let n = 0; n < count; n += 1) {
      made += 1;
      world.api.create(`event-${made}`, {
        message: `message of event-${made} ${"x".repeat(4000)}`,
      });
    }
    return made;
  };
  happen(5);
  await life.delivered(5);
  await world.pass(1);
  return { ...room, world, inbox, flags, life, happen };
}

describe("a full disk", () => {
  it("is said once; every event is told all the same; and nothing is missing from history once there is room", async () => {
    const { fill, makeRoom, world, inbox, life, happen } = await story();
    fill();
    happen(100);
    await life.delivered(105);
    expect(life.lines("error")).toEqual([
      expect.stringMatching(
        /the ledger cannot be written: the disk is full.*delivering from memory/,
      ),
    ]);
    expect(await life.series("kube_crier_ledger_writable")).toBe(0);
    expect(await life.series("kube_crier_ledger_held_deliveries")).toBeGreaterThan(50);
    await world.pass(600);
    expect(life.lines("error"), "once").toHaveLength(1);
    expect(await life.series("kube_crier_ledger_failures_total")).toBe(1);

    makeRoom();
    await world.pass(2);
    expect(life.lines("info").at(-1)).toContain("the ledger can be written again");
    expect(await life.series("kube_crier_ledger_writable")).toBe(1);
    expect(await life.series("kube_crier_ledger_held_deliveries")).toBe(0);
    happen(5);
    await life.delivered(110);
    expect(new Set(told(inbox)).size).toBe(110);
    expect(inbox.requests).toHaveLength(110);
    expect(await life.stop()).toMatchObject({ lost: 0, pending: 0, dead: 0 });
    const history = openHistory(world.dataDir, "read");
    expect(history.counts().get("webhook")).toMatchObject({ delivered: 110, pending: 0 });
    expect(history.events({ reason: "BackOff", limit: 1000 })).toHaveLength(110);
    history.close();
  });

  it("and a receiver that is down: owed from memory, tried again, told once with one key each", async () => {
    const { fill, makeRoom, world, inbox, life, happen } = await story();
    fill();
    inbox.reply({ status: 500 });
    happen(40);
    await life.received(45);
    await world.pass(120);
    expect(life.tally).toMatchObject({ delivered: 5, dead: 0 });
    inbox.reply({ status: 200 });
    await world.pass(60);
    expect(life.tally.delivered).toBe(45);
    makeRoom();
    await world.pass(2);
    const keysOf = new Map<string, Set<unknown>>();
    for (const [index, { headers }] of inbox.requests.entries()) {
      const name = told(inbox)[index] ?? "";
      keysOf.set(name, (keysOf.get(name) ?? new Set()).add(headers["idempotency-key"]));
    }
    expect(keysOf.size).toBe(45);
    expect([...keysOf.values()].every((keys) => keys.size === 1)).toBe(true);
    expect(await life.stop()).toMatchObject({ lost: 0, pending: 0 });
  });

  it("and a kill: the next one hears everything from the API server again, and tells what was not written", async () => {
    const { fill, world, inbox, flags, life, happen } = await story();
    fill();
    happen(60);
    await life.delivered(65);
    happen(1);
    await life.delivered(66);
    world.kill(life);
    happen(3);
    const second = await world.watching(flags);
    await second.until("all", () => new Set(told(inbox)).size === 69);
    expect(second.observed.of("sourceGap")).toEqual([]);
    // Twice at most: once from memory, once from the disk.
    expect(inbox.requests.length).toBeLessThanOrEqual(69 + 61);
    expect(await second.stop()).toMatchObject({ pending: 0, lost: 0 });
  });

  it("and a stop: says what only memory knew, and the next start has it from the API server", async () => {
    const { fill, world, inbox, flags, life, happen } = await story();
    fill();
    inbox.reply({ status: 500 });
    happen(60);
    await life.received(65);
    life.unwritten = true;
    const { lost } = await life.stop();
    expect(lost).toBeGreaterThan(50);
    inbox.reply({ status: 200 });
    const second = await world.watching(flags);
    await world.pass(10);
    await second.until("all", () => new Set(told(inbox)).size === 65);
    expect(await second.stop()).toMatchObject({ pending: 0, lost: 0, dead: 0 });
  });

  it("shows in a canary that has to reach the ledger, though every sink is told, and ends with the trouble", async () => {
    const { fill, makeRoom, world, life, happen } = await story({
      canary: "1m",
      listen: "127.0.0.1:0",
    });
    const readyz = async () => (await fetch(`${await life.url()}/readyz`)).text();
    expect(await readyz()).toBe("ok\n");
    fill();
    happen(100);
    await life.delivered(105);
    await world.pass(90);
    expect(await readyz()).toBe(
      "the canary of kubernetes did not arrive: it came on the watch, and the ledger does not hold it: it cannot be written, and memory holds it\n",
    );
    makeRoom();
    await world.pass(61);
    expect(await readyz()).toBe("ok\n");
    expect(await life.series('kube_crier_canary_ok{source="kubernetes"}')).toBe(1);
  });
});
