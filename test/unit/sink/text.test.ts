import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  byteLength,
  characterLength,
  cut,
  fits,
  head,
  measure,
  shortenMiddle,
  tailOf,
} from "../../../src/sink/text.ts";

const FAMILY = "👩‍👩‍👧";

describe("measuring", () => {
  it.each([
    ["", 0, 0],
    ["abc", 3, 3],
    ["é", 2, 1],
    ["容器", 6, 2],
    ["😀", 4, 1],
    [FAMILY, 18, 5],
    ["\ud83d", 3, 1],
    ["e\u0301", 3, 2],
  ])("%j is %i bytes and %i characters", (text, bytes, characters) => {
    expect(byteLength(text)).toBe(bytes);
    expect(characterLength(text)).toBe(characters);
    expect(measure(text, "bytes")).toBe(bytes);
    expect(measure(text, "characters")).toBe(characters);
  });

  it("says whether a text fits, exactly at the limit too", () => {
    expect(fits("容器", { max: 6, unit: "bytes" })).toBe(true);
    expect(fits("容器", { max: 5, unit: "bytes" })).toBe(false);
    expect(fits("容器", { max: 2, unit: "characters" })).toBe(true);
    expect(fits("容器", { max: 1, unit: "characters" })).toBe(false);
    expect(fits("", { max: 0, unit: "bytes" })).toBe(true);
  });
});

describe("cutting", () => {
  it.each([
    ["abcdef", 4, "bytes", "a…"],
    ["abcdef", 4, "characters", "abc…"],
    ["abcdef", 6, "bytes", "abcdef"],
    ["容器反复崩溃", 10, "bytes", "容器…"],
    ["容器反复崩溃", 11, "bytes", "容器…"],
    ["容器反复崩溃", 12, "bytes", "容器反…"],
    ["😀😀😀", 8, "bytes", "😀…"],
    ["abcdef", 2, "bytes", "ab"],
    ["abcdef", 0, "characters", ""],
  ] as const)("%j to %i %s is %j", (text, max, unit, expected) => {
    expect(cut(text, { max, unit })).toBe(expected);
  });

  it("ends in what the caller says, or in nothing", () => {
    expect(cut("abcdefgh", { max: 7, unit: "bytes" }, " […]")).toBe("a […]");
    expect(cut("abcdefgh", { max: 7, unit: "characters" }, " […]")).toBe("abc […]");
    expect(cut("abcdef", { max: 3, unit: "bytes" }, "")).toBe("abc");
  });

  it("keeps together what a reader sees as one character", () => {
    expect(cut(`a${FAMILY}b`, { max: 5, unit: "characters" }, "")).toBe("a");
    expect(cut(`a${FAMILY}b`, { max: 6, unit: "characters" }, "")).toBe(`a${FAMILY}`);
    expect(cut("cafe\u0301s", { max: 4, unit: "characters" }, "")).toBe("caf");
    expect(cut("🇩🇪🇫🇷", { max: 3, unit: "characters" }, "")).toBe("🇩🇪");
    expect(cut(FAMILY, { max: 3, unit: "characters" }, "")).toBe("");
  });

  it("does not let a stack of accents keep everything together", () => {
    const stack = `e${"\u0301".repeat(5000)}`;
    const result = cut(stack, { max: 1000, unit: "characters" }, "");
    expect(characterLength(result)).toBe(1000);
  });
});

describe("the ends of a text", () => {
  it("head and tail, by characters", () => {
    expect(head("容器反复崩溃", 2)).toBe("容器");
    expect(tailOf("容器反复崩溃", 2)).toBe("崩溃");
    expect(head("ab", 9)).toBe("ab");
    expect(tailOf("ab", 9)).toBe("ab");
    expect(head("ab", 0)).toBe("");
    expect(tailOf("ab", 0)).toBe("");
    expect(tailOf("a😀😀", 1)).toBe("😀");
  });

  it("a tail does not begin inside a character", () => {
    expect(tailOf(`a${FAMILY}b`, 3)).toBe("b");
    expect(tailOf(`a${FAMILY}b`, 6)).toBe(`${FAMILY}b`);
    expect(tailOf("cafe\u0301s", 2)).toBe("s");
  });

  it("shortening a name leaves both", () => {
    expect(shortenMiddle("web-frontend-7d4b9c6f5d-x2x9z", 15)).toBe("web-fro…d-x2x9z");
    expect(shortenMiddle("abcdefghij", 5)).toBe("ab…ij");
    expect(shortenMiddle("abcdefghij", 6)).toBe("abc…ij");
    expect(shortenMiddle("abc", 3)).toBe("abc");
    expect(shortenMiddle("abc", 1)).toBe("…");
    expect(shortenMiddle("abc", 0)).toBe("");
  });
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc
    .array(fc.constantFrom("a", "容", "😀", FAMILY, "e\u0301", "\ud83d", "\udc4d", "\n"), {
      maxLength: 40,
    })
    .map((parts) => parts.join("")),
);
const anySize = fc.record({
  max: fc.nat({ max: 100 }),
  unit: fc.constantFrom("bytes" as const, "characters" as const),
});

describe("for any text and any limit", () => {
  it("a cut fits, and is a beginning of the text with at most a mark behind it", () => {
    fc.assert(
      fc.property(anyText, anySize, (text, size) => {
        const result = cut(text, size);
        expect(measure(result, size.unit)).toBeLessThanOrEqual(size.max);
        expect(text.startsWith(result) || text.startsWith(result.slice(0, -1))).toBe(true);
      }),
    );
  });

  it("no half of a character is made that was not there before", () => {
    fc.assert(
      fc.property(anyText, anySize, (text, size) => {
        fc.pre(text.isWellFormed());
        expect(cut(text, size).isWellFormed()).toBe(true);
        expect(tailOf(text, size.max).isWellFormed()).toBe(true);
        expect(shortenMiddle(text, size.max).isWellFormed()).toBe(true);
      }),
    );
  });

  it("what fits is not touched", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(cut(text, { max: byteLength(text), unit: "bytes" })).toBe(text);
        expect(shortenMiddle(text, characterLength(text))).toBe(text);
      }),
    );
  });

  it("a shortened text is no longer than asked", () => {
    fc.assert(
      fc.property(anyText, fc.nat({ max: 50 }), (text, max) => {
        expect(characterLength(shortenMiddle(text, max))).toBeLessThanOrEqual(max);
        expect(text.startsWith(head(text, max))).toBe(true);
        expect(text.endsWith(tailOf(text, max))).toBe(true);
        expect(characterLength(tailOf(text, max))).toBeLessThanOrEqual(max);
      }),
    );
  });
});
