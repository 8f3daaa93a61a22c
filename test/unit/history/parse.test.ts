import { describe, expect, onTestFinished, test, vi } from "vitest";
import { printCursor, readCursor } from "../../../src/history/cursor.ts";
import { EVERYTHING } from "../../../src/history/history.ts";
import { FIELDS, parseQuery, problemText, QueryError } from "../../../src/history/parse.ts";
import { readTime } from "../../../src/history/time.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const parse = (text: string, others?: readonly string[]) =>
  parseQuery(new URLSearchParams(text), NOW, others);

function problemsOf(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof QueryError) return error.problems.map(problemText);
    throw error;
  }
  return [];
}

describe("a query string", () => {
  test("that says nothing asks for everything, a page of fifty", () => {
    expect(parse("")).toEqual({
      filter: EVERYTHING,
      limit: 50,
      before: null,
      timeline: { by: "reason", step: null, top: 8 },
    });
  });

  test("says what is looked for; lists by commas or by saying it again", () => {
    const { filter } = parse(
      "ns=shop,data&ns=-&kind=Pod&name=web-*&reason=BackOff, Failed&type=Warning&component=kubelet&cluster=prod-a&sink=ops&state=dead&kept=owed&why=tooOld",
    );
    expect(filter).toEqual({
      ...EVERYTHING,
      namespaces: ["shop", "data", "-"],
      kinds: ["Pod"],
      names: ["web-*"],
      reasons: ["BackOff", "Failed"],
      types: ["Warning"],
      components: ["kubelet"],
      clusters: ["prod-a"],
      sinks: ["ops"],
      states: ["dead"],
      kept: "owed",
      suppressed: ["tooOld"],
    });
  });

  test.each([
    ["since=2h", NOW - 2 * 3_600_000, null],
    ["since=90m&to=30m", NOW - 90 * 60_000, NOW - 30 * 60_000],
    ["since=2026-11-20", Date.parse("2026-11-20T00:00:00Z"), null],
    ["from=2026-11-20T10:00:00Z", Date.parse("2026-11-20T10:00:00Z"), null],
    [
      "from=2026-11-20T10:00&to=2026-11-20 10:30",
      Date.parse("2026-11-20T10:00:00Z"),
      Date.parse("2026-11-20T10:30:00Z"),
    ],
    ["from=2026-11-20T18:00:00.5%2B08:00", Date.parse("2026-11-20T10:00:00.500Z"), null],
    ["from=1795132800000&to=now", 1_795_132_800_000, NOW],
  ])("says between which times: %s", (text, from, to) => {
    expect(parse(text).filter).toMatchObject({ from, to });
  });

  test("its words are small letters; quotes keep them together, also where the last one is missing", () => {
    expect(parse('q=Failed pull "image X" 镜像').filter.words).toEqual([
      "failed",
      "pull",
      "image x",
      "镜像",
    ]);
    expect(parse('q="still typing').filter.words).toEqual(["still typing"]);
    expect(parse("q=  ").filter.words).toEqual([]);
    expect(parse("q=a a A").filter.words).toEqual(["a"]);
  });

  test("empty fields of a form are not said", () => {
    expect(parse("ns=&kind=&q=&since=&to=&cursor=&limit=").filter).toEqual(EVERYTHING);
  });

  test("asks for the page after another, and for its timeline", () => {
    const cursor = printCursor({ at: NOW, tie: 7 });
    expect(parse(`cursor=${cursor}&limit=200&by=namespace&step=5m&top=3`)).toMatchObject({
      before: { at: NOW, tie: 7 },
      limit: 200,
      timeline: { by: "namespace", step: 300_000, top: 3 },
    });
  });

  test("fields that somebody else reads are left to them", () => {
    expect(parse("lang=zh&live=1", ["lang", "live"]).filter).toEqual(EVERYTHING);
  });

  test.each([
    [
      "since=yesterday",
      'since: found "yesterday", expected a duration back from now (30m, 2h, 7d) or an ISO 8601 time, like since=2h',
    ],
    [
      "from=2026-02-30",
      'from: found "2026-02-30", expected a duration back from now (30m, 2h, 7d) or an ISO 8601 time, like from=2026-11-20T10:00:00Z',
    ],
    ["since=1h&from=2h", 'since: found "1h", expected either since or from, like since=2h'],
    [
      "from=1h&to=2h",
      'to: found "2h", expected a time after 2026-11-21T11:00:00.000Z, like to=2026-11-20T10:30:00Z',
    ],
    [
      "from=1h&to=1h",
      'to: found "1h", expected a time after 2026-11-21T11:00:00.000Z, like to=2026-11-20T10:30:00Z',
    ],
    [
      "state=lost",
      'state: found "lost", expected one of pending, delivered, dead, folded, discarded, like state=dead',
    ],
    [
      "by=color",
      'by: found "color", expected one of reason, type, namespace, kind, component, like by=reason',
    ],
    ["limit=0", 'limit: found "0", expected a whole number from 1 to 1000, like limit=50'],
    ["limit=1e9", 'limit: found "1e9", expected a whole number from 1 to 1000, like limit=50'],
    ["top=-1", 'top: found "-1", expected a whole number from 1 to 50, like top=8'],
    ["step=90s", 'step: found "90s", expected whole minutes or hours, 1m to 1d, like step=5m'],
    ["step=0m", 'step: found "0m", expected whole minutes or hours, 1m to 1d, like step=5m'],
    ["step=1441m", 'step: found "1441m", expected whole minutes or hours, 1m to 1d, like step=5m'],
    [
      "name=*web",
      'name: found "*web", expected an exact name, or its beginning with one * at the end, like name=web-7d4b9c*',
    ],
    [
      "cursor=abc",
      'cursor: found "abc", expected `next` of the page before, as it was given, or none, like cursor=1.mj2k0a3s.b',
    ],
    ["limit=1&limit=2", 'limit: found "1&2", expected one value, like limit=50'],
    ["kept=owed,suppressed", 'kept: found "owed,suppressed", expected one value, like kept=owed'],
    ["by=kind&by=reason", 'by: found "kind,reason", expected one value, like by=reason'],
    [
      "cursor=1.a.b&cursor=1.a.c",
      'cursor: found "1.a.b&1.a.c", expected one value, like cursor=1.mj2k0a3s.b',
    ],
    ["from=2h&from=1h", 'from: found "2h&1h", expected one value, like from=2026-11-20T10:00:00Z'],
  ])(
    "a mistake is told with what was found, what was expected and an example: %s",
    (text, told) => {
      expect(problemsOf(text)).toContain(told);
    },
  );

  test("takes the shortest and the longest bar, the most rows, and the most and longest values", () => {
    expect(parse("step=1m").timeline.step).toBe(60_000);
    expect(parse("step=24h").timeline.step).toBe(86_400_000);
    expect(parse("limit=1000&top=50")).toMatchObject({ limit: 1000, timeline: { top: 50 } });
    const values = Array.from({ length: 50 }, (_, n) => `ns-${n}`);
    expect(parse(`ns=${values.join(",")}`).filter.namespaces).toEqual(values);
    const long = "n".repeat(512);
    expect(parse(`ns=${long}&q=${long}`).filter).toMatchObject({
      namespaces: [long],
      words: [long],
    });
    expect(problemsOf(`ns=${long}n&q=${long}n`)).toHaveLength(2);
    expect(problemsOf("limit=1001&top=51")).toHaveLength(2);
  });

  test("a field there is not is told with the one that was meant", () => {
    expect(problemsOf("resaon=BackOff")[0]).toContain(
      'found "BackOff", expected one of the fields: reason',
    );
    expect(problemsOf("zzzzzz=1")[0]).toContain("since, from, to");
  });

  test("every mistake is told, not the first alone, and what was found is cut", () => {
    expect(problemsOf("since=x&limit=y&state=z")).toHaveLength(3);
    expect(problemsOf(`ns=${"n".repeat(600)}`)[0]?.length).toBeLessThan(200);
    expect(problemsOf(`q=${"n".repeat(600)}`)[0]).toContain("at most 512 characters");
    expect(problemsOf(`ns=${Array.from({ length: 51 }, (_, n) => n).join(",")}`)[0]).toContain(
      "at most 50",
    );
  });

  test("each field's example is one that is understood", () => {
    for (const [field, [, example]] of Object.entries(FIELDS))
      expect(problemsOf(`${field}=${encodeURIComponent(example)}`), field).toEqual([]);
  });
});

