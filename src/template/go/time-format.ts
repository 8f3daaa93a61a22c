import type { Bytes } from "./bytes.ts";
import { type Civil, civil, type GoTime, UTC } from "./time.ts";

export const MONTHS =
  "January February March April May June July August September October November December".split(
    " ",
  );
export const WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** What stands for something in a layout; anything else stands for itself. */
const CHUNK =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm|[-Z]07(?::00:00|0000|00|:00)?|[.,](?:0+|9+)(?!\d)/g;

const pad = (n: number, size: number): string => String(n).padStart(size, "0");

function offsetText(offset: number, form: string): string {
  if (form.startsWith("Z") && offset === 0) return "Z";
  const size = Math.abs(offset);
  const colon = form.includes(":") ? ":" : "";
  let text = `${offset < 0 ? "-" : "+"}${pad(Math.floor(size / 3600), 2)}`;
  const parts = form.replaceAll(":", "").length;
  if (parts >= 5) text += `${colon}${pad(Math.floor(size / 60) % 60, 2)}`;
  if (parts >= 7) text += `${colon}${pad(size % 60, 2)}`;
  return text;
}

function chunkText(chunk: string, at: Civil, nsec: number): string {
  const hour12 = at.hour % 12 === 0 ? 12 : at.hour % 12;
  const month = MONTHS[at.month - 1] ?? "";
  const weekday = WEEKDAYS[at.weekday] ?? "";
  switch (chunk) {
    case "January":
      return month;
    case "Jan":
      return month.slice(0, 3);
    case "1":
      return String(at.month);
    case "01":
      return pad(at.month, 2);
    case "Monday":
      return weekday;
    case "Mon":
      return weekday.slice(0, 3);
    case "2":
      return String(at.day);
    case "_2":
      return String(at.day).padStart(2);
    case "02":
      return pad(at.day, 2);
    case "__2":
      return String(at.yearDay).padStart(3);
    case "002":
      return pad(at.yearDay, 3);
    case "15":
      return pad(at.hour, 2);
    case "3":
      return String(hour12);
    case "03":
      return pad(hour12, 2);
    case "4":
      return String(at.minute);
    case "04":
      return pad(at.minute, 2);
    case "5":
      return String(at.second);
    case "05":
      return pad(at.second, 2);
    case "2006":
      return at.year < 0 ? `-${pad(-at.year, 4)}` : pad(at.year, 4);
    case "06":
      return pad(Math.abs(at.year) % 100, 2);
    case "PM":
      return at.hour >= 12 ? "PM" : "AM";
    case "pm":
      return at.hour >= 12 ? "pm" : "am";
    case "MST":
      return at.abbreviation;
    default:
      return /^[.,]/.test(chunk) ? fraction(chunk, nsec) : offsetText(at.offset, chunk);
  }
}

function fraction(chunk: string, nsec: number): string {
  const digits = pad(nsec, 9).slice(0, chunk.length - 1);
  if (chunk[1] === "0") return `${chunk[0]}${digits}`;
  const kept = digits.replace(/0+$/, "");
  return kept === "" ? "" : `${chunk[0]}${kept}`;
}

/** time.Time.Format: a layout is the moment `Mon Jan 2 15:04:05 MST 2006` as it should be written. */
export function formatTime(time: GoTime, layout: Bytes): Bytes {
  const at = civil(time);
  return layout.replace(CHUNK, (chunk) => chunkText(chunk, at, time.nsec));
}

export const timeString = (time: GoTime): Bytes =>
  formatTime(time, "2006-01-02 15:04:05.999999999 -0700 MST");

/** How `%#v` writes a moment: as the Go expression that makes it. */
export function timeGoString(time: GoTime): Bytes {
  const { year, month, day, hour, minute, second } = civil(time);
  const zone = time.zone === null || time.zone === UTC ? "time.UTC" : "time.Local";
  return `time.Date(${year}, time.${MONTHS[month - 1]}, ${day}, ${hour}, ${minute}, ${second}, ${time.nsec}, ${zone})`;
}

/** time.Duration.String: `1h2m3.5s`. */
export function durationString(nanos: bigint): Bytes {
  if (nanos === 0n) return "0s";
  const sign = nanos < 0n ? "-" : "";
  const size = nanos < 0n ? -nanos : nanos;
  const part = (unit: bigint): string => {
    const digits = String(size % unit)
      .padStart(String(unit).length - 1, "0")
      .replace(/0+$/, "");
    return digits === "" ? "" : `.${digits}`;
  };
  if (size < 1000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${size / 1000n}${part(1000n)}\u00c2\u00b5s`;
  if (size < 1_000_000_000n) return `${sign}${size / 1_000_000n}${part(1_000_000n)}ms`;
  const seconds = size / 1_000_000_000n;
  const hours = seconds / 3600n;
  const minutes = (seconds / 60n) % 60n;
  const text = `${seconds % 60n}${part(1_000_000_000n)}s`;
  if (seconds < 60n) return `${sign}${text}`;
  return `${sign}${hours > 0n ? `${hours}h` : ""}${minutes}m${text}`;
}
