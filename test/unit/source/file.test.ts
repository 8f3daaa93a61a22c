import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/config/config.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import { readEvents } from "../../../src/source/file/read.ts";
import { createFileSource } from "../../../src/source/file/source.ts";
import type { PreflightSource, SourceItem } from "../../../src/source/source.ts";
import { recorded } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { type Observed, recordingObserver } from "../../support/source.ts";

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/events");
const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-file-"));
const NOW = "2026-11-20T08:00:00Z";

const event = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  kind: "Event",
  apiVersion: "v1",
  metadata: { name, namespace: "shop", uid: `uid-${name}` },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web" },
  message: `message of ${name}`,
  lastTimestamp: "2019-01-01T00:00:00Z",
  ...more,
});

let files = 0;
function file(text: string): string {
  files += 1;
  const place = path.join(folder, `${files}.json`);
  writeFileSync(place, text);
  return place;
}

interface Opened {
  readonly source: PreflightSource;
  readonly calls: readonly Observed[];
  readonly stdin: PassThrough;
}

function open(place: string): Opened {
  const stdin = new PassThrough();
  const { observer, calls } = recordingObserver();
  const ports = {
    clock: new FakeClock(NOW),
    observer,
    cluster: "demo",
    name: "file",
    stdin: () => stdin,
  };
  return { source: createFileSource({ type: "file", path: place }, ports), calls, stdin };
}

async function all(opened: Opened, signal = new AbortController().signal): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for await (const batch of opened.source.batches(new Map(), signal)) {
    expect(batch.length).toBeGreaterThan(0);
    expect(batch.length).toBeLessThanOrEqual(100);
    items.push(...batch);
  }
  return items;
}

const eventsOf = (items: readonly SourceItem[]): KubeEvent[] =>
  items.flatMap((item) => (item.kind === "event" ? [item.event] : []));

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

describe("a file that cannot be read", () => {
  const refusal = async (text: string): Promise<{ names: string[]; message: string }> => {
    const place = file(text);
    const names: string[] = [];
    try {
      for await (const batch of open(place).source.batches(new Map(), new AbortController().signal))
        names.push(...eventsOf(batch).map((one) => one.eventName));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { names, message: error.message.replace(place, "FILE") };
    }
    throw new Error("it was read");
  };

  it.each([
    [
      "YAML",
      "apiVersion: v1\nitems: []\n",
      'FILE:1:1: expected a JSON object or array, found "apiVersion: v1\\nitems"',
    ],
    [
      "a broken line",
      `${JSON.stringify(event("a"))}\n{"kind": nope}\n`,
      "FILE:2:10: not JSON: Unexpected token 'o'",
    ],
    [
      "a line cut short",
      `${JSON.stringify(event("a"))}\n{"kind":"Ev\n`,
      "FILE:2:1: a line ends within a string",
    ],
    [
      "an end that is missing",
      `${JSON.stringify(event("a"))}\n{"kind":"List","items":[`,
      "FILE:2:1: the JSON that begins here does not end",
    ],
    [
      "a word between",
      `${JSON.stringify(event("a"))}\n  error`,
      'FILE:2:3: expected a JSON object or array, found "error"',
    ],
    [
      "a refused watch",
      `${JSON.stringify(event("a"))}\n{"type":"ERROR","object":{"message":"too old"}}`,
      "FILE:2:1: the watch was refused: too old",
    ],
  ])("because of %s says where, after all that was good", async (kind, text, message) => {
    const found = await refusal(text);
    expect(found.message).toContain(message);
    expect(found.message).toContain("kubectl get events -o json");
    expect(found.names).toEqual(kind === "YAML" ? [] : ["a"]);
  });

  it("points into a pretty-printed document", async () => {
    const text = JSON.stringify([event("a"), event("b")], null, 2).replace(
      '"message of b"',
      "message of b",
    );
    const line = text.split("\n").findIndex((one) => one.includes("message of b")) + 1;
    expect((await refusal(text)).message).toContain(`FILE:${line}:`);
  });

  it("is found before the start", async () => {
    const { signal } = new AbortController();
    await expect(open(path.join(folder, "none")).source.preflight(signal)).rejects.toThrow(
      /none: cannot be read: ENOENT.*give a file of events, or - for standard input/,
    );
    await expect(open(folder).source.preflight(signal)).rejects.toThrow(
      /cannot be read: it is a directory/,
    );
    await expect(all(open(path.join(folder, "none")))).rejects.toBeInstanceOf(ConfigError);
  });
});

describe("readEvents", () => {
  it("reads each of the corpus", () => {
    const corpus = JSON.parse(
      readFileSync(path.join(FIXTURES, "kube-eventer.json"), "utf8"),
    ) as Record<string, unknown>;
    for (const one of Object.values(corpus))
      expect(readEvents(JSON.stringify(one), "c", NOW)).toHaveLength(1);
  });

  it.each([
    ["nothing", "", "expected an Event, found none"],
    ["an empty List", '{"kind":"List","items":[]}', "expected an Event, found none"],
    ["a Pod", '{"kind":"Pod","metadata":{"name":"web"}}', "expected an Event, found Pod web"],
    ["a number in a list", "[7]", "expected an Event, found 7"],
    ["an unfinished one", '{"kind":', "does not end"],
    ["a refusal", '{"type":"ERROR","object":null}', "the watch was refused: no reason given"],
  ])("refuses %s", (_, text, message) => {
    expect(() => readEvents(text, "c", NOW)).toThrow(message);
  });
});
