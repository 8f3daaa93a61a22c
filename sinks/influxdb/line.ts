import { createHash } from "node:crypto";
import {
  clip,
  coreEvent,
  cut,
  type KubeEvent,
  type Message,
  recorded,
  toSeconds,
} from "../../src/sink/index.ts";

/** https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/#data-types: "Length limit 64KB". */
const FIELD_BYTES = 64 * 1024;
/** A series' whole key may have 65,535 bytes; a name of Kubernetes has 253 and a hostile one is no name. */
const TAG_BYTES = 1024;
/** Other text of an event that stands in the JSON: with it and the worst escapes the message's share stays within a field. */
const WORDS = 300;
const MESSAGE_IN_WORST_JSON = 8000;

export interface LineOptions {
  readonly withfields: boolean;
  /** What a series is of: `kind` keeps their number by what has few values. */
  readonly series: "event" | "kind";
  readonly clusterName?: string | undefined;
}

/**
 * One point of line protocol: measurement, tags and fields are kube-eventer's, so that what reads its database goes on reading.
 * The same occurrence is the same point: the server overwrites it with itself.
 */
export function lineOf(options: LineOptions, message: Pick<Message, "id" | "alert">): string {
  const event = recorded(message);
  const isByKind = options.series === "kind";
  const point = options.withfields ? fielded(event) : whole(event);
  const { measurement, tags, fields } = isByKind ? byKind(point) : point;
  const cluster = options.clusterName ?? (event.cluster === "" ? "default" : event.cluster);
  const set = Object.entries({ ...tags, cluster_name: cluster })
    .map(([name, value]) => [name, tagValue(value)] as const)
    // The protocol has no empty tag; sorted is what the server wants to store.
    .filter(([, value]) => value !== "")
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `,${name}=${value}`);
  const values = Object.entries(fields).map(([name, value]) => `${name}=${fieldValue(value)}`);
  const time = secondsAndMicros(event);
  const told = isByKind ? toldByHash(time, event) : toldByCount(time, event);
  return `${measurement}${set.join("")} ${values.join(",")} ${told}\n`;
}

interface Point {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
}

/** Tags that name one event, or one object: the server keeps each value it ever saw in its index. */
const NAMES = ["uid", "pod_id", "object_name"];

function byKind({ measurement, tags, fields }: Point): Point {
  const all = Object.entries(tags);
  const isName = ([tag, value]: [string, string]) => NAMES.includes(tag) && value !== "";
  return {
    measurement,
    tags: Object.fromEntries(all.filter(([tag]) => !NAMES.includes(tag))),
    fields: { ...fields, ...Object.fromEntries(all.filter(isName)) },
  };
}

function whole(event: KubeEvent): Point {
  const { object } = event;
  const isPod = object.kind === "Pod";
  return {
    measurement: "log/events",
    tags: {
      uid: event.uid,
      ...(isPod ? { pod_id: object.uid ?? "", pod_name: object.name } : {}),
      hostname: event.reporter.host ?? "",
    },
    fields: {
      value: asJson(event),
      kind: object.kind,
      type: event.type,
      nameSpace: object.namespace ?? "",
      podName: object.name,
      reason: event.reason,
      message: event.message,
      firstTimestamp: toSeconds(event.firstSeen),
      lastTimestamp: toSeconds(event.lastSeen),
    },
  };
}

function fielded(event: KubeEvent): Point {
  const { object, reporter } = event;
  return {
    measurement: "events",
    tags: {
      uid: event.uid,
      ...(object.kind === "Pod" ? { pod_id: object.uid ?? "" } : {}),
      object_name: object.name,
      type: event.type,
      kind: object.kind,
      component: reporter.component ?? "",
      reason: event.reason,
      namespace_name: event.eventNamespace,
      hostname: reporter.host ?? "",
    },
    fields: { message: event.message },
  };
}

/** On one line, as the protocol knows no line end in a value: kube-eventer's is the same object, indented. */
function asJson(event: KubeEvent): string {
  const text = JSON.stringify(coreEvent(event));
  if (Buffer.byteLength(text) <= FIELD_BYTES) return text;
  const short = (text: string | null) => (text === null ? null : clip(text, WORDS));
  const { object, reporter } = event;
  return JSON.stringify(
    coreEvent({
      ...event,
      reason: clip(event.reason, WORDS),
      message: clip(event.message, MESSAGE_IN_WORST_JSON),
      action: short(event.action),
      object: {
        ...object,
        kind: clip(object.kind, WORDS),
        name: clip(object.name, WORDS),
        fieldPath: short(object.fieldPath),
      },
      related: null,
      reporter: { ...reporter, component: short(reporter.component) },
    }),
  );
}

/** Nothing escapes a backslash in a tag, and one before a comma would let the text make tags of its own. */
function tagValue(text: string): string {
  return cut(text, { max: TAG_BYTES, unit: "bytes" })
    .replaceAll("\\", "/")
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .trim()
    .replaceAll(/[,= ]/g, (character) => `\\${character}`);
}

/** A line end would end the point for many a server that speaks this protocol. */
function fieldValue(text: string): string {
  const short = cut(text, { max: FIELD_BYTES, unit: "bytes" });
  const escaped = short
    .toWellFormed()
    .replaceAll(/\r\n|[\r\n]/g, " ")
    .replaceAll(/["\\]/g, (character) => `\\${character}`);
  return `"${escaped}"`;
}

interface Time {
  readonly seconds: number;
  /** Six digits. */
  readonly micros: string;
}

function secondsAndMicros({ lastSeen }: KubeEvent): Time {
  const seconds = Date.parse(`${lastSeen.slice(0, 19)}Z`) / 1000;
  return { seconds, micros: lastSeen.slice(20, -1).slice(0, 6).padEnd(6, "0") };
}

/**
 * What happened at one time to one event would be one point: the count makes them several, in digits that no event's time reaches.
 */
function toldByCount({ seconds, micros }: Time, { count }: KubeEvent): string {
  return `${seconds}${micros}${String(count % 1000).padStart(3, "0")}`;
}

/** Events of one series at one time would be one point. Most times are whole seconds, which leaves nine digits to tell them apart. */
function toldByHash({ seconds, micros }: Time, { key }: KubeEvent): string {
  const hash = createHash("sha256").update(key).digest().readUInt32BE() % 1_000_000_000;
  const digits = String(hash).padStart(9, "0");
  return `${seconds}${micros === "000000" ? digits : `${micros}${digits.slice(-3)}`}`;
}
