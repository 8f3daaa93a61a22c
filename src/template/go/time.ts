/** Moments as Go's package time has them: nanoseconds in a zone. */

/** What a place's clocks show. */
export interface Zone {
  readonly name: string;
  /** At a second since 1970: seconds east of UTC, and how the offset is called there. */
  at(sec: bigint): {
    readonly offset: number;
    readonly abbreviation: string;
    readonly dst: boolean;
  };
}

export interface GoTime {
  /** Since 1970, of UTC. */
  readonly sec: bigint;
  readonly nsec: number;
  /** `null` is UTC. */
  readonly zone: Zone | null;
}

export const UTC: Zone = {
  name: "UTC",
  at: () => ({ offset: 0, abbreviation: "UTC", dst: false }),
};

export interface Civil {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** From 1. */
  readonly yearDay: number;
  readonly offset: number;
  readonly abbreviation: string;
}

/** In seconds. */
export const DAY = 86400n;
const floorDiv = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((b - 1n - a) / b));

/** Days since 1970 of a date of the proleptic Gregorian calendar. */
export function daysOf(year: number, month: number, day: number): number {
  // Years begin in March, so that the leap day is the last.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const doe = yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy;
  return era * 146097 + doe - 719468;
}

function dateOf(days: number): { year: number; month: number; day: number } {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const doe = z - era * 146097;
  const yoe = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365,
  );
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return {
    year: yoe + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: doy - Math.floor((153 * mp + 2) / 5) + 1,
  };
}

export function civil(time: GoTime): Civil {
  const { offset, abbreviation } = (time.zone ?? UTC).at(time.sec);
  const local = time.sec + BigInt(offset);
  const days = Number(floorDiv(local, DAY));
  const rest = Number(local - BigInt(days) * DAY);
  const date = dateOf(days);
  return {
    ...date,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    weekday: (((days + 4) % 7) + 7) % 7,
    yearDay: days - daysOf(date.year, 1, 1) + 1,
    offset,
    abbreviation,
  };
}

const NANO = 1_000_000_000n;

export const nanosOf = ({ sec, nsec }: GoTime): bigint => sec * NANO + BigInt(nsec);

export function ofNanos(nanos: bigint, zone: Zone | null): GoTime {
  const sec = floorDiv(nanos, NANO);
  return { sec, nsec: Number(nanos - sec * NANO), zone };
}

/** The moment when clocks of a zone show a time; of two, the first. */
export function ofCivil(
  year: number,
  month: number,
  day: number,
  secondOfDay: number,
  nsec: number,
  zone: Zone | null,
): GoTime {
  const months = year * 12 + month - 1;
  const days = daysOf(Math.floor(months / 12), (((months % 12) + 12) % 12) + 1, 1) + day - 1;
  // Go counts in 64 bits.
  const local = BigInt.asIntN(64, BigInt(days) * DAY + BigInt(secondOfDay));
  const rules = zone ?? UTC;
  const first = local - BigInt(rules.at(local).offset);
  const { offset } = rules.at(first);
  return { sec: local - BigInt(offset), nsec, zone };
}

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;

/** A time of the API in a zone; `null` where it is none. */
export function parseTime(text: string, zone: Zone): GoTime | null {
  const found = RFC3339.exec(text);
  if (found === null) return null;
  const [, year, month, day, hour, minute, second, fraction = "", offset = "Z"] = found;
  const sign = offset.startsWith("-") ? -1 : 1;
  const east =
    offset === "Z" ? 0 : sign * (Number(offset.slice(1, 3)) * 3600 + Number(offset.slice(4)) * 60);
  const at = ofCivil(
    Number(year),
    Number(month),
    Number(day),
    Number(hour) * 3600 + Number(minute) * 60 + Number(second),
    Number(fraction.slice(0, 9).padEnd(9, "0")),
    null,
  );
  return { ...at, sec: at.sec - BigInt(east), zone };
}
