import { describe, expect, it } from "vitest";
import { parseYaml, toYaml } from "../../../src/config/yaml.ts";

const TEXT = `cluster: prod-a
sources:
  - kubernetes:
      namespaces: [shop, pay]
sinks:
  oncall: &base
    type: chat
  second:
    <<: *base
    labels: *nowhere-yet
`.replace("*nowhere-yet", "[x]");

describe("positions", () => {
  const { yaml } = parseYaml("ops.yaml", TEXT);

  it.each([
    [["cluster"], "ops.yaml:1:1", "ops.yaml:1:10"],
    [["sources", 0, "kubernetes"], "ops.yaml:3:5", "ops.yaml:4:7"],
    [["sources", 0, "kubernetes", "namespaces", 1], "ops.yaml:4:26", "ops.yaml:4:26"],
    [["sinks", "oncall", "type"], "ops.yaml:7:5", "ops.yaml:7:11"],
    [["sinks", "second", "labels"], "ops.yaml:10:5", "ops.yaml:10:13"],
  ] as const)("%j", (path, key, value) => {
    expect(yaml?.where(path, "key")).toBe(key);
    expect(yaml?.where(path, "value")).toBe(value);
  });

  it("of what is absent are the nearest ancestor's", () => {
    expect(yaml?.where(["sinks", "oncall", "url"], "key")).toBe("ops.yaml:6:3");
    expect(yaml?.where(["sinks", "second", "type"], "value")).toMatch(/^ops\.yaml:[89]:/);
    expect(yaml?.where(["nothing"], "key")).toBe("ops.yaml:1:1");
  });

  it("lead through aliases", () => {
    const aliased = parseYaml("a.yaml", "x: &x\n  deep: 1\ny: *x\n").yaml;
    expect(aliased?.where(["y", "deep"], "value")).toBe("a.yaml:2:9");
  });
});

describe("YAML 1.2", () => {
  it("leaves no, on and times alone", () => {
    expect(parseYaml("a", "a: no\nb: on\nc: 12:30\nd: 0o17\ne: 1e3").yaml?.value).toEqual({
      a: "no",
      b: "on",
      c: "12:30",
      d: 15,
      e: 1000,
    });
  });
});

describe("what cannot be read", () => {
  it.each([
    ["a: 1\na: 2", "f:2:1", "this key stands twice in one map"],
    ["a:\n\tb: 1", "f:2:1", "a tab indents this line; expected spaces"],
    ["a: 1\n---\na: 2", "f:2:1", "a second document (---) begins here; expected one per file"],
    ["a: [1", "f:1:6", "Flow sequence in block collection"],
    ["a: !secret x", "f:1:4", "this tag (!) means nothing here"],
    ["a: 1\nb: [x, *nope]", "f:2:8", "nothing has the name (&) that this alias (*) leads to"],
    ["a: {<<: *nope}", "f:1:9", "nothing has the name (&) that this alias (*) leads to"],
    ["a: |text", "f:1:5", "this | or > is followed by text"],
    ['a: "C:\\Users"', "f:1:7", "begins no escape that YAML knows"],
    ["%nope\n---\na: 1", "f:1:1", "a line that begins with % is a directive"],
    ["a: [x]]\nb: 1", "f:1:7", "Unexpected flow-seq-end"],
  ])("%j", (text, where, message) => {
    const { yaml, issues } = parseYaml("f", text);
    expect(yaml).toBeNull();
    expect(issues[0]?.where).toBe(where);
    expect(issues[0]?.message).toContain(message);
  });

  // Passwords begin with any of these, and a bracket too many ends the document before its time.
  it.each([
    "password: *s3cr3t-of-4ll",
    "password: !s3cr3t-of-4ll",
    "password: |s3cr3t-of-4ll",
    "password: >s3cr3t-of-4ll",
    "%s3cr3t-of-4ll",
    "a: [x]]\npassword: s3cr3t-of-4ll",
    "a: }\npassword: s3cr3t-of-4ll\nmore: s3cr3t-of-4ll",
    "a: |\nb: 1\n c: s3cr3t-of-4ll",
    "a: | 1\n  b\n password: s3cr3t-of-4ll",
  ])("repeats nothing of the file: %j", (text) => {
    const { yaml, issues } = parseYaml("f", text);
    expect(yaml).toBeNull();
    expect(issues.length).toBeGreaterThan(0);
    expect(JSON.stringify(issues)).not.toContain("s3cr3t");
  });

  it("says what to do about a text that begins as YAML's own", () => {
    for (const text of ["a: *x", "a: !x", "a: |x", "%x\n---\na: 1"])
      expect(parseYaml("f", text).issues[0]?.hint, text).toBe(
        "put a text that begins with *, &, !, %, | or > in quotes",
      );
  });

  it("tells a bracket too many once, and not each word behind it", () => {
    const text = `a: [x]]\n${Array.from({ length: 40 }, (_, n) => `b${n}: ${n}`).join("\n")}`;
    expect(parseYaml("f", text).issues.length).toBeLessThan(4);
  });

  it("is told of whatever is nested without end", () => {
    for (const text of ["[".repeat(20_000), "{a: ".repeat(20_000)]) {
      const { yaml, issues } = parseYaml("deep.yaml", text);
      expect(yaml).toBeNull();
      expect(issues[0]?.where).toMatch(/^deep\.yaml:1:\d+$/);
    }
  });

  it("does not blow up a bomb of aliases", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level <= 9; level += 1) {
      const one = `*a${level - 1}`;
      lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => one).join(", ")}]`);
    }
    const { yaml, issues } = parseYaml("bomb.yaml", lines.join("\n"));
    expect(yaml).toBeNull();
    expect(issues[0]?.message).toContain("Excessive alias count");
  });
});

describe("toYaml", () => {
  it("writes references on one line, and lists where flat is asked for", () => {
    const value = { url: { $env: "URL" }, list: ["a", "b"] };
    expect(toYaml(value, false)).toBe("url: { $env: URL }\nlist:\n  - a\n  - b");
    expect(toYaml(value, true)).toBe("url: { $env: URL }\nlist: [ a, b ]");
  });

  it("quotes what would read as something else", () => {
    expect(toYaml({ a: "no: 1", b: "5" }, true)).toBe('a: "no: 1"\nb: "5"');
  });
});
