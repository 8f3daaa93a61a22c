import { execFileSync } from "node:child_process";
import { open as openFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readEvents } from "../../../src/source/file/read.ts";
import type { SourceItem } from "../../../src/source/source.ts";
import { recorded } from "../../support/apiserver.ts";
import { all, event, eventsOf, file, folder, NOW, open } from "./support.ts";

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/events");

const namesIn = async (text: string): Promise<string[]> =>
  eventsOf(await all(open(file(text)))).map((one) => one.eventName);

describe("a file of events", () => {
  it.each([
    [
      "a List, as kubectl prints it",
      JSON.stringify({ kind: "List", apiVersion: "v1", items: [event("a"), event("b")] }, null, 4),
    ],
    [
      "an EventList without kinds in it",
      JSON.stringify({
        kind: "EventList",
        items: ["a", "b"].map((name) => ({
          ...event(name),
          kind: undefined,
          apiVersion: undefined,
        })),
      }),
    ],
    ["an array", JSON.stringify([event("a"), event("b")])],
    ["one Event a line", `${JSON.stringify(event("a"))}\n\n${JSON.stringify(event("b"))}`],
    [
      "lines from Windows, with a byte order mark",
      `\uFEFF${JSON.stringify(event("a"))}\r\n${JSON.stringify(event("b"))}\r\n`,
    ],
    [
      "a watch stream",
      [
        ["ADDED", "a"],
        ["DELETED", "x"],
        ["MODIFIED", "b"],
        ["BOOKMARK", "y"],
      ]
        .map(([type, name]) => JSON.stringify({ type, object: event(name ?? "") }))
        .join("\n"),
    ],
    [
      "pretty-printed one after the other, as kubectl -w does",
      `${JSON.stringify(event("a"), null, 2)}\n${JSON.stringify(event("b"), null, 2)}\n`,
    ],
    [
      "several lists",
      `${JSON.stringify({ kind: "List", items: [event("a")] })}${JSON.stringify({ kind: "List", items: null })}${JSON.stringify([event("b")])}`,
    ],
  ])("may be %s", async (_, text) => {
    expect(await namesIn(text)).toEqual(["a", "b"]);
    expect(readEvents(text, "demo", NOW).map((one) => one.eventName)).toEqual(["a", "b"]);
  });

  it("may be of either API group, recorded from a real server", () => {
    const core = readEvents(recorded("list-page2").body, "demo", NOW);
    const fresh = readEvents(recorded("list-events-v1").body, "demo", NOW);
    const [same] = fresh.filter((one) => one.uid === core[0]?.uid);
    expect(core[0]).toBeDefined();
    expect(same).toEqual(core[0]);
  });

  it("holds nothing too old, and no checkpoint to go on from", async () => {
    const items = await all(open(file(JSON.stringify(event("old")))));
    expect(items).toEqual([
      { kind: "synced" },
      {
        kind: "event",
        event: expect.objectContaining({ lastSeen: "2019-01-01T00:00:00Z", cluster: "demo" }),
        checkpoint: null,
      },
    ]);
  });

  it("from a real node-problem-detector is read whole", async () => {
    const opened = open(path.join(FIXTURES, "node-problem-detector.json"));
    await opened.source.preflight(new AbortController().signal);
    const events = eventsOf(await all(opened));
    expect(new Set(events.map((one) => one.object.kind))).toEqual(new Set(["Node"]));
    expect(events.map((one) => one.reason)).toContain("PodOOMKilling");
    expect(opened.calls.map((call) => call[0])).toEqual(["sourceConnecting", "sourceEnded"]);
  });

  it("of thousands comes in batches of a hundred", async () => {
    const text = Array.from({ length: 5_000 }, (_, index) =>
      JSON.stringify(event(`e${index}`)),
    ).join("\n");
    const names = await namesIn(text);
    expect(names).toHaveLength(5_000);
    expect(names.at(-1)).toBe("e4999");
  });

  it("is the same however its characters fall into what is read at once", async () => {
    const names = Array.from(
      { length: 400 },
      (_, index) => `${"一二三é".repeat(index % 97)}${index}`,
    );
    const text = names.map((name) => JSON.stringify(event(name))).join("\n");
    expect(Buffer.byteLength(text)).toBeGreaterThan(3 * 65_536);
    expect(await namesIn(text)).toEqual(names);
    expect(await namesIn(`${text}\r\n`)).toEqual(names);
    expect(await namesIn(`[${text.replaceAll("\n", ",\n")}]`)).toEqual(names);
  });

  it("is let go on abort, wherever it is read", async () => {
    const opened = open(file(`${JSON.stringify(event("a"))}\n`.repeat(5_000)));
    const abort = new AbortController();
    let read = 0;
    for await (const batch of opened.source.batches(new Map(), abort.signal)) {
      read += eventsOf(batch).length;
      if (read > 0) abort.abort();
    }
    expect(read).toBe(100);
    expect(opened.calls.map((call) => call[0])).not.toContain("sourceEnded");
  });

  it("is not even opened by who is told to stop before", async () => {
    const opened = open(path.join(folder, "not-there"));
    const abort = new AbortController();
    const batches = opened.source.batches(new Map(), abort.signal)[Symbol.asyncIterator]();
    expect((await batches.next()).value).toEqual([{ kind: "synced" }]);
    abort.abort();
    expect(await batches.next()).toEqual({ done: true, value: undefined });
  });

  it("is told to be at its end only once all of it is taken", async () => {
    const opened = open(file(`${JSON.stringify(event("a"))}\n`.repeat(101)));
    const batches = opened.source.batches(new Map(), new AbortController().signal);
    const sizes: number[] = [];
    for await (const batch of batches) {
      expect(opened.calls.map(([name]) => name)).toEqual(["sourceConnecting"]);
      sizes.push(batch.length);
    }
    expect(sizes).toEqual([1, 100, 1]);
    expect(opened.calls.map(([name]) => name)).toEqual(["sourceConnecting", "sourceEnded"]);
  });

  it("may hold other objects too: they are told and left out", async () => {
    const opened = open(
      file(
        JSON.stringify({
          kind: "List",
          items: [
            { kind: "Pod", metadata: { name: "web", namespace: "shop" } },
            event("a"),
            null,
            { kind: "Event", apiVersion: "audit.k8s.io/v1" },
          ],
        }),
      ),
    );
    expect(eventsOf(await all(opened)).map((one) => one.eventName)).toEqual(["a"]);
    expect(
      opened.calls
        .filter((call) => call[0] === "sourceGarbage")
        .map((call) => String(call[2]).replace(/^.*json:1: /, "")),
    ).toEqual([
      "Pod shop/web is no Event",
      "null is no Event",
      "Event of audit.k8s.io/v1 is no Event",
    ]);
  });

  it("is ready at once, and ends", async () => {
    const items = await all(open(file("")));
    expect(items).toEqual([{ kind: "synced" }]);
  });
});

