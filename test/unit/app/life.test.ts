import { describe, expect, it } from "vitest";
import type { Election } from "../../../src/app/election.ts";
import type { AppPorts } from "../../../src/app/app.ts";
import { orAborted } from "../../../src/clock.ts";
import { ConfigError } from "../../../src/config/config.ts";
import type { Sender } from "../../../src/delivery/sender.ts";
import type { Leadership } from "../../../src/election/leadership.ts";
import { accepted, retryable } from "../../../src/sink/verdict.ts";
import type { PreflightSource } from "../../../src/source/source.ts";
import { settle } from "../../support/clock.ts";
import { anApp, aSender, aSource, configWith, item } from "./support.ts";

const never = () => new Promise<never>(() => undefined);
const SERVED = { dataDir: ":memory:", listen: "127.0.0.1:0" };

/** One that goes on until it is told to stop, and catches up when it is let. */
function aWatch(name: string) {
  const caughtUp = Promise.withResolvers<void>();
  const source: PreflightSource = aSource(name, {
    async *batches(_, signal) {
      yield [item(`${name}-first`)];
      await orAborted(caughtUp.promise, signal);
      if (signal.aborted) return;
      yield [{ kind: "synced" }];
      await orAborted(never(), signal);
    },
  });
  return { source, caughtUp: () => caughtUp.resolve() };
}

/** A Lease that is had when the test says so, and may be lost. */
function anElection(leader: string | null = "other_1", given = () => Promise.resolve()) {
  const won = Promise.withResolvers<Leadership | null>();
  const lost = new AbortController();
  const story: string[] = [];
  const lose = (why: string) => lost.abort(new Error(why));
  const leadership = {
    term: 7,
    lost: lost.signal,
    holds: () => !lost.signal.aborted,
    lose,
    release: () => given().then(() => void story.push("released")),
  } as unknown as Leadership;
  const election: Election = {
    problems: () => Promise.resolve([]),
    lead: (signal) => {
      signal.addEventListener("abort", () => won.resolve(null), { once: true });
      return won.promise;
    },
    leader: () => leader,
  };
  return { election, story, win: () => won.resolve(leadership), lose };
}

function asking({ lines }: { readonly lines: readonly string[] }) {
  return async (path = "/readyz"): Promise<string> => {
    const url = /listening on (http:\S+)/.exec(lines.join("\n"))?.[1] ?? "";
    const answer = await fetch(url + path);
    return `${answer.status} ${(await answer.text()).trim()}`;
  };
}

const senders = (sender: Sender): Pick<AppPorts, "openSenders"> => ({
  openSenders: () => Promise.resolve(new Map([["ops", sender]])),
});

describe("/readyz through a life", () => {
  it("waits for each source, is ok when all have caught up, and stopping from the signal to the end", async () => {
    const [one, two] = [aWatch("one"), aWatch("two")];
    const answer = Promise.withResolvers<void>();
    const slow = aSender(() =>
      answer.promise.then(() => ({ verdict: accepted, sent: "", answer: "" })),
    );
    const app = anApp(configWith(SERVED), { sources: [one.source, two.source], ...senders(slow) });
    await settle();
    const ready = asking(app);
    expect(await ready()).toBe("503 waiting for one, two");
    expect(await ready("/livez")).toBe("200 ok");
    two.caughtUp();
    await settle();
    expect(await ready()).toBe("503 waiting for one");
    one.caughtUp();
    await settle();
    expect(await ready()).toBe("200 ok");
    app.stop.abort();
    await settle();
    expect(await ready(), "while an answer is waited for").toBe("503 stopping");
    expect(await ready("/livez"), "no reason to end it").toBe("200 ok");
    answer.resolve();
    expect(await app.running).toMatchObject({ delivered: 2, pending: 0 });
    await expect(ready()).rejects.toThrow("fetch failed");
  });

  it("waits for no source that has ended, by itself or with an error", async () => {
    const broken = aSource("broken", {
      batches: () => {
        throw new ConfigError([{ where: "events.json:1:1", message: "not JSON", hint: null }]);
      },
    });
    const app = anApp(configWith({ ...SERVED, stay: true }), {
      sources: [broken, aSource("file")],
    });
    await settle();
    expect(await asking(app)()).toBe("200 ok");
    app.stop.abort();
    expect(await app.running).toMatchObject({ problems: ["broken: events.json:1:1: not JSON"] });
  });

  it("is 503 while the start looks at what it needs, and nothing is sent", async () => {
    const sender = { ...aSender(), check: never };
    const app = anApp(configWith(SERVED), senders(sender));
    await settle();
    expect(await asking(app)()).toBe("503 waiting for file");
    app.stop.abort();
    await app.running;
    expect(sender.told).toEqual([]);
  });
});

