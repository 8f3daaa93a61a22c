import {
  bodyVerdict,
  clip,
  codeOf,
  type CodeTable,
  cut,
  defineHttpSink,
  fieldsOf,
  type HttpAnswer,
  type KubeEvent,
  occurrenceOf,
  s,
  type Verdict,
} from "../src/sink/index.ts";

const DOCS = "https://docs.honeycomb.io/api/events/create-events";
const ERRORS = "https://docs.honeycomb.io/api/errors";
const RATE_LIMIT = "https://docs.honeycomb.io/api/rate-limit";
/** Their own clients hold an event to this; the API's own word is 1 MB, and 100,000 bytes where it refuses. */
const EVENT_BYTES = 100_000;
/** What their own clients put into one request. */
const BATCH_EVENTS = 50;
const BATCH_BYTES = 5_000_000;
/** Names are bounded by Kubernetes; what is longer was made up by somebody. */
const FIELD = { max: 1024, unit: "bytes" } as const;

const CODES: CodeTable = {
  "400": {
    kind: "permanent",
    reason: "rejected",
    next: "the event was refused for what is in it; the history has it as it was sent",
  },
  "401": {
    kind: "permanent",
    reason: "auth",
    next: "check writekey, and that apihost is of the region of your team (api.honeycomb.io or api.eu1.honeycomb.io)",
  },
  "403": {
    kind: "permanent",
    reason: "auth",
    next: "give the key the permission “Send Events” (and “Create Datasets” for a new one), or see in your team's usage whether it is throttled for its plan",
  },
  "404": {
    kind: "permanent",
    reason: "config",
    next: "create the dataset, or let the key create datasets; and check the path of apihost",
  },
  "413": { kind: "permanent", reason: "tooLarge", next: "" },
  // They say no time here, as the documentation has it.
  "429": {
    kind: "throttled",
    retryAfterMs: null,
    next: "lower what is sent by a filter, or raise the plan's limit",
  },
};

