/** An occurrence, as retention looks at it. */
export interface Looked {
  /** Counts them in the order they were taken. */
  readonly seq: number;
  /** When that was, by the clock of that time. */
  readonly takenAt: number;
  /** Something of it is owed, or was settled lately. */
  readonly isKept: boolean;
}

/**
 * Which of these, in their order, were taken before `before`. The clock may have been ahead when they were: what says to be of a time to come
 * was taken before whatever stands behind it, so one that is old behind it says that it is old as well.
 */
export function outlived<L extends Looked>(
  rows: readonly L[],
  {
    before,
    now,
    behind,
  }: { readonly before: number; readonly now: number; readonly behind: Looked | null },
): readonly L[] {
  const isOld = ({ takenAt }: Looked) => takenAt < before;
  const last = behind !== null && isOld(behind) ? behind : rows.findLast(isOld);
  if (last === undefined) return [];
  return rows.filter((row) => isOld(row) || (row.takenAt > now && row.seq < last.seq));
}

/** Whether it does not tell how old it is, and those before it that are ahead neither: it was taken while the clock was. */
export function isAhead(
  last: Looked | undefined,
  { before, now }: { readonly before: number; readonly now: number },
): last is Looked {
  return last !== undefined && last.takenAt > now && last.takenAt >= before;
}

/**
 * Halves its way to the least number from `low` to `high` at which something is so, where it is so at `high` and stays so once it is:
 * yields where to look, and is told.
 */
export function* leastOf(low: number, high: number): Generator<number, number, boolean> {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (yield middle) to = middle;
    else from = middle + 1;
  }
  return from;
}
