import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { metaOf, optionsOf, parseDuration, s, type z } from "../../../src/sink/schema.ts";
import { Secret } from "../../../src/sink/secret.ts";
import { bare } from "../../support/sinks.ts";

const meta = { description: "What it is", example: "x" };

/** What an option makes of a value: the value, or what is wrong with it. */
function read(option: z.ZodType) {
  const schema = s.object({ option });
  return (value: unknown): unknown => {
    const result = schema.safeParse(value === undefined ? {} : { option: value });
    return result.success
      ? bare(result.data.option)
      : { wrong: result.error.issues.map((issue) => issue.message).join("; ") };
  };
}
const refused = expect.objectContaining({ wrong: expect.any(String) as string });

describe("a text", () => {
  const text = read(s.text(meta));
  it.each(["", "a", " a ", "容器", "${X}"])("%j is taken as it is", (value) => {
    expect(text(value)).toBe(value);
  });
  it.each([1, true, null, [], {}])("%j is none", (value) => {
    expect(text(value)).toEqual(refused);
  });
});

describe("a yes or no", () => {
  const bool = read(s.bool(meta));
  it.each([
    [true, true],
    [false, false],
    ["true", true],
    ["false", false],
    ["TRUE", true],
    ["yes", true],
    ["no", false],
    ["on", true],
    ["off", false],
    ["1", true],
    ["0", false],
    // https://pkg.go.dev/strconv#ParseBool
    ["t", true],
    ["T", true],
    ["True", true],
    ["f", false],
    ["F", false],
    ["FALSE", false],
  ])("%j is %j", (value, expected) => {
    expect(bool(value)).toBe(expected);
  });
  it.each(["", "maybe", 1, 0, null])("%j is neither", (value) => {
    expect(bool(value)).toEqual(refused);
  });
});

describe("a number", () => {
  const number = read(s.integer(meta, 1, 100));
  it.each([
    [1, 1],
    [100, 100],
    ["7", 7],
    [" 7 ", 7],
  ])("%j is %j", (value, expected) => {
    expect(number(value)).toBe(expected);
  });
  it.each([0, 101, 1.5, "many", "", "0x", -1, Number.NaN])("%j is refused", (value) => {
    expect(number(value)).toEqual(refused);
  });
});

describe("a choice", () => {
  const choice = read(s.oneOf(["card", "text"], meta));
  it("is one of its words, and nothing like them", () => {
    expect(choice("card")).toBe("card");
    for (const value of ["Card", " card", "cards", "", 1]) expect(choice(value)).toEqual(refused);
  });
});

describe("a list", () => {
  const list = read(s.list(meta));
  it.each([
    ["a", ["a"]],
    ["a,b", ["a", "b"]],
    [" a , b ,", ["a", "b"]],
    ["", []],
    [",,", []],
    [
      ["a,b", "c"],
      ["a,b", "c"],
    ],
    [[], []],
  ])("%j is %j", (value, expected) => {
    expect(list(value)).toEqual(expected);
  });
  it.each([1, [1], [null], { a: "b" }])("%j is none", (value) => {
    expect(list(value)).toEqual(refused);
  });
});

describe("a map", () => {
  const map = read(s.map(meta));
  it("has texts as values, which are kept as secrets", () => {
    expect(map({ "X-Token": "abc" })).toEqual({ "X-Token": { secret: "abc" } });
    expect(map({})).toEqual({});
    for (const value of ["a=b", ["a"], { a: 1 }, { a: null }]) expect(map(value)).toEqual(refused);
  });
});

