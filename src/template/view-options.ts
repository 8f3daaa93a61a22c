import type { Severity } from "../event/severity.ts";
import type { Lang } from "../config/config.ts";

export interface ViewOptions {
  /** The delivery's id. */
  readonly id: string;
  readonly lang: Lang;
  /** An IANA name. */
  readonly timezone: string;
  /** Milliseconds since the epoch: decides what is today. */
  readonly now: number;
  readonly labels: readonly string[];
  /** The address of it on the page; without it there is no link. */
  readonly link?: string;
  /** Where the alert itself names no cluster. */
  readonly cluster: string;
  /** Characters of an event's message, or lines of a digest, that are kept; without it all. */
  readonly limit?: number;
}

export const MARKS: Readonly<Record<Severity, string>> = {
  critical: "🔴",
  warning: "🟠",
  info: "🔵",
  notice: "⚪",
};

/** Characters of a title: what a phone shows of a notification. */
export const TITLE_MAX = 60;