describe("a standby", () => {
  it("is ready, says who leads, and neither watches nor sends until the Lease is its own", async () => {
    const { election, story, win } = anElection();
    const watch = aWatch("kubernetes");
    const app = anApp(configWith(SERVED), { sources: [watch.source], election });
    await settle();
    const ready = asking(app);
    expect(await ready()).toBe("200 ok: standby, other_1 leads");
    expect(app.sender.told).toEqual([]);
    win();
    await settle();
    expect(await ready()).toBe("503 waiting for kubernetes");
    expect(app.sender.told).toHaveLength(1);
    watch.caughtUp();
    await settle();
    expect(await ready()).toBe("200 ok");
    app.stop.abort();
    expect(await app.running).toMatchObject({ delivered: 1, deposed: null });
    expect(story, "whoever comes next need not wait").toEqual(["released"]);
  });

  it("that is told to stop ends at once, with its sinks closed and nothing said of errors", async () => {
    const { election } = anElection(null);
    const app = anApp(configWith(SERVED), { sources: [aWatch("kubernetes").source], election });
    await settle();
    expect(await asking(app)()).toBe("200 ok: standby, nobody is known to lead");
    app.stop.abort();
    expect(await app.running).toMatchObject({ received: 0, deposed: null, problems: [] });
    expect(app.sender.closed).toBe(1);
    expect(app.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });
});

describe("a leader that loses its Lease", () => {
  it("ends within the turn: what was on its way counts for nothing, and the summary says why", async () => {
    const { election, win, lose } = anElection();
    const sender = aSender(never);
    const watch = aWatch("kubernetes");
    const app = anApp(configWith(SERVED), {
      sources: [watch.source],
      election,
      ...senders(sender),
    });
    win();
    await settle();
    expect(sender.told).toHaveLength(1);
    lose("other_2 took the Lease");
    expect(await app.running).toMatchObject({
      delivered: 0,
      dead: 0,
      pending: 1,
      deposed: "other_2 took the Lease",
    });
    expect(sender.closed).toBe(1);
    expect(app.lines.filter((line) => line.includes("not delivered"))).toEqual([]);
  });

  it("before it began to send never sends", async () => {
    const { election, win, lose } = anElection();
    const app = anApp(configWith(SERVED), { sources: [aWatch("kubernetes").source], election });
    win();
    lose("it slept");
    expect(await app.running).toMatchObject({ delivered: 0, deposed: "it slept" });
    expect(app.sender.told).toEqual([]);
    expect(app.sender.closed).toBe(1);
  });

  it("whose sink cannot be closed ends all the same", async () => {
    const { election, win, lose } = anElection();
    const broken = { ...aSender(), close: () => Promise.reject(new Error("socket gone")) };
    const app = anApp(configWith(SERVED), {
      sources: [aWatch("kubernetes").source],
      election,
      ...senders(broken),
    });
    win();
    await settle();
    lose("other_2 took the Lease");
    expect(await app.running).toMatchObject({ deposed: "other_2 took the Lease" });
    expect(app.lines).toContain("error ops: cannot be closed: socket gone");
  });
});

describe("a mistake of ours in what reads events", () => {
  it("ends it, whatever else is read and owed: it would be blind, and say that all is well", async () => {
    const mistake = new TypeError("no such property");
    const broken = aSource("broken", {
      async *batches() {
        yield [{ kind: "synced" }, item("one")];
        await Promise.reject(mistake);
      },
    });
    const down = { verdict: retryable("server", "HTTP 503"), sent: "", answer: "" } as const;
    const sender = aSender(() => Promise.resolve(down));
    const app = anApp(configWith({ ...SERVED, stay: true }), {
      sources: [broken, aWatch("whole").source],
      ...senders(sender),
    });
    await expect(app.running).rejects.toBe(mistake);
    expect(app.lines).toContain("error broken: no such property");
    expect(sender.closed).toBe(1);
  });
});

describe("the end", () => {
  it("comes within its bounds though everything hangs, each named once", async () => {
    const sender = { ...aSender(never), close: never };
    const deaf = aSource("deaf", {
      async *batches() {
        yield [item("one")];
        await never();
      },
    });
    const { election, win } = anElection("other_1", never);
    const page = { url: "http://127.0.0.1:9", port: 9, close: never };
    const app = anApp(configWith(SERVED), {
      sources: [deaf],
      election,
      web: { problems: () => Promise.resolve([]), open: () => Promise.resolve(page) },
      remembers: (ledger) => ({ ...ledger, close: never }),
      ...senders(sender),
    });
    win();
    await settle();
    expect(sender.told).toHaveLength(1);
    const began = app.clock.now();
    app.stop.abort();
    const now = { ended: false };
    void app.running.then(() => (now.ended = true));
    while (!now.ended) await app.clock.advance(1_000);
    expect(await app.running).toMatchObject({ delivered: 0, pending: 1, lost: 0 });
    // 40 s, which docs/operating.md says, of which the HTTP server may take two by the system's clock.
    expect(app.clock.now() - began).toBeLessThanOrEqual(38_000);
    const passed = app.lines.filter((line) => line.includes("did not end within"));
    expect(passed.map((line) => /stopping: (.+) did not/.exec(line)?.[1])).toEqual([
      "the sources",
      "deliveries under way",
      "the page",
      "the ledger",
      "the Lease",
    ]);
  });
});
