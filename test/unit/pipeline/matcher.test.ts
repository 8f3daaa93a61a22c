import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  anyOf,
  compilePattern,
  MATCHED_LENGTH,
  patternProblem,
  splitPatterns,
} from "../../../src/pipeline/matcher.ts";

const matches = (pattern: string, text: string) => compilePattern(pattern)(text);

describe("an exact pattern", () => {
  it("equals the whole text, case included", () => {
    expect(matches("BackOff", "BackOff")).toBe(true);
    expect(matches("BackOff", "ImagePullBackOff")).toBe(false);
    expect(matches("BackOff", "backoff")).toBe(false);
    expect(matches("BackOff", "")).toBe(false);
  });

  it("takes regular expression characters literally", () => {
    expect(matches("a.b", "a.b")).toBe(true);
    expect(matches("a.b", "axb")).toBe(false);
    expect(matches("^a$", "a")).toBe(false);
    expect(matches("/var/log/kubelet", "/var/log/kubelet")).toBe(true);
  });

  it("matches any text it is made of, and nothing else", () => {
    const plain = fc.string({ unit: "grapheme", minLength: 1 }).filter((t) => !/[*?/]/.test(t));
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        expect(matches(a, b)).toBe(a === b);
      }),
    );
  });
});

describe("a glob", () => {
  it.each([
    ["shop-*", "shop-a", true],
    ["shop-*", "shop-", true],
    ["shop-*", "my-shop-a", false],
    ["*-system", "kube-system", true],
    ["*-system", "kube-system-2", false],
    ["*timeout*", "the timeout\nof two lines", true],
    ["web-?", "web-1", true],
    ["web-?", "web-12", false],
    ["web-?", "web-", false],
    ["?", "🔥", true],
    ["*", "", true],
    ["*", "anything\nat all", true],
    ["a*b*c", "a-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["Back*", "back-off", false],
    ["a.*", "ab", false],
    ["a[bc]*", "a[bc]d", true],
  ])("%s against %j: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it("with the text around its star always matches", () => {
    const plain = fc.string({ unit: "grapheme" }).filter((t) => !/[*?/]/.test(t));
    fc.assert(
      fc.property(plain, plain, plain, (head, middle, tail) => {
        expect(matches(`${head}*${tail}`, head + middle + tail)).toBe(true);
      }),
    );
  });
});

describe("a /regex/", () => {
  it.each([
    ["/Failed/", "FailedScheduling", true],
    ["/^Failed$/", "FailedScheduling", false],
    ["/failed/", "FailedScheduling", false],
    ["/failed/i", "FailedScheduling", true],
    ["/a|b/", "xbx", true],
    ["/var/lib/", "in /var/lib/kubelet", true],
    ["/\\/var/", "in /var/lib/kubelet", true],
    ["/^a.b$/", "a\nb", false],
    ["/(?s)^a.b$/", "a\nb", true],
  ])("%s against %j: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });
});

describe("a pattern that cannot be meant", () => {
  it.each([
    ["", "empty pattern"],
    ["//", "matches everything"],
    ["/a/g", 'flag "g"'],
    ["/var/lib", 'flag "lib"'],
    ["/(/", "missing closing )"],
    ["/(?=x)/", "Perl syntax"],
    ["x".repeat(1001), "at most 1000"],
  ])("%j is refused", (pattern, problem) => {
    expect(patternProblem(pattern)).toContain(problem);
    expect(() => compilePattern(pattern)).toThrow(problem);
  });

  it("good ones have no problem", () => {
    for (const good of ["a", "a*", "/a/", "/a/i", "/", "_cluster"])
      expect(patternProblem(good)).toBeNull();
  });
});

describe("anyOf", () => {
  it("matches where one of the three forms does", () => {
    const any = anyOf(["BackOff", "Failed*", "/oom/i"]);
    expect(["BackOff", "FailedMount", "SystemOOM"].map(any)).toEqual([true, true, true]);
    expect(["Backoff", "XFailed", "Pulled"].map(any)).toEqual([false, false, false]);
  });

  it("of nothing matches nothing", () => {
    expect(anyOf([])("a")).toBe(false);
  });

  it("refuses a list with a bad pattern", () => {
    expect(() => anyOf(["a", "/(/"])).toThrow("missing closing");
    expect(() => anyOf([""])).toThrow("empty pattern");
  });
});

describe("bounded work", () => {
  const filler = "a".repeat(MATCHED_LENGTH);

  it("looks at the first 16 K of a text for globs and regular expressions", () => {
    expect(matches("/end/", `${filler}end`)).toBe(false);
    expect(matches("/end/", `${filler.slice(3)}end`)).toBe(true);
    expect(matches("*end*", `${filler}end`)).toBe(false);
    expect(matches("aaa*", `${filler}end`)).toBe(true);
  });

  it("does not take the cut for the end of the text", () => {
    expect(matches("/a$/", `${filler}b`)).toBe(false);
    expect(matches("*a", `${filler}b`)).toBe(false);
  });

  it("compares exact text whole", () => {
    expect(matches(`x${"y".repeat(900)}`, `x${"y".repeat(900)}z`)).toBe(false);
  });

  it("is not held up by a message of 1 MB and a pattern that backtracks", () => {
    const slow = anyOf(["/(a+)+$/", "/(a|aa)+b/", "*a*a*a*a*a*b", "/(a?){50}a{50}b/"]);
    const message = `${"a".repeat(1_000_000)}!`;
    const start = performance.now();
    expect(slow(message)).toBe(false);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("splitPatterns", () => {
  it.each([
    ["", []],
    ["a", ["a"]],
    ["a,b", ["a", "b"]],
    [" a , b* ,", ["a", "b*"]],
    [",,a", ["a"]],
    ["/a{1,2}/,b", ["/a{1,2}/", "b"]],
    ["a,/x,y/i,/z/", ["a", "/x,y/i", "/z/"]],
    ["/a\\/b,c/ , d", ["/a\\/b,c/", "d"]],
    ["/unclosed,b", ["/unclosed", "b"]],
    ["web 1,web 2", ["web 1", "web 2"]],
    ["/a/b{1,2}/", ["/a/b{1,2}/"]],
    ["/a/b{1,2}/i , c", ["/a/b{1,2}/i", "c"]],
    ["x,/^https?://[^,/]+/v{2,}/,y", ["x", "/^https?://[^,/]+/v{2,}/", "y"]],
    ["/a/b[\\],]/,c", ["/a/b[\\],]/", "c"]],
    ["/a/{b}/,c", ["/a/{b}/", "c"]],
    ["/var/log,/var/lib/", ["/var/log", "/var/lib/"]],
    ["/var/{log,lib}/", ["/var/{log", "lib}/"]],
    ["/var/*,/tmp/*", ["/var/*", "/tmp/*"]],
    ["/a/[b,c", ["/a/[b", "c"]],
  ])("%j → %j", (text, expected) => {
    expect(splitPatterns(text)).toEqual(expected);
  });

  it("reads a long list of what only begins like regular expressions at once", () => {
    const text = `/${"[a]{1,2}/x ".repeat(90)}`.slice(0, 990);
    const started = performance.now();
    for (let time = 0; time < 20; time += 1) splitPatterns(`${text}[`);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it("gives back plain patterns joined by commas", () => {
    const plain = fc.stringMatching(/^[A-Za-z0-9_.*?-]+$/);
    fc.assert(
      fc.property(fc.array(plain), (patterns) => {
        expect(splitPatterns(patterns.join(","))).toEqual(patterns);
      }),
    );
  });
});
