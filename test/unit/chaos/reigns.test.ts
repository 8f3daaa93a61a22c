import { describe, expect, it } from "vitest";
import { audit } from "../../chaos/accountant.ts";
import type { Acceptance, Books, Death, Election, Reign } from "../../chaos/books.ts";

/** Two replicas: the first leads for ten seconds, is killed, and the second goes on; and then what must not be. */
const at = (seconds: number) => Date.parse("2026-11-20T10:00:00Z") + seconds * 1000;
const CONCURRENCY = 2;

const accepted = (n: number, life: number, fields: Partial<Acceptance> = {}): Acceptance => ({
  sink: "hook",
  id: `hook-${n}`,
  occurrence: `u-${n}@1`,
  at: at(n),
  life,
  doubtful: false,
  ...fields,
});
const death = (life: number, seconds: number, fields: Partial<Death> = {}): Death => ({
  life,
  at: at(seconds),
  code: 0,
  asked: "SIGTERM",
  unwrittenSince: null,
  dead: 0,
  lost: 0,
  ...fields,
});
const KILLED = death(1, 10, { asked: "SIGKILL", code: null });
const DEPOSED = death(1, 10, { asked: null, code: 4 });
const ENDED = death(2, 60);
const reign = (life: number, seconds: number, term = life): Reign => ({
  life,
  term,
  from: at(seconds),
});
const span = (from: number, to: number) => ({ from: at(from), to: at(to) });

/** Ten events, the second half told by the second. */
function books(election: Partial<Election> = {}, fields: Partial<Books> = {}): Books {
  const all = Array.from({ length: 10 }, (_, n) => (n < 5 ? n : n + 15));
  return {
    created: all.map((n) => ({
      namespace: "shop",
      name: `e-${n}`,
      uid: `u-${n}`,
      count: 1,
      type: "Normal",
      began: at(n - 0.2),
      acked: at(n - 0.1),
    })),
    attempted: new Map(),
    accepted: all.map((n) => accepted(n, n < 5 ? 1 : 2)),
    sinks: [
      { name: "hook", wants: "all", concurrency: CONCURRENCY, rows: null, refused: new Set() },
    ],
    events: all.map((n) => ({
      key: `u-${n}@1`,
      uid: `u-${n}`,
      count: 1,
      type: "Normal",
      reason: "Pulled",
      eventName: `e-${n}`,
      firstSeen: new Date(at(n)).toISOString(),
      lastSeen: new Date(at(n)).toISOString(),
    })),
    deliveries: all.map((n) => ({
      id: `hook-${n}`,
      sink: "hook",
      state: "delivered",
      reason: null,
      detail: null,
      foldedInto: null,
      event: `u-${n}@1`,
      alert: null,
    })),
    deaths: [KILLED, ENDED],
    watched: [],
    listed: [],
    election: {
      failoverMs: 7_000,
      reigns: [reign(1, 0), reign(2, 16)],
      starts: new Map([
        [1, at(-5)],
        [2, at(-4)],
      ]),
      disturbed: [],
      unwell: [],
      ...election,
    },
    ...fields,
  };
}
const also = (...more: readonly Acceptance[]) =>
  books({}, { accepted: [...books().accepted, ...more] });