export default defineHttpSink({
  type: "honeycomb",
  title: "Honeycomb",
  summary:
    "A dataset in Honeycomb: one event for each occurrence, in batches, each with an answer of its own.",
  docs: DOCS,
  facts: {
    kind: "observability",
    auth: "ingest key",
    idempotency: "none: Honeycomb stores what is sent again",
    batch: "50 events a request; a verdict for each",
    testedAgainst: "a server that goes by the documentation: key, size, partial failure",
  },
  options: s
    .object({
      apiHost: s
        .secretUrl(
          {
            description:
              "Where the API is: that of your team's region, or your own Refinery, to which http is allowed.",
            example: "https://api.eu1.honeycomb.io",
          },
          true,
        )
        .prefault("https://api.honeycomb.io"),
      writekey: s.headerSecret({
        description: "An ingest key, or a configuration key that may send events.",
        example: "hcaik_…",
        aliases: ["apiKey"],
        env: "HONEYCOMB_WRITEKEY",
      }),
      dataset: s
        .text({ description: "The dataset; Honeycomb creates it where the key may." })
        .default("heapster"),
    })
    .superRefine(({ dataset }, ctx) => {
      const problem =
        dataset.trim() === "" ? "is empty" : dataset.includes("/") ? "has a slash in it" : null;
      if (problem !== null)
        ctx.addIssue({
          code: "custom",
          path: ["dataset"],
          message: `${problem}; expected the name of a dataset`,
        });
    }),
  defaultLevel: "Normal",
  isRecord: true,
  uri: { target: "apiHost", keep: [] },
  example: {
    uri: "honeycomb:https://api.eu1.honeycomb.io?dataset=kubernetes-events&writekey=fedcba9876543210",
    yaml: {
      apiHost: "https://api.eu1.honeycomb.io",
      writekey: "fedcba9876543210",
      dataset: "kubernetes-events",
    },
  },
  // A record is in the event's own words.
  blocks: () => ({}),
  limits: () => ({
    rates: [],
    concurrency: 4 * BATCH_EVENTS,
    body: { max: EVENT_BYTES, unit: "bytes" },
    blocks: {},
    throttledMs: 30_000,
  }),
  request: ({ apiHost, writekey, dataset }, message) => {
    const event = occurrenceOf(message);
    if (event === null) throw new Error("a digest is no occurrence");
    const whole = bodyOf(event);
    const body =
      Buffer.byteLength(whole) <= EVENT_BYTES
        ? whole
        : bodyOf({ ...event, message: clip(event.message, EVENT_BYTES / 8) });
    return {
      method: "POST",
      url: `${apiHost.reveal().replace(/\/+$/, "")}/1/batch/${encodeURIComponent(dataset.trim())}`,
      headers: { "content-type": "application/json", "x-honeycomb-team": writekey.reveal() },
      body,
    };
  },
  accept: judged,
  batch: {
    max: BATCH_EVENTS,
    bytes: BATCH_BYTES,
    join: (bodies) => `[${bodies.map((body) => body.slice(1, -1)).join(",")}]`,
    split: (answer, count) => {
      const { json } = answer;
      if (answer.status >= 300 || !Array.isArray(json) || json.length !== count) return null;
      return json.map((one: unknown) => ({ ...answer, json: [one], text: JSON.stringify([one]) }));
    },
  },
  samples: [
    { name: "queued", status: 200, body: [{ status: 202 }], expect: "accepted", source: DOCS },
    {
      name: "an event with too many columns",
      status: 200,
      body: [{ status: 400, error: "Event has too many columns." }],
      expect: "permanent",
      source: DOCS,
    },
    {
      name: "an event dropped for the rate limit",
      status: 200,
      body: [{ status: 429, error: "Event dropped due to rate limiting" }],
      expect: "throttled",
      source: DOCS,
    },
    {
      name: "an event that a server of theirs could not take",
      status: 200,
      body: [{ status: 500, error: "internal error" }],
      expect: "retryable",
      source: DOCS,
    },
    {
      name: "a key nobody knows",
      status: 401,
      body: { error: "unknown API key - check your credentials" },
      expect: "permanent",
      source: ERRORS,
    },
    {
      name: "a dataset that is not there",
      status: 404,
      body: { status: 404, title: "…", error: "Dataset not found", detail: "Dataset not found" },
      expect: "permanent",
      source: ERRORS,
    },
    {
      name: "too many requests",
      status: 429,
      body: { status: 429, error: "You have exceeded your rate limit." },
      expect: "throttled",
      source: RATE_LIMIT,
    },
  ],
  refusesWith200: true,
});

/** kube-eventer's fields by its names, then what it left out; and the time under the name the API reads, which kube-eventer missed. */
function bodyOf(event: KubeEvent): string {
  const { object, reporter } = event;
  const name = (text: string | null) => cut(text ?? "", FIELD);
  const data = {
    namespace: name(object.namespace),
    kind: name(object.kind),
    name: name(object.name),
    subobject: name(object.fieldPath),
    "source.component": name(reporter.component),
    "source.host": name(reporter.host),
    count: event.count,
    type: name(event.type),
    reason: name(event.reason),
    message: event.message,
    cluster: name(event.cluster),
    action: name(event.action),
    first_seen: event.firstSeen,
    object_uid: name(object.uid),
    // What came twice, for an answer was lost, is known by these two: Honeycomb itself keeps both.
    event_id: name(event.uid),
    resource_version: name(event.resourceVersion),
  };
  return JSON.stringify([{ time: event.lastSeen, data }]);
}

/** What the API says of the one event of a request: in an array inside HTTP 200, or of the whole request by its status. */
function judged(answer: HttpAnswer): Verdict {
  const { status, json } = answer;
  if (status < 200 || status >= 300) {
    const problem = fieldsOf(json);
    const words = [problem?.["error"], problem?.["detail"]].flatMap((one) => codeOf(one) ?? []);
    const text = words.length === 0 ? answer.text : [...new Set(words)].join(" ");
    return bodyVerdict(answer, { code: String(status), ok: false, text }, CODES);
  }
  const one = Array.isArray(json) && json.length === 1 ? fieldsOf(json[0]) : null;
  const code = codeOf(one?.["status"]);
  const text = codeOf(one?.["error"]) ?? "";
  const inner = Number(code ?? status);
  return bodyVerdict({ ...answer, status: inner, text }, { code, ok: code === "202", text }, CODES);
}
