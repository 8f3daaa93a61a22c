import { createHash } from "node:crypto";
import { cut, GAP_CAUSES, type KubeEvent, measure, type Message } from "../../src/sink/index.ts";
import { representable } from "./charset.ts";
import type { Row } from "./columns.ts";
import type { Layout, WriteColumn } from "./layout.ts";
import { dateTime, goText } from "./time.ts";

/** What a table keeps of an alert; `null` for a digest: it tells of events that have rows of their own. */
export function rowOf({ id, alert }: Pick<Message, "id" | "alert">): Row | null {
  switch (alert.kind) {
    case "event":
      return eventRow(alert.event);
    case "digest":
      return null;
    case "gap":
      return {
        cluster: alert.cluster,
        event_id: id,
        namespace: "",
        kind: "Cluster",
        name: alert.cluster,
        type: "Warning",
        reason: "HistoryGap",
        message: `Events between ${alert.since} and ${alert.until} could not be seen: ${GAP_CAUSES[alert.cause]}.`,
        first_occurrence_time: alert.since,
        last_occurrence_time: alert.until,
        count: 1,
        component: "kube-crier",
        host: "",
        object_uid: "",
      };
  }
}

function eventRow(event: KubeEvent): Row {
  const { object, reporter } = event;
  return {
    cluster: event.cluster,
    event_id: event.uid,
    namespace: object.namespace ?? "",
    kind: object.kind,
    name: object.name,
    type: event.type,
    reason: event.reason,
    message: event.message,
    first_occurrence_time: event.firstSeen,
    last_occurrence_time: event.lastSeen,
    count: event.count,
    component: reporter.component ?? "",
    host: reporter.host ?? "",
    object_uid: object.uid ?? "",
  };
}

/** A row as one table takes it. */
export interface Encoded {
  /** In the order of the layout's columns. */
  readonly values: readonly string[];
  /** What may stand in the table once. */
  readonly key: string;
  readonly eventId: string;
  readonly lastMs: number;
  /** Fields whose text did not fit. */
  readonly cut: readonly string[];
}

export function encode(row: Row, layout: Layout): Encoded {
  const short: string[] = [];
  let eventId = "";
  let last = "";
  const values = layout.columns.map((column) => {
    const value = valueOf(row, column);
    if (column.field === "event_id") eventId = value;
    else if (column.field === "last_occurrence_time") last = value;
    else if (value !== row[column.field] && column.holds === "text") short.push(column.field);
    return value;
  });
  const key =
    layout.mode === "upsert" ? JSON.stringify([row.cluster, eventId]) : keyOf(eventId, last);
  return { values, key, eventId, lastMs: Date.parse(row.last_occurrence_time), cut: short };
}

/** Of an occurrence, where the table has a row for each. */
export function keyOf(eventId: string, last: string): string {
  return JSON.stringify([eventId, last]);
}

function valueOf(row: Row, { field, holds, size, precision, charset }: WriteColumn): string {
  switch (holds) {
    case "number":
      return String(row[field]);
    case "time":
      return precision === null
        ? goText(String(row[field]))
        : dateTime(String(row[field]), precision);
    case "text": {
      const text = representable(String(row[field]), charset);
      if (size === null || text.length * 3 <= size.max || measure(text, size.unit) <= size.max)
        return text;
      // A key that is cut could be the key of something else.
      return field === "event_id" || field === "cluster"
        ? fingerprint(text, size.max)
        : cut(text, size, representable("…", charset) === "…" ? "…" : "...");
    }
  }
}

function fingerprint(text: string, max: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, max);
}
