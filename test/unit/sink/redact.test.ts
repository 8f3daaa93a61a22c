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
