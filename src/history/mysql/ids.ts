import { numbering } from "../numbers.ts";

/** Occurrences are numbered one by one: those of one second are told apart by the end of their number. */
const TIES = 2 ** 20;

export const { numberAt, timeOf, cursorOf, numberOf, rangeOf } = numbering(TIES);

/** The number of an occurrence in the history: the same whoever makes it, and whenever. */
export function idOf(at: number, seq: number): number {
  return numberAt(at) + (seq % TIES);
}