const at = (time: string) => Date.parse(time);

describe("a time", () => {
  test.each([
    // The hour that there is twice, as the offset says which; and the one that there is not, of no zone.
    ["2026-10-25T02:30+02:00", at("2026-10-25T00:30:00Z")],
    ["2026-10-25T02:30+01:00", at("2026-10-25T01:30:00Z")],
    ["2026-03-29T02:30", at("2026-03-29T02:30:00Z")],
    ["2026-03-29", at("2026-03-29T00:00:00Z")],
    ["2026-11-20T10:00-0930", at("2026-11-20T19:30:00Z")],
    ["2026-11-20 10:00:00,5", null],
    // The end of a day is the beginning of the next; there is no 24:01.
    ["2026-11-20T24:00", at("2026-11-21T00:00:00Z")],
    ["2026-11-20T24:01", null],
    ["2026-12-31T23:59:59.999999999Z", at("2026-12-31T23:59:59.999Z")],
    ["2026-12-31T23:59:60Z", null],
    ["2028-02-29", at("2028-02-29T00:00:00Z")],
    ["2026-02-29", null],
    ["2026-02-30T10:00+08:00", null],
    ["2026-11-20T10:00+25:00", null],
    ["2026-11-20T10:60", null],
    ["2026-13-01", null],
    ["36500d", NOW - 36_500 * 86_400_000],
    ["36501d", null],
    ["-5m", null],
    ["0s", NOW],
    ["now", NOW],
    ["1795132800", null],
    ["yesterday", null],
    ["2026-11-20T10:00Z\n", null],
  ])("is what ISO 8601 says, wherever the program runs, and nothing else: %j", (text, expected) => {
    // A zone whose clocks are put forward and back.
    vi.stubEnv("TZ", "Europe/Berlin");
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(readTime(text, NOW)).toBe(expected);
  });

  test("that ends a range has to come after its beginning, by a millisecond at least", () => {
    const from = "from=2026-11-20T10:00:00Z";
    expect(parse(`${from}&to=2026-11-20T10:00:00.001Z`).filter.to).toBe(
      at("2026-11-20T10:00:00.001Z"),
    );
    for (const to of ["2026-11-20T10:00:00Z", "2026-11-20T11:00:00%2B01:00", "2026-11-20"])
      expect(problemsOf(`${from}&to=${to}`)).toEqual([
        expect.stringContaining("expected a time after 2026-11-20T10:00:00.000Z"),
      ]);
    expect(problemsOf("since=30m&to=2h")).toHaveLength(1);
    expect(problemsOf("since=1h&from=2h")).toEqual([
      expect.stringContaining("either since or from"),
    ]);
    // In the future there is nothing, and no mistake either.
    expect(parse("from=2030-01-01").filter.from).toBe(at("2030-01-01T00:00:00Z"));
  });
});

describe("a cursor", () => {
  test("comes back as it went out", () => {
    for (const cursor of [
      { at: 0, tie: 0 },
      { at: NOW, tie: 4095 },
      { at: 8.64e15, tie: 1 },
    ])
      expect(readCursor(printCursor(cursor))).toEqual(cursor);
  });

  test.each([
    "",
    "1",
    "2.a.b",
    "1.A.b",
    "1..",
    "1.a.b.c",
    "1.-1.0",
    "1.zzzzzzzzzzz.0",
    "1.a.b\n",
    "1.0.zzzzzzzzzzz",
  ])("that nobody gave is refused: %j", (text) => expect(readCursor(text)).toBeNull());
});
