import type { KubeEvent } from "../event/event.ts";

const DIGITS = 12;
/** `2026-11-20T08:00:00.123Z`: no API server writes milliseconds, but what stands in for a time that is missing has them, each time others. */
const STAND_IN = 24;

/**
 * What an occurrence is known by in the table: when its Event was first seen, in seconds, and its key. A uid is random: by itself it has the index
 * rewritten all over, three quarters of what a million events cost the disk. With the time before it, what comes together stands together.
 * That time belongs to the Event and stays as it is, however often it occurs. Half a character is U+FFFD, as in the table: no address holds one.
 */
export function storedKey({ firstSeen, key }: Pick<KubeEvent, "firstSeen" | "key">): string {
  const ms = firstSeen.length === STAND_IN ? 0 : Date.parse(firstSeen);
  const seconds = Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
  return `${String(seconds).padStart(DIGITS, "0")}/${key}`.toWellFormed();
}

/** SQL: whether the column `stored` holds `key`, in this form or in that of the ledgers before version 3, the key alone. */
export function isStoredKey(stored: string, key: string): string {
  return `(${stored} IS ${key} OR (substr(${stored}, ${DIGITS + 1}, 1) = '/' AND substr(${stored}, ${DIGITS + 2}) IS ${key}))`;
}
