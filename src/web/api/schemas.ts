import { DELIVERY_STATES } from "../../event/delivery.ts";
import { DROP_REASONS, FAILURE_REASONS } from "../../event/reason.ts";
import { z } from "../../sink/schema.ts";

/** What the API answers, as schemas: the description of the API is made from them, and its tests hold the answers against them. */

const time = (what: string) => z.iso.datetime().describe(`${what}, ISO 8601 in UTC`);
const keysOf = <T extends string>(of: Readonly<Record<T, unknown>>) =>
  Object.keys(of) as unknown as readonly [T, ...T[]];

const objectRef = z.object({
  kind: z.string(),
  apiVersion: z.string().nullable(),
  namespace: z.string().nullable().describe("null for cluster-scoped objects"),
  name: z.string(),
  uid: z.string().nullable(),
  fieldPath: z.string().nullable(),
});

export const kubeEvent = z
  .object({
    key: z.string().describe("UID@COUNT: one occurrence of one Event"),
    uid: z.string(),
    resourceVersion: z.string(),
    eventName: z.string(),
    eventNamespace: z.string().describe("the namespace the Event is stored in"),
    cluster: z.string(),
    type: z.string(),
    reason: z.string(),
    message: z.string(),
    action: z.string().nullable(),
    object: objectRef,
    related: objectRef.nullable(),
    reporter: z.object({
      component: z.string().nullable(),
      host: z.string().nullable(),
      instance: z.string().nullable(),
    }),
    count: z.int().min(1),
    firstSeen: z.string(),
    lastSeen: z.string(),
    core: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: "Event", description: "One occurrence of a Kubernetes Event" });

export const delivery = z
  .object({
    id: z.string(),
    sink: z.string(),
    state: z.enum(DELIVERY_STATES),
    attempts: z.int().min(0).describe("that failed"),
    owedAt: time("when it was owed"),
    settledAt: time("when it ended").nullable(),
    notBefore: time("when it is tried next, while pending"),
    reason: z.enum(keysOf(FAILURE_REASONS)).nullable(),
    detail: z.string().nullable(),
    answer: z.string().nullable().describe("what the platform answered"),
    foldedInto: z.string().nullable().describe("the delivery of the digest that told it"),
    about: z
      .object({
        kind: z.enum(["event", "digest", "gap"]),
        event: z.string().nullable().describe("the id of the event, where it is of one"),
      })
      .describe("what it tells"),
  })
  .meta({ id: "Delivery", description: "One alert owed to one sink" });

export const eventRow = z
  .object({
    id: z.string(),
    at: time("when it was last seen"),
    receivedAt: time("when it arrived here"),
    event: kubeEvent,
    suppressed: z.enum(keysOf(DROP_REASONS)).nullable().describe("why it is owed to nobody"),
    deliveries: z.array(delivery),
  })
  .meta({ id: "EventRow", description: "An event, and who was told" });

export const refine = z
  .object({
    cause: z.enum(["deadline", "indexing"]),
    since: time("nothing older than this was looked at").nullable(),
  })
  .meta({ id: "Refine", description: "Why an answer is a part: narrow the query, or look on" });

export const eventPage = z
  .object({
    events: z.array(eventRow).describe("newest first"),
    next: z.string().nullable().describe("the cursor of the next page"),
    refine: refine.nullable(),
    troubles: z
      .array(z.string())
      .describe(
        "what does not work now, a line each, as the page says it; where the ledger cannot be read, `events` are the newest that memory has",
      ),
  })
  .meta({ id: "EventPage" });

export const timeline = z
  .object({
    from: time("the beginning of the first bar"),
    to: time("the end of the last"),
    stepMs: z.int(),
    total: z.int(),
    exact: z.boolean(),
    series: z.array(
      z.object({
        value: z.string().nullable().describe("null: all the others"),
        total: z.int(),
        counts: z.array(z.int()).describe("one for each bar"),
      }),
    ),
    refine: refine.nullable(),
  })
  .meta({ id: "Timeline" });

const brief = z.object({
  id: z.string(),
  at: time("when it was last seen"),
  type: z.string(),
  reason: z.string(),
  message: z.string(),
  count: z.int(),
});

export const story = z
  .object({
    event: eventRow,
    occurrences: z.array(brief).describe("other counts of the same Event, newest first"),
    object: z.array(brief).describe("other events of the same object, newest first"),
  })
  .meta({ id: "EventStory" });

export const deliveryPage = z
  .object({ deliveries: z.array(delivery), next: z.string().nullable() })
  .meta({ id: "DeliveryPage" });

