import type { z } from "../../../sink/schema.ts";
import type { EventPage, EventRow, Refine, Timeline } from "../../../history/history.ts";
import { severityOf } from "../../../event/severity.ts";
import type { grafanaAnswer } from "./contract.ts";

type Answer = z.output<typeof grafanaAnswer>[number];
type Column = readonly [
  name: string,
  type: "time" | "string" | "number",
  cell: (row: EventRow) => string | number | null,
];

const told = ({ deliveries }: EventRow): string =>
  deliveries.map(({ sink, state }) => `${sink}: ${state}`).join(", ");
const place = ({ event: { object } }: EventRow): string =>
  `${object.namespace === null ? "" : `${object.namespace}/`}${object.kind} ${object.name}`;

/** `id` is for a link to the event's page. */
const COLUMNS: readonly Column[] = [
  ["time", "time", ({ at }) => at],
  ["type", "string", ({ event }) => event.type],
  ["severity", "string", ({ event }) => severityOf(event)],
  ["reason", "string", ({ event }) => event.reason],
  ["namespace", "string", ({ event }) => event.object.namespace],
  ["kind", "string", ({ event }) => event.object.kind],
  ["name", "string", ({ event }) => event.object.name],
  ["count", "number", ({ event }) => event.count],
  ["message", "string", ({ event }) => event.message],
  ["told", "string", told],
  ["suppressed", "string", ({ suppressed }) => suppressed],
  ["cluster", "string", ({ event }) => event.cluster],
  ["id", "string", ({ id }) => id],
];

/** By these names Grafana finds the parts of an annotation. Its text is taken for markup there: an Event's is anybody's. */
const ANNOTATION: readonly Column[] = [
  ["time", "time", ({ at }) => at],
  ["title", "string", (row) => plain(`${row.event.reason} ${place(row)}`)],
  ["text", "string", ({ event }) => plain(event.message)],
  [
    "tags",
    "string",
    ({ event }) =>
      [event.type, event.reason, event.object.namespace ?? ""]
        .filter((tag) => tag !== "")
        .map((tag) => plain(tag).replaceAll(",", " "))
        .join(","),
  ],
  ["id", "string", ({ id }) => id],
];

export function tableOf(page: EventPage, refId: string | undefined): Answer {
  return tableBy(COLUMNS, page, refId);
}

export function annotationsOf(page: EventPage, refId: string | undefined): Answer {
  return tableBy(ANNOTATION, page, refId);
}

export function seriesOf(
  { series, from, step, refine }: Timeline,
  refId: string | undefined,
): Answer[] {
  return series.map(({ value, counts }) => ({
    target: value ?? "other",
    ...(refId === undefined ? {} : { refId }),
    datapoints: counts.map((count, bar): [number, number] => [count, from + bar * step]),
    ...metaOf(refine, false),
  }));
}

function tableBy(
  columns: readonly Column[],
  { rows, next, refine }: EventPage,
  refId: string | undefined,
): Answer {
  return {
    type: "table",
    ...(refId === undefined ? {} : { refId }),
    columns: columns.map(([text, type]) => ({ text, type })),
    rows: rows.map((row) => columns.map(([, , cell]) => cell(row))),
    ...metaOf(refine, next !== null),
  };
}

/** What Grafana writes at the panel where it is not all. */
function metaOf(refine: Refine | null, more: boolean): Pick<Answer, "meta"> {
  if (refine === null && !more) return {};
  const text =
    refine === null
      ? "There are older events: raise `limit`, or narrow the time."
      : refine.cause === "indexing"
        ? "Older events are still being indexed."
        : "Not all could be looked at in time: narrow the time, or add a filter.";
  return { meta: { notices: [{ severity: "warning", text }] } };
}

const plain = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