describe("a duration", () => {
  const duration = read(s.duration(meta));
  it.each([
    ["0s", 0],
    ["500ms", 500],
    ["30s", 30_000],
    ["15m", 900_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["1.5h", 5_400_000],
    ["0.25s", 250],
    [" 30s ", 30_000],
    ["1.0004s", 1_000],
    ["36500d", 3_153_600_000_000],
  ])("%j is %i ms", (value, ms) => {
    expect(parseDuration(value)).toBe(ms);
    expect(duration(value)).toBe(ms);
  });
  it.each(["", "30", "s", "30 s", "-1s", "1h30m", "1w", "1H", ".5s", "1.s", "1e3s"])(
    "%j is none, and it is said what one looks like",
    (value) => {
      expect(parseDuration(value)).toBeNull();
      expect(duration(value)).toEqual({
        wrong: `"${value}" is not a duration; expected a number with a unit, like 30s, 15m or 24h`,
      });
    },
  );
  it.each(["36501d", "36500.5d", "876001h", "99999999999999999999d"])(
    "%j is longer than dates reach, and it is said how long one may be",
    (value) => {
      expect(parseDuration(value)).toBeNull();
      expect(duration(value)).toEqual({
        wrong: `"${value}" is too long; expected at most 36500d`,
      });
    },
  );
});

describe("the URL of a webhook", () => {
  const url = read(s.secretUrl(meta));
  const plain = read(s.secretUrl(meta, true));
  it.each([
    "https://hooks.example.com/x?key=1",
    "http://localhost/x",
    "http://LOCALHOST:80/",
    "http://127.0.0.1:8080/x",
    "http://127.1.2.3/x",
    "http://[::1]:9/",
  ])("%s is taken, and kept as a secret", (value) => {
    expect(url(value)).toEqual({ secret: value });
    expect(url(new Secret(value))).toEqual({ secret: value });
  });
  it.each([
    ["http://hooks.example.com/x", "says http to a host that is not loopback; expected https"],
    ["http://127.0.0.1.example.com/", "says http to a host that is not loopback; expected https"],
    ["http://localhost.example.com/", "says http to a host that is not loopback; expected https"],
    ["http://128.0.0.1/", "says http to a host that is not loopback; expected https"],
  ])("%s is not, unless plain http is allowed to any host", (value, wrong) => {
    expect(url(value)).toEqual({ wrong });
    expect(plain(value)).toEqual({ secret: value });
  });
  it.each([
    ["ftp://example.com/x", "has the scheme ftp; expected https"],
    ["file:///etc/passwd", "has the scheme file; expected https"],
    ["javascript:alert(1)", "has the scheme javascript; expected https"],
    ["hooks.example.com/x", "is not a URL; expected https://HOST/PATH"],
    ["", "is not a URL; expected https://HOST/PATH"],
  ])("%s is never taken", (value, wrong) => {
    for (const option of [url, plain]) expect(option(value)).toEqual({ wrong });
  });
  it("is not quoted where it is wrong: it may be a password all the same", () => {
    expect(JSON.stringify(url("htp://host/0123456789abcdef"))).not.toContain("0123456789abcdef");
  });
});

describe("a secret", () => {
  it("is text, or one already", () => {
    const secret = read(s.secret(meta));
    expect(secret("abc")).toEqual({ secret: "abc" });
    expect(secret(new Secret("abc"))).toEqual({ secret: "abc" });
    for (const value of [1, null, ["abc"], {}]) expect(secret(value)).toEqual(refused);
  });

  it("in a form of its own is judged and normalised by the sink", () => {
    const form = read(
      s.secretForm(meta, (text) =>
        text.startsWith("ok:") ? { text: text.slice(3) } : { problem: "is no such form" },
      ),
    );
    expect(form("ok:abc")).toEqual({ secret: "abc" });
    expect(form(new Secret("ok:abc"))).toEqual({ secret: "abc" });
    expect(form("abc")).toEqual({ wrong: "is no such form" });
  });

  it("shows itself in no usual way of printing", () => {
    const secret = new Secret("0123456789abcdef");
    const shown = [
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: [secret] }, { showHidden: true, depth: 5 }),
      Object.keys(secret).join(),
      JSON.stringify(Object.assign({}, secret)),
      new Error(`bad: ${String(secret)}`).message,
    ].join("\n");
    expect(shown).not.toContain("0123456789abcdef");
    expect(shown).toContain("<redacted>");
    expect(secret.reveal()).toBe("0123456789abcdef");
  });
});

describe("what is known of options", () => {
  const schema = s.object({
    url: s.secretUrl({ description: "The address", example: "https://x", aliases: ["webhook"] }),
    mode: s.oneOf(["a", "b"], { description: "The mode" }).default("b"),
    wait: s.duration({ description: "A wait" }).prefault("5s"),
    names: s.list({ description: "Names" }).optional(),
    on: s.bool({ description: "On" }).default(false),
  });

  it("is their name, form, default and whether they must be given", () => {
    expect(optionsOf(schema)).toEqual([
      {
        name: "url",
        form: "url",
        required: true,
        fallback: undefined,
        meta: {
          description: "The address",
          example: "https://x",
          aliases: ["webhook"],
          secret: true,
        },
      },
      {
        name: "mode",
        form: ["a", "b"],
        required: false,
        fallback: "b",
        meta: { description: "The mode" },
      },
      {
        name: "wait",
        form: "duration",
        required: false,
        fallback: "5s",
        meta: { description: "A wait" },
      },
      {
        name: "names",
        form: "list",
        required: false,
        fallback: undefined,
        meta: { description: "Names" },
      },
      {
        name: "on",
        form: "yes or no",
        required: false,
        fallback: false,
        meta: { description: "On" },
      },
    ]);
  });

  it("is found through whatever wraps them", () => {
    expect(metaOf(s.text(meta).optional())).toMatchObject(meta);
    expect(metaOf(s.text(meta).default("x").optional())).toMatchObject(meta);
  });

  it("is missing of an option that was not declared with `s`, which is a mistake of the sink's", () => {
    const foreign = s.object({ names: s.object({}).catchall(s.text(meta)) });
    expect(() => optionsOf(foreign)).toThrow("option names was not declared with s");
  });

  it("an option that does not exist is refused by name", () => {
    const result = schema.safeParse({ url: "https://x", typo: 1 });
    expect(result.error?.issues).toMatchObject([{ code: "unrecognized_keys", keys: ["typo"] }]);
  });
});
