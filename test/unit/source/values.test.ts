import {
  array,
  assert,
  constantFrom,
  dictionary,
  jsonValue,
  nat,
  property,
  string,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { readEvents } from "../../../src/source/file/read.ts";
import { FormatError, ValueSplitter } from "../../../src/source/file/values.ts";
import { nameOf, unwrap } from "../../../src/source/file/wire.ts";

function split(chunks: readonly string[]): unknown[] {
  const splitter = new ValueSplitter();
  const values = chunks.flatMap((chunk) => [...splitter.push(chunk)].map(({ value }) => value));
  splitter.end();
  return values;
}

/** Cuts a text into pieces of the given sizes, and the rest. */
function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let rest = text;
  for (const size of sizes) {
    pieces.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return [...pieces, rest];
}

function fault(text: string): FormatError {
  try {
    split([text]);
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("JSON values in a row", () => {
  const value = dictionary(string(), jsonValue());

  it("are found whatever they hold, however they are laid out and wherever they are cut", () => {
    assert(
      property(
        array(value),
        constantFrom(0, 2, 7),
        constantFrom("\n", "\r\n", " ", "", "\n\n\u001E"),
        array(nat({ max: 30 })),
        (values, indent, between, sizes) => {
          const text = values.map((one) => JSON.stringify(one, null, indent)).join(between);
          const expected = values.map((one) => JSON.parse(JSON.stringify(one)) as unknown);
          expect(split(cut(text, sizes))).toEqual(expected);
        },
      ),
    );
  });

  it("know where they begin", () => {
    const splitter = new ValueSplitter();
    const text = '{}\n  [1,\n2]\n\n {"a":"\\"}"}\r\n  {"b":1}\n{} [3]\n[4]';
    expect([...splitter.push(text)]).toEqual([
      { value: {}, line: 1, column: 1 },
      { value: [1, 2], line: 2, column: 3 },
      { value: { a: '"}' }, line: 5, column: 2 },
      { value: { b: 1 }, line: 6, column: 3 },
      { value: {}, line: 7, column: 1 },
      { value: [3], line: 7, column: 4 },
      { value: [4], line: 8, column: 1 },
    ]);
  });

  it("are there as soon as they end, whether or not the line does", () => {
    const splitter = new ValueSplitter();
    const values = (chunk: string) => [...splitter.push(chunk)].map(({ value }) => value);
    expect(values('{"a":1}')).toEqual([{ a: 1 }]);
    expect(values('\n{"b":2}\n{"c":')).toEqual([{ b: 2 }]);
    expect(values('3}{"d":4}')).toEqual([{ c: 3 }, { d: 4 }]);
  });

  it("that are broken say where, counted from 1", () => {
    const places: readonly (readonly [string, number, number])[] = [
      ["hello", 1, 1],
      ["\n\n   hello", 3, 4],
      ["{} x", 1, 4],
      ['{"a":1}\n{"b":tru}', 2, 6],
      ['{"a":1}\n{"b":tru}\n{"c":3}\n', 2, 6],
      ['{"a":1}\r\n  {"b":2} {"c":x}\r\n', 2, 16],
      ['{"a":1}\n{"b":"cut off}\n{"c":3}\n', 2, 1],
      ['[\n  {"a": 1,\n   "b": 01x}\n]', 3, 10],
      ['{"a":\n', 1, 1],
      ["{]", 1, 2],
      ['{"a":"\\q"}', 1, 8],
      ["[1 2]", 1, 4],
    ];
    for (const [text, line, column] of places) {
      const { line: foundLine, column: foundColumn } = fault(text);
      expect([text, foundLine, foundColumn]).toEqual([text, line, column]);
    }
  });

  it("that are broken are told in one line, without the text around", () => {
    const { message } = fault(`{"password": s3cret, "x": "${"y".repeat(100)}"}`);
    expect(message).toBe("not JSON: Unexpected token 's'");
  });
});

describe("what a value of an event file holds", () => {
  const messageOf = (read: () => unknown): string => {
    try {
      read();
    } catch (error) {
      if (error instanceof FormatError) return error.message;
      throw error;
    }
    throw new Error("it was read");
  };
  const kinds = (value: unknown): string[] => [...unwrap(value)].map((held) => held.kind);

  it("is told by its shape", () => {
    expect(kinds({ kind: "Event", type: "Normal", items: "a field of its own" })).toEqual([
      "object",
    ]);
    expect(kinds({ kind: "Event", type: "ADDED" })).toEqual(["object"]);
    expect(kinds({ type: "ADDED", object: {} })).toEqual(["object"]);
    expect(kinds({ type: "DELETED", object: {} })).toEqual(["skip"]);
    expect(kinds({ type: "ERROR", object: { message: "gone" } })).toEqual(["error"]);
    expect(kinds({ kind: "List", items: [1, 2] })).toEqual(["object", "object"]);
    expect(kinds({ items: [] })).toEqual([]);
    expect(kinds([[{ kind: "EventList", items: [{}] }], {}])).toEqual(["object", "object"]);
    expect(kinds(null)).toEqual(["object"]);
  });

  it("has a name for a message, however odd it is", () => {
    expect(nameOf({ kind: "Pod", metadata: { name: "web", namespace: "shop" } })).toBe(
      "Pod shop/web",
    );
    expect(nameOf({ metadata: null })).toBe("an object without a kind");
    expect(nameOf(undefined)).toBe("nothing");
    expect(nameOf({ kind: "x".repeat(1_000) })).toHaveLength(200);
    expect(nameOf("x".repeat(1_000))).toHaveLength(200);
  });

  it.each<[string, (text: string) => unknown, RegExp]>([
    ["an object's name", (name) => ({ kind: "Pod", metadata: { name } }), /found Pod web/],
    ["an object's kind", (kind) => ({ kind }), /found web/],
    ["a group", (group) => ({ kind: "Event", apiVersion: group }), /found Event of web/],
    [
      "what a watch was told",
      (message) => ({ type: "ERROR", object: { message } }),
      /the watch was refused: web/,
    ],
  ])("cannot steer the terminal of who reads it, nor fill it, by %s", (_, holding, expected) => {
    const hostile = "web\u001B]0;owned\u0007\u009B2J\r\nerror: forged\u202E\u2028中文";
    for (const text of [hostile, hostile.repeat(1_000)]) {
      const read = () => readEvents(JSON.stringify(holding(text)), "demo", "2026-11-20T08:00:00Z");
      const message = messageOf(read);
      expect(message).toMatch(expected);
      expect(message).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
      expect(message.length).toBeLessThan(300);
    }
    expect(messageOf(() => readEvents(JSON.stringify(holding(hostile)), "demo", ""))).toContain(
      "中文",
    );
  });
});
