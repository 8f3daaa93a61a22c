import type { Message } from "./define.ts";
import { versionOf } from "./occurrence.ts";

/** Attributes of a CloudEvent 1.0, by name; see https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md. */
export type CloudEventAttributes = Readonly<Record<string, string>>;

/**
 * `id` is `<uid>/<resourceVersion>`, so that `source` and `id` are equal for equal occurrences; a digest or gap has its delivery's.
 * @param source by default `/clusters/NAME/namespaces/NAMESPACE`.
 */
export function cloudEvent(
  message: Message,
  source: string | undefined,
  contentType: string,
): CloudEventAttributes {
  const { alert, event } = message;
  const attributes = {
    specversion: "1.0",
    type: `dev.kube-crier.${alert.kind}.v1`,
    source: source ?? defaultSource(message),
    datacontenttype: contentType,
  };
  if (event === null) {
    const time = alert.kind === "digest" ? alert.to : alert.kind === "gap" ? alert.until : "";
    return { ...attributes, id: message.id, time };
  }
  return {
    ...attributes,
    id: `${event.uid}/${versionOf(event)}`,
    time: event.lastSeen,
    subject: `${event.object.kind}/${event.object.name}`,
  };
}

function defaultSource({ alert, event }: Message): string {
  const cluster = alert.kind === "event" ? alert.event.cluster : alert.cluster;
  const path = ["", "clusters", cluster === "" ? "default" : cluster];
  const namespace = event?.object.namespace ?? null;
  if (namespace !== null) path.push("namespaces", namespace);
  return path.map((part) => encodeURIComponent(part.toWellFormed())).join("/");
}

/** Attributes as `ce-` headers, the data as the body. */
export function binaryMode(attributes: CloudEventAttributes, data: string) {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    headers[name === "datacontenttype" ? "content-type" : `ce-${name}`] =
      name === "datacontenttype" ? value : headerValue(value);
  }
  return { headers, body: data };
}

/** One JSON object with the data in it: as JSON where it is, else as text. */
export function structuredMode(attributes: CloudEventAttributes, data: string) {
  const json = parsed(attributes["datacontenttype"] ?? "", data);
  return {
    headers: { "content-type": "application/cloudevents+json; charset=utf-8" },
    body: JSON.stringify({ ...attributes, data: json === undefined ? data : json }),
  };
}

function parsed(contentType: string, data: string): unknown {
  if (!/json/i.test(contentType)) return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** Space, quote, percent and all beyond printable ASCII percent-encoded as UTF-8 (HTTP binding 1.0, 3.1.3.2). */
function headerValue(value: string): string {
  return value.toWellFormed().replaceAll(/[^!#$&-~]/gu, (character) => encodeBytes(character));
}

function encodeBytes(character: string): string {
  return [...Buffer.from(character, "utf8")]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}
