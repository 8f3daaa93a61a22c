import type { KubeEvent } from "../event/event.ts";
import type { Message } from "./define.ts";
import { characterLength, head } from "./text.ts";

/** An alert as data, for programs: the same for the webhook's default body and stdout's JSON lines. */
export function alertData(message: Message): Readonly<Record<string, unknown>> {
  const { alert } = message;
  const text = Object.hasOwn(message.blocks, "text") ? { text: message.blocks["text"] } : {};
  const title = Object.hasOwn(message.blocks, "title") ? { title: message.blocks["title"] } : {};
  return {
    id: message.id,
    kind: alert.kind,
    severity: message.severity,
    ...title,
    ...text,
    event: message.event === null ? null : withoutCore(message.event),
    digest: alert.kind === "digest" ? withoutKind(alert) : null,
    gap: alert.kind === "gap" ? withoutKind(alert) : null,
  };
}

/** What core/v1 says besides is for those who speak core/v1. */
function withoutCore(event: KubeEvent): Omit<KubeEvent, "core"> {
  const { core: _, ...rest } = event;
  return rest;
}

function withoutKind<T extends { readonly kind: string }>(alert: T): Omit<T, "kind"> {
  const { kind: _, ...rest } = alert;
  return rest;
}

/** One line of JSON that a terminal can show: what is invisible or would steer it is written as `\uXXXX`, which reads back the same. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** At most `max` characters (code points) of a text, the cut said in words. */
export function clip(text: string, max: number): string {
  const total = characterLength(text);
  return total <= max ? text : `${head(text, max)}… (${max} of ${total} characters)`;
}
