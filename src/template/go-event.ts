import type { KubeEvent, ObjectRef } from "../event/event.ts";
import { clean } from "./clean.ts";
import type { View } from "./view.ts";

/** A core/v1 Event as JSON. */
export type GoEvent = Readonly<Record<string, unknown>>;

/** What a Go body sees of an alert: the event as core/v1 has it; a digest or a gap as an event of this program's own that says the same. */
export function goEvent(view: View): GoEvent {
  const { event } = view;
  return event === null ? summary(view) : occurrence(event, messageOf(event, view));
}

/** An occurrence whose message is whole. */
export function goEventOf(event: KubeEvent): GoEvent {
  return occurrence(event, event.message);
}

/** As it came, unless it had to be cut: then as far as it may go. */
function messageOf(event: KubeEvent, view: View): string {
  return view.message === clean(event.message) ? event.message : view.message;
}

/** Only `eventTime` has fractions: the Event is one of the new API, whose firstTimestamp and lastTimestamp are zero. */
function hasEventTime({ firstSeen }: KubeEvent): boolean {
  return firstSeen.includes(".");
}

/** As kube-eventer takes it: where there is none, `eventTime` is in its place. */
export function lastTimestampOf(event: KubeEvent): string {
  return hasEventTime(event) ? event.firstSeen : event.lastSeen;
}

function occurrence(event: KubeEvent, message: string): GoEvent {
  const { reporter, firstSeen, lastSeen, count } = event;
  const isNew = hasEventTime(event);
  return {
    metadata: {
      name: event.eventName,
      namespace: event.eventNamespace,
      uid: event.uid,
      resourceVersion: event.resourceVersion,
      labels: event.core?.labels,
      annotations: event.core?.annotations,
      creationTimestamp: `${firstSeen.slice(0, 19)}Z`,
    },
    involvedObject: { ...event.object, resourceVersion: event.core?.objectVersion },
    related: event.related ?? undefined,
    type: event.type,
    reason: event.reason,
    message,
    action: event.action,
    count,
    firstTimestamp: firstSeen,
    lastTimestamp: lastTimestampOf(event),
    eventTime: isNew ? firstSeen : undefined,
    series: isNew && count > 1 ? { count, lastObservedTime: lastSeen } : undefined,
    source: { component: reporter.component, host: reporter.host },
    reportingComponent: reporter.component,
    reportingInstance: reporter.instance,
  };
}

function summary(view: View): GoEvent {
  return {
    metadata: { name: view.id, uid: view.id, creationTimestamp: view.lastSeen },
    involvedObject: { kind: "Cluster", name: view.cluster },
    type: view.alertKind === "gap" ? "Warning" : "Normal",
    reason: view.alertKind === "gap" ? "HistoryGap" : "Digest",
    message: `${view.title}\n${view.message}`.trimEnd(),
    count: view.count,
    firstTimestamp: view.firstSeen,
    lastTimestamp: view.lastSeen,
    source: { component: "kube-crier" },
    reportingComponent: "kube-crier",
  };
}

const POD: ObjectRef = {
  kind: "Pod",
  apiVersion: "v1",
  namespace: "shop",
  name: "web-7d4b9c",
  uid: "0c0ffee0",
  fieldPath: "spec.containers{web}",
};

const EXAMPLE: KubeEvent = {
  key: "6f1c2f9e@12",
  uid: "6f1c2f9e",
  resourceVersion: "81234",
  eventName: "web-7d4b9c.17a1",
  eventNamespace: "shop",
  cluster: "",
  type: "Warning",
  reason: "BackOff",
  message: 'Back-off restarting "web"\nagain',
  action: "Restarting",
  object: POD,
  related: { ...POD, kind: "Node", name: "node-1" },
  reporter: { component: "kubelet", host: "node-1", instance: "node-1" },
  count: 12,
  firstSeen: "2026-11-20T08:00:00.123456Z",
  lastSeen: "2026-11-20T08:05:30.654321Z",
};

/** To try a body on: one with everything, one with little. */
export const EXAMPLES: readonly GoEvent[] = [
  occurrence(EXAMPLE, EXAMPLE.message),
  occurrence(
    {
      ...EXAMPLE,
      type: "Normal",
      message: "Started",
      action: null,
      object: { ...POD, kind: "Node", namespace: null, name: "node-1" },
      related: null,
      count: 1,
      firstSeen: "2026-11-20T08:00:00Z",
      lastSeen: "2026-11-20T08:00:00Z",
    },
    "Started",
  ),
];
