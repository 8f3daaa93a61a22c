import { clip, cut, type KubeEvent } from "../../src/sink/index.ts";
import type { RiemannEvent } from "./protobuf.ts";

export interface Manner {
  /** Seconds. */
  readonly ttl: number;
  /** Of a Normal event. */
  readonly state: string;
  readonly tags: readonly string[];
}

/** Characters of a message: a stream that mails or pages has no use for more. */
const DESCRIPTION = 64_000;
/** Names are bounded by Kubernetes; what is longer was made up by somebody. */
const NAME = { max: 1024, unit: "bytes" } as const;

/**
 * An occurrence as kube-eventer's riemann sink told it: service `KIND.REASON`, the count as the metric. Its time is that of the event and not
 * that of sending it, so that what is told late is as old as it is, and expires as it should.
 */
export function riemannEvent(event: KubeEvent, { ttl, state, tags }: Manner): RiemannEvent {
  const { object, reporter } = event;
  const name = (value: string | null) => cut(value ?? "", NAME);
  return {
    timeMicros: micros(event.lastSeen),
    state: event.type === "Normal" ? state : "warning",
    service: name(`${object.kind}.${event.reason}`),
    host: hostOf(event),
    description: clip(event.message, DESCRIPTION),
    tags,
    ttl,
    attributes: {
      namespace: name(object.namespace),
      uid: name(object.uid),
      name: name(object.name),
      "api-version": name(object.apiVersion),
      "field-path": name(object.fieldPath),
      component: name(reporter.component),
      "last-timestamp": seconds(event.lastSeen),
      "first-timestamp": seconds(event.firstSeen),
      cluster: name(event.cluster),
      "event-uid": name(event.uid),
      "event-resource-version": name(event.resourceVersion),
    },
    metric: event.count,
  };
}

/** Where it happened; kube-eventer put its own pod's name where the event names no host, which says nothing of it. */
function hostOf({ object, reporter, cluster }: KubeEvent): string | null {
  const host = reporter.host ?? (object.kind === "Node" ? object.name : cluster);
  return host === "" ? null : cut(host, NAME);
}

function seconds(instant: string): string {
  return String(Math.floor(Date.parse(instant) / 1000));
}

/** With the microseconds that `Date` drops. */
function micros(instant: string): number {
  const fraction = /\.(\d+)Z$/.exec(instant)?.[1] ?? "";
  return Number(seconds(instant)) * 1e6 + Number(fraction.padEnd(6, "0").slice(0, 6));
}
