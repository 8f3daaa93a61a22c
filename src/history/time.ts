import { parseDuration } from "../sink/schema.ts";

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/;
/** Milliseconds since the epoch, as other programs' links have them. */
const EPOCH = /^\d{12,14}$/;

/** A duration back from `now`, an ISO 8601 time (UTC where it names no zone), a date, or milliseconds since the epoch; `null`: none of them. */
export function readTime(text: string, now: number): number | null {
  const at = momentOf(text, now);
  // Beyond, there are no dates.
  return at === null || Math.abs(at) > 8.64e15 ? null : at;
}

function momentOf(text: string, now: number): number | null {
  const back = parseDuration(text);
  if (back !== null) return now - back;
  if (text === "now") return now;
  if (EPOCH.test(text)) return Number(text);
  if (DATE.test(text)) return instant(`${text}T00:00:00Z`, text);
  const match = TIME.exec(text);
  if (match === null) return null;
  const zoned = match[3] === undefined ? `${text}Z` : text;
  return instant(zoned.replace(" ", "T"), text.slice(0, 10));
}

/** Date takes 30 February for 2 March. */
function instant(text: string, day: string): number | null {
  const at = Date.parse(text);
  const date = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(at) || Number.isNaN(date)) return null;
  return new Date(date).toISOString().startsWith(day) ? at : null;
}
