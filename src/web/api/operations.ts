import { type Field, FIELDS } from "../../history/parse.ts";
import { GRAFANA } from "./grafana/operations.ts";
import * as requests from "./requests.ts";
import * as schemas from "./schemas.ts";
import type { z } from "../../sink/schema.ts";

/** One call of the API. Its description is made from these, and the routes are tested against them. */
export interface Operation {
  readonly id: string;
  readonly method: "get" | "post";
  /** With `{name}` for what stands in the path. */
  readonly path: string;
  readonly summary: string;
  /** Fields of a query that count. */
  readonly fields: readonly Field[];
  /** Of fields that mean something else here: what, and an example. */
  readonly says?: Readonly<Partial<Record<Field, readonly [what: string, example: string]>>>;
  readonly answer: z.ZodType | null;
  /** Content type of an answer that is no JSON. */
  readonly stream?: string;
  /** What is sent, as JSON. */
  readonly body?: z.ZodType;
  /** More than the summary says, for the description. */
  readonly notes?: string;
  /** How it is asked from a shell, with the page's address in PAGE and a token in TOKEN. */
  readonly example?: string;
  /** It has no ETag. */
  readonly unweighed?: true;
  readonly problems: readonly (400 | 403 | 404 | 409 | 429 | 503)[];
}

const FILTER = (Object.keys(FIELDS) as Field[]).filter(
  (field) => !["limit", "cursor", "by", "step", "top"].includes(field),
);

const ASK = 'curl --fail-with-body -H "Authorization: Bearer $TOKEN"';
const ANY_OF = "A list is several values with commas between them, any of which fits.";

