const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * An RFC 3339 time as ISO-8601 UTC with the precision it came with, at most microseconds (`2026-11-20T11:00:00.123456Z`).
 * `null` for everything else, and for the zero times of Go (year 1) and Unix (1970), which mean "not set".
 */
export function readInstant(value: unknown): string | null {
  if (typeof value !== "string" || value.length > 64) return null;
  const match = RFC3339.exec(value);
  if (match === null) return null;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  const hour = Number(match[4]);
  const minute = Number(match[5]);
  const second = Number(match[6]);
  if (year < 1971 || year > 9000 || month > 12 || hour > 23 || minute > 59 || second > 59)
    return null;
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC rolls 30 February over into March, and month 0 into the year before: such a date is no date.
  if (month < 1 || new Date(local).getUTCDate() !== day) return null;
  const offset = Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0);
  const seconds =
    offset === 0
      ? `${value.slice(0, 10)}T${value.slice(11, 19)}`
      : new Date(local - (match[8] === "-" ? -offset : offset) * 60_000).toISOString().slice(0, 19);
  const fraction = match[7]?.slice(0, 6);
  return fraction === undefined ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** The latest of instants that `readInstant` gave; `null` where there is none. */
export function latestOf(instants: readonly (string | null)[]): string | null {
  let latest: string | null = null;
  for (const instant of instants) {
    if (instant !== null && (latest === null || sortable(instant) > sortable(latest)))
      latest = instant;
  }
  return latest;
}

/** "…:00Z" must sort before "…:00.5Z", which as plain text it does not. */
function sortable(instant: string): string {
  return `${instant.slice(0, 19)}.${instant.slice(20, -1).padEnd(6, "0")}`;
}
