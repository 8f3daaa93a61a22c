import { coreEvent, cut, type KubeEvent, type Message, recorded } from "../../src/sink/index.ts";

export interface KafkaRecord {
  /** The delivery's: the same over every retry. */
  readonly id: string;
  /** What happened to one object stays in order: it goes to one partition. */
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch, as a topic's retention counts them. */
  readonly timestamp: string;
  /** About as many as it takes in a batch that is not compressed. */
  readonly bytes: number;
  readonly isCut: boolean;
}

export interface RecordShape {
  readonly maxBytes: number;
  /** `eventer`: as kube-eventer writes it, a text of JSON within JSON. `event`: the core/v1 Event alone. */
  readonly format: "eventer" | "event";
}

/** Of a batch of one record, and of a record in it: lengths, offsets, timestamps (https://kafka.apache.org/documentation/#recordbatch). */
const OVERHEAD = 100;

/** A record of at most `maxBytes`: what is longer loses the end of its message. `null`: it is not the message that is too long. */
export function recordOf(
  message: Message,
  { maxBytes, format }: RecordShape,
  now: number,
): KafkaRecord | null {
  const event = recorded(message);
  const { object } = event;
  const key =
    object.uid === null || object.uid === ""
      ? `${object.kind}/${object.namespace ?? ""}/${object.name}`
      : object.uid;
  const headers = {
    "idempotency-key": message.id,
    ...(event.cluster === "" ? {} : { cluster: event.cluster }),
  };
  const around =
    OVERHEAD +
    Object.entries({ ...headers, [key]: "" })
      .map(([name, value]) => Buffer.byteLength(name) + Buffer.byteLength(value) + 4)
      .reduce((sum, bytes) => sum + bytes);
  let size = Buffer.byteLength(event.message);
  for (;;) {
    const fitting = { ...event, message: cut(event.message, { max: size, unit: "bytes" }) };
    const value = format === "event" ? JSON.stringify(coreEvent(fitting)) : valueOf(fitting);
    const bytes = around + Buffer.byteLength(value);
    if (bytes <= maxBytes) {
      const isCut = fitting.message !== event.message;
      return { id: message.id, key, value, headers, timestamp: String(now), bytes, isCut };
    }
    if (size === 0) return null;
    size = Math.floor(Math.min(size - 1, (size * maxBytes * 0.95) / bytes));
  }
}

/** kube-eventer's message, field for field. Go writes the tags in the order of their names. */
export function valueOf(event: KubeEvent): string {
  const { object, reporter } = event;
  const pod =
    object.kind === "Pod" ? { pod_id: object.uid ?? "", pod_name: object.name } : undefined;
  return goJson({
    EventValue: goJson(coreEvent(event), 1),
    EventTimestamp: goTime(event.lastSeen),
    EventTags: { eventID: event.uid, hostname: reporter.host ?? "", ...pod },
  });
}

/** As Go's encoder writes it: what could be HTML, or ends a line in JavaScript, is escaped. */
function goJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** RFC 3339 without zeros at the end of the fraction. */
function goTime(instant: string): string {
  return instant.replace(/\.(\d*?)0*Z$/, (_, digits: string) =>
    digits === "" ? "Z" : `.${digits}Z`,
  );
}