export const sinkStatus = z
  .object({
    name: z.string(),
    type: z.string(),
    state: z.enum(["open", "paused", "broken"]),
    until: time("when it goes on or tries again").nullable(),
    pending: z.int().nullable(),
    dead: z.int().nullable(),
    capped: z.boolean().describe("there are more than were counted"),
    oldestOwedAt: time("since when the oldest is owed").nullable(),
    inFlight: z.int(),
    budget: z.object({ left: z.int(), count: z.int(), perMs: z.int() }).nullable(),
    latencyMs: z.object({ p50: z.number(), p99: z.number() }).nullable(),
    lastError: z.object({ at: time("when"), reason: z.string(), detail: z.string() }).nullable(),
  })
  .meta({ id: "Sink", description: "What a sink's worker is doing now" });

export const sinkList = z.object({ sinks: z.array(sinkStatus) }).meta({ id: "SinkList" });

const filterTest = z.object({
  list: z.string(),
  found: z.string(),
  wanted: z.array(z.string()),
  matched: z.string().nullable(),
  passed: z.boolean(),
});

export const explanation = z
  .object({
    event: kubeEvent,
    canary: z.boolean().describe("filters are not asked about it"),
    global: z.array(filterTest),
    passed: z.boolean(),
    sinks: z.array(
      z.object({
        sink: z.string(),
        type: z.string(),
        tests: z.array(filterTest),
        passed: z.boolean(),
        owed: z.boolean(),
        allowance: z
          .object({
            rates: z.array(z.object({ count: z.int(), perMs: z.int() })),
            excess: z.enum(["digest", "waits"]).describe("what becomes of more than that"),
          })
          .describe("how much the sink may be told in a time"),
      }),
    ),
  })
  .meta({
    id: "Explanation",
    description: "Who is told of an event by this configuration, and why",
  });

export const configuration = z
  .object({
    cluster: z.string(),
    options: z.array(
      z.object({
        section: z.string().describe("global, sources[N], filter or sinks.NAME"),
        name: z.string(),
        value: z.string().nullable().describe("as one would write it; secrets are <redacted>"),
        where: z
          .string()
          .nullable()
          .describe("file:line:column, a flag or a variable; null: default"),
        referred: z.boolean().describe("from the environment or a secret file"),
        about: z.string(),
      }),
    ),
  })
  .meta({ id: "Configuration", description: "What counts, and where it comes from" });

const attempt = z.object({
  at: time("when it ended"),
  tookMs: z.number().nullable(),
  reason: z.enum(keysOf(FAILURE_REASONS)),
  detail: z.string().describe("the platform's answer, or what stood in its way"),
});

export const decision = z
  .object({
    kind: z.enum(["event", "digest", "gap"]),
    id: z.string().nullable().describe("of the event"),
    explanation: explanation
      .nullable()
      .describe("by the configuration of now; null for a digest or a gap"),
    receivedAt: time("when it arrived here").nullable(),
    suppressed: z.enum(keysOf(DROP_REASONS)).nullable().describe("why it is owed to nobody"),
    deliveries: z.array(
      delivery.extend({
        tookMs: z.number().nullable().describe("how long the attempt took that delivered it"),
        tries: z.array(attempt).describe("attempts that failed: the first, and the last ones"),
      }),
    ),
    differences: z
      .array(z.object({ sink: z.string(), what: z.enum(["owedThen", "owedNow", "gone"]) }))
      .describe("where the ledger has it otherwise: the configuration was another one then"),
    occurrences: z.array(brief).describe("other counts of the same Event, newest first"),
    folded: z.array(brief).describe("what a digest tells of, the newest of it"),
  })
  .meta({ id: "Decision", description: "How it was decided, and what became of it" });

export const preview = z
  .object({
    issues: z
      .array(z.object({ where: z.string(), message: z.string(), hint: z.string().nullable() }))
      .describe("what is wrong with the template; then there are no looks"),
    warnings: z.array(z.string()),
    looks: z.array(
      z.object({
        lang: z.enum(["en", "zh"]),
        html: z.string().nullable().describe("as the chat shows it; null: the sink is no chat"),
        text: z.string().describe("what would be sent, secrets taken out"),
        problem: z.string().nullable().describe("why it cannot be sent; null: it can"),
      }),
    ),
  })
  .meta({ id: "Preview", description: "What a template makes of an event; nothing is sent" });

export const whoami = z
  .object({
    name: z.string(),
    groups: z.array(z.string()),
    email: z.string().nullable(),
    by: z.enum(["kubernetes", "proxy", "tokenFile", "loopback"]).describe("how it was proven"),
    csrf: z
      .string()
      .nullable()
      .describe("for the header X-CSRF-Token of a change; null: a token of their own needs none"),
  })
  .meta({ id: "Caller" });

export const description = z
  .looseObject({ openapi: z.string().describe("3.1.0") })
  .meta({ id: "Description", description: "An OpenAPI document" });

export const problem = z
  .object({
    error: z.string(),
    status: z.int(),
    fields: z
      .array(
        z.object({
          field: z.string(),
          found: z.string(),
          expected: z.string(),
          example: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: "Problem", description: "What was found, what was expected, and the next step" });