it("a named pipe is followed as it comes", async () => {
  const place = path.join(folder, "pipe");
  execFileSync("mkfifo", [place]);
  const writing = openFile(place, "w");
  const batches = open(place).source.batches(new Map(), new AbortController().signal);
  const iterator = batches[Symbol.asyncIterator]();
  await iterator.next();
  const next = iterator.next();
  const writer = await writing;
  await writer.write(JSON.stringify(event("a")));
  expect(eventsOf(((await next).value ?? []) as SourceItem[])[0]?.eventName).toBe("a");
  const end = iterator.next();
  await writer.close();
  expect((await end).done).toBe(true);
});

describe("standard input", () => {
  it("is followed as it comes, cut anywhere", async () => {
    const opened = open("-");
    const batches = opened.source.batches(new Map(), new AbortController().signal);
    const iterator = batches[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toEqual([{ kind: "synced" }]);
    const line = Buffer.from(`${JSON.stringify(event("一二三"))}\n`);
    const next = iterator.next();
    for (const byte of line) opened.stdin.write(Buffer.from([byte]));
    expect(eventsOf(((await next).value ?? []) as SourceItem[])[0]?.eventName).toBe("一二三");
    opened.stdin.end();
    expect((await iterator.next()).done).toBe(true);
  });

  it("that never ends is let go on abort", async () => {
    const opened = open("-");
    const abort = new AbortController();
    const batches = opened.source.batches(new Map(), abort.signal);
    const iterator = batches[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    opened.stdin.write(JSON.stringify(event("a")));
    await waiting;
    const last = iterator.next();
    abort.abort();
    expect((await last).done).toBe(true);
    expect(opened.calls.map((call) => call[0])).not.toContain("sourceEnded");
  });

  it("needs nothing before the start", async () => {
    const { signal } = new AbortController();
    await expect(open("-").source.preflight(signal)).resolves.toBeUndefined();
  });
});
