import type { StrictEvent } from "./define.ts";

/** kube-eventer's message as a text: the last label first, a blank at the end of each line but the last. */
export function strictText(event: StrictEvent, time: string): string {
  const { labels, type, kind, namespace, name, reason, message } = event;
  const lines = [
    `Level:${type} `,
    `Kind:${kind} `,
    `Namespace:${namespace} `,
    `Name:${name} `,
    `Reason:${reason} `,
    `Timestamp:${time} `,
    `Message:${message}`,
  ];
  return [...labels.toReversed(), ...lines].join("\n");
}

/** JSON as Go's encoding/json writes it: the marks of HTML and two line ends of JavaScript as escapes. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
