import { createHash } from "node:crypto";

/** What changes with a text, and with nothing else. */
export function etagOf(text: string): string {
  // Here and now: handing it to another thread and back takes longer than doing it.
  return `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`;
}

/** Whether `If-None-Match` names it: a list, and weak where a proxy has compressed what it passed on. */
export function isKnown(header: string | undefined, etag: string): boolean {
  return (header ?? "").split(",").some((one) => {
    const tag = one.trim().replace(/^W\//, "");
    return tag === etag || tag === "*";
  });
}
