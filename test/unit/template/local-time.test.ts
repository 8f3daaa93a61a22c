import { describe, expect, it } from "vitest";
import { localTime } from "../../../src/template/times.ts";

/** What Intl says of the same moment, by another way than the one under test. */
function byIntl(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "medium",
  }).format(at);
}

function shown(at: number, timezone: string): string {
  const { year, month, day, time } = localTime(at, timezone);
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")} ${time}`;
}

describe("the clocks of a zone", () => {
  const zones = [
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Pacific/Chatham",
  ];

  it.each(zones)("agree with Intl at every hour of a year and on odd seconds: %s", (zone) => {
    const start = Date.parse("2026-01-01T00:00:00Z");
    for (let hour = 0; hour < 8760; hour += 7) {
      const at = start + hour * 3_600_000 + ((hour * 7919) % 3600) * 1000;
      expect(shown(at, zone)).toBe(byIntl(at, zone));
    }
  });

  it.each([
    ["Europe/Berlin", "2026-03-29T01:00:00Z"],
    ["Europe/Berlin", "2026-10-25T01:00:00Z"],
    ["America/New_York", "2026-03-08T07:00:00Z"],
    ["America/New_York", "2026-11-01T06:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
    ["Australia/Lord_Howe", "2026-10-03T15:30:00Z"],
  ])("are put forward or back at the right second: %s, %s", (zone, change) => {
    for (const seconds of [-3601, -901, -1, 0, 1, 900, 3601]) {
      const at = Date.parse(change) + seconds * 1000;
      expect(shown(at, zone), `${seconds} s`).toBe(byIntl(at, zone));
    }
  });

  it("begin the day at midnight, not at 24:00", () => {
    expect(shown(Date.parse("2026-11-20T16:00:00Z"), "Asia/Shanghai")).toBe("2026-11-21 00:00:00");
  });

  it("are right again after more quarters of an hour than are remembered", () => {
    const start = Date.parse("2020-01-01T00:00:00Z");
    for (let quarter = 0; quarter < 1500; quarter += 1)
      shown(start + quarter * 900_000, "Europe/Berlin");
    expect(shown(start, "Europe/Berlin")).toBe("2020-01-01 01:00:00");
  });
});
