import type { Cursor, Filter } from "./history.ts";

const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** The highest number there can be. */
export const END = Number.MAX_SAFE_INTEGER;

/**
 * How an index numbers its rows: by the second they are of, so that one order serves pages, counts, words and cursors.
 * @param ties numbers of one second
 */
export function numbering(ties: number) {
  const numberAt = (ms: number) => Math.min(END, Math.floor(Math.max(0, ms) / SECOND_MS) * ties);
  const timeOf = (id: number) => Math.floor(id / ties) * SECOND_MS;
  return {
    /** The first number of the second that a moment is in. */
    numberAt,
    /** The second that a number stands for, in milliseconds since the epoch. */
    timeOf,
    cursorOf: (id: number): Cursor => ({ at: timeOf(id), tie: id % ties }),
    numberOf: ({ at, tie }: Cursor): number => Math.min(END, numberAt(at) + tie),
    /** Numbers between which a filter looks: from `low`, below `high`. */
    rangeOf: (
      filter: Filter,
      before: number | null,
    ): { readonly low: number; readonly high: number } => {
      const low = filter.from === null ? 0 : numberAt(filter.from);
      const high = filter.to === null ? END : Math.min(END, numberAt(filter.to - 1) + ties);
      return { low, high: before === null ? high : Math.min(high, before) };
    },
  };
}
