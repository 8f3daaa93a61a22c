import { describe, expect, it } from "vitest";
import { dateText, localTime, spanText, timeTeller } from "../../../src/template/times.ts";

/** What stands in a message for a moment, as a reader in this zone reads it at that time. */
describe("a moment", () => {
  it.each([
    // The clocks of Berlin go from 02:00 to 03:00 on 29 March, and from 03:00 to 02:00 on 25 October.
    ["Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-29T00:59:59Z", "01:59:59", "01:59:59"],
    ["Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-29T01:00:00Z", "03:00:00", "03:00:00"],
    ["Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-25T00:30:00Z", "02:30:00", "02:30:00"],
    ["Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-25T01:30:00Z", "02:30:00", "02:30:00"],
    [
      "Europe/Berlin",
      "2026-10-25T12:00:00Z",
      "2026-10-24T21:59:59Z",
      "24 Oct 23:59:59",
      "10月24日 23:59:59",
    ],
    ["Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "00:00:00", "00:00:00"],
    // A day of 23 hours is a day all the same.
    [
      "Europe/Berlin",
      "2026-03-30T00:00:00Z",
      "2026-03-29T21:59:00Z",
      "29 Mar 23:59:00",
      "3月29日 23:59:00",
    ],
    ["America/New_York", "2026-03-08T15:00:00Z", "2026-03-08T06:59:59Z", "01:59:59", "01:59:59"],
    ["America/New_York", "2026-03-08T15:00:00Z", "2026-03-08T07:00:00Z", "03:00:00", "03:00:00"],
    ["America/New_York", "2026-11-01T15:00:00Z", "2026-11-01T05:30:00Z", "01:30:00", "01:30:00"],
    ["America/New_York", "2026-11-01T15:00:00Z", "2026-11-01T06:30:00Z", "01:30:00", "01:30:00"],
    // Half an hour of summer.
    ["Australia/Lord_Howe", "2026-10-04T12:00:00Z", "2026-10-03T15:29:59Z", "01:59:59", "01:59:59"],
    ["Australia/Lord_Howe", "2026-10-04T12:00:00Z", "2026-10-03T15:30:00Z", "02:30:00", "02:30:00"],
    // Zones without summer, with half and quarter hours.
    ["Asia/Shanghai", "2026-11-20T08:06:00Z", "2026-11-20T08:05:30Z", "16:05:30", "16:05:30"],
    ["Asia/Kolkata", "2026-11-20T08:06:00Z", "2026-11-20T08:05:30Z", "13:35:30", "13:35:30"],
    ["Asia/Kathmandu", "2026-11-20T08:06:00Z", "2026-11-20T08:05:30Z", "13:50:30", "13:50:30"],
    ["Pacific/Chatham", "2026-11-20T08:06:00Z", "2026-11-20T08:05:30Z", "21:50:30", "21:50:30"],
    // It is tomorrow there, and yesterday over there.
    [
      "Pacific/Kiritimati",
      "2026-11-20T12:00:00Z",
      "2026-11-20T09:59:59Z",
      "20 Nov 23:59:59",
      "11月20日 23:59:59",
    ],
    ["Pacific/Kiritimati", "2026-11-20T12:00:00Z", "2026-11-20T10:00:00Z", "00:00:00", "00:00:00"],
    [
      "Pacific/Pago_Pago",
      "2026-11-20T12:00:00Z",
      "2026-11-20T10:59:59Z",
      "19 Nov 23:59:59",
      "11月19日 23:59:59",
    ],
    ["Pacific/Pago_Pago", "2026-11-20T12:00:00Z", "2026-11-20T11:00:00Z", "00:00:00", "00:00:00"],
    // Another year is named; the reader's year counts, not that of UTC.
    [
      "UTC",
      "2027-01-01T00:00:01Z",
      "2026-12-31T23:59:59Z",
      "31 Dec 2026 23:59:59",
      "2026年12月31日 23:59:59",
    ],
    [
      "Asia/Shanghai",
      "2026-12-31T16:00:01Z",
      "2026-12-31T15:59:59Z",
      "31 Dec 2026 23:59:59",
      "2026年12月31日 23:59:59",
    ],
    ["Asia/Shanghai", "2026-12-31T16:00:01Z", "2026-12-31T16:00:00Z", "00:00:00", "00:00:00"],
    ["America/New_York", "2027-01-01T04:00:00Z", "2026-12-31T20:00:00Z", "15:00:00", "15:00:00"],
    [
      "UTC",
      "2026-11-20T08:06:00Z",
      "2024-02-29T12:00:00Z",
      "29 Feb 2024 12:00:00",
      "2024年2月29日 12:00:00",
    ],
    // A cluster whose clock is ahead of ours.
    ["UTC", "2026-11-20T23:59:59Z", "2026-11-21T00:00:01Z", "21 Nov 00:00:01", "11月21日 00:00:01"],
    // What has fractions loses them; what has an offset keeps its moment.
    ["UTC", "2026-11-20T08:06:00Z", "2026-11-20T08:05:30.999999Z", "08:05:30", "08:05:30"],
    ["UTC", "2026-11-20T08:06:00Z", "2026-11-20T10:05:30+02:00", "08:05:30", "08:05:30"],
  ])("in %s at %s, of %s: %s, %s", (zone, now, iso, en, zh) => {
    expect(timeTeller("en", zone, Date.parse(now)).moment(iso)).toBe(en);
    expect(timeTeller("zh", zone, Date.parse(now)).moment(iso)).toBe(zh);
  });

  it.each(["", "yesterday", "2026-13-01T00:00:00Z", "null"])("%j is told as it is", (text) => {
    expect(timeTeller("en", "UTC", 0).moment(text)).toBe(text);
    expect(timeTeller("en", "UTC", 0).range(text, "2026-11-20T08:00:00Z")).toBe(
      `${text}–2026-11-20T08:00:00Z`,
    );
    expect(timeTeller("en", "UTC", 0).range("2026-11-20T08:00:00Z", text)).toBe(
      `2026-11-20T08:00:00Z–${text}`,
    );
  });
});

describe("a time from and to", () => {
  const now = Date.parse("2026-11-20T08:06:00Z");
  it.each([
    ["2026-11-20T02:02:59Z", "2026-11-20T02:09:01Z", "02:02–02:09", "02:02–02:09"],
    ["2026-11-20T02:02:00Z", "2026-11-20T02:02:30Z", "02:02–02:02", "02:02–02:02"],
    [
      "2026-11-19T23:50:00Z",
      "2026-11-20T00:10:00Z",
      "19 Nov 23:50 – 00:10",
      "11月19日 23:50 – 00:10",
    ],
    ["2026-11-19T10:00:00Z", "2026-11-19T11:00:00Z", "19 Nov 10:00–11:00", "11月19日 10:00–11:00"],
    [
      "2026-11-18T10:00:00Z",
      "2026-11-19T11:00:00Z",
      "18 Nov 10:00 – 19 Nov 11:00",
      "11月18日 10:00 – 11月19日 11:00",
    ],
    [
      "2025-12-31T23:00:00Z",
      "2026-01-01T01:00:00Z",
      "31 Dec 2025 23:00 – 1 Jan 01:00",
      "2025年12月31日 23:00 – 1月1日 01:00",
    ],
  ])("%s to %s: %s, %s", (from, to, en, zh) => {
    expect(timeTeller("en", "UTC", now).range(from, to)).toBe(en);
    expect(timeTeller("zh", "UTC", now).range(from, to)).toBe(zh);
  });
});

describe("each month has its name", () => {
  it.each([
    [1, "Jan"],
    [2, "Feb"],
    [3, "Mar"],
    [4, "Apr"],
    [5, "May"],
    [6, "Jun"],
    [7, "Jul"],
    [8, "Aug"],
    [9, "Sep"],
    [10, "Oct"],
    [11, "Nov"],
    [12, "Dec"],
  ])("%i is %s", (month, name) => {
    const day = { year: 2026, month, day: 7, time: "00:00:00" };
    expect(dateText(day, day, "en")).toBe(`7 ${name}`);
    expect(dateText(day, day, "zh")).toBe(`${month}月7日`);
    expect(dateText(day, { ...day, year: 2027 }, "en")).toBe(`7 ${name} 2026`);
    expect(dateText(day, { ...day, year: 2025 }, "zh")).toBe(`2026年${month}月7日`);
  });
});

describe("how long something lasted", () => {
  it.each([
    [999, "", ""],
    [1_000, "1 s", "1 秒"],
    [1_999, "1 s", "1 秒"],
    [59_999, "59 s", "59 秒"],
    [60_000, "1 min", "1 分"],
    [61_000, "1 min 1 s", "1 分 1 秒"],
    [3_599_000, "59 min 59 s", "59 分 59 秒"],
    [3_600_000, "1 h", "1 小时"],
    [3_659_000, "1 h", "1 小时"],
    [3_660_000, "1 h 1 min", "1 小时 1 分"],
    [86_399_000, "23 h 59 min", "23 小时 59 分"],
    [86_400_000, "1 d", "1 天"],
    [89_999_000, "1 d", "1 天"],
    [90_000_000, "1 d 1 h", "1 天 1 小时"],
    [864_000_000, "10 d", "10 天"],
    [-1, "", ""],
    [Number.NaN, "", ""],
  ])("%f ms: %j, %j", (ms, en, zh) => {
    expect(spanText(ms, "en")).toBe(en);
    expect(spanText(ms, "zh")).toBe(zh);
  });
});

describe("the clocks of a zone, at odd times", () => {
  it.each([
    ["UTC", "1970-01-01T00:00:00Z", { year: 1970, month: 1, day: 1, time: "00:00:00" }],
    ["UTC", "1969-12-31T23:59:59Z", { year: 1969, month: 12, day: 31, time: "23:59:59" }],
    ["UTC", "0050-06-01T00:00:00Z", { year: 50, month: 6, day: 1, time: "00:00:00" }],
    ["UTC", "9999-12-31T23:59:59Z", { year: 9999, month: 12, day: 31, time: "23:59:59" }],
    ["Asia/Shanghai", "2026-02-28T16:00:00Z", { year: 2026, month: 3, day: 1, time: "00:00:00" }],
    ["Asia/Shanghai", "2028-02-28T16:00:00Z", { year: 2028, month: 2, day: 29, time: "00:00:00" }],
  ])("%s, %s", (zone, iso, expected) => {
    expect(localTime(Date.parse(iso), zone)).toEqual(expected);
  });
});
