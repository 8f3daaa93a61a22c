import {
  type AnswerSample,
  accepted,
  fieldsOf,
  type HttpAnswer,
  permanent,
  retryable,
  statusVerdict,
  type Verdict,
} from "../../src/sink/index.ts";

const API_V1 = "https://docs.influxdata.com/influxdb/v1/tools/api/#write-http-endpoint";
const API_V2 = "https://docs.influxdata.com/influxdb/v2/write-data/troubleshoot/";
const LIMITS =
  "https://docs.influxdata.com/influxdb/v1/troubleshooting/errors/#max-values-per-tag-limit-exceeded";
const HANDLER = "influxdata/influxdb, services/httpd/handler.go, serveWrite";

/** What the server says → what a person should do about it. */
const HINTS: readonly (readonly [RegExp, "auth" | "config" | "rejected", string])[] = [
  [
    /database not found|database is required/i,
    "config",
    "create it (CREATE DATABASE), or check `db`",
  ],
  [/retention policy not found/i, "config", "check `retentionPolicy`"],
  [/bucket .*not found/i, "config", "create the bucket, or check `bucket`"],
  [/organization .*not found/i, "config", "check `org`"],
  [
    /max-values-per-tag limit exceeded/i,
    "config",
    "each event has a `uid` tag of its own: set `series` to kind, or max-values-per-tag = 0 in the server's [data]",
  ],
  [
    /max-series-per-database limit exceeded|max series per database/i,
    "config",
    "each event is a series of its own: set `series` to kind, or max-series-per-database = 0 in the server's [data], or keep events for a shorter time",
  ],
  [
    /beyond retention policy/i,
    "rejected",
    "the event is older than what the database keeps; nothing is to be done",
  ],
  [
    /field type conflict/i,
    "rejected",
    "something else writes this field with another type: give the events a database of their own",
  ],
];

/** The status first; then what the words add to it. */
export function judge(answer: HttpAnswer): Verdict {
  if (answer.status >= 200 && answer.status < 300)
    // A server of InfluxDB's kind has nothing to show: a page, or what cannot be read, is somebody's in between, and nothing was written.
    return /^\s*[<(]/.test(answer.text)
      ? retryable(
          "server",
          `HTTP ${answer.status}, but not InfluxDB's own answer: ${answer.text.slice(0, 120)}`,
        )
      : accepted;
  const verdict = statusVerdict(answer);
  if (verdict.kind === "accepted" || verdict.kind === "throttled") return verdict;
  const words = wordsOf(answer);
  const detail = `HTTP ${answer.status}${words === "" ? "" : `: ${words.slice(0, 200)}`}`;
  const hint = HINTS.find(([pattern]) => pattern.test(words));
  if (hint !== undefined) return permanent(hint[1], `${detail}; ${hint[2]}`);
  if (verdict.kind === "retryable") return retryable(verdict.reason, detail);
  return permanent(verdict.reason, `${detail}${nextStep(verdict.reason)}`);
}

function nextStep(reason: string): string {
  if (reason === "auth")
    return "; check `user` and `pw` (`token` for InfluxDB 2), and that they may write there";
  return reason === "tooLarge"
    ? "; raise max-body-size in the server's [http], or the limit of what stands before it"
    : "";
}

/** `error` is InfluxDB 1's word, `message` InfluxDB 2's; a header has it where the body was lost. */
function wordsOf(answer: HttpAnswer): string {
  const fields = fieldsOf(answer.json);
  for (const said of [fields?.["error"], fields?.["message"], answer.headers["x-influxdb-error"]])
    if (typeof said === "string" && said !== "") return said;
  return answer.text;
}

const sample = (
  name: string,
  status: number,
  body: unknown,
  expect: Verdict["kind"],
  source: string,
): AnswerSample => ({ name, status, body, expect, source });

export const SAMPLES: readonly AnswerSample[] = [
  sample("written", 204, undefined, "accepted", API_V1),
  sample("unreadable", 400, { error: "unable to parse 'x': bad" }, "permanent", API_V1),
  sample(
    "a field of another type",
    400,
    { error: 'partial write: field type conflict: input field "value" is type string dropped=1' },
    "permanent",
    API_V1,
  ),
  sample(
    "too many tag values",
    400,
    { error: "partial write: max-values-per-tag limit exceeded (100000/100000)" },
    "permanent",
    LIMITS,
  ),
  sample("no such user", 401, { error: "authorization failed" }, "permanent", API_V1),
  sample(
    "no right to write",
    403,
    { error: '"root" user is not authorized to write to database "k8s"' },
    "permanent",
    HANDLER,
  ),
  sample("no database", 404, { error: 'database not found: "k8s"' }, "permanent", API_V1),
  sample("too large", 413, { error: "Request Entity Too Large" }, "permanent", HANDLER),
  sample(
    "a policy that is not there",
    500,
    { error: "retention policy not found: x" },
    "permanent",
    HANDLER,
  ),
  sample("a server in trouble", 500, { error: "timeout" }, "retryable", API_V1),
  sample(
    "InfluxDB 2: a wrong token",
    401,
    { code: "unauthorized", message: "unauthorized access" },
    "permanent",
    API_V2,
  ),
  sample(
    "InfluxDB 2: no bucket",
    404,
    { code: "not found", message: 'bucket "events" not found' },
    "permanent",
    API_V2,
  ),
  sample(
    "InfluxDB 2: older than what is kept",
    422,
    {
      code: "unprocessable entity",
      message:
        "failure writing points to database: partial write: points beyond retention policy dropped=1",
    },
    "permanent",
    API_V2,
  ),
  {
    name: "InfluxDB 2: too many writes",
    status: 429,
    headers: { "retry-after": "3" },
    body: { code: "too many requests", message: "org has exceeded limited_write plan limit" },
    expect: "throttled",
    source: API_V2,
  },
  sample("InfluxDB 2: overloaded", 503, { code: "unavailable", message: "" }, "retryable", API_V2),
];
