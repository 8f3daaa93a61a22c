import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defineHttpSink, s, statusVerdict } from "../../../src/sink/index.ts";
import { parseSinkUri, sinkTypeOf } from "../../../src/sink/uri.ts";
import { facts } from "../../support/registry.ts";

function aSink(keep: readonly string[] | "*", target: string | null = "url") {
  return defineHttpSink({
    type: "demo",
    title: "Demo",
    summary: "",
    docs: "",
    facts,
    options: s.object({
      ...(target === null ? {} : { url: s.text({ description: "" }) }),
      msgType: s.text({ description: "", aliases: ["kind_of_message"] }).optional(),
      atUserIds: s.list({ description: "" }).prefault([]),
      headers: s.map({ description: "", aliases: ["header"] }).prefault({}),
      secret: s.secret({ description: "", aliases: ["sign"] }).optional(),
      atAll: s.bool({ description: "" }).optional(),
    }),
    uri: { target, keep },
    example: { uri: "demo:", yaml: {} },
    blocks: () => ({}),
    limits: () => ({ rates: [], concurrency: 1, body: null, blocks: {}, throttledMs: 1 }),
    request: () => ({ method: "POST", url: "", headers: {}, body: "" }),
    accept: statusVerdict,
    samples: [],
    refusesWith200: false,
  });
}

const HOUSE = ["level", "namespaces", "label", "reason", "reasons", "give_up_after"];
/** Knows one typing mistake: what ends in x. */
const nearest = (text: string, candidates: readonly string[]) =>
  text.endsWith("x") ? (candidates.find((name) => name === text.slice(0, -1)) ?? null) : null;
const parse = (text: string, keep: readonly string[] | "*" = ["token"]) =>
  parseSinkUri(aSink(keep), text, HOUSE, nearest);

describe("the type of a sink", () => {
  it.each([
    ["dingtalk:https://a?b", "dingtalk"],
    ["STDOUT", "stdout"],
    ["stdout:", "stdout"],
    [":x", ""],
  ])("of %s is %s", (text, type) => {
    expect(sinkTypeOf(text)).toBe(type);
  });
});

describe("a --sink URI", () => {
  it("splits into address, options and what the house decides", () => {
    expect(parse("demo:https://h/p?token=T&msg_type=text&level=Warning&label=a&label=b")).toEqual({
      options: { url: "https://h/p?token=T", msgType: "text" },
      house: { level: ["Warning"], label: ["a", "b"] },
      issues: [],
    });
  });

  it.each(["msg_type", "msg-type", "msgType", "MSG_TYPE", "kind_of_message", "kindOfMessage"])(
    "knows the option by %s",
    (name) => {
      expect(parse(`demo:https://h?${name}=x`).options).toEqual({ url: "https://h", msgType: "x" });
    },
  );

  it.each(["give_up_after", "give-up-after", "giveUpAfter"])("knows the house's %s", (name) => {
    expect(parse(`demo:https://h?${name}=1h`).house).toEqual({ give_up_after: ["1h"] });
  });

  it("takes what kube-eventer took and nothing comes of, and says why", () => {
    const sink = aSink([]);
    const ignored = { maxRetries: "it is tried again anyway" };
    const { options, issues, notes } = parseSinkUri(
      { ...sink, uri: { ...sink.uri, ignored } },
      "demo:https://h?max_retries=3&msg_type=x&colour=1",
      HOUSE,
      nearest,
    );
    expect(options).toEqual({ url: "https://h", msgType: "x" });
    expect(notes).toEqual([
      {
        message: "max_retries of kube-eventer changes nothing here",
        hint: "it is tried again anyway",
      },
    ]);
    expect(issues.map(({ message }) => message)).toEqual(['"colour" is no parameter of demo']);
  });

  it("takes an empty value for none, as a chart leaves it, and says so of a secret", () => {
    const text =
      "demo:https://h?msg_type=&sign=&header=&at_user_ids=&level=&label=&label=a&reason=";
    expect(parse(text)).toEqual({
      options: { url: "https://h", atUserIds: [], headers: {} },
      house: { label: ["", "a"] },
      issues: [],
      notes: [{ message: "sign is empty", hint: "it counts as not given" }],
    });
    expect(parse("demo:https://h?msg_type=&msgType=x").options["msgType"]).toBe("x");
  });

  it("leaves the address away where an option counts in place of it, and says so", () => {
    const sink = aSink([]);
    const definition = { ...sink, uri: { ...sink.uri, yieldsTo: "atUserIds" } };
    const parsed = (text: string) => parseSinkUri(definition, text, HOUSE, nearest);
    expect(parsed("demo:https://h?at_user_ids=a")).toEqual({
      options: { atUserIds: ["a"] },
      house: {},
      issues: [],
      notes: [
        { message: "the address changes nothing here", hint: "at_user_ids counts in place of it" },
      ],
    });
    expect(parsed("demo:?at_user_ids=a").notes).toBeUndefined();
    expect(parsed("demo:https://h?at_user_ids=").options["url"]).toBe("https://h");
  });

  it("takes the name alone of a yes or no for a yes", () => {
    expect(parse("demo:https://h?at_all&msg_type=text").options).toMatchObject({ atAll: "true" });
    expect(parse("demo:https://h?at_all=&msg_type").options).toEqual({ url: "https://h" });
  });

  it("makes a list of commas and of repetition alike", () => {
    const { options } = parse("demo:https://h?at_user_ids=a,b&at_user_ids=c,,%20d");
    expect(options["atUserIds"]).toEqual(["a", "b", "c", "d"]);
  });

  it("makes a map whose values may hold an equals sign", () => {
    const { options } = parse("demo:https://h?header=A=b==&header=B=c%20d");
    expect(options["headers"]).toEqual({ A: "b==", B: "c d" });
  });

  it("reads values by the rules of a URL", () => {
    expect(parse("demo:https://h?msg_type=a+b%26c%3D%E5%AE%B9").options["msgType"]).toBe(
      "a b&c=容",
    );
  });

  it("keeps what belongs to the address exactly as it was written", () => {
    expect(parse("demo:https://h?a=%20+x&msg_type=t&b", "*").options["url"]).toBe(
      "https://h?a=%20+x&b",
    );
  });

  it("takes options written behind & where the address has no query of its own", () => {
    expect(parse("demo:https://h/hook/id&level=Warning&msg_type=text&label=a")).toEqual({
      options: { url: "https://h/hook/id", msgType: "text" },
      house: { level: ["Warning"], label: ["a"] },
      issues: [],
    });
    expect(parse("demo:https://h/a&b/c").options["url"]).toBe("https://h/a&b/c");
  });

  it.each([
    ["demo:", {}],
    ["demo", {}],
    ["demo:?msg_type=t", { msgType: "t" }],
    ["demo:https://h?", { url: "https://h" }],
    ["demo:https://h?&&", { url: "https://h" }],
  ])("takes %s", (text, options) => {
    expect(parse(text)).toEqual({ options, house: {}, issues: [] });
  });
});

