import { rmSync } from "node:fs";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Live, openDesk } from "../../../src/app/desk.ts";
import { remember } from "../../../src/app/recall.ts";
import { ConfigError } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { EVERYTHING } from "../../../src/history/history.ts";
import { type FileLedger, openLedger } from "../../../src/ledger/open.ts";
import { StorageError } from "../../../src/ledger/store.ts";
import { storedKey } from "../../../src/ledger/key.ts";
import type { Observer } from "../../../src/observe/observer.ts";
import type { Desk } from "../../../src/web/page/desk.ts";
import { aDigest, aGap } from "../../support/alerts.ts";
import { FakeClock } from "../../support/clock.ts";
import { anyone } from "../../support/history.ts";
import { anEntry, countingIds, never, temporaryDirectory } from "../../support/ledger.ts";
import { NOTHING_RUNS } from "../../support/live.ts";
import { house } from "../observe/support.ts";

/** The desk of the page over a real ledger, as `run` opens both. */
const SINKS = [
  "webhook:http://127.0.0.1:9/?name=ops",
  "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=0123456789&name=ding",
];

let clock: FakeClock;
let dataDir: string;
let ledger: FileLedger;
let watched: Observer;

beforeEach(() => {
  clock = new FakeClock();
  dataDir = temporaryDirectory();
});

function open(changes: Partial<Live> = {}): Desk {
  const { observer } = house();
  ledger = openLedger({
    dataDir,
    clock,
    observer,
    makeId: countingIds(),
    historyMs: 86_400_000,
    maxBytes: 1e9,
  });
  const flags = { sink: SINKS, dataDir, timezone: "UTC" };
  const { config, options } = loadConfig({ flags, registry, env: {} });
  const remembered = remember(observer, () => clock.now());
  watched = remembered.observer;
  const end = new AbortController();
  const { desk, close } = openDesk(
    config,
    {
      clock,
      audit: { record: () => undefined },
      recall: remembered.recall,
      live: { ...NOTHING_RUNS, history: () => ledger.history, ...changes },
      texts: () => null,
      options,
    },
    end.signal,
  );
  onTestFinished(async () => {
    end.abort();
    await close();
    await ledger.close();
  });
  return desk;
}

const reason = "rejected";
async function aDeadLetter(n = 1): Promise<string> {
  await ledger.outbox.add([anEntry(n, ["ops"])], [], never);
  const [delivery] = ledger.outbox.due("ops", clock.now(), 1, new Set());
  const id = delivery?.id ?? "";
  ledger.outbox.settle(id, { kind: "dead", at: clock.now(), reason, detail: "no", counted: true });
  // Written before anybody else is asked.
  ledger.outbox.pending("ops", clock.now());
  return id;
}

