import { describe, expect, it } from "vitest";
import { nameShown } from "../../../src/config/shown.ts";
import { load, problemsOf } from "../../support/config.ts";

describe("a name in a message", () => {
  it.each([
    "webhok",
    "on-call",
    "oncall_2",
    "生产",
    "X-Request-Id",
    "kube-crier.io",
    "--sinks",
    "",
  ])("is said where it is one: %j", (name) => {
    expect(nameShown(name)).toBe(name);
  });

  it.each([
    ["secret:SECabc", "secret…"],
    ["https://oapi.dingtalk.com/robot/send?access_token=abc", "https…"],
    ["access_token=abc", "access_token…"],
    ["--sinkdingtalk:https://x", "--sinkdingtalk…"],
    ["user@host", "user…"],
    ["type SECabc", "type…"],
    ["a".repeat(64), "…"],
    [`${"a".repeat(21)}:b`, "…"],
    ["p4ssw0rd:b", "…"],
    [":b", "…"],
  ])("is cut where something else begins: %s", (name, shown) => {
    expect(nameShown(name)).toBe(shown);
  });

  // As the platforms make them: WeCom's key, DingTalk's token and secret, a bot's token, base62.
  it.each([
    "693a91f6-7ccc-4bc4-97a0-0ec2f5fa5aaa",
    "566cc69da782ec33c5b0a1c1e2a4f9ec9ca1e4b8a9d1",
    "SEC5f4dcc3b5aa765d61d8327deb882cf99",
    "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy",
    "Xq7Zk9Wv3Jt5Rb8Nd2Lg6Hm4Pf1Sc0Ty",
  ])("is not said where it is a token: %s", (token) => {
    expect(nameShown(token)).toBe("…");
  });
});

describe("a secret that lost its place", () => {
  const chat = (rest: string) => `sinks: {ops: {type: chat, url: "\${CHAT_URL}", ${rest}}}`;

  it.each([
    [
      chat("secret:SECabcdef"),
      'sinks.ops.secret…: there is no such option (write a colon and a space behind "secret")',
    ],
    [
      chat("secret SECabcdef"),
      'sinks.ops.secret…: there is no such option (write a colon and a space behind "secret")',
    ],
    [chat("SECabcdef"), "sinks.ops.…: there is no such option (the options here: "],
    [chat("headers: {SECabcdef}"), "sinks.ops.headers.…: expected text; found nothing"],
    [chat('"https://c.example.com/SECabcdef": 1'), "sinks.ops.https…: there is no such option"],
    [
      'sinks: {ops: {type: "chat:https://c.example.com/SECabcdef"}}',
      'there is no sink type "chat…"',
    ],
    [
      'sinks: {"https://c.example.com/SECabcdef": {type: chat}}',
      'sinks.https…: "https…" cannot be the name of a sink',
    ],
    ["canarySink: https://c.example.com/SECabcdef", 'canarySink: there is no sink named "https…"'],
    [
      chat('secret: {$env: "https://c.example.com/SECabcdef"}'),
      "the environment variable https… is not set",
    ],
    [chat('secret: "${TOKEN:-SECabcdef}"'), '"${TOKEN…}" does not name an environment variable'],
    [
      chat('secret: {$file: "https://c.example.com/SECabcdef"}'),
      "the secret file https… cannot be read",
    ],
    [chat("secret: {$file: 5f4dcc3b5aa765d61d8327deb882cf99}"), "the secret file … cannot be read"],
  ])("is not said: %s", (yaml, said) => {
    const problems = problemsOf({}, yaml);
    expect(problems).toContain(said);
    expect(problems).not.toMatch(/SECabc|5f4d/);
  });

  it("is not said of a flag that is another's value", () => {
    const problems = (sink: string) => problemsOf({ flags: { sink: [sink] } });
    expect(problems("SECabcdef0123456789abcdef0123456789")).toContain('there is no sink type "…"');
    expect(problems("chat//c.example.com/SECabcdef")).toContain('there is no sink type "chat…"');
    expect(problems("${CHAT_URL}")).not.toContain("token-from-env");
  });

  it("is not said where an & is missing before it, for it would be shown with the value", () => {
    const url = "chat:https://chat.example.com/send?access_token=x";
    const problems = (rest: string) => problemsOf({ flags: { sink: [`${url}&${rest}`] } });
    expect(problems("mention=u1sign=SECabcdef")).toBe(
      '--sink #1: "mention" has sign= in its value (an & is missing before it)',
    );
    expect(problems("label=prodsecret=SECabcdef")).toContain('"label" has secret= in its value');
    expect(problems("level=Warningheader=Authorization=SECabcdef")).toContain("has header= in");
    // Written so that it cannot be one, or where a text may well have it.
    expect(problems("label=a%20sign%3Db")).toBe("");
    expect(problems("messages=/sign=.*/")).toBe("");
  });
});

describe("a value that is not to be seen", () => {
  const env = (value: string) => ({ TZ: "UTC", LONG: value });
  const LONG = `part-one-${"x".repeat(60)}-part-two-of-the-secret`;

  it.each([
    "externalUrl: ${LONG}",
    "webProxies: ['${LONG}']",
    "webUserHeader: ${LONG}",
    "webChange: ${LONG}",
    "filter: {reasons: ['/(${LONG}/']}",
    "filter: {messages: ['/[${LONG}/']}",
    "sources: [{kubernetes: {server: '${LONG}'}}]",
    "sources: [{kubernetes: {namespaces: ['${LONG}']}}]",
    "sinks: {ops: {type: '${LONG}'}}",
    "timezone: ${LONG}",
  ])("is not said in part either: %s", (yaml) => {
    const problems = problemsOf({ env: env(LONG) }, yaml);
    expect(problems).not.toBe("");
    expect(problems).not.toMatch(/part-one|xxxx|part-two/);
  });

  it("is not said of the flags for all sources", () => {
    for (const flag of ["replay", "maxAge"])
      expect(problemsOf({ flags: { [flag]: "${LONG}" }, env: env(LONG) })).toMatch(
        /^--[a-z-]+: "\$\{LONG\}" is not a duration; /,
      );
  });

  it("is blotted out whole where another one is its beginning", () => {
    const both = { TZ: "UTC", A: "abcdefgh", B: "abcdefgh-and-the-rest" };
    const problems = problemsOf({ env: both }, 'cluster: "${A}"\nsinks: {"${B}": {type: chat}}');
    expect(problems).not.toContain("and-the-rest");
  });
});

describe("a variable from a Secret", () => {
  it.each([
    ["token\n", "token"],
    ["token\r\n", "token"],
    ["two\nlines\n", "two\nlines"],
    ["token\n\n", "token\n"],
  ])("has no line break at its end, as `echo` puts there: %j", (value, means) => {
    const given = { env: { TZ: "UTC", NAME: value } };
    expect(load(given, "cluster: { $env: NAME }").config.cluster).toBe(means);
    expect(load(given, "cluster: <${NAME}>").config.cluster).toBe(`<${means}>`);
    expect(load({ ...given, flags: { clusterName: "${NAME}" } }).config.cluster).toBe(means);
  });

  it("that has nothing else in it is empty", () => {
    const given = { env: { TZ: "UTC", NAME: "\n" } };
    expect(problemsOf(given, "cluster: { $env: NAME }")).toContain(
      "the environment variable NAME is empty",
    );
  });
});
