import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { characterLength } from "../../../src/sink/text.ts";
import { clean, cleanLine, cutMiddle } from "../../../src/template/clean.ts";
import { PHRASES } from "../../../src/template/phrases.ts";
import { HOSTILE, HUGE } from "../../fixtures/hostile.ts";
import { cpuMs } from "../../support/cpu.ts";
import { visible } from "../../support/inert.ts";

describe("text of the cluster, made safe to look at", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      "plain text stays",
      "Back-off restarting failed container",
      "Back-off restarting failed container",
    ],
    ["blanks at its end go, those before stay", "  a  b  ", "  a  b"],
    [
      "a digest of 32 digits is shortened in the plainest text",
      `a ${"0123456789abcdef".repeat(2)}`,
      "a 01234567…abcdef",
    ],
    ["31 digits are none", `a ${"f".repeat(31)}`, `a ${"f".repeat(31)}`],
    ["33 digits alone are one", "f".repeat(33), "ffffffff…ffffff"],
    ["a mention in the plainest text is broken", "hello @all", "hello @\u2060all"],
    ["newlines and tabs stay", "a\n\tb", "a\n\tb"],
    ["every kind of line end is one", "a\r\nb\rc\u2028d\u2029e\u0085f", "a\nb\nc\nd\ne\nf"],
    ["empty lines at either end go", "\n\na\n\n", "a"],
    ["control characters are shown", "a\u0000b\u0007c\u007f", "a␀b␇c␡"],
    ["a colour is reset without a number, too", "\u001b[31mred\u001b[m end", "red end"],
    ["a terminal's title may be empty", "a\u001b]\u0007b\u001b]0;x\u001b\\c", "abc"],
    ["C1 controls, which have no picture, go", "a\u0090b\u009bc", "abc"],
    ["colours of a terminal go whole", "\u001b[1;31mred\u001b[0m", "red"],
    ["titles of a terminal go whole", "\u001b]0;title\u0007text", "text"],
    ["a lone escape is shown", "a\u001bz", "a␛z"],
    ["half a character is shown as one", "a\ud83db\udc4d", "a\ufffdb\ufffd"],
    ["direction marks go", "safe\u202egnp.exe\u2066\u2069\u200f", "safegnp.exe"],
    ["zero-width characters go", "pass\u200bword\u200c\u2060\ufeff", "password"],
    ["tags go", "a\u{e0001}\u{e0041}b", "ab"],
    ["a joiner between letters goes", "a\u200db", "ab"],
    ["emoji keep their joiners", "👩‍👩‍👧 ❤️ 👩🏽‍🚀", "👩‍👩‍👧 ❤️ 👩🏽‍🚀"],
    ["mentions are broken", "<!channel> @all", "<\u2060!channel> @\u2060all"],
    ["a mention with something hidden in it too", "<\u200b!channel>", "<\u2060!channel>"],
    [
      "long digests lose their middle",
      "image sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef failed",
      "image sha256:01234567…abcdef failed",
    ],
    [
      "a container's id as well",
      "container 0123456789ABCDEF0123456789ABCDEF",
      "container 01234567…ABCDEF",
    ],
    [
      "a uid does not",
      "uid 6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
      "uid 6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
    ],
    ["a short hash does not", "commit 0123456789abcdef", "commit 0123456789abcdef"],
    ["letters that are no digest do not", `g${"a".repeat(40)}`, `g${"a".repeat(40)}`],
  ];
  it.each(cases)("%s", (_, text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  it.each(HOSTILE.map((hostile) => [hostile.name, hostile] as const))(
    "%s",
    (_, { text, shows }) => {
      const cleaned = clean(text);
      expect(cleaned.isWellFormed()).toBe(true);
      expect(cleaned).not.toMatch(/(?![\t\n])\p{Cc}/u);
      expect(cleaned).not.toMatch(/[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u00ad]/);
      for (const line of shows) expect(visible(cleaned)).toContain(visible(line));
    },
  );

  it("is the same when it was clean already", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(clean(clean(text))).toBe(clean(text));
      }),
    );
  });

  it.each(HUGE.map((huge) => [huge.name, huge] as const))("%s in good time", (_, { text }) => {
    const cpu = cpuMs(() => {
      clean(text);
      cleanLine(text);
    });
    expect(cpu).toBeLessThan(3000);
  });

  it("a name stays on one line", () => {
    expect(cleanLine(" web\n\t7d4b9c\u2028x ")).toBe("web 7d4b9c x");
  });
});

describe("a text that is too long", () => {
  const { cutNote: en } = PHRASES.en;
  const { cutNote: zh } = PHRASES.zh;
  const long = "0123456789".repeat(983);

  it("keeps its beginning and its end, and says how much is left", () => {
    const cut = cutMiddle(long, 1204, en);
    expect(cut).toContain("… (1,204 of 9,830 characters) …");
    expect(cut.startsWith(long.slice(0, 700))).toBe(true);
    expect(cut.endsWith(long.slice(-481))).toBe(true);
    expect(cutMiddle(long, 1204, zh)).toContain("…（共 9,830 字，显示 1,204 字）…");
  });

  it("is left alone when it is not too long", () => {
    expect(cutMiddle(long, 9830, en)).toBe(long);
    expect(cutMiddle("", 0, en)).toBe("");
  });

  it("may lose all of it", () => {
    expect(cutMiddle("abc", 0, en)).toBe("… (0 of 3 characters) …");
    expect(cutMiddle("abc", -1, en)).toBe("… (0 of 3 characters) …");
  });

  it("counts characters, not code units, and splits none", () => {
    expect(cutMiddle("😀".repeat(10), 5, en)).toBe("😀😀😀… (5 of 10 characters) …😀😀");
    expect(cutMiddle("👩‍👩‍👧".repeat(4), 8, en)).toMatch(/^👩‍👩‍👧… \(5 of 20 characters\) …$/u);
  });

  it("never keeps more than asked", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat({ max: 40 }), (text, limit) => {
        const kept = cutMiddle(text, limit, () => "");
        expect(characterLength(kept)).toBeLessThanOrEqual(Math.max(limit, 0));
      }),
    );
  });
});
