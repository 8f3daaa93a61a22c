import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonProblem } from "../../../src/template/json-problem.ts";

describe("what is wrong with JSON, and where", () => {
  it.each([
    ["nothing at all", "", "line 1, column 1 (position 0): unexpected the end"],
    ["a word", "hello", 'line 1, column 1 (position 0): unexpected "hello"'],
    ["a comma too many", '{"a": 1,}', 'line 1, column 9 (position 8): unexpected "}"'],
    ["a comma too many in a list", "[1,]", 'line 1, column 4 (position 3): unexpected "]"'],
    [
      "a comma missing",
      '{"a": 1\n "b": 2}',
      'line 2, column 2 (position 9): unexpected "\\"b\\": 2}"',
    ],
    ["a colon missing", '{"a" 1}', 'line 1, column 6 (position 5): unexpected "1}"'],
    ["a key without quotes", "{a: 1}", 'line 1, column 2 (position 1): unexpected "a: 1}"'],
    ["an end missing", '{"a": [1, 2', "line 1, column 12 (position 11): unexpected the end"],
    ["the wrong end", '{"a": [1}', 'line 1, column 9 (position 8): unexpected "}"'],
    [
      "a newline in a text",
      '{"a": "b\nc"}',
      'line 1, column 9 (position 8): unexpected "\\nc\\"}"',
    ],
    [
      "a newline and a quote",
      '{"a": "b\n"}',
      'line 1, column 9 (position 8): unexpected "\\n\\"}"',
    ],
    [
      "a bad escape",
      String.raw`{"a": "\x"}`,
      String.raw`line 1, column 8 (position 7): unexpected "\\x\"}"`,
    ],
    ["a value missing", '{"a": }', 'line 1, column 7 (position 6): unexpected "}"'],
    ["something behind", '{"a": 1} x', 'line 1, column 10 (position 9): unexpected "x"'],
    ["a number nobody writes", "[01]", 'line 1, column 3 (position 2): unexpected "1]"'],
    [
      "a long rest",
      `[${"x".repeat(50)}`,
      'line 1, column 2 (position 1): unexpected "xxxxxxxxxxxx"',
    ],
  ])("%s", (_, text, expected) => {
    expect(jsonProblem(text)).toBe(expected);
  });

  it("is nothing for what is JSON", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(jsonProblem(text)).toBeNull();
      }),
    );
  });

  it("is told for any JSON with a character taken out or put in, never beyond the end", () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom("", "}", "]", '"', ",", "x", "\n"),
        (text, at, put) => {
          const place = at % (text.length + 1);
          const broken = text.slice(0, place) + put + text.slice(place + 1);
          const problem = jsonProblem(broken);
          const position = Number(/\(position (\d+)\)/.exec(problem ?? "(position 0)")?.[1]);
          expect(position).toBeLessThanOrEqual(broken.length);
          expect(problem === null).toBe(isJson(broken));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("does not stumble over depth or length", () => {
    expect(jsonProblem("[".repeat(100_000))).toContain("unexpected the end");
    expect(jsonProblem(`["${"a".repeat(1_000_000)}`)).toContain("unexpected the end");
    expect(jsonProblem(`["${String.raw`\"`.repeat(200_000)}`)).toContain("unexpected the end");
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
