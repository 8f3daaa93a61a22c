import type { KubeEvent, ObjectRef } from "./event.ts";
import { latestOf, readInstant } from "./instant.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * The normal form of a core/v1 or events.k8s.io/v1 Event, whatever mix of old and new fields it carries; `null` where the value is no Event at all.
 * Never throws on anything JSON can say.
 * @param cluster the configured name of the cluster
 * @param receivedAt ISO-8601 UTC: stands in for an Event that names no time whatsoever, which a server never gives but a hand-written file does
 */
export function normalize(raw: unknown, cluster: string, receivedAt: string): KubeEvent | null {
  const event = fields(raw);
  if (event === null || !isEvent(event)) return null;
  const meta = fields(event["metadata"]) ?? {};
  const source = fields(event["source"]) ?? fields(event["deprecatedSource"]) ?? {};
  const series = fields(event["series"]) ?? {};
  const object = reference(event["involvedObject"]) ?? reference(event["regarding"]) ?? NOTHING;

  const created = readInstant(meta["creationTimestamp"]);
  const eventTime = readInstant(event["eventTime"]);
  const first =
    readInstant(event["firstTimestamp"]) ?? readInstant(event["deprecatedFirstTimestamp"]);
  const last = readInstant(event["lastTimestamp"]) ?? readInstant(event["deprecatedLastTimestamp"]);
  const observed = readInstant(series["lastObservedTime"]);
  const lastSeen = latestOf([observed, last, eventTime, first, created]) ?? receivedAt;

  const count =
    numberOf(series["count"]) ??
    numberOf(event["count"]) ??
    numberOf(event["deprecatedCount"]) ??
    1;
  const reason = text(event["reason"]) ?? "";
  const message = text(event["message"]) ?? text(event["note"]) ?? "";
  const eventName = text(meta["name"]) ?? "";
  const eventNamespace = text(meta["namespace"]) ?? object.namespace ?? "default";
  const uid =
    text(meta["uid"]) ??
    `without-uid-${digest([eventNamespace, eventName, object.kind, object.namespace ?? "", object.name, reason, message, created ?? first ?? eventTime ?? ""])}`;

  return Object.freeze({
    // Half a character would be another key in the table than in JSON.
    key: `${uid}@${count}`.toWellFormed(),
    uid,
    resourceVersion: text(meta["resourceVersion"]) ?? "",
    eventName,
    eventNamespace,
    cluster,
    type: text(event["type"]) ?? "Unknown",
    reason,
    message,
    action: text(event["action"]),
    object,
    related: reference(event["related"]),
    reporter: Object.freeze({
      component:
        text(event["reportingController"]) ??
        text(event["reportingComponent"]) ??
        text(source["component"]),
      host: text(source["host"]),
      instance: text(event["reportingInstance"]),
    }),
    count,
    firstSeen: first ?? eventTime ?? created ?? lastSeen,
    lastSeen,
    ...extrasOf(meta, fields(event["involvedObject"]) ?? fields(event["regarding"]) ?? {}),
  });
}

/** Characters of all labels, or of all annotations: whoever makes an Event may put 256 KiB there, and each occurrence would be stored with them. */
const TEXTS = 4096;

function extrasOf(meta: Fields, object: Fields): Pick<KubeEvent, "core"> {
  const labels = textsOf(meta["labels"]);
  const annotations = textsOf(meta["annotations"]);
  const objectVersion = text(object["resourceVersion"]);
  if (labels === null && annotations === null && objectVersion === null) return {};
  return {
    core: Object.freeze({
      ...(labels === null ? {} : { labels }),
      ...(annotations === null ? {} : { annotations }),
      ...(objectVersion === null ? {} : { objectVersion }),
    }),
  };
}

function textsOf(value: unknown): Readonly<Record<string, string>> | null {
  const entries = Object.entries(fields(value) ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  const length = entries.reduce((sum, [key, words]) => sum + key.length + words.length, 0);
  return entries.length === 0 || length > TEXTS ? null : Object.freeze(Object.fromEntries(entries));
}

const NOTHING: ObjectRef = Object.freeze({
  kind: "",
  apiVersion: null,
  namespace: null,
  name: "",
  uid: null,
  fieldPath: null,
});

const API_VERSIONS = /^(v1|events\.k8s\.io\/.+)$/;
const TELLTALE = ["involvedObject", "regarding", "reason", "message", "note"];

/** Items of a typed list carry neither kind nor apiVersion, so an object without them is judged by its fields. */
function isEvent(event: Fields): boolean {
  const { kind, apiVersion } = event;
  if (typeof apiVersion === "string" && !API_VERSIONS.test(apiVersion)) return false;
  if (typeof kind === "string") return kind === "Event";
  return TELLTALE.some((field) => Object.hasOwn(event, field));
}

function reference(value: unknown): ObjectRef | null {
  const ref = fields(value);
  if (ref === null) return null;
  const kind = text(ref["kind"]);
  const name = text(ref["name"]);
  if (kind === null && name === null) return null;
  return Object.freeze({
    kind: kind ?? "",
    apiVersion: text(ref["apiVersion"]),
    namespace: text(ref["namespace"]),
    name: name ?? "",
    uid: text(ref["uid"]),
    fieldPath: text(ref["fieldPath"]),
  });
}

function fields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : null;
}

/** Text that says something; numbers and booleans of a hand-written file count as their text. */
function text(value: unknown): string | null {
  if (typeof value === "string") return value === "" ? null : value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return null;
}

function numberOf(value: unknown): number | null {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 1) return null;
  return Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER);
}

/** Two FNV-1a lanes of 32 bits: enough to tell the Events of hand-written files apart, always the same for the same text. */
function digest(parts: readonly string[]): string {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (const part of parts) {
    for (let index = 0; index <= part.length; index += 1) {
      // One step past the end mixes in a separator, so that "ab","c" differs from "a","bc".
      const unit = index === part.length ? 0x10000 : part.charCodeAt(index);
      low = Math.imul(low ^ unit, 0x01000193);
      high = Math.imul(high ^ unit, 0x85ebca6b) ^ (high >>> 13);
    }
  }
  return [high, low].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}
