import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { redact, secretsOf } from "../../../src/sink/redact.ts";
import { Secret } from "../../../src/sink/secret.ts";

describe("the secrets of a sink's options", () => {
  it("are found at any depth, the longest first", () => {
    const secrets = secretsOf({
      a: new Secret("short"),
      b: { c: [new Secret("the-longer-one")] },
      d: "plain",
    });
    expect(secrets).toContain("the-longer-one");
    expect(secrets).toContain("short");
    expect(secrets.indexOf("the-longer-one")).toBeLessThan(secrets.indexOf("short"));
    expect(secrets).not.toContain("plain");
  });

  it("leave out what is too short to be one, and would hide half the words of an answer", () => {
    expect(secretsOf({ a: new Secret("no"), b: new Secret("") })).toEqual([]);
  });

  it("are none where there are none", () => {
    expect(secretsOf({ a: 1, b: null, c: undefined, d: ["x"] })).toEqual([]);
  });
});

describe("a text of a stranger's server", () => {
  const url = new Secret(
    "https://user:passw0rd@h.example/hook/aaaabbbbcccc?access_token=ddddeeeeffff&x=y%2Fz0123456789",
  );
  const secrets = secretsOf({ url, headers: { Authorization: new Secret("Bearer kkkkllllmmmm") } });

  it.each([
    "https://user:passw0rd@h.example/hook/aaaabbbbcccc?access_token=ddddeeeeffff&x=y%2Fz0123456789",
    "Cannot POST /hook/aaaabbbbcccc?access_token=ddddeeeeffff&x=y%2Fz0123456789",
    "no hook aaaabbbbcccc",
    "token ddddeeeeffff is not exist",
    "x was y/z0123456789",
    "bad password passw0rd",
    "authorization: Bearer kkkkllllmmmm",
    "unknown key kkkkllllmmmm",
  ])("gives nothing away: %s", (text) => {
    const clean = redact(text, secrets);
    expect(clean).toContain("<redacted>");
    expect(clean).not.toMatch(/aaaabbbb|ddddeeee|z0123456789|passw0rd|kkkkllll/);
  });

  it("keeps the words that say what is wrong", () => {
    expect(redact("send hook token h.example", secrets)).toBe("send hook token h.example");
  });

  it("cannot steer a terminal or break a log line", () => {
    expect(redact("a\u001b[31mb\r\nc\u202ed\u2028e\u0000", [])).toBe("a [31mb c d e");
  });

  it("is not read as a pattern", () => {
    expect(redact("a.c abc", ["a.c"])).toBe("<redacted> abc");
  });
});

describe("a secret with characters that others escape", () => {
  const word = `p<4>ss&w0rd/"it's" 容器+1`;
  const secrets = secretsOf({ password: new Secret(word) });

  it.each([
    ["as it is", word],
    ["in JSON", JSON.stringify({ word })],
    ["in Go's JSON", String.raw`{"word":"p\u003c4\u003ess\u0026w0rd/\"it's\" 容器+1"}`],
    ["in PHP's JSON", String.raw`{"word":"p<4>ss&w0rd\/\"it's\" 容器+1"}`],
    ["in Python's JSON", String.raw`{"word":"p<4>ss&w0rd/\"it's\" \u5bb9\u5668+1"}`],
    ["in a query", `?word=p%3C4%3Ess%26w0rd%2F%22it's%22%20%E5%AE%B9%E5%99%A8%2B1`],
    [
      "in a query of small letters",
      `?word=p%3c4%3ess%26w0rd%2f%22it's%22%20%e5%ae%b9%e5%99%a8%2b1`,
    ],
    ["in a form", `word=p%3C4%3Ess%26w0rd%2F%22it's%22+%E5%AE%B9%E5%99%A8%2B1`],
    ["in the text of a page", `<p>p&lt;4&gt;ss&amp;w0rd/"it's" 容器+1</p>`],
    ["in an attribute", `<a title="p&lt;4&gt;ss&amp;w0rd/&quot;it&#39;s&quot; 容器+1">`],
    ["in Go's page", `<p>p&lt;4&gt;ss&amp;w0rd/&#34;it&#39;s&#34; 容器+1</p>`],
  ])("is found %s", (_, text) => {
    const clean = redact(text, secrets);
    expect(clean).toContain("<redacted>");
    expect(clean).not.toMatch(/ss(&|%|\\)|w0rd|it['&\\]|容|5bb9|E5%/i);
  });

  it("is found where a webhook's URL stands on a page or in JSON of PHP's", () => {
    const url = new Secret("https://h.example/T0123/B0123/x?a=1&b=2&key=q1");
    const secretsThere = secretsOf({ url });
    for (const echoed of [
      "/T0123/B0123/x?a=1&amp;b=2&amp;key=q1",
      String.raw`https:\/\/h.example\/T0123\/B0123\/x?a=1&b=2&key=q1`,
    ])
      expect(redact(`Cannot POST ${echoed}.`, secretsThere)).not.toMatch(/B0123|q1/);
  });
});

describe("a secret in base64, as `Authorization: Basic` has it", () => {
  const basic = (user: string, password: string) =>
    Buffer.from(`${user}:${password}`).toString("base64");

  it.each(["", "a", "ab", "abc", "elastic", "kube-crier", "容器"])(
    "is found behind the user %j",
    (user) => {
      const header = `Basic ${basic(user, "s3cret-passw0rd")}`;
      const clean = redact(`you sent ${header}`, secretsOf({ pw: new Secret("s3cret-passw0rd") }));
      expect(clean).toContain("<redacted>");
      const left = clean.replace("you sent Basic ", "").replace("<redacted>", "|");
      // Less than two characters of the password can be had from what is left.
      const [before = "", after = ""] = left.split("|");
      expect(Buffer.from(before, "base64").toString()).not.toContain(`${user}:s3`);
      expect(after.replaceAll("=", "").length).toBeLessThanOrEqual(1);
    },
  );

  it("is found where the URL has it, percent-encoded or not", () => {
    for (const written of ["p4ss%2Fw0rd", "p4ss-word"]) {
      const url = new Secret(`https://robot:${written}@hooks.example/in`);
      const echoed = basic("robot", decodeURIComponent(written));
      expect(redact(`Basic ${echoed}`, secretsOf({ url }))).not.toContain(echoed.slice(9, -2));
    }
  });

  it("leaves other words alone", () => {
    const secrets = secretsOf({ pw: new Secret("s3cret-passw0rd") });
    const words = "Basic authentication required; realm=elasticsearch cGxlYXNlIGF1dGhlbnRpY2F0ZQ==";
    expect(redact(words, secrets)).toBe(words);
  });
});

describe("a secret", () => {
  const secret = new Secret("s3cret");

  it.each([
    ["String", String(secret)],
    ["concatenation", "".concat(secret as unknown as string)],
    ["JSON", JSON.stringify({ secret })],
    ["inspect", inspect({ secret }, { showHidden: true, depth: 9 })],
    ["keys", JSON.stringify(Object.entries(secret))],
    ["copying", JSON.stringify(Object.assign({}, secret))],
  ])("is not shown by %s", (_, shown) => {
    expect(shown).not.toContain("s3cret");
  });

  it("is revealed on request only", () => {
    expect(secret.reveal()).toBe("s3cret");
  });
});
