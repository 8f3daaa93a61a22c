import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verdictsOf } from "../../sinks/eventbridge/answers.ts";
import { hasEnded, verdictOf } from "../../sinks/sls/answers.ts";
import type { HttpAnswer, Verdict } from "../../src/sink/index.ts";

/**
 * What the platforms answer, by their tables of codes. Whom a refusal is about decides what becomes of the others: `rejected` and `tooLarge`
 * are looked for by halves, everything else is told to all at once.
 */
const NOW = Date.parse("2026-11-20T08:05:31Z");

const answer = (
  status: number,
  json: unknown,
  headers: HttpAnswer["headers"] = {},
): HttpAnswer => ({
  status,
  headers,
  text: typeof json === "string" ? json : JSON.stringify(json),
  json: typeof json === "string" ? undefined : json,
});
/** `permanent auth`, `throttled`, `accepted`. */
const inShort = (verdict: Verdict) =>
  "reason" in verdict ? `${verdict.kind} ${verdict.reason}` : verdict.kind;
const words = (verdict: Verdict) => ("detail" in verdict ? verdict.detail : "");
const json = fc.jsonValue({ maxDepth: 4 });
const single = (told: Verdict | readonly Verdict[]): Verdict => {
  if (!("kind" in told)) throw new Error("expected one verdict for all");
  return told;
};

describe("Log Service", () => {
  const REQUEST = { "x-log-requestid": "5B0C5A3E2D1F4A6B7C8D9E0F" };
  const said = (status: number, errorCode: string, errorMessage: string) =>
    verdictOf(answer(status, { errorCode, errorMessage }, REQUEST), NOW);

  /** https://help.aliyun.com/en/sls/developer-reference/error-codes, and those of PutLogs. */
  it.each([
    [400, "RequestTimeExpired", "Request time has been expired", "retryable auth", /clock/],
    [401, "SignatureNotMatch", "Signature x not matched.", "permanent auth", /access_key_secret/],
    [401, "Unauthorized", "The AccessKeyId is unauthorized.", "permanent auth", /PostLogStoreLogs/],
    [401, "Unauthorized", "AccessKeyId is inactive", "permanent auth", /check the access key/],
    [403, "ProjectForbidden", "The Project p has been forbidden.", "permanent config", /disabled/],
    [404, "ProjectNotExist", "The Project does not exist", "permanent config", /region_id/],
    [404, "LogStoreNotExist", "logstore does not exist", "permanent config", /log_store/],
    [400, "InvalidHost", "Host header x is invalid.", "permanent config", /endpoint/],
    [400, "InvalidTimestamp", "Invalid timestamps are in logs.", "permanent rejected", /7 days/],
    [400, "InvalidEncoding", "Non-UTF8 characters are in logs.", "permanent rejected", /UTF8/],
    [400, "InvalidKey", "Invalid keys are in logs.", "permanent rejected", /label/],
    [400, "PostBodyInvalid", "Protobuffer content cannot be parsed.", "permanent rejected", /./],
    [400, "PostBodyUncompressError", "Failed to decompress.", "permanent rejected", /./],
    [400, "PostBodyTooLarge", "Logs must be less than 3M.", "permanent tooLarge", /3M/],
    [403, "WriteQuotaExceed", "Write quota is exceeded.", "throttled", /quota/],
    [403, "ShardWriteQuotaExceed", "Write quota of shard exceeded.", "throttled", /split/],
    [403, "Project write QPS exceed", "qps: 10001", "throttled", /qps/],
    [503, "ServerBusy", "The server is busy, please try again later.", "retryable server", /busy/],
    [500, "InternalServerError", "internal server error.", "retryable server", /internal/],
    [500, "RequestTimeout", "The request is timeout.", "retryable timeout", /timeout/],
  ])("%i %s (%s) is %s", (status, code, message, expected, detail) => {
    const verdict = said(status, code, message);
    expect(inShort(verdict)).toBe(expected);
    expect(words(verdict)).toMatch(detail);
  });

  it("has taken what it has given an ID to, and nobody else has", () => {
    expect(verdictOf(answer(200, "", REQUEST), NOW)).toEqual({ kind: "accepted" });
    expect(inShort(verdictOf(answer(200, ""), NOW))).toBe("retryable server");
    expect(inShort(said(200, "InternalServerError", "in HTTP 200"))).toBe("retryable server");
  });

  it("with a code nobody knows is believed by its status", () => {
    expect(inShort(said(400, "BrandNew", "?"))).toBe("permanent rejected");
    expect(inShort(said(401, "BrandNew", "?"))).toBe("permanent auth");
    expect(inShort(said(502, "BrandNew", "?"))).toBe("retryable server");
    expect(inShort(said(200, "BrandNew", "?"))).toBe("retryable unknown");
  });

  it("that is busy is asked again when it says so", () => {
    const busy = { errorCode: "ServerBusy", errorMessage: "busy" };
    expect(verdictOf(answer(503, busy, { ...REQUEST, "retry-after": "7" }), NOW)).toMatchObject({
      kind: "throttled",
      retryAfterMs: 7000,
    });
  });

  it.each([
    ["Unauthorized", "The security token you provided has expired.", true],
    ["Unauthorized", "The security token you provided is invalid.", true],
    ["Unauthorized", "AccessKeyId not found: STS.x", true],
    ["InvalidAccessKeyId", "?", true],
    ["Unauthorized", "denied by sts or ram, action: log:PostLogStoreLogs", false],
    ["SignatureNotMatch", "signature x not matched", false],
  ])(
    "by %s, %s, means that temporary credentials are over: %s",
    (errorCode, errorMessage, over) => {
      expect(hasEnded(answer(401, { errorCode, errorMessage }))).toBe(over);
    },
  );

  it("is never believed to have taken what it refused, whatever it says", () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), json, (status, body) => {
        expect(verdictOf(answer(status, body, REQUEST), NOW).kind).not.toBe("accepted");
      }),
    );
    fc.assert(
      fc.property(json, (body) => {
        expect(verdictOf(answer(200, body), NOW).kind).not.toBe("accepted");
      }),
    );
  });
});

