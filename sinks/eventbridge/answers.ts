import {
  accepted,
  bodyVerdict,
  codeOf,
  type CodeTable,
  fieldsOf,
  type HttpAnswer,
  type Said,
  type Verdict,
  verdictOn,
} from "../../src/sink/index.ts";

const permanent = (reason: "auth" | "config" | "rejected" | "tooLarge", next: string) =>
  ({ kind: "permanent", reason, next }) as const;
const retryable = { kind: "retryable", reason: "server", next: "" } as const;
const expired = { kind: "retryable", reason: "auth", next: "set this machine's clock" } as const;
const throttled = { kind: "throttled", retryAfterMs: null, next: "" } as const;
const KEY = "check `access_key_id`";
const SECRET = "check `access_key_secret` and `region_id`";
const TOKEN = "the `security_token` is no longer good";
const BUS = "check `event_bus_name`; it must exist in this region";

/** https://www.alibabacloud.com/help/en/eventbridge/error-codes */
const ALIYUN: CodeTable = {
  InvalidAccessKeyId: permanent("auth", KEY),
  InvalidStsAccessKeyId: permanent("auth", KEY),
  SignatureDoesNotMatch: permanent("auth", SECRET),
  SecurityTokenInvalid: permanent("auth", TOKEN),
  StsAccessIdExpired: permanent("auth", TOKEN),
  AccessDenied: permanent(
    "auth",
    "grant eventbridge:PutEvents on the bus to this key, or to the RAM role",
  ),
  AccessDeniedByPreCheck: permanent(
    "auth",
    "grant eventbridge:PutEvents on the bus to this key, or to the RAM role",
  ),
  AccessDeniedForInternalRegion: permanent("auth", "the account may not use this region"),
  AccountIdNotExist: permanent("config", "check `account_id`"),
  ParentAccountNotExist: permanent("config", "check `account_id`"),
  ServiceAccessDenied: permanent("config", "activate EventBridge for the account"),
  ServiceNotEnable: permanent("config", "activate EventBridge for the account"),
  ServiceNotEnabled: permanent("config", "activate EventBridge for the account"),
  EventBusNotExist: permanent("config", BUS),
  TooManyRequests: throttled,
};

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html and CommonErrors.html beside it. */
const AWS: CodeTable = {
  InternalFailure: retryable,
  InternalException: retryable,
  ServiceUnavailable: retryable,
  ThrottlingException: throttled,
  LimitExceededException: throttled,
  RequestExpired: expired,
  RequestTimeoutException: { kind: "retryable", reason: "timeout", next: "" },
  RequestAbortedException: retryable,
  RequestEntityTooLargeException: permanent("tooLarge", ""),
  NotAuthorized: permanent("auth", "grant events:PutEvents on the bus to this key"),
  OptInRequired: permanent("auth", "the account has no subscription for EventBridge"),
  AccessDeniedException: permanent("auth", "grant events:PutEvents on the bus to this key"),
  UnrecognizedClientException: permanent("auth", KEY),
  InvalidClientTokenId: permanent("auth", KEY),
  MissingAuthenticationToken: permanent("auth", KEY),
  InvalidSignatureException: permanent("auth", SECRET),
  IncompleteSignature: permanent("auth", SECRET),
  ExpiredTokenException: permanent("auth", TOKEN),
  InvalidAccountIdException: permanent("config", BUS),
  ResourceNotFoundException: permanent("config", BUS),
  NotAuthorizedForSourceException: permanent("config", "the bus does not allow this `source`"),
  NotAuthorizedForDetailTypeException: permanent("config", "the bus does not allow this type"),
  InvalidArgument: permanent("rejected", ""),
  MalformedDetail: permanent("rejected", ""),
  RedactionFailure: permanent("rejected", ""),
  ValidationException: permanent("rejected", ""),
};

const OF = {
  aliyun: { codes: ALIYUN, list: "EntryList", code: "code" },
  aws: { codes: AWS, list: "Entries", code: "__type" },
} as const;

/** Temporary credentials of Alibaba Cloud that are no longer good. */
const ENDED = new Set([
  "InvalidAccessKeyId",
  "InvalidStsAccessKeyId",
  "SecurityTokenInvalid",
  "StsAccessIdExpired",
]);

export function hasEnded(answer: HttpAnswer): boolean {
  return ENDED.has(codeOf(fieldsOf(answer.json)?.["code"]) ?? "");
}

/** A verdict for each of the entries, or one for all. */
export function verdictsOf(
  provider: "aliyun" | "aws",
  answer: HttpAnswer,
  count: number,
  now: number,
): Verdict | readonly Verdict[] {
  const { codes, list, code } = OF[provider];
  const fields = fieldsOf(answer.json);
  const judge = (said: Said) =>
    verdictOn({ accept: () => bodyVerdict(answer, said, codes) }, answer, now);
  const entries = fields?.[list];
  const hasFailed = fields?.["FailedEntryCount"] !== 0;
  if (hasFailed && answer.status === 200 && Array.isArray(entries) && entries.length === count)
    return entries.map((entry) => {
      const one = fieldsOf(entry);
      const error = codeOf(one?.["ErrorCode"]) ?? "";
      if (error === "") return accepted;
      return judge({ code: error, ok: false, text: codeOf(one?.["ErrorMessage"]) ?? "" });
    });
  // AWS may put the namespace of the error before its name, and a page behind it.
  const said = (codeOf(fields?.[code]) ?? "").replace(/^.*#/, "").replace(/:.*$/, "");
  const of: Said = {
    code: said === "" ? null : said,
    ok: !hasFailed,
    text: codeOf(fields?.["message"] ?? fields?.["Message"]) ?? "",
  };
  return onClock(judge(of), of, answer.headers["date"], now);
}

/** What a clock that is off is answered with, as a wrong secret is. */
const SIGNATURE = new Set(["SignatureDoesNotMatch", "InvalidSignatureException", "RequestExpired"]);
/** As far as a clock may be off at AWS; Alibaba Cloud allows more. */
const OFF_MS = 5 * 60_000;

/** A signature is good for minutes. Where the platform tells another time, that is the reason, and it passes once the clock is set. */
function onClock(verdict: Verdict, said: Said, date: string | undefined, now: number): Verdict {
  if (verdict.kind === "accepted" || !SIGNATURE.has(said.code ?? "")) return verdict;
  const off = now - Date.parse(date ?? "");
  const isOff = Math.abs(off) >= OFF_MS;
  if (!isOff && !/signature (expired|not yet current)/i.test(said.text)) return verdict;
  const minutes = `${Math.round(Math.abs(off) / 60_000)} minutes`;
  const why = isOff
    ? `is ${minutes} ${off < 0 ? "behind" : "ahead of"} the platform's`
    : "and the platform's differ";
  const detail = `${said.code} ${said.text.slice(0, 200)}; this machine's clock ${why}: set it`;
  return { kind: "retryable", reason: "auth", detail };
}
