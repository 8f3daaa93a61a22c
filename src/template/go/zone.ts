import { DAY, daysOf, UTC, type Zone } from "./time.ts";
import { ABBREVIATIONS } from "./zone-names.ts";

const namesOf = new Map(
  Object.entries(ABBREVIATIONS).flatMap(([names, zones]) =>
    zones.split(" ").map((zone) => [zone, names.split("/")] as const),
  ),
);

/** Local time where it is UTC is not the same to Go as UTC. */
const LOCAL_UTC: Zone = { ...UTC };

/** By law Irish Standard Time is summer's, and winter the exception. */
const WINTER_IS_SAVING: ReadonlySet<string> = new Set(["Europe/Dublin", "Eire"]);

const zones = new Map<string, Zone>();

/** The zone of that name of the tz database, as Go's `TZ` would have it. */
export function zoneOf(name: string): Zone {
  if (name === "UTC") return LOCAL_UTC;
  let zone = zones.get(name);
  if (zone === undefined) zones.set(name, (zone = makeZone(name)));
  return zone;
}

/** A Date reaches further by some 4,000 years, either way. */
const LAST = 8_500_000_000_000n;
/** The calendar repeats after 400 years. */
const CYCLE = 146_097n * DAY;

/** A moment of which Date can tell, when clocks go as they do then: as ever before there were zones, as by the last rule afterwards. */
const within = (sec: bigint): bigint =>
  sec < -LAST ? -LAST : sec > LAST ? LAST - CYCLE + ((sec - LAST) % CYCLE) : sec;

function makeZone(name: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    timeZoneName: "longOffset",
    hour: "numeric",
  });
  const offsetAt = (sec: bigint): number => {
    // ICU knows local mean time before the zone began; the offset's seconds are in its text too.
    const part = format
      .formatToParts(Number(sec) * 1000)
      .find(({ type }) => type === "timeZoneName");
    const found = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(part?.value ?? "");
    if (found === null) return 0;
    const size = Number(found[2]) * 3600 + Number(found[3]) * 60 + Number(found[4] ?? 0);
    return found[1] === "-" ? -size : size;
  };
  const names = namesOf.get(name);
  return {
    name,
    at(moment) {
      const sec = within(moment);
      const offset = offsetAt(sec);
      const year = new Date(Number(sec) * 1000).getUTCFullYear();
      const winter = offsetAt(BigInt(daysOf(year, 1, 1)) * DAY);
      const summer = offsetAt(BigInt(daysOf(year, 7, 1)) * DAY);
      const later = offset > Math.min(winter, summer);
      // Before there were time zones a place kept the sun's time, to the second.
      const abbreviation =
        offset % 60 === 0 ? (names?.[later ? names.length - 1 : 0] ?? numericName(offset)) : "LMT";
      const dst = later !== (WINTER_IS_SAVING.has(name) && winter !== summer);
      return { offset, abbreviation, dst };
    },
  };
}

/** A zone without a name is called by its offset. */
function numericName(offset: number): string {
  const size = Math.abs(offset);
  const minutes = Math.floor(size / 60) % 60;
  const hours = String(Math.floor(size / 3600)).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${hours}${minutes === 0 ? "" : String(minutes).padStart(2, "0")}`;
}
