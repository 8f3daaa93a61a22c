import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConfigError } from "../../../src/config/config.ts";
import type { Sender } from "../../../src/delivery/sender.ts";
import { accepted, permanent } from "../../../src/sink/verdict.ts";
import { settle } from "../../support/clock.ts";
import { temporaryDirectory } from "../../support/ledger.ts";
import { anApp, aSender, aSource, configWith, item } from "./support.ts";

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
        throw new ConfigError([{ where: "events.json:7:1", message: "not JSON", hint: null }]);
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
    expect(second.lines.join("\n")).toMatch(/owes 1 delivery to "ops", which is no sink/);
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
