import { MessageChannel } from "node:worker_threads";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Calls } from "../../../src/app/calls.ts";
import type { Live } from "../../../src/app/desk.ts";
import { remember } from "../../../src/app/recall.ts";
import type { Texts } from "../../../src/app/texts.ts";
import { mirrorOf } from "../../../src/app/web-mirror.ts";
import { deliveringSide } from "../../../src/app/web-state.ts";
import type { DeliveringSide } from "../../../src/app/web-wire.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { LaneStatus } from "../../../src/delivery/status.ts";
import { EVERYTHING } from "../../../src/history/history.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import type { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { anEntry } from "../../support/ledger.ts";
import { NOTHING_RUNS } from "../../support/live.ts";
import { house } from "../observe/support.ts";

/** What the page's thread knows of the one that delivers, over a port as threads have it. */
const PAUSED: LaneStatus = {
  state: "paused",
  until: 1_000,
  inFlight: 3,
  budget: { count: 20, perMs: 60_000, left: 7 },
};
const TEXTS: Texts = {
  folders: [{ source: "/templates", files: { "webhook.hbs": "{{message}}" } }],
  own: new Map([["ops", [{ source: "own.hbs", text: "mine" }]]]),
  issues: [],
};

let clock: FakeClock;
let logged: ReturnType<typeof house>;
/** How often the thread that delivers was asked. */
let asked: { states: number };
let texts: Texts | null;
/** By how much the clock was set back. */
let back: number;

beforeEach(() => {
  logged = house();
  ({ clock } = logged);
  back = 0;
  asked = { states: 0 };
  texts = null;
});

const said = () => logged.lines.map(({ level, msg }) => [level, msg]);

function mirrored(live: () => Live = () => NOTHING_RUNS) {
  const { config } = loadConfig({
    flags: { sink: ["webhook:http://127.0.0.1:9/?name=ops"] },
    registry,
    env: {},
  });
  const { observer, recall } = remember(logged.observer, () => clock.now());
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const side = deliveringSide(config, { clock, observer, recall, texts: () => texts }, live);
  const counted: DeliveringSide = {
    ...side,
    state: (known) => {
      asked.states += 1;
      return side.state(known);
    },
  };
  void new Calls(port1, counted);
  const calls = new Calls<DeliveringSide>(port2, {});
  return {
    mirror: mirrorOf(calls, recall.arrivals, { now: () => clock.now() - back }),
    observer,
    recall,
  };
}

describe("what the page's thread knows of what runs", () => {
  it("is nothing before it has asked, and everything then", async () => {
    const { mirror, observer } = mirrored(() => ({
      ...NOTHING_RUNS,
      lane: () => PAUSED,
      standby: () => ({ leader: "crier-1" }),
      waitingFor: () => ["kubernetes"],
      canaries: () => ["the canary did not arrive"],
    }));
    const { live, recall } = mirror;
    observer.attemptFailed("ops", "d1", "network", "refused", 100, 1);
    observer.delivered("ops", "d2", 40, 1);
    observer.ledgerTrouble("the disk is full");
    observer.eventReceived("kubernetes", anEvent({ eventNamespace: "shop" }));
    expect(live.lane("ops", 0)).toBeNull();
    expect(recall.lately("ops")).toEqual({ latency: null, lastError: null, awaySince: null });
    expect(recall.since()).toBeNull();

    await mirror.fresh();
    expect(live.lane("ops", 0)).toEqual(PAUSED);
    expect(live.lane("another", 0)).toBeNull();
    expect(live.standby()).toEqual({ leader: "crier-1" });
    expect(live.waitingFor()).toEqual(["kubernetes"]);
    expect(live.canaries()).toEqual(["the canary did not arrive"]);
    expect(live.history()).toBeNull();
    expect(recall.lately("ops")).toEqual({
      latency: { p50: 40, p99: 40 },
      lastError: { at: clock.now(), reason: "network", detail: "refused" },
      awaySince: null,
    });
    expect(recall.since(), "when the program began").toBe(clock.now());
    expect(recall.troubles()).toEqual([
      { kind: "ledger", since: clock.now(), detail: "the disk is full" },
    ]);
    expect([...recall.namespaces]).toEqual(["shop"]);
  });

  it("is asked for once by many at a time, and ten times a second at most", async () => {
    const { mirror } = mirrored();
    await Promise.all(Array.from({ length: 200 }, () => mirror.fresh()));
    expect(asked.states).toBe(1);
    await clock.advance(99);
    await mirror.fresh();
    expect(asked.states).toBe(1);
    await clock.advance(1);
    await Promise.all(Array.from({ length: 200 }, () => mirror.fresh()));
    expect(asked.states).toBe(2);
  });

  it("is asked for again where the clock was set back", async () => {
    const { mirror } = mirrored();
    await mirror.fresh();
    back = 3_600_000;
    await mirror.fresh();
    expect(asked.states).toBe(2);
    await mirror.fresh();
    expect(asked.states).toBe(2);
  });

  it("has the namespaces that came since, and does not ask for all of them again", async () => {
    const { mirror, observer } = mirrored();
    const arrive = (namespace: string) =>
      observer.eventReceived("kubernetes", anEvent({ eventNamespace: namespace }));
    arrive("shop");
    arrive("pay");
    await mirror.fresh();
    arrive("shop");
    arrive("another");
    await clock.advance(100);
    await mirror.fresh();
    expect([...mirror.recall.namespaces]).toEqual(["shop", "pay", "another"]);
  });

  it("counts what arrives without asking", () => {
    const { mirror, observer } = mirrored();
    for (let n = 0; n < 1_234; n += 1) observer.eventReceived("kubernetes", anEvent());
    expect(mirror.recall.arrived()).toBe(1_234);
    expect(asked.states).toBe(0);
  });

  it("has the templates that are in use, and those that take their place", async () => {
    const { mirror } = mirrored();
    await mirror.fresh();
    expect(mirror.texts()).toBeNull();
    texts = TEXTS;
    await clock.advance(100);
    await mirror.fresh();
    const first = mirror.texts();
    expect(first).toEqual(TEXTS);
    await clock.advance(100);
    await mirror.fresh();
    expect(mirror.texts(), "not copied again").toBe(first);
    texts = { ...TEXTS, folders: [] };
    await clock.advance(100);
    await mirror.fresh();
    expect(mirror.texts()?.folders).toEqual([]);
  });

  it("stays what it was where the other thread cannot say, which is said once", async () => {
    let isBroken = false;
    const { mirror } = mirrored(() => {
      if (isBroken) throw new Error("a mistake");
      return { ...NOTHING_RUNS, waitingFor: () => ["kubernetes"] };
    });
    await mirror.fresh();
    isBroken = true;
    for (let n = 0; n < 3; n += 1) {
      await clock.advance(100);
      await mirror.fresh();
    }
    expect(mirror.live.waitingFor()).toEqual(["kubernetes"]);
    await expect
      .poll(said)
      .toEqual([["error", "the page does not know what runs: a mistake; it shows what it knew"]]);
    isBroken = false;
    await clock.advance(100);
    await mirror.fresh();
    isBroken = true;
    await clock.advance(100);
    await mirror.fresh();
    await expect.poll(() => said().length).toBe(2);
  });
});