describe("EventBridge of Alibaba Cloud", () => {
  const said = (status: number, code: string, message: string) =>
    single(verdictsOf("aliyun", answer(status, { code, message, requestId: "x" }), 3, NOW));

  /** https://www.alibabacloud.com/help/en/eventbridge/error-codes */
  it.each([
    [403, "InvalidAccessKeyId", "The access Id is not exist.", "permanent auth", /access_key_id/],
    [403, "InvalidStsAccessKeyId", "The sts access Id …", "permanent auth", /access_key_id/],
    [403, "SignatureDoesNotMatch", "does not match", "permanent auth", /access_key_secret/],
    [403, "SecurityTokenInvalid", "token is invalid", "permanent auth", /security_token/],
    [403, "StsAccessIdExpired", "has expired.", "permanent auth", /security_token/],
    [403, "AccessDenied", "is forbidden", "permanent auth", /eventbridge:PutEvents/],
    [403, "AccessDeniedByPreCheck", "by pre check", "permanent auth", /eventbridge:PutEvents/],
    [403, "AccessDeniedForInternalRegion", "is restricted", "permanent auth", /this region/],
    [403, "AccountIdNotExist", "accountId not exist", "permanent config", /account_id/],
    [403, "ParentAccountNotExist", "not exist", "permanent config", /account_id/],
    [403, "ServiceAccessDenied", "has not enabled", "permanent config", /activate EventBridge/],
    [409, "EventBusNotExist", "the bus does not exist", "permanent config", /event_bus_name/],
    [429, "TooManyRequests", "flow limiter", "throttled", /flow limiter/],
    [500, "BrandNew", "?", "retryable server", /HTTP 500/],
    [400, "BrandNew", "?", "permanent rejected", /HTTP 400/],
    [200, "BrandNew", "?", "retryable unknown", /BrandNew/],
  ])("%i %s (%s) is %s", (status, code, message, expected, detail) => {
    const verdict = said(status, code, message);
    expect(inShort(verdict)).toBe(expected);
    expect(words(verdict)).toMatch(detail);
  });
});

