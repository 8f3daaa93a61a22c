import { clip, coreEvent, type KubeEvent, versionOf } from "../../src/sink/index.ts";

export interface About {
  readonly provider: "aliyun" | "aws";
  readonly eventBusName: string;
  readonly source: string;
  readonly regionId: string;
  readonly accountId: string;
  /** `null`: the cluster's name. */
  readonly clusterId: string | null;
}

/** An occurrence as one entry of PutEvents, in JSON; its message cut where the entry would be beyond `max` bytes. */
export function entryOf(
  event: KubeEvent,
  about: About,
  max: number,
): { readonly entry: string; readonly isCut: boolean } {
  const make = about.provider === "aws" ? awsEntry : cloudEntry;
  let entry = JSON.stringify(make(event, about));
  let length = event.message.length;
  while (Buffer.byteLength(entry) > max && length > 0) {
    length = Math.floor(length / 2);
    entry = JSON.stringify(make({ ...event, message: clip(event.message, length) }, about));
  }
  return { entry, isCut: length < event.message.length };
}

/** Characters that https://www.alibabacloud.com/help/en/eventbridge/product-overview/limits allows; an ID has letters, digits and hyphens only. */
const MOST = { id: 128, type: 64, subject: 512 } as const;

/** kube-eventer's CloudEvent, but for the ID: an occurrence has the same one however often it is sent. */
function cloudEntry(event: KubeEvent, about: About) {
  const { object } = event;
  const kind = object.kind === "" ? "UnknownTypeEvent" : `${object.kind}RelatedEvent`;
  const cluster = about.clusterId ?? event.cluster;
  const of = `acs:cs:${about.regionId}:${about.accountId}:${cluster}`;
  const where = `${object.apiVersion ?? ""}/namespaces/${object.namespace ?? ""}/${plural(object.kind)}`;
  return {
    id: `${event.uid}-${versionOf(event)}`.replace(/[^a-z0-9-]/gi, "-").slice(0, MOST.id),
    source: about.source,
    specversion: "1.0",
    type: `cs:k8s:${kind}`.slice(0, MOST.type),
    datacontenttype: "application/json",
    subject: `${of}/apis/${where}/${object.name}`.slice(0, MOST.subject),
    time: event.lastSeen,
    data: coreEvent(event),
    aliyuneventbusname: about.eventBusName,
  };
}

/** PutEventsRequestEntry; AWS gives each event its ID, the occurrence's own is `metadata.uid` and `count` in the detail. */
function awsEntry(event: KubeEvent, about: About) {
  return {
    Time: Math.floor(Date.parse(event.lastSeen) / 1000),
    Source: about.source,
    DetailType: "Kubernetes Event",
    Detail: JSON.stringify({ cluster: about.clusterId ?? event.cluster, ...coreEvent(event) }),
    EventBusName: about.eventBusName,
  };
}

/** As Kubernetes' own client guesses the resource of a kind. */
function plural(kind: string): string {
  const name = kind.toLowerCase();
  if (name.endsWith("endpoints")) return name;
  if (name.endsWith("s")) return `${name}es`;
  return name.endsWith("y") ? `${name.slice(0, -1)}ies` : `${name}s`;
}
