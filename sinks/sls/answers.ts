import {
  bodyVerdict,
  codeOf,
  type CodeTable,
  fieldsOf,
  type HttpAnswer,
  type Said,
  type Verdict,
  verdictOn,
} from "../../src/sink/index.ts";

/**
 * Common codes: https://www.alibabacloud.com/help/en/sls/developer-reference/error-codes; PutLogs' own:
 * https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-putlogs.
 */
export const CODES: CodeTable = {
  RequestTimeExpired: {
    kind: "retryable",
    reason: "auth",
    next: "this machine's clock is more than 15 minutes off",
  },
  SignatureNotMatch: { kind: "permanent", reason: "auth", next: "check `access_key_secret`" },
  InvalidAccessKeyId: { kind: "permanent", reason: "auth", next: "check `access_key_id`" },
  Unauthorized: {
    kind: "permanent",
    reason: "auth",
    next: "check the access key, and grant it, or the RAM role, log:PostLogStoreLogs on the Logstore",
  },
  ProjectNotExist: {
    kind: "permanent",
    reason: "config",
    next: "check `project`, and that it is in the region of `region_id` or the endpoint",
  },
  ProjectForbidden: { kind: "permanent", reason: "config", next: "the project is disabled" },
  LogStoreNotExist: {
    kind: "permanent",
    reason: "config",
    next: "check `log_store`; it must exist",
  },
  InvalidHost: { kind: "permanent", reason: "config", next: "check the endpoint and `project`" },
  InvalidTimestamp: {
    kind: "permanent",
    reason: "rejected",
    next: "Log Service takes what is at most 7 days old",
  },
  PostBodyTooLarge: { kind: "permanent", reason: "tooLarge", next: "" },
  PostBodyInvalid: { kind: "permanent", reason: "rejected", next: "" },
  PostBodyUncompressError: { kind: "permanent", reason: "rejected", next: "" },
  InvalidEncoding: { kind: "permanent", reason: "rejected", next: "" },
  InvalidKey: { kind: "permanent", reason: "rejected", next: "check the names in `label`" },
  WriteQuotaExceed: { kind: "throttled", retryAfterMs: null, next: "" },
  ShardWriteQuotaExceed: {
    kind: "throttled",
    retryAfterMs: null,
    next: "split the Logstore's shards where it stays so",
  },
  ServerBusy: { kind: "retryable", reason: "server", next: "" },
  InternalServerError: { kind: "retryable", reason: "server", next: "" },
  RequestTimeout: { kind: "retryable", reason: "timeout", next: "" },
};

/** Success has no body: what tells it from a stranger's is the ID that Log Service gives to every request. */
export function saidBy(answer: HttpAnswer): Said {
  const fields = fieldsOf(answer.json);
  const code = codeOf(fields?.["errorCode"]);
  const text = codeOf(fields?.["errorMessage"]) ?? "";
  return { code, ok: code === null && answer.headers["x-log-requestid"] !== undefined, text };
}

/** Temporary credentials are no longer good: "The security token you provided has expired", or its key is unknown by now. */
export function hasEnded(answer: HttpAnswer): boolean {
  const { code, text } = saidBy(answer);
  if (code === "InvalidAccessKeyId") return true;
  return code === "Unauthorized" && /security token|accesskeyid not found/i.test(text);
}

export function verdictOf(answer: HttpAnswer, now: number): Verdict {
  // Two sentences of one quota: https://help.aliyun.com/document_detail/92571.html
  const isQuota = answer.status === 403 && /quota|qps/i.test(answer.text);
  const said = saidBy(answer);
  const known = said.code !== null && CODES[said.code] !== undefined;
  const meant = isQuota && !known ? { ...said, code: "WriteQuotaExceed" } : said;
  return verdictOn({ accept: () => bodyVerdict(answer, meant, CODES) }, answer, now);
}
