import type { Lang } from "../config/config.ts";
import type { KubeEvent } from "../event/event.ts";
import type { Medium, StrictEvent } from "../sink/define.ts";
import { cutMiddle } from "./clean.ts";
import { escape } from "./escape.ts";
import { lastTimestampOf } from "./go-event.ts";
import { timeString } from "./go/time-format.ts";
import { parseTime } from "./go/time.ts";
import { zoneOf } from "./go/zone.ts";
import { PHRASES } from "./phrases.ts";

export interface StrictReader {
  readonly lang: Lang;
  /** An IANA name. */
  readonly timezone: string;
  readonly labels: readonly string[];
  /** So many characters of the message at most. */
  readonly limit: number;
}

/** An event as kube-eventer tells it: nothing is cleaned away, and yet nothing in it formats, mentions or links. */
export function strictEvent(event: KubeEvent, medium: Medium, reader: StrictReader): StrictEvent {
  const { labels, lang, limit, timezone } = reader;
  const inert = (text: string) => escape(medium, text.toWellFormed());
  return {
    labels,
    type: inert(event.type),
    kind: inert(event.object.kind),
    namespace: inert(event.eventNamespace),
    name: inert(event.eventName),
    reason: inert(event.reason),
    time: goTime(lastTimestampOf(event), timezone),
    message: inert(cutMiddle(event.message.toWellFormed(), limit, PHRASES[lang].cutNote)),
    host: inert(event.reporter.host ?? ""),
  };
}

function goTime(iso: string, timezone: string): string {
  const time = parseTime(iso, zoneOf(timezone));
  return time === null ? iso : timeString(time);
}
