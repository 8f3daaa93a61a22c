import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bodyVerdict, type CodeTable, errcodeOf } from "../../../src/sink/answer.ts";
import type { HttpAnswer } from "../../../src/sink/index.ts";
import { verdictOn } from "../../../src/sink/open.ts";
import { retryAfterMs, statusVerdict } from "../../../src/sink/status.ts";
import { accepted, permanent, retryable, throttled } from "../../../src/sink/verdict.ts";

const NOW = Date.parse("2026-11-20T08:05:31Z");

function answer(status: number, json?: unknown, headers: Record<string, string> = {}): HttpAnswer {
  return { status, headers, text: json === undefined ? "" : JSON.stringify(json), json };
}

describe("Retry-After", () => {
  it.each([
    [undefined, null],
    ["", null],
    ["soon", null],
    ["0", 0],
    [" 30 ", 30_000],
    ["1.5", 1500],
    ["Fri, 20 Nov 2026 08:05:41 GMT", 10_000],
    ["Fri, 20 Nov 2026 08:00:00 GMT", 0],
    // RFC 9110 §5.6.7: an obsolete form that a recipient must take, too.
    ["Friday, 20-Nov-26 08:05:41 GMT", 10_000],
    // As C's asctime, which must be taken, too: in UTC, wherever we are.
    ["Fri Nov 20 08:05:41 2026", 10_000],
    ["Sun Dec  6 08:05:31 2026", 16 * 86_400_000],
    ["Fri Nov 20 08:00:00 2026", 0],
    ["Fri, 20 Nov 2026 16:05:41 +0800", 10_000],
    ["2026-11-20T08:05:41Z", 10_000],
    // What Date.parse makes some day of, or some hour in our own zone.
    ["minute 1", null],
    ["12/25", null],
    ["Nov 20", null],
    ["1,5", null],
    ["2026-11-20", null],
    ["2026-11-20T08:05:41", null],
    ["Fri, 20 Nov 2026 08:05:41", null],
    ["Fri Nov 31 25:05:41 2026", null],
    // §10.2.3: digits and nothing else; what is neither is as good as none, not "at once".
    ["-1", null],
    ["-5", null],
    ["+5", null],
    ["1e3", null],
    ["0x10", null],
    ["5 seconds", null],
    ["120, 60", null],
    ["Infinity", null],
  ])("%j is %j ms", (value, ms) => {
    expect(retryAfterMs(value, NOW)).toBe(ms);
  });

  it("of one moment is one, in each of HTTP's three forms", () => {
    const days = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
    const moment = fc.date({
      min: new Date("2001-01-01T00:00:00Z"),
      max: new Date("2049-12-30T00:00:00Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(moment, fc.integer({ min: 0, max: 86_400 }), (date, seconds) => {
        const now = Math.floor(date.getTime() / 1000) * 1000;
        const then = new Date(now + seconds * 1000);
        // RFC 9110, 5.6.7, which JavaScript's own has the first of.
        const fixed = then.toUTCString();
        const [, day = "", month = "", year = "", time = ""] = fixed.split(/,? /);
        const name = days[then.getUTCDay()] ?? "";
        const forms = [
          fixed,
          `${name}, ${day}-${month}-${year.slice(2)} ${time} GMT`,
          `${name.slice(0, 3)} ${month} ${day.replace(/^0/, " ")} ${time} ${year}`,
        ];
        for (const form of forms) expect(retryAfterMs(form, now), form).toBe(seconds * 1000);
      }),
    );
  });

  it.each(["UTC", "Asia/Shanghai", "America/New_York"])("is the same in %s", (zone) => {
    const saved = process.env["TZ"];
    process.env["TZ"] = zone;
    try {
      for (const date of ["Fri Nov 20 08:05:41 2026", "Friday, 20-Nov-26 08:05:41 GMT"])
        expect(retryAfterMs(date, NOW), date).toBe(10_000);
      expect(retryAfterMs("2026-11-20T08:05:41", NOW)).toBeNull();
    } finally {
      if (saved === undefined) delete process.env["TZ"];
      else process.env["TZ"] = saved;
    }
  });
});

describe("a status", () => {
  it.each([
    [200, { kind: "accepted" }],
    [204, { kind: "accepted" }],
    [299, { kind: "accepted" }],
    [300, { kind: "permanent", reason: "rejected" }],
    [304, { kind: "permanent", reason: "rejected" }],
    [400, { kind: "permanent", reason: "rejected" }],
    [401, { kind: "permanent", reason: "auth" }],
    [403, { kind: "permanent", reason: "auth" }],
    [404, { kind: "permanent", reason: "rejected" }],
    [407, { kind: "permanent", reason: "auth" }],
    [408, { kind: "retryable", reason: "timeout" }],
    [413, { kind: "permanent", reason: "tooLarge" }],
    [425, { kind: "retryable", reason: "timeout" }],
    [426, { kind: "permanent", reason: "rejected" }],
    [429, { kind: "throttled", retryAfterMs: null }],
    [500, { kind: "retryable", reason: "server" }],
    [501, { kind: "permanent", reason: "rejected" }],
    [503, { kind: "retryable", reason: "server" }],
    [505, { kind: "permanent", reason: "rejected" }],
    [506, { kind: "retryable", reason: "server" }],
    [599, { kind: "retryable", reason: "server" }],
  ])("%i is %j", (status, verdict) => {
    expect(statusVerdict(answer(status))).toMatchObject(verdict);
  });

  it("is told with what the server said, shortened", () => {
    const verdict = statusVerdict({
      status: 400,
      headers: {},
      text: "x".repeat(500),
      json: undefined,
    });
    expect(verdict).toMatchObject({ detail: `HTTP 400: ${"x".repeat(200)}` });
  });
});

