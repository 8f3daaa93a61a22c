/** `2026-11-20T08:05:30.12Z` → `2026-11-20 08:05:30.120000`, for a DATETIME of this many digits; never rounded into the future. */
export function dateTime(iso: string, digits: number): string {
  const seconds = iso.slice(0, 19).replace("T", " ");
  if (digits === 0) return seconds;
  return `${seconds}.${iso.slice(20, -1).padEnd(digits, "0").slice(0, digits)}`;
}

/** As Go prints a time, which is what kube-eventer stores: `2026-11-20 08:05:30.12 +0000 UTC`. */
export function goText(iso: string): string {
  const fraction = iso.slice(20, -1).replace(/0+$/, "");
  return `${iso.slice(0, 19).replace("T", " ")}${fraction === "" ? "" : `.${fraction}`} +0000 UTC`;
}

const STORED =
  /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(?: ?([+-])(\d\d):?(\d\d)\b.*| UTC|Z)?$/;

/**
 * A time as some table holds it: Go's text in whatever zone kube-eventer ran in (`2025-11-21 10:00:00 +0800 CST`), or a DATETIME, taken as UTC.
 * @returns ISO-8601 UTC; `null` for Go's zero time and everything else
 */
export function readStored(text: string): string | null {
  const match = STORED.exec(text.trim());
  if (match === null) return null;
  const [, year = "", month = "", day = "", time = "", fraction = "", sign, hours, minutes] = match;
  const local = Date.parse(`${year}-${month}-${day}T${time}Z`);
  if (Number.isNaN(local) || Number(year) < 1971) return null;
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  const utc = new Date(sign === "-" ? local + offset : local - offset).toISOString().slice(0, 19);
  return `${utc}${fraction.slice(0, 7)}Z`;
}
