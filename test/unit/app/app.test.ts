import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AppPorts, runApp } from "../../../src/app/app.ts";
import { type Config, ConfigError } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Sender } from "../../../src/delivery/sender.ts";
import type { Delivery } from "../../../src/event/delivery.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createObserver } from "../../../src/observe/observe.ts";
import { accepted, permanent } from "../../../src/sink/verdict.ts";
import type { PreflightSource, SourceItem } from "../../../src/source/source.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { countingIds, temporaryDirectory } from "../../support/ledger.ts";

function configWith(flags: Record<string, unknown> = {}): Config {
  const source = ["file:-"];
  const sink = ["webhook:http://127.0.0.1:9/?name=ops"];
  return loadConfig({ flags: { source, sink, ...flags }, registry, env: {} }).config;
}

const item = (uid: string): SourceItem => ({
  kind: "event",
  event: anEvent({ uid, count: 1 }),
  checkpoint: null,
});

/** A source that gives one batch and ends, or goes on for ever. */
function aSource(name: string, parts: Partial<PreflightSource> & { events?: number } = {}) {
  const { events = 1, ...rest } = parts;
  const source: PreflightSource = {
    name,
    preflight: () => Promise.resolve(),
    async *batches() {
      yield [{ kind: "synced" }];
      const batch = Array.from({ length: events }, (_, n) => item(`${name}-${n}`));
      if (batch.length > 0) yield await Promise.resolve(batch);
    },
    ...rest,
  };
  return source;
}

/** A sink that keeps what it is told, and whether it was closed. */
function aSender(send?: Sender["send"]): Sender & { told: Delivery[]; closed: number } {
  const told: Delivery[] = [];
  const sender = {
    told,
    closed: 0,
    send: (delivery: Delivery, signal: AbortSignal, now: number) => {
      told.push(delivery);
      return send === undefined
        ? Promise.resolve({ verdict: accepted, sent: "", answer: "" })
        : send(delivery, signal, now);
    },
    close: () => {
      sender.closed += 1;
      return Promise.resolve();
    },
  };
  return sender;
}

function anApp(config: Config, parts: Partial<AppPorts> = {}) {
  const lines: string[] = [];
  const clock = new FakeClock();
  const sources = parts.sources ?? [aSource("file")];
  const metrics = createMetrics(
    "1.2.3",
    sources.map(({ name }) => name),
    config.sinks.map(({ name }) => name),
  );
  const write = (level: string, message: string) => void lines.push(`${level} ${message}`);
  const { observer, tally } = createObserver({ write }, metrics, clock);
  const stop = new AbortController();
  const sender = aSender();
  const ports: AppPorts = {
    clock,
    random: () => 0.5,
    makeId: countingIds(),
    observer,
    tally,
    metrics,
    sources,
    openSenders: () =>
      Promise.resolve(new Map(config.sinks.map(({ name }) => [name, sender] as const))),
    ...parts,
  };
  const running = runApp(config, ports, stop.signal);
  running.catch(() => undefined);
  return { running, lines, clock, metrics, sender, stop };
}

