import { describe, expect, it } from "vitest";
import { duration, inline, shorten, table, width } from "../../../src/cli/table.ts";

describe("a table", () => {
  it("lines up Latin, Chinese and emoji in a terminal", () => {
    const text = table(
      ["sink", "reason"],
      [
        ["值班群", "BackOff"],
        ["🔴 ops", "OOM"],
        ["x", ""],
      ],
    );
    expect(text).toBe("sink    reason\n值班群  BackOff\n🔴 ops  OOM\nx\n");
    const starts = text
      .split("\n")
      .slice(0, 3)
      .map((line) => width(line.slice(0, line.search(/reason|BackOff|OOM/))));
    expect(new Set(starts).size).toBe(1);
  });

  it("keeps each row on its line, and cannot be steered by what it shows", () => {
    const text = table(["message"], [["one\ntwo\r\u001B[31mred\u2028three\u202Eevil"]]);
    expect(text.trimEnd().split("\n")).toEqual(["message", "one two [31mred threeevil"]);
  });
});

describe("shorten", () => {
  it.each([
    ["short", 10, "short"],
    ["exactly ten", 11, "exactly ten"],
    ["Back-off restarting failed container", 12, "Back-off re…"],
    ["容器反复崩溃", 7, "容器反…"],
    ["🔴🔴🔴", 4, "🔴…"],
  ])("%s to %i columns", (text, columns, expected) => {
    const result = shorten(text, columns);
    expect(result).toBe(expected);
    expect(width(result)).toBeLessThanOrEqual(columns);
  });

  it("never splits a character", () => {
    for (let columns = 1; columns < 8; columns += 1)
      expect(shorten("😀😀😀😀", columns).isWellFormed()).toBe(true);
  });
});

describe("duration", () => {
  it.each([
    [0, "0s"],
    [59_400, "59s"],
    [60_000, "1m"],
    [90_000, "1m30s"],
    [3_600_000, "1h"],
    [5_400_000, "1h30m"],
    [172_740_000, "47h59m"],
    [172_800_000, "2d"],
    [180_000_000, "2d2h"],
    [-5, "0s"],
  ])("%i ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

it("inline leaves ordinary text alone", () => {
  expect(inline('Get "http://x": dial tcp 10.0.0.1:80')).toBe(
    'Get "http://x": dial tcp 10.0.0.1:80',
  );
});