describe("the desk of the page", () => {
  it("reads what the ledger holds while the program writes it", async () => {
    const desk = open();
    const ask = { ...anyone, deadlineMs: 5_000 };
    const id = await aDeadLetter();
    const story = await desk.reader.event(storedKey(eventOf(1)), ask);
    expect(story?.row.deliveries).toMatchObject([{ id, sink: "ops", state: "dead", reason }]);
    await aDeadLetter(2);
    expect(await desk.reader.sinks(ask)).toMatchObject([{ sink: "ops", dead: 2 }]);
  });

  it("knows the namespaces of the history, and those that came since", async () => {
    const desk = open();
    await ledger.outbox.add([anEntry(1, ["ops"])], [], never);
    expect(await desk.namespaces()).toEqual([eventOf(1).eventNamespace]);
    watched.eventReceived("kubernetes", { ...eventOf(2), eventNamespace: "another" });
    expect(await desk.namespaces()).toEqual(["another", eventOf(1).eventNamespace]);
  });

  it("finds a delivery by its id, and what is no dead letter is not settled", async () => {
    const desk = open();
    const id = await aDeadLetter();
    await ledger.outbox.add([anEntry(2, ["ops"])], [], never);
    expect(await desk.delivery(id)).toMatchObject({ id, sink: "ops", state: "dead", detail: "no" });
    expect(await desk.delivery("d2")).toMatchObject({ state: "pending" });
    expect(await desk.delivery("nonsense")).toBeNull();
    for (const act of ["retry", "discard"] as const)
      await expect(desk.settleDead("d2", act, "all")).rejects.toMatchObject({ status: 409 });
    expect(await desk.delivery("d2")).toMatchObject({ state: "pending" });
  });

  it("owes a dead letter again, which wakes whoever sends it", async () => {
    const desk = open();
    const id = await aDeadLetter();
    let woken = 0;
    ledger.outbox.onAdded("ops", () => (woken += 1));
    await desk.settleDead(id, "retry", [eventOf(1).eventNamespace]);
    expect(woken).toBe(1);
    expect(ledger.outbox.due("ops", clock.now(), 9, new Set())).toMatchObject([{ id }]);
  });

  it("discards one for good: it stays in the history, and is owed to nobody", async () => {
    const desk = open();
    const id = await aDeadLetter();
    await desk.settleDead(id, "discard", "all");
    expect(await desk.delivery(id)).toMatchObject({ state: "discarded" });
    expect(ledger.outbox.due("ops", clock.now(), 9, new Set())).toEqual([]);
    expect(ledger.history.counts().get("ops")).toMatchObject({ discarded: 1, dead: 0 });
  });

  it("touches nothing of a namespace that the caller may not change", async () => {
    const desk = open();
    const id = await aDeadLetter();
    await expect(desk.settleDead(id, "retry", ["elsewhere"])).rejects.toMatchObject({
      status: 409,
    });
    expect(await desk.delivery(id)).toMatchObject({ state: "dead" });
  });

  it("says that it is none any more where somebody was faster", async () => {
    const desk = open();
    const id = await aDeadLetter();
    await desk.settleDead(id, "discard", "all");
    await expect(desk.settleDead(id, "retry", "all")).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining("no dead letter, or none any more") as string,
    });
  });

  it.each([
    [{ leader: "crier-1" }, "ask crier-1, which leads"],
    [{ leader: null }, "nobody is known to lead"],
  ])("of a replica that stands by changes nothing, and says who leads", async (standby, words) => {
    const desk = open({ standby: () => standby, history: () => null });
    await expect(desk.settleDead("d1", "retry", "all")).rejects.toMatchObject({
      status: 503,
      message: expect.stringContaining(words) as string,
    });
    expect(desk.troubles("en")).toEqual([expect.stringContaining("stands by") as string]);
    expect(desk.troubles("zh")).toEqual([expect.stringContaining("待命") as string]);
  });

  it("answers 503 before the ledger is open", async () => {
    const desk = open({ history: () => null });
    await expect(desk.settleDead("d1", "retry", "all")).rejects.toMatchObject({
      status: 503,
      message: expect.stringContaining("not open yet") as string,
    });
  });

  it.each(["retry", "discard"] as const)(
    "says that a ledger that takes nothing takes no %s",
    async (act) => {
      const full = () => {
        throw new StorageError("the disk is full", null);
      };
      const desk = open({ history: () => ({ retry: full, discard: full }) });
      await expect(desk.settleDead("d1", act, "all")).rejects.toMatchObject({
        name: "UnreadableError",
        message: "nothing can be changed now: the disk is full",
      });
    },
  );

  it("throws a fault of ours on as it is", async () => {
    const fault = new TypeError("undefined is not a function");
    const desk = open({
      history: () => ({ retry: () => Promise.reject(fault), discard: () => Promise.reject(fault) }),
    });
    await expect(desk.settleDead("d1", "retry", "all")).rejects.toBe(fault);
  });

  it("tells of a sink that it does not know: nothing", async () => {
    const desk = open();
    await expect(desk.preview("gone", "", null)).rejects.toMatchObject({ status: 404 });
    expect(desk.templateText("gone")).toBe("");
    expect(desk.drawSent({ sink: "gone", sent: "{}" })).toBeNull();
    expect(desk.drawSent({ sink: "ding", sent: null })).toBeNull();
  });

  it("says since when what is shown is what memory has, until the ledger can be read again", async () => {
    const desk = open();
    const ask = { ...anyone, deadlineMs: 5_000 };
    await aDeadLetter();
    await ledger.close();
    rmSync(dataDir, { recursive: true });
    await desk.reader.events(EVERYTHING, 10, null, ask);
    expect(desk.troubles("en")).toEqual([
      expect.stringMatching(/^The ledger cannot be read since .*08:00.* memory has/) as string,
    ]);
  });

  it("of a ledger that cannot be read says so, in words of its own", async () => {
    const desk = open();
    await ledger.close();
    rmSync(dataDir, { recursive: true });
    const ask = { ...anyone, deadlineMs: 5_000 };
    await expect(desk.reader.sinks(ask)).rejects.toMatchObject({ name: "UnreadableError" });
    watched.eventReceived("kubernetes", { ...eventOf(2), eventNamespace: "another" });
    expect(await desk.namespaces()).toEqual(["another"]);
  });

  it("shows what each sink does: its lane, and what befell it lately", async () => {
    const lane = {
      state: "broken",
      until: clock.now() + 5_000,
      inFlight: 2,
      budget: null,
    } as const;
    const desk = open({ lane: (sink) => (sink === "ops" ? lane : null) });
    watched.delivered("ops", "d1", 40, 1);
    watched.attemptFailed("ops", "d2", "network", "no route to host", 100, 1);
    expect(desk.sinks()).toEqual([
      {
        name: "ops",
        type: "webhook",
        ...lane,
        latency: { p50: 40, p99: 40 },
        lastError: { at: clock.now(), reason: "network", detail: "no route to host" },
      },
      {
        name: "ding",
        type: "dingtalk",
        state: "open",
        until: null,
        inFlight: 0,
        budget: null,
        latency: null,
        lastError: null,
      },
    ]);
    expect(desk.troubles("en")).toEqual([
      expect.stringMatching(
        /^ops takes nothing since .*, next try .*: no route to host\./,
      ) as string,
    ]);
  });

  it("says what does not work: the watch, canaries, what has not caught up; each once", () => {
    const desk = open({
      waitingFor: () => ["kubernetes", "file"],
      canaries: () => ["the canary of kubernetes did not arrive: late"],
    });
    watched.sourceFailed("kubernetes", "network", "connection refused", 1_000);
    expect(desk.troubles("en")).toEqual([
      expect.stringMatching(/^kubernetes cannot be watched since .*connection refused/) as string,
      "Not caught up yet with file: the newest events may be missing.",
      "the canary of kubernetes did not arrive: late.",
    ]);
  });

  it("previews a template as the chat shows it, in both languages; sends nothing", async () => {
    const desk = open();
    const text = desk.templateText("ding");
    expect(text).toContain("{{");
    const { issues, looks } = await desk.preview("ding", text, null);
    expect(issues).toEqual([]);
    expect(looks.map(({ lang, problem }) => [lang, problem])).toEqual([
      ["en", null],
      ["zh", null],
    ]);
    expect((await looks[0]?.drawn)?.toString()).toContain("BackOff");
    const event = { ...eventOf(1), reason: "ImagePullBackOff" };
    const { looks: real } = await desk.preview("ding", text, { kind: "event", event });
    expect((await real[0]?.drawn)?.toString()).toContain("ImagePullBackOff");
  });

  it("previews a digest and a gap as the chat shows them", async () => {
    const desk = open();
    const text = desk.templateText("ding");
    const { looks } = await desk.preview("ding", text, aDigest());
    expect((await looks[0]?.drawn)?.toString()).toContain("37");
    const { looks: gap } = await desk.preview("ding", text, aGap());
    expect(gap.map(({ problem }) => problem)).toEqual([null, null]);
    expect((await gap[1]?.drawn)?.toString()).toMatch(/\p{Script=Han}/u);
  });

  it("of what is no chat shows the body that would be sent, and draws nothing", async () => {
    const desk = open();
    const { issues, looks } = await desk.preview("ops", desk.templateText("ops"), null);
    expect(issues).toEqual([]);
    for (const { text, drawn, problem } of looks) {
      expect([drawn, problem]).toEqual([null, null]);
      expect(JSON.parse(text)).toMatchObject({ kind: "event", event: { reason: "BackOff" } });
    }
  });

  it("reads what somebody pastes as events of its cluster, and says what is none", () => {
    const desk = open();
    const pasted = {
      kind: "Event",
      metadata: { name: "a", namespace: "shop" },
      involvedObject: { kind: "Pod", name: "web" },
      reason: "BackOff",
    };
    const [event] = desk.readEvents(JSON.stringify(pasted));
    // Without a time of its own it is of now.
    expect(event).toMatchObject({ reason: "BackOff", lastSeen: "2026-11-20T08:00:00.000Z" });
    expect(event?.cluster).toBe(desk.config.cluster);
    expect(() => desk.readEvents("{}")).toThrow(/Event/);
    expect(() => desk.readEvents("no JSON")).toThrow(/JSON|Event/);
  });

  it("says that nothing can be changed where the database is, for the moment, refused", async () => {
    const issue = { where: "--ledger", message: "access is denied", hint: null };
    const refused = () => Promise.reject(new ConfigError([issue]));
    const desk = open({ history: () => ({ retry: refused, discard: refused }) });
    await expect(desk.settleDead("d1", "retry", "all")).rejects.toMatchObject({
      name: "UnreadableError",
      message: expect.stringMatching(/^nothing can be changed now: .*access is denied/s) as string,
    });
  });

  it("says what is wrong with a template, and where", async () => {
    const desk = open();
    const { issues, looks } = await desk.preview("ding", "{{#if x}}", null);
    expect(issues).toMatchObject([{ where: expect.stringContaining("dingtalk.hbs") as string }]);
    expect(looks).toEqual([]);
  });
});

function eventOf(n: number) {
  const { event } = anEntry(n, []);
  if (event === null) throw new Error("an entry without an event");
  return event;
}
