import { hash } from "node:crypto";
import type { KubeEvent } from "../../event/event.ts";
import { storedKey } from "../key.ts";

/**
 * Values as they stand in a script: several statements in one request cannot be prepared. Text is hexadecimal digits, so that no
 * value, whatever an Event says and whatever mode the server is in, can be anything but a value.
 */
export function text(value: string | null): string {
  return value === null ? "NULL" : `_utf8mb4 X'${Buffer.from(value, "utf8").toString("hex")}'`;
}

export function number(value: number | null): string {
  if (value === null) return "NULL";
  if (!Number.isFinite(value)) throw new TypeError(`${value} is no number for the ledger`);
  return String(Math.trunc(value));
}

/**
 * What makes an occurrence the same as another, in as much as an index takes: when its Event was first seen, so that what comes together
 * stands together, and the hash of its key.
 */
export function keyHash(event: Pick<KubeEvent, "firstSeen" | "key">): string {
  const seconds = Number.parseInt(storedKey(event), 10) % 2 ** 32;
  return `X'${seconds.toString(16).padStart(8, "0")}${hash("sha256", event.key).slice(0, 56)}'`;
}

/** At most so many characters, for a column that is looked up by and never shown. */
export function cut(value: string, characters: number): string {
  return value.length <= characters ? value : value.slice(0, characters).toWellFormed();
}

/** The server's clock in milliseconds: the same for all who look. */
export const SERVER_NOW = "ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)";
