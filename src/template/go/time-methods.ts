import { type Bytes, fromText } from "./bytes.ts";
import { GoCallError } from "./error.ts";
import {
  durationString,
  formatTime,
  MONTHS,
  timeGoString,
  timeString,
  WEEKDAYS,
} from "./time-format.ts";
import { civil, type GoTime, nanosOf, ofCivil, ofNanos, UTC, type Zone } from "./time.ts";
import { Pointer, type Raw, ZERO_SECONDS } from "./types.ts";

export type TimeMethod = (time: GoTime, args: readonly Raw[], local: Zone) => Raw;

const RFC3339 = "2006-01-02T15:04:05Z07:00";
const RFC3339_NANO = "2006-01-02T15:04:05.999999999Z07:00";
const INT64_MAX = (1n << 63n) - 1n;
const INT64_MIN = -(1n << 63n);

export const bytesOf = (text: Bytes): Raw => Array.from(text, (c) => BigInt(c.charCodeAt(0)));
export const isZeroTime = ({ sec, nsec }: GoTime): boolean => sec === ZERO_SECONDS && nsec === 0;

const compare = (a: GoTime, b: Raw): number => {
  const difference = nanosOf(a) - nanosOf(b as GoTime);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** A whole number of steps since the zero time, at most one step away. */
function stepped(time: GoTime, step: bigint, round: boolean): GoTime {
  if (step <= 0n) return time;
  const nanos = nanosOf(time);
  const since = nanos - ZERO_SECONDS * 1_000_000_000n;
  const rest = ((since % step) + step) % step;
  return ofNanos(nanos - rest + (round && rest + rest >= step ? step : 0n), time.zone);
}

/** RFC 3339 has years of four digits. */
function strict(time: GoTime, method: string): Bytes {
  const { year } = civil(time);
  if (year < 0 || year > 9999)
    throw new GoCallError(`Time.${method}: year outside of range [0,9999]`);
  return formatTime(time, RFC3339_NANO);
}

const after = (before: Raw | undefined, bytes: Raw): Raw => [
  ...((before ?? []) as readonly bigint[]),
  ...(bytes as readonly bigint[]),
];

/** Version, seconds since the year 1, nanoseconds, minutes east; a second version has their seconds as well. */
function binary(time: GoTime): Raw {
  const east = time.zone === null ? -60 : time.zone.at(time.sec).offset;
  const bytes = Buffer.alloc(east % 60 === 0 ? 15 : 16);
  bytes.writeUInt8(bytes.length - 14, 0);
  bytes.writeBigInt64BE(wrap(time.sec - ZERO_SECONDS), 1);
  bytes.writeInt32BE(time.nsec, 9);
  bytes.writeInt16BE(Math.trunc(east / 60), 13);
  if (bytes.length > 15) bytes.writeInt8(east % 60, 15);
  return bytesOf(bytes.toString("latin1"));
}

const int = (n: number): bigint => BigInt(n);
const bounded = (n: bigint): bigint => (n > INT64_MAX ? INT64_MAX : n < INT64_MIN ? INT64_MIN : n);
const wrap = (n: bigint): bigint => BigInt.asIntN(64, n);

/** The methods of time.Time that give a template something. */
export const TIME_METHODS: Readonly<Record<string, TimeMethod>> = {
  Add: (time, [duration]) => ofNanos(nanosOf(time) + (duration as bigint), time.zone),
  AddDate: (time, [years, months, days]) => {
    const at = civil(time);
    const seconds = at.hour * 3600 + at.minute * 60 + at.second;
    const year = at.year + Number(years);
    const month = at.month + Number(months);
    return ofCivil(year, month, at.day + Number(days), seconds, time.nsec, time.zone);
  },
  After: (time, [other]) => compare(time, other ?? null) > 0,
  AppendBinary: (time, [before]) => after(before, binary(time)),
  AppendFormat: (time, [before, layout]) =>
    after(before, bytesOf(formatTime(time, layout as Bytes))),
  AppendText: (time, [before]) => after(before, bytesOf(strict(time, "AppendText"))),
  Before: (time, [other]) => compare(time, other ?? null) < 0,
  Compare: (time, [other]) => int(compare(time, other ?? null)),
  Equal: (time, [other]) => compare(time, other ?? null) === 0,
  Day: (time) => int(civil(time).day),
  Format: (time, [layout]) => formatTime(time, layout as Bytes),
  GoString: (time) => timeGoString(time),
  GobEncode: (time) => binary(time),
  Hour: (time) => int(civil(time).hour),
  In: (time, [zone]) => {
    if (!(zone instanceof Pointer))
      throw new GoCallError("time: missing Location in call to Time.In");
    const place = zone.to as Zone;
    return { ...time, zone: place === UTC ? null : place };
  },
  IsDST: (time) => (time.zone ?? UTC).at(time.sec).dst,
  IsZero: (time) => isZeroTime(time),
  Local: (time, _args, local) => ({ ...time, zone: local }),
  Location: (time) => new Pointer(time.zone ?? UTC),
  MarshalBinary: (time) => binary(time),
  MarshalJSON: (time) => bytesOf(`"${strict(time, "MarshalJSON")}"`),
  MarshalText: (time) => bytesOf(strict(time, "MarshalText")),
  Minute: (time) => int(civil(time).minute),
  Month: (time) => int(civil(time).month),
  Nanosecond: (time) => int(time.nsec),
  Round: (time, [step]) => stepped(time, step as bigint, true),
  Second: (time) => int(civil(time).second),
  String: (time) => timeString(time),
  Sub: (time, [other]) => {
    return bounded(nanosOf(time) - nanosOf(other as GoTime));
  },
  Truncate: (time, [step]) => stepped(time, step as bigint, false),
  UTC: (time) => ({ ...time, zone: null }),
  Unix: (time) => time.sec,
  UnixMicro: (time) => wrap(time.sec * 1_000_000n + BigInt(Math.floor(time.nsec / 1000))),
  UnixMilli: (time) => wrap(time.sec * 1000n + BigInt(Math.floor(time.nsec / 1e6))),
  UnixNano: (time) => wrap(nanosOf(time)),
  Weekday: (time) => int(civil(time).weekday),
  Year: (time) => int(civil(time).year),
  YearDay: (time) => int(civil(time).yearDay),
};

type Plain = (self: Raw, args: readonly Raw[]) => Raw;

const abs = (n: bigint): bigint => (n < 0n ? -n : n);

/** A duration as a number of longer units, with its fraction. */
const per = (unit: bigint) => (self: Raw) => {
  const nanos = self as bigint;
  return Number(nanos / unit) + Number(nanos % unit) / Number(unit);
};

/** What stands between an instant of the API and its JSON: `null` for no time. */
const wire = (layout: string) => (time: GoTime) =>
  bytesOf(isZeroTime(time) ? "null" : `"${formatTime({ ...time, zone: UTC }, layout)}"`);
const query = (layout: string) => (time: GoTime) =>
  isZeroTime(time) ? "" : formatTime({ ...time, zone: UTC }, layout);

const MICRO = "2006-01-02T15:04:05.000000Z07:00";

/** What metav1.Time has other than its time.Time. */
export const API_TIME: Readonly<Record<string, TimeMethod>> = {
  MarshalJSON: wire(RFC3339),
  MarshalQueryParameter: query(RFC3339),
  OpenAPISchemaFormat: () => "date-time",
  OpenAPISchemaType: () => ["string"],
};

export const API_MICRO_TIME: Readonly<Record<string, TimeMethod>> = {
  ...API_TIME,
  MarshalJSON: wire(MICRO),
  MarshalQueryParameter: query(MICRO),
};

/** Through text and back: what is written `Z` is UTC then. */
export const rfc3339Seconds = (time: GoTime): GoTime => ({
  ...time,
  nsec: 0,
  zone: civil(time).offset === 0 ? null : time.zone,
});

export const timeUnstructured = query(RFC3339);

/** The methods of the package's other types. */
export const TIME_PARTS: Readonly<Record<string, Readonly<Record<string, Plain>>>> = {
  "time.Month": {
    String: (self) => MONTHS[Number(self) - 1] ?? `%!Month(${Number(self)})`,
  },
  "time.Weekday": {
    String: (self) => WEEKDAYS[Number(self)] ?? `%!Weekday(${Number(self)})`,
  },
  "time.Location": { String: (self) => fromText((self as Zone).name) },
  "time.Duration": {
    Abs: (self) => bounded(abs(self as bigint)),
    Hours: per(3_600_000_000_000n),
    Minutes: per(60_000_000_000n),
    Seconds: per(1_000_000_000n),
    Milliseconds: (self) => (self as bigint) / 1_000_000n,
    Microseconds: (self) => (self as bigint) / 1000n,
    Nanoseconds: (self) => self,
    String: (self) => durationString(self as bigint),
    Truncate: (self, [step]) => {
      const [d, m] = [self as bigint, step as bigint];
      return m <= 0n ? d : d - (d % m);
    },
    Round: (self, [step]) => {
      const [d, m] = [self as bigint, step as bigint];
      if (m <= 0n) return d;
      const rest = abs(d) % m;
      const rounded = abs(d) - rest + (rest + rest < m ? 0n : m);
      return bounded(d < 0n ? -rounded : rounded);
    },
  },
};
