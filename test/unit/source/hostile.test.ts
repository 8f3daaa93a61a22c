import { beforeEach, describe, expect, it } from "vitest";
import { type FakeApiServer } from "../../support/apiserver.ts";
import { settle } from "../../support/clock.ts";
import { useServer } from "../../support/source.ts";

const added = (object: unknown): string => `${JSON.stringify({ type: "ADDED", object })}\n`;
const event = (name: string, version: string, message = ""): Record<string, unknown> => ({
  kind: "Event",
  apiVersion: "v1",
  metadata: { name, namespace: "shop", uid: `uid-${name}`, resourceVersion: version },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web" },
  message,
});

describe("a hostile stream", () => {
  const { server: current, run, watching } = useServer();
  let server: FakeApiServer;
  beforeEach(() => {
    server = current();
  });

  it("loses the unreadable lines, says so, and goes on", async () => {
    const source = await watching();
    const garbage = [
      "<html>",
      "null",
      "{}",
      '{"type":"ADDED"}',
      '{"type":"SHOUTED","object":{}}',
      '{"type":"ADDED","object":{"kind":"Pod"}}',
    ];
    server.send(`${garbage.join("\n")}\n\n\r\n`);
    server.create("good");
    await source.until(() => source.events.length === 1);
    expect(source.called("sourceGarbage").map((call) => call[2])).toEqual([
      'not JSON: "<html>"',
      'not an object: "null"',
      'of no known type: "{}"',
      "the object of a change is no Event",
      expect.stringContaining("SHOUTED"),
      "the object of a change is no Event",
    ]);
    expect(server.asked("watch")).toHaveLength(1);
  });

  it("that says nothing but garbage is opened again", async () => {
    const source = await watching();
    server.send("rubbish\n".repeat(101));
    await source.until(() => source.called("sourceFailed").length === 1);
    server.create("good");
    await source.until(() => source.events.length === 1);
    expect(source.called("sourceFailed")[0]?.[2]).toBe("garbage");
    expect(source.called("sourceResumed").map((call) => call[2])).toEqual(["garbage"]);
  });

  it("may hold a hundred unreadable lines in a row, again and again, with something readable in between", async () => {
    const source = await watching();
    for (const name of ["first", "second", "third"]) {
      server.send("rubbish\n".repeat(100));
      server.create(name);
    }
    await source.until(() => source.events.length === 3);
    expect(source.called("sourceGarbage")).toHaveLength(300);
    expect(source.called("sourceFailed")).toEqual([]);
    expect(server.asked("watch")).toHaveLength(1);
  });

  it("has another hundred unreadable lines to go once it was opened again", async () => {
    const source = await watching();
    server.send("rubbish\n".repeat(101));
    await source.until(() => source.called("sourceFailed").length === 1);
    await server.until(() => server.asked("watch").length === 2 && server.watching === 1);
    server.send("rubbish\n".repeat(100));
    server.create("good");
    await source.until(() => source.events.length === 1);
    expect(source.called("sourceFailed")).toHaveLength(1);
    expect(server.asked("watch")).toHaveLength(2);
  });

  it("may hold a raw U+2028 and bytes cut anywhere", async () => {
    const source = await watching();
    const text = "第一行\u2028第二行\u2029💥";
    const line = Buffer.from(added(event("cut", "5000", text)));
    for (const byte of line) server.sendBytes(Buffer.from([byte]));
    await source.until(() => source.events.length === 1);
    expect(source.events[0]?.message).toBe(text);
    expect(source.called("sourceGarbage")).toEqual([]);
  });

  it("may hold a megabyte of message, but no line of nine", async () => {
    const source = await watching();
    server.send(added(event("big", "5000", "x".repeat(1_000_000))));
    server.send(added(event("huge", "5001", "x".repeat(9_000_000))));
    server.send(added(event("small", "5002")));
    await source.until(() => source.events.length === 2);
    expect(source.events.map((one) => one.eventName)).toEqual(["big", "small"]);
    expect(source.called("sourceGarbage").map((call) => call[2])).toEqual([
      "a line of more than 8 MiB",
    ]);
  });

  it("cannot turn the checkpoint back", async () => {
    const source = await watching();
    server.send(added(event("new", "5000")));
    server.send(added(event("old", "4000")));
    server.send(added(event("none", "")));
    await source.until(() => source.events.length === 3);
    expect(source.checkpoints[0]?.resourceVersion).toBe("5000");
  });

  it("may end without a line break after its last word", async () => {
    const source = await watching();
    server.send(added(event("last", "5000")).trimEnd());
    server.closeWatches();
    await source.until(() => source.events.length === 1);
    expect(source.events[0]?.eventName).toBe("last");
  });

  it("is not what a list may be", async () => {
    server.answer({ status: 200, headers: {}, body: '{"kind":"PodList"}' });
    server.answer({ status: 200, headers: {}, body: "<html>welcome to the captive portal</html>" });
    const source = run();
    await source.until(() => source.synced === 1);
    expect(source.called("sourceFailed").map((call) => call[3])).toEqual([
      expect.stringContaining("answered a list without a resourceVersion"),
      expect.stringContaining("answered something that is not JSON"),
    ]);
  });

  describe("and a slow consumer", () => {
    it("is held back, and nothing is lost or doubled", async () => {
      const source = run({ paused: true });
      const batches = source.source.batches(new Map(), new AbortController().signal);
      const iterator = batches[Symbol.asyncIterator]();
      await iterator.next();
      await server.until(() => server.watching === 1);
      for (let index = 0; index < 3_000; index += 1) server.create(`many-${index}`);
      const names: string[] = [];
      while (names.length < 3_000) {
        const { value } = (await iterator.next()) as {
          value: readonly { kind: string; event?: { eventName: string } }[];
        };
        for (const item of value) if (item.event !== undefined) names.push(item.event.eventName);
      }
      expect(new Set(names).size).toBe(3_000);
      expect(server.asked("watch")).toHaveLength(1);
      await iterator.return?.();
    });

    it("of half a minute lets the watch go and resumes it later", async () => {
      const source = run({ paused: true });
      const batches = source.source.batches(new Map(), new AbortController().signal);
      const iterator = batches[Symbol.asyncIterator]();
      await iterator.next();
      await server.until(() => server.watching === 1);
      for (let index = 0; index < 1_500; index += 1) server.create(`many-${index}`);
      // The watch's own guard, and the patience with the consumer.
      while (source.clock.sleeping < 2) await settle();
      await source.clock.advance(31_000);
      await server.until(() => server.watching === 0);
      const names: string[] = [];
      while (names.length < 1_500) {
        const { value } = (await iterator.next()) as {
          value: readonly { kind: string; event?: { eventName: string } }[];
        };
        for (const item of value) if (item.event !== undefined) names.push(item.event.eventName);
      }
      expect(new Set(names).size).toBe(1_500);
      expect(names).toHaveLength(1_500);
      expect(server.asked("watch")).toHaveLength(2);
      expect(source.called("sourceFailed")).toEqual([]);
      // The watch that follows says why as soon as something comes on it.
      server.create("after");
      await source.until(() => source.called("sourceResumed").length === 1);
      expect(source.called("sourceResumed")).toEqual([["sourceResumed", "kubernetes", "blocked"]]);
      await iterator.return?.();
    });
  });
});