describe("a platform that says in the body how it went", () => {
  const TABLE: CodeTable = {
    "7": { kind: "permanent", reason: "auth", next: "check the key" },
    "8": { kind: "throttled", retryAfterMs: 5000, next: "" },
  };
  const judge = (status: number, json: unknown) => {
    const given = answer(status, json);
    return bodyVerdict(given, errcodeOf(given), TABLE);
  };

  it.each([
    [200, { errcode: 0 }, { kind: "accepted" }],
    [200, { errcode: "0" }, { kind: "accepted" }],
    [
      200,
      { errcode: 7, errmsg: "no" },
      { kind: "permanent", reason: "auth", detail: "7 no; check the key" },
    ],
    [400, { errcode: 8 }, { kind: "throttled", retryAfterMs: 5000 }],
    [200, { errcode: 9, errmsg: "new" }, { kind: "retryable", reason: "unknown", detail: "9 new" }],
    [500, { errcode: 0 }, { kind: "retryable", reason: "server" }],
    [404, { errcode: 9 }, { kind: "permanent", reason: "rejected" }],
    [200, null, { kind: "retryable", reason: "server" }],
    [200, { errcode: { deep: 1 } }, { kind: "retryable", reason: "server" }],
    // A list, a text and a number are JSON, and no answer of such a platform.
    [200, [{ errcode: 0 }], { kind: "retryable", reason: "server" }],
    [200, "errcode", { kind: "retryable", reason: "server" }],
    [200, 0, { kind: "retryable", reason: "server" }],
    // What is between us and the platform redirects: whatever its body says, nothing has arrived.
    [300, { errcode: 0 }, { kind: "permanent", reason: "rejected" }],
    [302, { errcode: 0 }, { kind: "permanent", reason: "rejected" }],
  ])("HTTP %i %j is %j", (status, json, verdict) => {
    expect(judge(status, json)).toMatchObject(verdict);
  });
});

describe("the words of a platform", () => {
  const detailOf = (given: HttpAnswer) => {
    const verdict = bodyVerdict(given, errcodeOf(given), {});
    return verdict.kind === "accepted" ? "" : verdict.detail;
  };

  it("are kept from the first to the 200th character, of a page in between to the 120th", () => {
    const words = "abcdefghij".repeat(50);
    expect(detailOf(answer(200, { errcode: 9, errmsg: words }))).toBe(`9 ${words.slice(0, 200)}`);
    const page = { ...answer(200), text: words };
    expect(detailOf(page)).toBe(
      `HTTP 200, but not the platform's own answer: ${words.slice(0, 120)}`,
    );
  });

  it("may be missing", () => {
    expect(detailOf(answer(200, { errcode: 9 }))).toBe("9");
    expect(detailOf(answer(200, { errcode: 9, errmsg: { no: "text" } }))).toBe("9");
    expect(detailOf(answer(503))).toBe("HTTP 503");
  });
});

describe("the verdict on an answer", () => {
  const by = (verdict: ReturnType<typeof permanent>, headers: Record<string, string> = {}) =>
    verdictOn({ accept: () => verdict }, answer(503, undefined, headers), NOW);

  it("takes the server's word for how long to wait", () => {
    const headers = { "retry-after": "3" };
    expect(by(retryable("server", "x"), headers)).toEqual(throttled(3000, "x"));
    expect(by(throttled(null, "x"), headers)).toEqual(throttled(3000, "x"));
    expect(by(throttled(9000, "x"), headers)).toEqual(throttled(9000, "x"));
  });

  it("waits for nothing that is settled", () => {
    const headers = { "retry-after": "3" };
    expect(by(accepted, headers)).toBe(accepted);
    expect(by(permanent("auth", "x"), headers)).toEqual(permanent("auth", "x"));
  });

  it("is an unknown error where the sink itself fails, without the words of the exception", () => {
    const broken = {
      accept: () => {
        throw new Error("s3cret");
      },
    };
    const verdict = verdictOn(broken, answer(200), NOW);
    expect(verdict).toMatchObject({ kind: "retryable", reason: "unknown" });
    expect(JSON.stringify(verdict)).not.toContain("s3cret");
  });
});
