import { describe, expect, it } from "vitest";
import { nearest, suggestion } from "../../../src/config/nearest.ts";

const NAMES = ["namespaces", "names", "kinds", "level", "reasons", "Warning", "dingtalk", "lark"];

describe("nearest", () => {
  it.each([
    ["levl", "level"],
    ["leval", "level"],
    ["lveel", "level"],
    ["LEVEL", "level"],
    ["warning", "Warning"],
    ["warn", "Warning"],
    ["reason", "reasons"],
    ["kind", "kinds"],
    ["namspace", "namespaces"],
    ["dingtlk", "dingtalk"],
    ["lrak", "lark"],
  ])("%s → %s", (text, meant) => {
    expect(nearest(text, NAMES)).toBe(meant);
  });

  it.each(["", "pigeon", "x", "webhook", "le"])("%j is near to nothing", (text) => {
    expect(nearest(text, NAMES)).toBeNull();
  });

  it("does not guess between two that begin alike", () => {
    expect(nearest("abc", ["abcdefgh", "abcxxxxx"])).toBeNull();
  });

  it("takes the first of equals", () => {
    expect(nearest("cat", ["bat", "hat"])).toBe("bat");
    expect(nearest("cat", ["cats", "cart", "cato"])).toBe("cats");
  });

  it("takes of equals one that it begins", () => {
    expect(nearest("of", ["auto", "on", "off"])).toBe("off");
  });

  it("has an answer for no candidates", () => {
    expect(nearest("a", [])).toBeNull();
  });
});

describe("suggestion", () => {
  it("asks, or lists", () => {
    expect(suggestion("lrak", NAMES, "there are")).toBe('did you mean "lark"?');
    expect(suggestion("pigeon", ["a", "b"], "there are")).toBe("there are: a, b");
  });
});
