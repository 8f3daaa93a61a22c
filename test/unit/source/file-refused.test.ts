import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/config/config.ts";
import { readEvents } from "../../../src/source/file/read.ts";
import { all, event, eventsOf, file, folder, NOW, open } from "./support.ts";

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/events");

describe("a file that cannot be read", () => {
  const refusal = async (text: string | Buffer): Promise<{ names: string[]; message: string }> => {
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

  it.each([
    ["UTF-16 with its mark", Buffer.from(`\ufeff${JSON.stringify(event("a"))}`, "utf16le")],
    ["gzip", gzipSync(JSON.stringify(event("a")))],
    ["zeros", Buffer.alloc(64)],
  ])("because it is %s says so", async (_, bytes) => {
    const { message, names } = await refusal(bytes);
    expect(message).toContain("FILE:1:1: expected a JSON object or array, found what is no text");
    expect(message).toContain("UTF-16");
    expect(names).toEqual([]);
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

describe("arrays within arrays", () => {
  const nested = (depth: number, inner: string) => "[".repeat(depth) + inner + "]".repeat(depth);
  const read = async (text: string) => {
    const opened = open(file(text));
    const names = eventsOf(await all(opened)).map((one) => one.eventName);
    const told = opened.calls.filter(([name]) => name === "sourceGarbage");
    return { names, told: told.map(([, , message]) => String(message).replace(/^.*json:/, "")) };
  };
  const line = (name: string) => JSON.stringify(event(name));

  it.each([1, 2, 8])("%i deep hold events, as `jq -s` nests them", async (depth) => {
    const text = nested(depth, `${line("a")},${line("b")}`);
    expect(await read(text)).toEqual({ names: ["a", "b"], told: [] });
    expect(readEvents(text, "c", NOW)).toHaveLength(2);
  });

  it.each([9, 10_000, 200_000])(
    "%i deep are told with their line, and passed over",
    async (depth) => {
      expect(await read([line("a"), nested(depth, line("b")), line("c"), ""].join("\n"))).toEqual({
        names: ["a", "c"],
        told: ["2: a list within lists is no Event"],
      });
      expect(() => readEvents(nested(depth, line("b")), "c", NOW)).toThrow(
        "expected an Event, found a list within lists",
      );
    },
  );

  it("within what an Event holds are not looked into", async () => {
    const deep = line("deep").replace(/\}$/, `,"series":${nested(50_000, "1")}}`);
    expect((await read(`${deep}\n${line("b")}\n`)).names).toEqual(["deep", "b"]);
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
