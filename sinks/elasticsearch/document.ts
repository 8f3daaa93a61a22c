import {
  coreMetadata,
  coreObject,
  coreSource,
  cut,
  type KubeEvent,
  versionOf,
} from "../../src/sink/index.ts";

/** Far more than a message has, far less than a request may (http.max_content_length, 100 MB). */
const MESSAGE_BYTES = 1_000_000;

export interface Naming {
  /** kube-eventer's daily indices, or one data stream of this name. */
  readonly mode: "index" | "data_stream";
  readonly index: string;
  readonly useNamespace: boolean;
  readonly clusterName: string | null;
}

/** `heapster-2026.11.20`, of the day the event was last seen in UTC; with its namespace `heapster-shop-2026.11.20`. */
export function indexOf({ mode, index, useNamespace }: Naming, event: KubeEvent): string {
  if (mode === "data_stream") return index;
  const day = event.lastSeen.slice(0, 10).replaceAll("-", ".");
  const namespace = useNamespace ? event.eventNamespace : "";
  return namespace === "" ? `${index}-${day}` : `${index}-${namespace}-${day}`;
}

/** One occurrence has one name, so that what is sent again is already there. */
export function idOf(event: KubeEvent): string {
  return `${event.uid}-${versionOf(event)}`;
}

/** kube-eventer's document, field for field; a data stream needs `@timestamp`, too. */
export function documentOf(naming: Naming, event: KubeEvent): Readonly<Record<string, unknown>> {
  const { object, reporter } = event;
  const pod = object.kind === "Pod" ? { pod_id: object.uid ?? "", pod_name: object.name } : {};
  return {
    ...(naming.mode === "data_stream" ? { "@timestamp": event.lastSeen } : {}),
    Count: event.count,
    Metadata: coreMetadata(event),
    InvolvedObject: coreObject(event),
    Source: coreSource(event),
    FirstOccurrenceTimestamp: event.firstSeen,
    LastOccurrenceTimestamp: event.lastSeen,
    Message: fitted(event.message),
    Reason: event.reason,
    Type: event.type,
    EventTags: {
      eventID: event.uid,
      cluster_name: naming.clusterName ?? (event.cluster === "" ? "default" : event.cluster),
      ...pod,
      hostname: reporter.host ?? "",
    },
  };
}

/**
 * Without the Event's labels and annotations, whose keys whoever made it chose: an index in which `app` is a text takes no
 * `app.kubernetes.io/name`, and none takes a thousand keys. The same event where it has neither.
 */
export function withoutTexts(event: KubeEvent): KubeEvent {
  const { labels, annotations, ...others } = event.core ?? {};
  if (labels === undefined && annotations === undefined) return event;
  return { ...event, core: others };
}

export function fitted(message: string): string {
  return cut(message, { max: MESSAGE_BYTES, unit: "bytes" });
}

/**
 * Two lines of a bulk request. Only `create` is taken by indices and data streams alike, and never makes two of one.
 * @param pipeline `null`: what the request itself says
 */
export function bulkLines(naming: Naming, event: KubeEvent, pipeline: string | null): string {
  const create = { _index: indexOf(naming, event), _id: idOf(event) };
  const action = { create: pipeline === null ? create : { ...create, pipeline } };
  return `${JSON.stringify(action)}\n${JSON.stringify(documentOf(naming, event))}\n`;
}
