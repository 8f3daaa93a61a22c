import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonLog, textLog } from "../../../src/observe/log.ts";
import { redact } from "../../../src/observe/redact.ts";

/** What tokens, keys and signatures of the platforms are made of. */
const secret = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{11,39}$/);

/** Where a platform, a proxy or a library of ours is known to quote a request. */
const PLACES: readonly (readonly [what: string, (secret: string) => string])[] = [
  [
    "DingTalk's address",
    (s) => `https://oapi.dingtalk.com/robot/send?access_token=${s}&timestamp=1&sign=${s}`,
  ],
  ["Lark's address", (s) => `https://open.feishu.cn/open-apis/bot/v2/hook/${s}`],
  ["WeCom's address", (s) => `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${s}`],
  [
    "the address of a WeCom app's token",
    (s) => `https://qyapi.weixin.qq.com/cgi-bin/gettoken?corpid=ww1&corpsecret=${s}`,
  ],
  ["Slack's address", (s) => `https://hooks.slack.com/services/T0/${s}/${s}`],
  ["an address signed for AWS", (s) => `https://es.example.com/_bulk?X-Amz-Signature=${s}&x=1`],
  ["an API key in a query", (s) => `https://hooks.example.com/x?api_key=${s}`],
  ["a password in an address", (s) => `mysql://crier:${s}@db:3306/crier`],
  ["a bearer token", (s) => `Authorization: Bearer ${s}`],
  ["a basic authorization", (s) => `authorization: basic ${s}==`],
  ["a bot's token", (s) => `invalid token xoxb-${s}`],
  ["a ServiceAccount's token", (s) => `token eyJhbGciOiJSUzI1NiJ9.${s}.${s} has expired`],
  ["a body that is quoted", (s) => JSON.stringify({ timestamp: "1", sign: s, msg: "x" })],
  ["a token's answer", (s) => JSON.stringify({ errcode: 0, access_token: s, expires_in: 7200 })],
  ["several of them", (s) => JSON.stringify({ client_secret: s, password: `a"b${s}`, apiKey: s })],
];

/** How whoever quotes a text escapes it. */
const QUOTED: readonly (readonly [how: string, (text: string) => string])[] = [
  ["as it is", (text) => text],
  ["in JSON", (text) => JSON.stringify({ error: text })],
  ["in JSON as PHP and Go write it", (text) => goJson({ error: text })],
  ["in the query of another address", (text) => `/login?next=${encodeURIComponent(text)}`],
  [
    "on a page",
    (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
  ],
  ["among lines", (text) => `HTTP 400\r\n\r\n<pre>${text}</pre>\n`],
];

function goJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replaceAll("&", "\\u0026")
    .replaceAll("=", "\\u003d");
}

/** In the query of another address these cannot be told from other words; the sink that knows the secret masks them. */
const ONLY_KNOWN = new Set([
  "a password in an address, in the query of another address",
  "a body that is quoted, in the query of another address",
  "a token's answer, in the query of another address",
  "several of them, in the query of another address",
]);

const CASES = PLACES.flatMap(([what, place]) =>
  QUOTED.map(
    ([how, quote]) => [`${what}, ${how}`, (text: string) => quote(place(text))] as const,
  ).filter(([name]) => !ONLY_KNOWN.has(name)),
);

describe("redaction", () => {
  it.each(CASES)("masks a secret in %s", (_, write) => {
    fc.assert(
      fc.property(secret, (one) => {
        const told = redact(write(one));
        expect(told).not.toContain(one);
        expect(told).toContain("<redacted>");
        expect(redact(told), "once is enough").toBe(told);
      }),
      { numRuns: 30 },
    );
  });

  it("leaves JSON that can be read", () => {
    fc.assert(
      fc.property(secret, (one) => {
        const said = { sign: one, access_token: one, msg: 'a "quoted" text', url: `?token=${one}` };
        expect(JSON.parse(redact(JSON.stringify(said)))).toEqual({
          sign: "<redacted>",
          access_token: "<redacted>",
          msg: 'a "quoted" text',
          url: "?token=<redacted>",
        });
      }),
    );
  });

  it.each([
    'node.kubernetes.io/not-ready: {"key":"node.kubernetes.io/not-ready","effect":"NoExecute"}',
    'secret "shop/tls" not found; token of serviceaccount default:web, key ca.crt',
    "GET /api/v1/namespaces/shop/services?watch=1&resourceVersion=12&monkeys=3",
    "errcode 310000: sign not match; check `secret`, this machine's clock",
    "MountVolume.SetUp failed for volume \"token\" : secret 'token' not found",
    "dial tcp 10.0.0.1:443: connect: connection refused (Bearer)",
  ])("leaves %s as it is", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("takes no longer for a text of a megabyte that looks like a secret at every turn", () => {
    for (const piece of ["?key", "//a:", '"token":"\\', "&sign=", "Bearer ", "/services/a/b"]) {
      const text = piece.repeat(200_000);
      const before = performance.now();
      redact(text);
      expect(performance.now() - before, piece).toBeLessThan(5_000);
    }
  });
});

describe("the log", () => {
  const ADDRESS = "https://chat/send?access_token=abc123";

  it.each([
    ["in a field", { url: ADDRESS }],
    ["in a list", { all: [[ADDRESS]] }],
    ["in an object", { audit: { detail: ADDRESS, target: { of: [ADDRESS] } } }],
    ["in one without a prototype", Object.assign(Object.create(null), { url: ADDRESS }) as object],
  ])("has no secret %s, for programs or for people", (_, fields) => {
    const lines: string[] = [];
    const out = { write: (line: string) => lines.push(line) };
    for (const log of [jsonLog("info", out), textLog("info", out, false)])
      log.write("info", "said", fields as Record<string, unknown>);
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).not.toContain("abc123");
      expect(line).toContain("<redacted>");
    }
  });

  it("is one JSON object a line with time, level and msg, whatever is said", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.dictionary(
          fc.string().filter((key) => !["time", "level", "msg", "__proto__"].includes(key)),
          fc.oneof(
            fc.string({ unit: "binary" }),
            fc.integer(),
            fc.constant(null),
            fc.array(fc.string({ unit: "binary" })),
          ),
        ),
        fc.constantFrom("debug", "info", "warn", "error"),
        (message, fields, level) => {
          const lines: string[] = [];
          jsonLog("debug", { write: (line) => lines.push(line) }).write(level, message, fields);
          expect(lines).toHaveLength(1);
          const [line = ""] = lines;
          expect(line.indexOf("\n")).toBe(line.length - 1);
          const said = JSON.parse(line) as Record<string, unknown>;
          expect(said).toMatchObject({ level, msg: redact(message) });
          expect(said["time"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
          for (const key of Object.keys(fields)) expect(said).toHaveProperty([key]);
        },
      ),
    );
  });
});