export const OPERATIONS: readonly Operation[] = [
  {
    id: "listEvents",
    method: "get",
    path: "/api/v1/events",
    summary: "Events and who was told of them, newest first, a page at a time",
    example: `${ASK} "$PAGE/api/v1/events?ns=shop&type=Warning&since=2h&limit=20"`,
    fields: [...FILTER, "limit", "cursor"],
    answer: schemas.eventPage,
    notes: `${ANY_OF} \`next\` is the cursor of the next page. An answer takes 1.5 seconds at most: where the question is too wide for it, \`refine\` says how far it was looked, and \`next\` goes on from there.`,
    problems: [400, 403, 429, 503],
  },
  {
    id: "getEvent",
    method: "get",
    path: "/api/v1/events/{id}",
    summary: "One event with its occurrences, and the events of its object",
    notes: "The id of an event holds a slash, which is `%2F` in a path.",
    fields: [],
    answer: schemas.story,
    problems: [404, 429, 503],
  },
  {
    id: "getTimeline",
    method: "get",
    path: "/api/v1/timeline",
    summary: "Counts over time, by one dimension",
    example: `${ASK} "$PAGE/api/v1/timeline?since=24h&by=reason&step=1h"`,
    fields: [...FILTER, "by", "step", "top"],
    answer: schemas.timeline,
    notes: `${ANY_OF} \`exact\` is false where words were counted by the index alone.`,
    problems: [400, 403, 429, 503],
  },
  {
    id: "followEvents",
    method: "get",
    path: "/api/v1/tail",
    summary:
      "What arrives, as server-sent events: `event: event`, each with one EventRow. `mark` is a sign of life. `gap`: not everything is here, `cause` says why (`slow`, `missed`). `end`: not allowed any more. With `Last-Event-ID` it goes on from there; what is given again has the same `id`",
    example: `${ASK} --no-buffer "$PAGE/api/v1/tail?type=Warning"`,
    fields: FILTER.filter((field) => !["since", "from", "to"].includes(field)),
    answer: schemas.eventRow,
    stream: "text/event-stream",
    problems: [400, 403, 429, 503],
  },
  {
    id: "listDeliveries",
    method: "get",
    path: "/api/v1/deliveries",
    summary: "Deliveries that are pending or dead (`state`), newest first",
    example: `${ASK} "$PAGE/api/v1/deliveries?state=dead&sink=ops"`,
    fields: ["state", "sink", "limit", "cursor"],
    says: {
      state: ["pending or dead; without it dead", "dead"],
      sink: ["owed to this one sink", "ops"],
      cursor: [FIELDS.cursor[0], "4711"],
    },
    answer: schemas.deliveryPage,
    problems: [400, 403, 429, 503],
  },
  {
    id: "retryDelivery",
    method: "post",
    path: "/api/v1/deliveries/{id}/retry",
    summary: "Owes a dead letter again",
    notes: "Takes the right to change deliveries; who did it is in the audit trail.",
    example: `${ASK} -X POST "$PAGE/api/v1/deliveries/$ID/retry"`,
    fields: [],
    answer: null,
    problems: [403, 404, 409, 503],
  },
  {
    id: "discardDelivery",
    method: "post",
    path: "/api/v1/deliveries/{id}/discard",
    summary: "Takes a dead letter off the list for good",
    notes: "Takes the right to change deliveries; who did it is in the audit trail.",
    fields: [],
    answer: null,
    problems: [403, 404, 409, 503],
  },
  {
    id: "listSinks",
    method: "get",
    path: "/api/v1/sinks",
    summary: "What each sink's worker is doing now",
    notes: "While the store cannot be read, what it counts is null and the rest is there.",
    fields: [],
    answer: schemas.sinkList,
    problems: [403, 429, 503],
  },
  {
    id: "getConfiguration",
    method: "get",
    path: "/api/v1/config",
    summary: "The effective configuration, redacted, with where each option is from",
    fields: [],
    answer: schemas.configuration,
    problems: [403, 503],
  },
  {
    id: "explainStored",
    method: "get",
    path: "/api/v1/explain/{id}",
    summary:
      "The whole path of a stored event, or of what a delivery (by its id) tells: filters, sinks, attempts, answers",
    example: `${ASK} "$PAGE/api/v1/explain/$ID"`,
    notes: "The id of an event holds a slash, which is `%2F` in a path.",
    fields: [],
    answer: schemas.decision,
    problems: [404, 503],
  },
  {
    id: "explainEvent",
    method: "post",
    path: "/api/v1/explain",
    summary: "Who would be told of an event by this configuration, and why; nothing is sent",
    example: `kubectl -n shop get event "$EVENT" -o json |\n  ${ASK} -H "Content-Type: application/json" --data-binary @- "$PAGE/api/v1/explain"`,
    fields: [],
    answer: schemas.explanation,
    body: requests.kubernetesEvent,
    problems: [400, 403],
  },
  {
    id: "previewTemplate",
    method: "post",
    path: "/api/v1/templates/preview",
    summary: "What a template makes of an event, in both languages; nothing is sent",
    example: `${ASK} -H "Content-Type: application/json" \\\n  -d '{"sink":"ops","text":"{{#*inline \\"title\\"}}{{reason}}: {{title}}{{/inline}}"}' "$PAGE/api/v1/templates/preview"`,
    fields: [],
    answer: schemas.preview,
    body: requests.previewRequest,
    problems: [400, 404, 429, 503],
  },
  {
    id: "whoAmI",
    method: "get",
    path: "/api/v1/whoami",
    summary: "Who the caller is, and how they proved it",
    fields: [],
    answer: schemas.whoami,
    unweighed: true,
    problems: [],
  },
  {
    id: "describe",
    method: "get",
    path: "/api/v1/openapi.json",
    summary: "This description, for programs",
    fields: [],
    answer: schemas.description,
    problems: [],
  },
  ...GRAFANA,
];

/** The operations of a path, whatever the method. */
export function operationsAt(path: string): readonly Operation[] {
  return OPERATIONS.filter((operation) => fits(operation.path, path));
}

/** `{name}` stands for one part of a path. What is spelled out wins over it, as in the router. */
function fits(template: string, path: string): boolean {
  const parts = template.split("/");
  const given = path.split("/");
  return (
    parts.length === given.length &&
    parts.every((part, index) =>
      part.startsWith("{") ? given[index] !== "" : part === given[index],
    )
  );
}