describe("EventBridge of AWS", () => {
  const said = (status: number, type: string, message = "") =>
    single(verdictsOf("aws", answer(status, { __type: type, message }), 3, NOW));

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html and API_PutEvents.html */
  it.each([
    [400, "AccessDeniedException", "permanent auth", /events:PutEvents/],
    [400, "NotAuthorized", "permanent auth", /events:PutEvents/],
    [403, "OptInRequired", "permanent auth", /subscription/],
    [403, "InvalidClientTokenId", "permanent auth", /access_key_id/],
    [403, "MissingAuthenticationToken", "permanent auth", /access_key_id/],
    [400, "UnrecognizedClientException", "permanent auth", /access_key_id/],
    [400, "IncompleteSignature", "permanent auth", /access_key_secret/],
    [400, "ExpiredTokenException", "permanent auth", /security_token/],
    [400, "RequestExpired", "retryable auth", /clock/],
    [400, "ResourceNotFoundException", "permanent config", /event_bus_name/],
    [400, "ThrottlingException", "throttled", /ThrottlingException/],
    [413, "RequestEntityTooLargeException", "permanent tooLarge", /TooLarge/],
    [400, "ValidationException", "permanent rejected", /Validation/],
    [500, "InternalFailure", "retryable server", /InternalFailure/],
    [500, "InternalException", "retryable server", /InternalException/],
    [503, "ServiceUnavailable", "retryable server", /ServiceUnavailable/],
  ])("%i %s is %s", (status, type, expected, detail) => {
    for (const written of [type, `com.amazon.coral.service#${type}`, `${type}:http://docs/`]) {
      const verdict = said(status, written);
      expect(inShort(verdict), written).toBe(expected);
      expect(words(verdict), written).toMatch(detail);
    }
  });

  it("says of each entry what became of it, in their order, and of no other", () => {
    const CODES = [
      "InternalFailure",
      "ThrottlingException",
      "MalformedDetail",
      "BrandNew",
    ] as const;
    const AS = ["retryable", "throttled", "permanent", "retryable"];
    const entry = fc.constantFrom(null, ...CODES);
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 10 }), (entries) => {
        const failed = entries.filter((code) => code !== null).length;
        const body = {
          FailedEntryCount: failed,
          Entries: entries.map((code) =>
            code === null ? { EventId: "11" } : { ErrorCode: code, ErrorMessage: "why" },
          ),
        };
        const told = verdictsOf("aws", answer(200, body), entries.length, NOW);
        const each = "kind" in told ? entries.map(() => told) : told;
        expect(each.map(({ kind }) => kind)).toEqual(
          entries.map((code) => (code === null ? "accepted" : AS[CODES.indexOf(code)])),
        );
      }),
    );
  });

  it("that speaks of another number of entries than were sent has taken none for certain", () => {
    const Entries = [{ EventId: "1" }, { ErrorCode: "InternalFailure", ErrorMessage: "x" }];
    for (const count of [1, 3]) {
      const told = verdictsOf("aws", answer(200, { FailedEntryCount: 1, Entries }), count, NOW);
      expect(inShort(single(told))).toBe("retryable server");
    }
  });

  it("is never believed to have taken what it refused, whatever it says", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("aws" as const, "aliyun" as const),
        fc.integer({ min: 300, max: 599 }),
        json,
        (provider, status, body) => {
          const told = verdictsOf(provider, answer(status, body), 2, NOW);
          expect(single(told).kind).not.toBe("accepted");
        },
      ),
    );
  });
});
