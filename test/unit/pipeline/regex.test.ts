import { describe, expect, it } from "vitest";
import { compileRegex, quoteRegex } from "../../../src/pipeline/regex.ts";

describe("compileRegex", () => {
  it("finds anywhere, unless anchored", () => {
    expect(compileRegex("Back").find("a BackOff b")).toBe(true);
    expect(compileRegex("^Back").find("a BackOff b")).toBe(false);
    expect(compileRegex("Off$").find("BackOff")).toBe(true);
  });

  it("can demand the whole text", () => {
    expect(compileRegex("Back").whole("BackOff")).toBe(false);
    expect(compileRegex("Back.*").whole("BackOff")).toBe(true);
  });

  it("is case-sensitive unless told otherwise, Chinese and Cyrillic text included", () => {
    expect(compileRegex("oom").find("OOMKilled")).toBe(false);
    expect(compileRegex("oom", { ignoreCase: true }).find("OOMKilled")).toBe(true);
    expect(compileRegex("内存").find("节点内存不足")).toBe(true);
    expect(compileRegex("ошибка", { ignoreCase: true }).find("ОШИБКА")).toBe(true);
  });

  it("lets the dot match line breaks only on request", () => {
    expect(compileRegex("a.b").find("a\nb")).toBe(false);
    expect(compileRegex("a.b", { dotAll: true }).find("a\nb")).toBe(true);
    expect(compileRegex("(?s)a.b").find("a\nb")).toBe(true);
  });

  it("matches emoji as one character", () => {
    expect(compileRegex("^.$").find("🔥")).toBe(true);
  });

  it.each([
    ["(?=a)", "(?="],
    ["(a)\\1", "\\1"],
    ["a(b", "missing closing )"],
    ["[z-a]", "z-a"],
    ["a{1001}", "{1001}"],
    ["*a", "*"],
  ])("refuses %s with a reason", (source, part) => {
    expect(() => compileRegex(source)).toThrow(part);
  });

  it("takes time in proportion to the text for patterns that make backtracking engines hang", () => {
    const evil = compileRegex("^(a+)+$");
    const text = `${"a".repeat(16_000)}!`;
    const start = performance.now();
    expect(evil.find(text)).toBe(false);
    // A backtracking engine would need 2^16000 steps; the bound only has to tell seconds from for ever.
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("quoteRegex", () => {
  it("makes any text match itself", () => {
    const text = "a.b*c?[d](e){f}^$|\\g/h\n🔥";
    expect(compileRegex(quoteRegex(text)).whole(text)).toBe(true);
    expect(compileRegex(quoteRegex("a.c")).whole("abc")).toBe(false);
  });
});