describe("two replicas of which one leads", () => {
  it("are in order", () => {
    expect(audit(books())).toEqual([]);
  });

  it("deliver at once no more than was under way", () => {
    const still = (n: number) => accepted(n, 1, { at: at(17 + n / 10) });
    const before = books().accepted.slice(2);
    const told = (...first: readonly Acceptance[]) =>
      audit(books({}, { accepted: [...first, ...before] }));
    expect(told(still(0), still(1))).toEqual([]);
    expect(audit(also(still(0), still(1), still(2)))).toEqual([
      ...[0, 1, 2].map((n) => expect.stringMatching(`^twice: hook accepted hook-${n} `) as string),
      expect.stringMatching(
        /^two at once: hook accepted 3 from those who led before process 2 .*; 2 can be under way$/,
      ),
    ]);
  });

  it("begin with the first message, where that comes before the word", () => {
    const early = [5, 6, 7].map((n) => accepted(n + 15, 2, { at: at(3 + n / 10) }));
    const complaints = audit(
      books(
        { reigns: [reign(1, 0), reign(2, 16)] },
        { accepted: [...books().accepted.filter(({ life }) => life === 1), ...early] },
      ),
    );
    expect(complaints.filter((line) => line.startsWith("two at once"))).toHaveLength(0);
    const later = [2, 3, 4].map((n) => accepted(n, 1, { at: at(4 + n / 10) }));
    const overlapping = audit(
      books({}, { accepted: [...books().accepted.slice(0, 2), ...later, ...early] }),
    );
    expect(overlapping.filter((line) => line.startsWith("two at once"))).toHaveLength(1);
  });

  it("may tell again what was under way when a leader was killed or lost its Lease, also by a process that is older", () => {
    const again = (n: number) => accepted(n, 2, { at: at(17) });
    expect(audit(also(again(0), again(1)))).toEqual([]);
    expect(audit(also(again(0), again(1), again(2)))).toEqual([
      expect.stringMatching(/^too many twice: hook accepted 3 again after process 1 was killed/),
    ]);
    const deposed = { ...also(again(0)), deaths: [DEPOSED, ENDED] };
    expect(audit({ ...deposed, election: { ...elected(), disturbed: [span(5, 11)] } })).toEqual([]);
    const asked = { ...also(again(0)), deaths: [death(1, 10), ENDED] };
    expect(audit(asked)).toEqual([expect.stringMatching(/^twice: hook accepted hook-0 /)]);
  });

  it("each have a term of their own", () => {
    expect(audit(books({ reigns: [reign(1, 0, 7), reign(2, 16, 7)] }))).toEqual([
      "terms: process 2 led in term 7 after 1 had in 7",
    ]);
  });
});

const elected = () => books().election as Election;

describe("a leader that is gone", () => {
  const judged = (election: Partial<Election>, deaths: readonly Death[] = [KILLED, ENDED]) =>
    audit(books(election, { deaths, accepted: books().accepted }));
  const late = [reign(1, 0), reign(2, 22)];

  it("is followed within the time that was configured", () => {
    // Seven seconds, and four for a busy machine.
    expect(judged({ reigns: [reign(1, 0), reign(2, 20.9)] })).toHaveLength(0);
    expect(judged({ reigns: late })).toEqual([
      expect.stringMatching(/^late: process 1 was gone at .*, and 2 could have led by .*:21\.000Z/),
    ]);
    expect(judged({ reigns: [reign(1, 0)] })).toEqual([expect.stringMatching(/nobody did$/)]);
  });

  it("may be waited for while nobody can have its Lease, and for the time after that", () => {
    expect(judged({ reigns: late, disturbed: [span(12, 13)] })).toEqual([]);
    expect(judged({ reigns: late, disturbed: [span(1, 9)] }), "over before").toHaveLength(1);
    expect(judged({ reigns: [reign(1, 0), reign(2, 30)], disturbed: [span(12, 13)] })).toHaveLength(
      1,
    );
    expect(
      judged({ reigns: [reign(1, 0), reign(2, 40)], disturbed: [span(22, 30), span(12, 13)] }),
      "one after the other",
    ).toEqual([]);
  });

  it("is followed by nobody where nobody was there for long enough", () => {
    expect(judged({ reigns: [reign(1, 0)] }, [KILLED, death(2, 20)])).toEqual([]);
    const starts = new Map([
      [1, at(-5)],
      [2, at(13)],
    ]);
    expect(judged({ reigns: late, starts }), "just begun").toEqual([]);
  });

  it("ends with 4 where something kept it from its Lease, or where it slept, and not of itself", () => {
    const ending = (election: Partial<Election>) =>
      judged(election, [DEPOSED, ENDED]).filter((line) => line.startsWith("ending:"));
    expect(ending({})).toEqual(["ending: process 1 ended with 4, asked by nobody; 0 dead, 0 lost"]);
    expect(ending({ disturbed: [span(5, 11)] })).toEqual([]);
    expect(ending({ unwell: [span(2, 9)] })).toEqual([]);
    expect(ending({ disturbed: [span(11, 12)] })).toHaveLength(1);
    expect(
      audit({ ...books({}, { deaths: [DEPOSED, ENDED] }), election: null }),
      "nobody to lose it to",
    ).toHaveLength(1);
  });
});
