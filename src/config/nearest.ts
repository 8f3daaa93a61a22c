/**
 * The candidate a typing mistake away from `text`, or the only one it begins, or `null`: upper and lower case do not count.
 * Of two as near one that it begins is meant: `of` is `off`, not `on`.
 */
export function nearest(text: string, candidates: Iterable<string>): string | null {
  const wanted = text.toLowerCase();
  const all = [...candidates];
  const begun = all.filter((candidate) => candidate.toLowerCase().startsWith(wanted));
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of all) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance);
    const isBegun = best !== null && !begun.includes(best) && begun.includes(candidate);
    if (distance < bestDistance || (isBegun && distance === bestDistance)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? (wanted.length >= 3 && begun.length === 1 ? (begun[0] ?? null) : null);
}

/** `did you mean "x"?`, or else the whole list where it is short enough to read. */
export function suggestion(text: string, candidates: readonly string[], what: string): string {
  const close = nearest(text, candidates);
  if (close !== null) return `did you mean "${close}"?`;
  return `${what}: ${candidates.join(", ")}`;
}

/** Insertions, deletions, replacements and swaps of neighbours; anything from `limit` on may be answered as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (last[j] ?? limit) + 1,
        (row[j - 1] ?? limit) + 1,
        (last[j - 1] ?? limit) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? limit) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit;
}
