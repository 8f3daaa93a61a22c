import type { Lang } from "../config/config.ts";

/** A moment as the clocks of one time zone show it. */
export interface Local {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** `16:05:30` */
  readonly time: string;
}

/** Making a formatter costs far more than using it; there are as many as time zones in use. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timezone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timezone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat("en-GB", {
      timeZone: timezone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
    formatters.set(timezone, formatter);
  }
  return formatter;
}

/** Clocks are put forward and back on a quarter of an hour. */
const QUARTER_MS = 900_000;
const OFFSETS_KEPT = 500;
const offsets = new Map<string, number>();

/** How far the zone's clocks are ahead of UTC, in milliseconds; asking Intl for each event costs more than all the rest of its text. */
function offsetAt(at: number, timezone: string): number {
  const quarter = Math.floor(at / QUARTER_MS);
  const key = `${timezone} ${quarter}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const start = quarter * QUARTER_MS;
  const part = Object.fromEntries(
    formatterOf(timezone)
      .formatToParts(start)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  // Not Date.UTC: it takes the years 0 to 99 for those of the last century.
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  const offset = local.getTime() - start;
  if (offsets.size >= OFFSETS_KEPT) offsets.clear();
  offsets.set(key, offset);
  return offset;
}

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** @param at milliseconds since the epoch */
export function localTime(at: number, timezone: string): Local {
  const local = new Date(at + offsetAt(at, timezone));
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    time: [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()]
      .map(twoDigits)
      .join(":"),
  };
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `20 Nov`, `11月20日`; the year only where it is another than `today`'s. */
export function dateText(day: Local, today: Local, lang: Lang): string {
  const otherYear = day.year !== today.year;
  if (lang === "zh") return `${otherYear ? `${day.year}年` : ""}${day.month}月${day.day}日`;
  const month = MONTHS[day.month - 1] ?? "";
  return `${day.day} ${month}${otherYear ? ` ${day.year}` : ""}`;
}

/** How one reader tells the time. */
export interface TimeTeller {
  /** `16:05:30`, with the date before it where that is not today's. What is no time is told as it is. */
  moment(iso: string): string;
  /** `10:02–10:09`, with dates where they are not today's. */
  range(fromIso: string, toIso: string): string;
}

export function timeTeller(lang: Lang, timezone: string, now: number): TimeTeller {
  const today = localTime(now, timezone);
  const dateOf = (day: Local) => {
    const isToday = day.year === today.year && day.month === today.month && day.day === today.day;
    return isToday ? "" : `${dateText(day, today, lang)} `;
  };
  const read = (iso: string): Local | null => {
    const at = Date.parse(iso);
    return Number.isNaN(at) ? null : localTime(at, timezone);
  };
  return {
    moment: (iso) => {
      const local = read(iso);
      return local === null ? iso : dateOf(local) + local.time;
    },
    range: (fromIso, toIso) => {
      const from = read(fromIso);
      const to = read(toIso);
      if (from === null || to === null) return `${fromIso}–${toIso}`;
      const start = dateOf(from);
      const end = dateOf(to);
      const minutes = (local: Local) => local.time.slice(0, 5);
      return start === end
        ? `${start}${minutes(from)}–${minutes(to)}`
        : `${start}${minutes(from)} – ${end}${minutes(to)}`;
    },
  };
}

const UNITS = [
  { seconds: 86_400, en: "d", zh: "天" },
  { seconds: 3600, en: "h", zh: "小时" },
  { seconds: 60, en: "min", zh: "分" },
  { seconds: 1, en: "s", zh: "秒" },
] as const;

/** The two largest units: `5 min 30 s`, `2 小时 5 分`; empty below a second. */
export function spanText(ms: number, lang: Lang): string {
  const seconds = Math.floor(ms / 1000);
  const first = UNITS.findIndex((unit) => seconds >= unit.seconds);
  const large = UNITS[first];
  if (large === undefined) return "";
  const small = UNITS[first + 1];
  const rest = small === undefined ? 0 : Math.floor((seconds % large.seconds) / small.seconds);
  const parts = [`${Math.floor(seconds / large.seconds)} ${large[lang]}`];
  if (small !== undefined && rest > 0) parts.push(`${rest} ${small[lang]}`);
  return parts.join(" ");
}
