import type { KubeEvent, ObjectRef } from "../event/event.ts";
import type { Message } from "./define.ts";
import { occurrenceOf } from "./occurrence.ts";

/** What a store keeps of an alert, whatever it tells of: a digest, too, which it gets only when it is asked for one by name. */
export function recorded({ id, alert }: Pick<Message, "id" | "alert">): KubeEvent {
  if (alert.kind !== "digest") return occurrenceOf({ id, alert });
  const { cluster, total, from, to } = alert;
  return {
    ...occurrenceOf({
      id,
      alert: { kind: "gap", cluster, since: from, until: to, cause: "downtime" },
    }),
    key: `${id}@${total}`,
    type: "Normal",
    reason: "Digest",
    count: total,
    message: `${total} events between ${from} and ${to}.`,
  };
}

/** An occurrence as core/v1 has it in JSON, field for field in the order in which Go writes it: what stores of kube-eventer hold. */
export function coreEvent(event: KubeEvent): Readonly<Record<string, unknown>> {
  const { related, reporter } = event;
  return {
    metadata: coreMetadata(event),
    involvedObject: coreObject(event),
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
  const { core } = event;
  return {
    name: event.eventName,
    ...filled("namespace", event.eventNamespace),
    uid: event.uid,
    ...filled("resourceVersion", event.resourceVersion),
    creationTimestamp: toSeconds(event.firstSeen),
    ...(core?.labels === undefined ? {} : { labels: core.labels }),
    ...(core?.annotations === undefined ? {} : { annotations: core.annotations }),
  };
}

/** `involvedObject`. */
export function coreObject({ object, core }: KubeEvent): Readonly<Record<string, unknown>> {
  return { ...coreReference(object), ...filled("resourceVersion", core?.objectVersion ?? null) };
}

/** `involvedObject` and `related`: what is empty is left out. */
function coreReference(object: ObjectRef): Readonly<Record<string, unknown>> {
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
