import { describe, expect, it } from "vitest";
import { asReference, dereference, expand, processEnv } from "../../../src/config/secrets.ts";
import { memoryFiles } from "../../support/config.ts";

const ENV = { TOKEN: "a&b=c d", EMPTY: "", NESTED: "${TOKEN}", _X1: "x" };

describe("expand", () => {
  it.each([
    ["nothing", "nothing", []],
    ["${TOKEN}", "a&b=c d", ["a&b=c d"]],
    ["<${TOKEN}|${_X1}>", "<a&b=c d|x>", ["a&b=c d", "x"]],
    ["$TOKEN costs 5$", "$TOKEN costs 5$", []],
    ["$${TOKEN}", "${TOKEN}", []],
    ["$$${TOKEN}", "$${TOKEN}", []],
    ["${NESTED}", "${TOKEN}", ["${TOKEN}"]],
    ["${ unclosed", "${ unclosed", []],
  ])("%s → %s", (text, expected, values) => {
    expect(expand(text, ENV)).toEqual({ text: expected, values, problems: [] });
  });

  // https://pkg.go.dev/os#ExpandEnv: $var as well as ${var}; the name is as long as it can be.
  it.each([
    ["$TOKEN|$_X1", "a&b=c d|x", ["a&b=c d", "x"]],
    ["a$TOKEN/$TOKENS", "aa&b=c d/$TOKENS", ["a&b=c d"]],
    ["${TOKEN}$_X1", "a&b=c dx", ["a&b=c d", "x"]],
    ["$NESTED", "${TOKEN}", ["${TOKEN}"]],
    ["$EMPTY $NOPE $1 $ 5$", "$EMPTY $NOPE $1 $ 5$", []],
    ["$${TOKEN} pa$$NOPE", "${TOKEN} pa$$NOPE", []],
  ])("of a URI takes names without braces that are set: %s → %s", (text, expected, values) => {
    expect(expand(text, ENV, undefined, { bare: true })).toEqual({
      text: expected,
      values,
      problems: [],
    });
  });

  it("encodes what it puts in, and only that", () => {
    expect(expand("?a=b c&sign=${TOKEN}", ENV, encodeURIComponent).text).toBe(
      "?a=b c&sign=a%26b%3Dc%20d",
    );
  });

  it("tells the encoder what stands before", () => {
    const seen: string[] = [];
    expand("a${_X1}b$${c}${TOKEN}", ENV, (value, before) => {
      seen.push(before);
      return value;
    });
    expect(seen).toEqual(["a", "axb${c}"]);
  });

  it.each([
    ["${NOPE}", "the environment variable NOPE is not set"],
    ["${EMPTY}", "the environment variable EMPTY is empty"],
    ["${}", '"${}" does not name an environment variable'],
    ["${A-B}", '"${A-B}" does not name an environment variable'],
    ["${1A}", '"${1A}" does not name an environment variable'],
  ])("%s is a problem with a remedy", (text, message) => {
    const { problems } = expand(text, ENV);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toBe(message);
    expect(problems[0]?.hint).not.toBe("");
  });

  it("reports every problem of a text", () => {
    expect(expand("${A} ${TOKEN} ${B}", ENV).problems).toHaveLength(2);
  });
});

describe("references", () => {
  const store = {
    env: ENV,
    files: memoryFiles({
      "/run/token": "s3cret\n",
      "/run/windows": "s3cret\r\n",
      "/run/two": "a\n\n",
      "/run/empty": "\n",
    }),
  };

  it("are maps of one key", () => {
    expect(asReference({ $env: "A" })).toEqual({ kind: "$env", target: "A" });
    expect(asReference({ $file: "/a" })).toEqual({ kind: "$file", target: "/a" });
    for (const other of [{}, { $env: "A", $file: "B" }, { env: "A" }, { $env: 5 }, { $env: "" }])
      expect(asReference(other)).toBeNull();
  });

  it.each([
    ["$env", "TOKEN", "a&b=c d"],
    ["$env", "NESTED", "${TOKEN}"],
    ["$file", "/run/token", "s3cret"],
    ["$file", "/run/windows", "s3cret"],
    ["$file", "/run/two", "a\n"],
  ] as const)("%s %s", (kind, target, text) => {
    expect(dereference({ kind, target }, store)).toEqual({ text, values: [text], problems: [] });
  });

  it.each([
    ["$env", "NOPE", "the environment variable NOPE is not set"],
    ["$file", "/nope", "the secret file /nope cannot be read: there is no such file"],
    ["$file", "/run/empty", "the secret file /run/empty is empty"],
  ] as const)("%s %s is a problem", (kind, target, message) => {
    expect(dereference({ kind, target }, store).problems[0]?.message).toBe(message);
  });
});

describe("processEnv", () => {
  it("is this process's environment", () => {
    expect(processEnv()["TZ"]).toBe("UTC");
  });
});
