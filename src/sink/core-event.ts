import { GAP_CAUSES } from "../event/alert.ts";
import type { KubeEvent, ObjectRef } from "../event/event.ts";
import type { Message } from "./define.ts";

/**
 * What a record keeps of an alert, whatever it tells of: a gap in what could be seen is a row of its own, and so is a digest (which a record
 * gets only when it is asked for one by name).
 */
export function recorded({ id, alert }: Pick<Message, "id" | "alert">): KubeEvent {
  switch (alert.kind) {
    case "event":
      return alert.event;
    case "gap":
      return ownEvent(id, alert.cluster, "HistoryGap", alert.since, alert.until, {
        count: 1,
        message: `Events between ${alert.since} and ${alert.until} could not be seen: ${GAP_CAUSES[alert.cause]}.`,
      });
    case "digest":
      return ownEvent(id, alert.cluster, "Digest", alert.from, alert.to, {
        count: alert.total,
        message: `${alert.total} events between ${alert.from} and ${alert.to}.`,
      });
  }
}

function ownEvent(
  id: string,
  cluster: string,
  reason: string,
  firstSeen: string,
  lastSeen: string,
  told: Pick<KubeEvent, "count" | "message">,
): KubeEvent {
  return {
    key: `${id}@${told.count}`,
    uid: id,
    resourceVersion: "",
    eventName: id,
    eventNamespace: "",
    cluster,
    type: "Warning",
    reason,
    action: null,
    object: {
      kind: "Cluster",
      apiVersion: null,
      namespace: null,
      name: cluster,
      uid: null,
      fieldPath: null,
    },
    related: null,
    reporter: { component: "kube-crier", host: null, instance: null },
    firstSeen,
    lastSeen,
    ...told,
  };
}

/** An occurrence as core/v1 has it in JSON, field for field in the order in which Go writes it: what stores of kube-eventer hold. */
export function coreEvent(event: KubeEvent): Readonly<Record<string, unknown>> {
  const { object, related, reporter } = event;
  return {
    metadata: coreMetadata(event),
    involvedObject: coreReference(object),
    reason: event.reason,
    message: event.message,
    source: coreSource(event),
    firstTimestamp: toSeconds(event.firstSeen),
    lastTimestamp: toSeconds(event.lastSeen),
    count: event.count,
    type: event.type,
    eventTime: null,
    ...(event.action === null ? {} : { action: event.action }),
    ...(related === null ? {} : { related: coreReference(related) }),
    reportingComponent: reporter.component ?? "",
    reportingInstance: reporter.instance ?? "",
  };
}

/** The Event's own `metadata`; it is created as it is first seen. */
export function coreMetadata(event: KubeEvent): Readonly<Record<string, unknown>> {
  return {
    name: event.eventName,
    ...filled("namespace", event.eventNamespace),
    uid: event.uid,
    ...filled("resourceVersion", event.resourceVersion),
    creationTimestamp: toSeconds(event.firstSeen),
  };
}

/** `involvedObject` and `related`: what is empty is left out. */
export function coreReference(object: ObjectRef): Readonly<Record<string, unknown>> {
  return {
    kind: object.kind,
    ...filled("namespace", object.namespace),
    name: object.name,
    ...filled("uid", object.uid),
    ...filled("apiVersion", object.apiVersion),
    ...filled("fieldPath", object.fieldPath),
  };
}

export function coreSource({ reporter }: KubeEvent): Readonly<Record<string, unknown>> {
  return { ...filled("component", reporter.component), ...filled("host", reporter.host) };
}

/** core/v1 knows no fractions of a second but in `eventTime`. */
export function toSeconds(instant: string): string {
  return `${instant.slice(0, 19)}Z`;
}

function filled(name: string, value: string | null): Readonly<Record<string, string>> {
  return value === null || value === "" ? {} : { [name]: value };
}
