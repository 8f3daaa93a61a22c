import { describe, expect, it } from "vitest";
import {
  anyOf,
  compilePattern,
  MATCHED_LENGTH,
  patternProblem,
  splitPatterns,
} from "../../../src/pipeline/matcher.ts";
import { compileRegex, quoteRegex } from "../../../src/pipeline/regex.ts";

describe("the edges of patterns", () => {
  it.each([
    ["a pattern of a thousand characters is allowed", "x".repeat(1000), null],
    ["one more is not", "x".repeat(1001), "it is 1001 characters long; at most 1000 are allowed"],
    [
      "an unknown flag is named",
      "/a/x",
      'the flag "x" is unknown; the only one is i, which ignores case',
    ],
    [
      "two flags are one too many",
      "/a/ii",
      'the flag "ii" is unknown; the only one is i, which ignores case',
    ],
    ["four letters after a slash are a path", "/a/iiii", null],
    ["a slash alone is a text", "/", null],
    ["nothing between slashes", "//i", "an empty regular expression matches everything"],
  ])("%s", (_, pattern, problem) => {
    expect(patternProblem(pattern)).toBe(problem);
  });

  it.each([
    ["a bracket that is not closed", "/[a/", "missing closing ]: `[a`"],
    ["a repetition of nothing", "/*a/", "missing argument to repetition operator: `*`"],
    ["a repetition too large", "/a{5000}/", "invalid repeat count: `{5000}`"],
    ["a look behind", "/(?<=a)b/", "invalid named capture: `(?<=a)b`"],
    [
      "an escape nobody knows",
      String.raw`/\y/`,
      String.raw`invalid escape sequence: ${"`"}\y${"`"}`,
    ],
    ["a back reference", String.raw`/(a)\1/`, String.raw`invalid escape sequence: ${"`"}\1${"`"}`],
  ])("%s is told in words, without what the library says before", (_, pattern, problem) => {
    expect(patternProblem(pattern)).toBe(problem);
  });

  it("the error of a regular expression remembers where it came from", () => {
    expect(() => compileRegex("(")).toThrow(expect.objectContaining({ cause: expect.any(Error) }));
  });

  it("a text of exactly the length that is looked at is looked at whole", () => {
    const text = `${"a".repeat(MATCHED_LENGTH - 1)}b`;
    expect(compilePattern("/b$/")(text)).toBe(true);
    expect(compilePattern("*b")(text)).toBe(true);
    expect(compilePattern("/b$/")(`${text}c`)).toBe(false);
    expect(compilePattern("*b")(`${text}c`)).toBe(false);
    expect(compilePattern("a*")(`${text}c`)).toBe(true);
  });

  it.each([
    ["*.k8s.io", "events.k8s.io", true],
    ["*.k8s.io", "eventsXk8sXio", false],
    ["web-(1)*", "web-(1)-a", true],
    ["^web*", "web", false],
    ["web$?", "web$1", true],
    ["a+b*", "aab", false],
    [String.raw`C:\*`, String.raw`C:\Windows`, true],
    ["??", "你好", true],
    ["?", "", false],
    ["**", "", true],
    ["a**b", "ab", true],
  ])("in the glob %s the rest is literal: %j %s", (pattern, text, expected) => {
    expect(compilePattern(pattern)(text)).toBe(expected);
    expect(anyOf([pattern, "never"])(text)).toBe(expected);
  });

  it.each(["/", "a/b", "/a", "a/", "a//b"])("the text %s is exact, slashes and all", (pattern) => {
    expect(patternProblem(pattern)).toBeNull();
    expect(anyOf([pattern])(pattern)).toBe(true);
    expect(anyOf([pattern])(`${pattern}x`)).toBe(false);
  });

  it("quotes what has a meaning in regular expressions", () => {
    const text = String.raw`a.b*c?(d)[e]{f}^$|\g`;
    expect(compileRegex(quoteRegex(text)).whole(text)).toBe(true);
    expect(compileRegex(quoteRegex(text)).whole(`${text}g`)).toBe(false);
  });

  it.each([
    ["   ", []],
    [" ,  , ", []],
    ["a, ,b", ["a", "b"]],
    ["  /a,b/  ", ["/a,b/"]],
    ["/a/i,/b/", ["/a/i", "/b/"]],
    ["/a/ix, b", ["/a/ix", "b"]],
    ["/a/,b/c,d", ["/a/", "b/c", "d"]],
    [String.raw`/a\,b/,c`, [String.raw`/a\,b/`, "c"]],
    ["a\n,b", ["a", "b"]],
    ["/a\nb/,c", ["/a\nb/", "c"]],
    ["/var/log,/var/lib", ["/var/log", "/var/lib"]],
  ])("the list %j is %j", (text, expected) => {
    expect(splitPatterns(text)).toEqual(expected);
  });
});