describe("a mistake in a --sink URI", () => {
  it("is named, with the parameter that was meant", () => {
    expect(parse("demo:https://h?levelx=Warning").issues).toEqual([
      { message: '"levelx" is no parameter of demo', hint: "did you mean level?" },
    ]);
  });

  it("is named with all there are, where none is near", () => {
    const [issue] = parse("demo:https://h?zzz=1").issues;
    expect(issue?.hint).toMatch(/^expected one of at_all, at_user_ids, give_up_after, /);
  });

  it("is found where anything may stay in the address, too, with the way out", () => {
    const { issues } = parse("demo:https://h?levelx=1", "*");
    expect(issues[0]?.hint).toBe(
      "did you mean level? If it belongs to the address, percent-encode its first letter: %6cevelx",
    );
    expect(parse("demo:https://h?%6cevelx=1&%6cevel=2", "*")).toEqual({
      options: { url: "https://h?%6cevelx=1&%6cevel=2" },
      house: {},
      issues: [],
    });
  });

  it("may be an option given twice, or a map without a value", () => {
    expect(parse("demo:https://h?secret=s3cret-one&sign=s3cret-two").issues).toEqual([
      { message: "sign is given 2 times; expected once", hint: null },
    ]);
    expect(parse("demo:https://h?header=s3cret").issues).toEqual([
      { message: "header has no “=”; expected NAME=VALUE", hint: null },
    ]);
  });

  it("may be an address where there is none", () => {
    const { issues } = parseSinkUri(aSink([], null), "demo:https://h", HOUSE, nearest);
    expect(issues).toEqual([{ message: "demo has no address", hint: "expected demo:" }]);
  });

  it("never shows a value, nor what may be a secret without its name", () => {
    const secret = "0123456789abcdef0123456789abcdef";
    const { issues } = parse(
      `demo:https://h?${secret}&zzz=${secret}&<${secret}>=1&levelx=${secret}`,
    );
    expect(issues).toHaveLength(4);
    expect(JSON.stringify(issues)).not.toContain(secret);
  });

  it("is never an exception", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, all) => {
        const { options, issues } = parse(`demo:${text}`, all ? "*" : []);
        expect(typeof options).toBe("object");
        expect(Array.isArray(issues)).toBe(true);
      }),
    );
  });
});