describe("what the page's thread asks of the one that delivers", () => {
  it("is a dead letter to owe again or to discard, with its own time, and what to show is asked for anew", async () => {
    const changes: unknown[] = [];
    let isOpen = true;
    const history = {
      retry: (...given: readonly unknown[]) => changes.push(["retry", ...given]),
      discard: (...given: readonly unknown[]) => changes.push(["discard", ...given]),
    };
    const { mirror } = mirrored(() => ({
      ...NOTHING_RUNS,
      history: () => (isOpen ? history : null),
    }));
    await mirror.fresh();
    expect(await mirror.live.history()?.retry(["d1"], null, 5, ["shop"])).toBe(1);
    expect(await mirror.live.history()?.discard(["d2"], null, "all")).toBe(2);
    expect(changes).toEqual([
      ["retry", ["d1"], null, clock.now(), ["shop"]],
      ["discard", ["d2"], null, "all"],
    ]);
    await mirror.fresh();
    expect(asked.states, "within the same tenth of a second").toBe(2);
    // Between the page and the click the ledger was closed.
    isOpen = false;
    await expect(mirror.live.history()?.retry(["d1"], null, 5, "all")).rejects.toMatchObject({
      name: "StorageError",
    });
    await mirror.fresh();
    expect(mirror.live.history()).toBeNull();
  });

  it("is what memory has, for those who may see it", async () => {
    const { mirror, recall } = mirrored();
    const entry = anEntry(1, ["ops"]);
    recall.memory.take(entry, clock.now());
    const namespace = entry.event?.eventNamespace ?? "";
    const { memory } = mirror.recall;
    const page = await memory.events(EVERYTHING, 10, null, [namespace]);
    expect(page.rows).toMatchObject([{ event: { eventNamespace: namespace } }]);
    expect((await memory.events(EVERYTHING, 10, null, ["elsewhere"])).rows).toEqual([]);
    const id = page.rows[0]?.id ?? "";
    expect(await memory.event(id, "all")).toMatchObject({ row: { id } });
    expect(await memory.event(id, ["elsewhere"])).toBeNull();
    expect(
      (await memory.events(EVERYTHING, 10, null, "all", clock.now() + 1)).rows,
      "what arrived since then",
    ).toEqual([]);
  });

  it("is to log what it has to say, at the level it says it", async () => {
    const { mirror } = mirrored();
    mirror.observer.notice("audit: sre retry d1: done", { audit: { who: "sre" } });
    mirror.observer.warning("a warning");
    mirror.observer.error("an error");
    await expect.poll(said).toEqual([
      ["info", "audit: sre retry d1: done"],
      ["warn", "a warning"],
      ["error", "an error"],
    ]);
    expect(logged.lines[0]).toMatchObject({ audit: { who: "sre" } });
  });
});
