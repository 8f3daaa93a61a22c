import { numbering } from "../numbers.ts";

/** Occurrences are numbered one by one: those of one second are told apart by the end of their number. */
const TIES = 2 ** 20;

export const { numberAt, timeOf, cursorOf, numberOf, rangeOf } = numbering(TIES);

/** The number of an occurrence in the history: the same whoever makes it, and whenever. */
export function idOf(at: number, seq: number): number {
  return numberAt(at) + (seq % TIES);
}

/** The highest number that one of `high` down to `low`, by the ledger's own numbers, can have: it happened at `at`, or before. */
export function highestId(at: number, high: number, low: number): number {
  // Where the ends of their numbers begin anew between them, the end of none is the highest.
  const isWhole = Math.floor(high / TIES) === Math.floor(low / TIES);
  return numberAt(at) + (isWhole ? high % TIES : TIES - 1);
}
