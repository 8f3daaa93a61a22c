import type { Cursor, Filter } from "../history.ts";

/** Occurrences are numbered one by one: those of one second are told apart by the end of their number. */
const TIES = 2 ** 20;
const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const SECOND = TIES;
/** The highest number there can be. */
export const END = Number.MAX_SAFE_INTEGER;

/** The first number of the second that a moment is in. */
export function numberAt(ms: number): number {
  return Math.min(END, Math.floor(Math.max(0, ms) / SECOND_MS) * TIES);
}

/** The number of an occurrence in the history: the same whoever makes it, and whenever. */
export function idOf(at: number, seq: number): number {
  return numberAt(at) + (seq % TIES);
}

/** The second that a number stands for, in milliseconds since the epoch. */
export function timeOf(id: number): number {
  return Math.floor(id / TIES) * SECOND_MS;
}

export function cursorOf(id: number): Cursor {
  return { at: timeOf(id), tie: id % TIES };
}

export function numberOf({ at, tie }: Cursor): number {
  return Math.min(END, numberAt(at) + tie);
}

/** Numbers between which a filter looks: from `low`, below `high`. */
export function rangeOf(
  filter: Filter,
  before: number | null,
): { readonly low: number; readonly high: number } {
  const low = filter.from === null ? 0 : numberAt(filter.from);
  const high = filter.to === null ? END : Math.min(END, numberAt(filter.to - 1) + SECOND);
  return { low, high: before === null ? high : Math.min(high, before) };
}