describe("runApp", () => {
  it("carries events from source to sink, and ends when everything is told", async () => {
    const { running, sender } = anApp(configWith({ dataDir: ":memory:" }), {
      sources: [aSource("a", { events: 3 }), aSource("b", { events: 2 })],
    });
    expect(await running).toEqual({
      received: 5,
      filtered: 0,
      suppressed: 0,
      enqueued: 5,
      delivered: 5,
      dead: 0,
      folded: 0,
      pending: 0,
      lost: 0,
      problems: [],
      deposed: null,
    });
    expect(sender.told).toHaveLength(5);
    expect(sender.closed).toBe(1);
  });

  it("names a source that breaks, and tells what the others bring", async () => {
    const broken = aSource("broken", {
      async *batches() {
        yield await Promise.resolve([item("before")]);
        throw new Error("events.json:7:1: not JSON");
      },
    });
    const { running, lines } = anApp(configWith({ dataDir: ":memory:" }), {
      sources: [broken, aSource("good", { events: 2 })],
    });
    expect(await running).toMatchObject({
      delivered: 3,
      problems: ["broken: events.json:7:1: not JSON"],
    });
    expect(lines).toContain("error broken: events.json:7:1: not JSON");
  });

  it("collects what is wrong in every part, starts nothing and closes what was opened", async () => {
    const dataDir = temporaryDirectory();
    const sender = aSender();
    const refusing = (name: string) =>
      aSource(name, {
        preflight: () =>
          Promise.reject(new ConfigError([{ where: name, message: "forbidden", hint: null }])),
        batches: () => {
          throw new Error("watched");
        },
      });
    const problem = { message: "no such table", hint: "create it" };
    const checked = { away: null, problems: [problem] };
    const { running, lines } = anApp(configWith({ dataDir, listen: "127.0.0.1:0" }), {
      sources: [refusing("one"), refusing("two")],
      openSenders: () =>
        Promise.resolve(
          new Map([["ops", Object.assign(sender, { check: () => Promise.resolve(checked) })]]),
        ),
    });
    await expect(running).rejects.toThrow(ConfigError);
    const { issues } = (await running.catch((error: unknown) => error)) as ConfigError;
    expect(issues.map(({ where }) => where).toSorted()).toEqual(["one", "sink ops", "two"]);
    expect(sender.told).toEqual([]);
    expect(sender.closed, "a connection it may have opened is not left behind").toBe(1);
    const url = /http:\S+/.exec(lines.join("\n"))?.[0] ?? "";
    await expect(fetch(`${url}/livez`)).rejects.toThrow("fetch failed");
    // The lock is free again.
    const again = anApp(configWith({ dataDir }));
    expect(await again.running).toMatchObject({ delivered: 1 });
  });

  it("says of a sink that is away that what is owed waits for it, and starts", async () => {
    const away = { away: "ECONNREFUSED", problems: [] };
    const sender = Object.assign(aSender(), { check: () => Promise.resolve(away) });
    const { running, lines } = anApp(configWith({ dataDir: ":memory:" }), {
      openSenders: () => Promise.resolve(new Map([["ops", sender]])),
    });
    expect(await running).toMatchObject({ delivered: 1 });
    expect(lines).toContain("warn ops: is away; what is owed waits for it: ECONNREFUSED");
  });

  it("stops while the start waits, without an error, and closes everything", async () => {
    const waits = (signal: AbortSignal) =>
      new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(new Error("aborted"))),
      );
    const { running, lines, stop } = anApp(configWith({ dataDir: ":memory:" }), {
      openSenders: waits,
    });
    await settle();
    stop.abort();
    expect(await running).toMatchObject({ received: 0, problems: [] });
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  const TWO = ["webhook:http://127.0.0.1:9/?name=ops", "webhook:http://127.0.0.1:9/?name=dba"];

  it("waits for what is under way at one sink though another cannot be closed", async () => {
    const answer = Promise.withResolvers<void>();
    const slow = aSender(() =>
      answer.promise.then(() => ({ verdict: accepted, sent: "", answer: "" })),
    );
    const broken = { ...aSender(), close: () => Promise.reject(new Error("socket gone")) };
    const { running, lines, stop, metrics } = anApp(
      configWith({ dataDir: ":memory:", sink: TWO }),
      {
        openSenders: () =>
          Promise.resolve(
            new Map<string, Sender>([
              ["ops", slow],
              ["dba", broken],
            ]),
          ),
      },
    );
    await settle();
    expect(slow.told).toHaveLength(1);
    stop.abort();
    await settle();
    answer.resolve();
    expect(await running, "it arrived, so it is not owed any more").toMatchObject({
      delivered: 2,
      pending: 0,
    });
    expect(metrics.pending()).toBe(0);
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([
      "error dba: cannot be closed: socket gone",
    ]);
  });

  it("closes every sink where the start ends early, though one of them cannot be, or hangs", async () => {
    const last = aSender();
    const hangs = { ...aSender(), close: () => new Promise<void>(() => undefined) };
    const broken = { ...aSender(), close: () => Promise.reject(new Error("socket gone")) };
    const sink = [...TWO, "webhook:http://127.0.0.1:9/?name=last"];
    const refused = aSource("file", {
      preflight: () =>
        Promise.reject(new ConfigError([{ where: "file", message: "forbidden", hint: null }])),
    });
    const { running, clock } = anApp(configWith({ dataDir: ":memory:", sink }), {
      sources: [refused],
      openSenders: () =>
        Promise.resolve(
          new Map<string, Sender>([
            ["ops", hangs],
            ["dba", broken],
            ["last", last],
          ]),
        ),
    });
    await settle();
    expect(last.closed).toBe(1);
    await clock.advance(26_000);
    await expect(running, "what is wrong is said all the same").rejects.toThrow("forbidden");
  });

  it.each([
    ["a look at a sink", { check: true }],
    ["the API server's answer", { preflight: true }],
    ["the page", { web: true }],
  ])("stops at once though %s never comes and heeds no signal", async (_, never) => {
    const forEver = () => new Promise<never>(() => undefined);
    const sender = "check" in never ? { ...aSender(), check: forEver } : aSender();
    const { running, stop, lines } = anApp(configWith({ dataDir: ":memory:" }), {
      sources: [aSource("file", "preflight" in never ? { preflight: forEver } : {})],
      openSenders: () => Promise.resolve(new Map<string, Sender>([["ops", sender]])),
      web:
        "web" in never ? { problems: forEver, open: () => Promise.reject(new Error("?")) } : null,
    });
    await settle();
    stop.abort();
    expect(await running).toMatchObject({ received: 0, pending: 0, problems: [] });
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  it("throws a bug on, after it has stopped what was started", async () => {
    const { running } = anApp(configWith({ dataDir: ":memory:" }), {
      openSenders: () => Promise.reject(new TypeError("undefined is not a function")),
    });
    await expect(running).rejects.toThrow(TypeError);
  });

  it("a port that is taken is one of the problems, with what to do", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { running } = anApp(configWith({ dataDir: ":memory:", listen: `127.0.0.1:${port}` }));
    await expect(running).rejects.toThrow(
      `--listen: cannot listen on 127.0.0.1:${port}: another program listens there`,
    );
  });

  it("tells of deliveries owed to a sink that is no longer configured", async () => {
    const dataDir = temporaryDirectory();
    const never = aSender(() => new Promise(() => undefined));
    const first = anApp(configWith({ dataDir }), {
      openSenders: () => Promise.resolve(new Map([["ops", never]])),
    });
    await settle();
    first.stop.abort();
    await first.clock.advance(60_000);
    expect(await first.running).toMatchObject({ pending: 1 });
    const sink = ["webhook:http://127.0.0.1:9/?name=other"];
    const second = anApp(configWith({ dataDir, sink }), {
      sources: [aSource("file", { events: 0 })],
    });
    expect(await second.running).toMatchObject({ delivered: 0, pending: 0 });
    expect(second.lines.join("\n")).toMatch(/owes 1 deliveries to "ops", which is no sink/);
  });

  it("says at the end what is dead", async () => {
    const refuses = aSender(() =>
      Promise.resolve({ verdict: permanent("rejected", "no"), sent: "", answer: "" }),
    );
    const { running } = anApp(configWith({ dataDir: ":memory:" }), {
      openSenders: () => Promise.resolve(new Map([["ops", refuses]])),
    });
    expect(await running).toMatchObject({ delivered: 0, dead: 1, pending: 0 });
  });
});
