import { clip, type KubeEvent, versionOf } from "../../src/sink/index.ts";
import type { Document } from "./driver.ts";

/** Characters. A document may have 16 MB, and who can read a message of more than this. */
const MESSAGE = 1_000_000;
/** Names are bounded by Kubernetes; what is longer was made up by somebody. */
const NAME = 10_000;

export interface Made {
  readonly document: Document;
  /** Characters, at three bytes each at the most. */
  readonly size: number;
  readonly isCut: boolean;
}

/**
 * kube-eventer's fields by its names, what is empty left out as it does, then what it left out. The `_id` is the occurrence: what is written
 * twice, for an answer was lost, is there once.
 */
export function documentOf(event: KubeEvent): Made {
  const { object, reporter } = event;
  const texts = {
    namespace: object.namespace,
    kind: object.kind,
    name: object.name,
    type: event.type,
    reason: event.reason,
    message: event.message,
    event_id: event.uid,
    cluster: event.cluster,
    action: event.action,
    component: reporter.component,
    host: reporter.host,
    api_version: object.apiVersion,
    field_path: object.fieldPath,
    object_uid: object.uid,
  };
  let size = 200;
  let isCut = false;
  const fields: [string, string][] = [];
  for (const [field, text] of Object.entries(texts)) {
    if (text === null || text === "") continue;
    // BSON is UTF-8, which has no lone surrogates.
    const kept = clip(text, field === "message" ? MESSAGE : NAME).toWellFormed();
    isCut ||= kept.length !== text.length;
    size += field.length + kept.length;
    fields.push([field, kept]);
  }
  const document = {
    _id: `${event.uid}/${versionOf(event)}`.slice(0, NAME),
    count: event.count,
    ...Object.fromEntries(fields),
    first_occurrence_time: new Date(event.firstSeen),
    last_occurrence_time: new Date(event.lastSeen),
  };
  return { document, size, isCut };
}
