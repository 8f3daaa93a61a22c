import { assert, constantFrom, date, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { latestOf, readInstant } from "../../../src/event/instant.ts";

describe("a time as the API writes it (RFC 3339)", () => {
  it.each([
    // metav1.Time: seconds, always UTC; metav1.MicroTime: six digits.
    ["2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"],
    ["2026-11-20T08:00:00.123456Z", "2026-11-20T08:00:00.123456Z"],
    ["2026-12-31T23:59:59Z", "2026-12-31T23:59:59Z"],
    ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
    ["1971-01-01T00:00:00Z", "1971-01-01T00:00:00Z"],
    // §5.6: T and Z may be small letters.
    ["2026-11-20t08:00:00z", "2026-11-20T08:00:00Z"],
    // §5.8: the examples that are in our time.
    ["1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.52Z"],
    ["1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z"],
    // Appendix C: leap years.
    ["2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"],
    ["2000-02-29T12:00:00Z", "2000-02-29T12:00:00Z"],
    // The zones furthest from UTC, and one of 45 minutes.
    ["2026-01-01T00:00:00+14:00", "2025-12-31T10:00:00Z"],
    ["2026-12-31T23:00:00-12:00", "2027-01-01T11:00:00Z"],
    ["2026-11-20T08:00:00+05:45", "2026-11-20T02:15:00Z"],
    ["2026-11-20T08:00:00-00:00", "2026-11-20T08:00:00Z"],
    // Nanoseconds are cut, not rounded into the next second.
    ["2026-11-20T08:00:59.999999999Z", "2026-11-20T08:00:59.999999Z"],
  ])("%s is %s", (written, read) => {
    expect(readInstant(written)).toBe(read);
  });

  it.each([
    "2026-00-15T08:00:00Z",
    "2026-13-15T08:00:00Z",
    "2026-11-00T08:00:00Z",
    "2026-11-31T08:00:00Z",
    "2025-02-29T08:00:00Z",
    "2100-02-29T08:00:00Z",
    "2026-11-20T24:00:00Z",
    "2026-11-20T08:60:00Z",
    "2026-11-20T08:00:61Z",
    "2026-11-20T08:00:00+24:00",
    "2026-11-20T08:00:00-08:60",
    "2026-11-20T08:00:00+99:99",
    "2026-11-20T08:00:00",
    "2026-11-20 08:00:00Z",
    "2026-11-20T08:00:00.Z",
    "2026-11-20",
    " 2026-11-20T08:00:00Z",
    "2026-11-20T08:00:00Z\n",
    "+02026-11-20T08:00:00Z",
    `2026-11-20T08:00:00.${"1".repeat(100_000)}Z`,
  ])("%j is none", (written) => {
    expect(readInstant(written)).toBeNull();
  });

  it("is the same moment, whatever the clock it was written by", () => {
    const moment = date({
      min: new Date("1972-01-01T00:00:00Z"),
      max: new Date("2099-12-30T00:00:00Z"),
      noInvalidDate: true,
    });
    const minutes = integer({ min: -14 * 60, max: 14 * 60 });
    assert(
      property(moment, minutes, constantFrom(0, 3), (at, offset, digits) => {
        const local = new Date(at.getTime() + offset * 60_000).toISOString();
        const size = Math.abs(offset);
        const two = (value: number) => String(value).padStart(2, "0");
        const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
        const written = digits === 0 ? local.slice(0, 19) : local.slice(0, 23);
        const whole = digits === 0 ? Math.floor(at.getTime() / 1000) * 1000 : at.getTime();
        expect(Date.parse(readInstant(`${written}${zone}`) ?? "")).toBe(whole);
      }),
    );
  });
});

describe("the latest of several times", () => {
  it("is told by what they mean, not by how many digits they have", () => {
    const rising = [
      "2026-11-20T07:59:59.999999Z",
      "2026-11-20T08:00:00Z",
      "2026-11-20T08:00:00.000001Z",
      "2026-11-20T08:00:00.5Z",
      "2026-11-20T08:00:00.51Z",
      "2026-11-20T08:00:01Z",
      "2027-01-01T00:00:00Z",
    ];
    for (const [index, later] of rising.entries())
      for (const earlier of rising.slice(0, index)) {
        expect(latestOf([earlier, null, later])).toBe(later);
        expect(latestOf([later, earlier])).toBe(later);
      }
  });

  it("is none of none", () => {
    expect(latestOf([])).toBeNull();
    expect(latestOf([null, null])).toBeNull();
  });
});
