import { describe, expect, it } from "vitest";
import { audit } from "../../chaos/accountant.ts";
import type {
  Acceptance,
  Books,
  Created,
  Death,
  LedgerDelivery,
  LedgerEvent,
} from "../../chaos/books.ts";

/** An auditor that cannot find fault is worth nothing: true books first, and then each kind of false ones. */
const BEGIN = Date.parse("2026-11-20T10:00:00Z");
const at = (seconds: number) => BEGIN + seconds * 1000;
const iso = (seconds: number) => new Date(at(seconds)).toISOString();

const created = (n: number, fields: Partial<Created> = {}): Created => ({
  namespace: "shop",
  name: `e-${n}`,
  uid: `u-${n}`,
  count: 1,
  type: n % 2 === 0 ? "Warning" : "Normal",
  began: at(n),
  acked: at(n + 0.01),
  ...fields,
});
const event = (n: number, fields: Partial<LedgerEvent> = {}): LedgerEvent => {
  const count = fields.count ?? 1;
  return {
    key: `u-${n}@${count}`,
    uid: `u-${n}`,
    count,
    type: n % 2 === 0 ? "Warning" : "Normal",
    reason: "BackOff",
    eventName: `e-${n}`,
    firstSeen: iso(n),
    lastSeen: iso(n),
    ...fields,
  };
};
const delivery = (
  sink: string,
  n: number,
  fields: Partial<LedgerDelivery> = {},
): LedgerDelivery => ({
  id: `${sink}-${n}`,
  sink,
  state: "delivered",
  reason: null,
  detail: null,
  foldedInto: null,
  event: `u-${n}@1`,
  alert: null,
  ...fields,
});
const accepted = (sink: string, n: number, fields: Partial<Acceptance> = {}): Acceptance => ({
  sink,
  id: `${sink}-${n}`,
  occurrence: sink === "hook" ? `u-${n}@1` : null,
  at: at(n + 0.1),
  life: 1,
  doubtful: false,
  ...fields,
});
const killed = (life: number, seconds: number, fields: Partial<Death> = {}): Death => ({
  life,
  at: at(seconds),
  code: null,
  asked: "SIGKILL",
  unwrittenSince: null,
  dead: 0,
  lost: 0,
  ...fields,
});
const told: Death = killed(2, 100, { code: 0, asked: "SIGTERM" });

/** Ten events for a webhook, the warnings among them for a chat, and a table of all. */
function books(fields: Partial<Books> = {}): Books {
  const all = Array.from({ length: 10 }, (_, n) => n);
  const warnings = all.filter((n) => n % 2 === 0);
  const sink = (name: string) => ({ name, rows: null, refused: new Set<string>() });
  return {
    created: all.map((n) => created(n)),
    attempted: new Map(),
    accepted: [...all.map((n) => accepted("hook", n)), ...warnings.map((n) => accepted("chat", n))],
    sinks: [
      { ...sink("hook"), wants: "all", concurrency: 2 },
      { ...sink("chat"), wants: "Warning", concurrency: 1 },
      { ...sink("table"), wants: "all", concurrency: 1, rows: rowsOf(all) },
    ],
    events: all.map((n) => event(n)),
    deliveries: [
      ...all.map((n) => delivery("hook", n)),
      ...warnings.map((n) => delivery("chat", n)),
      ...all.map((n) => delivery("table", n)),
    ],
    deaths: [killed(1, 20), told],
    watched: [{ from: at(0), to: at(100), namespace: null }],
    listed: [],
    election: null,
    ...fields,
  };
}

const rowsOf = (all: readonly number[]) => new Map(all.map((n) => [`u-${n}`, 1]));

/** Without anything of this event in the ledger, nor with a sink. */
function forgotten(n: number, fields: Partial<Books> = {}): Books {
  const whole = books();
  return {
    ...whole,
    events: whole.events.filter(({ uid }) => uid !== `u-${n}`),
    deliveries: whole.deliveries.filter(({ event }) => event !== `u-${n}@1`),
    accepted: whole.accepted.filter(({ id }) => !id.endsWith(`-${n}`)),
    ...fields,
  };
}

const gap = (from: number, to: number): LedgerEvent =>
  event(99, { reason: "HistoryGap", firstSeen: iso(from), lastSeen: iso(to) });

/** With an acceptance changed, or another delivery in place of the first one of that id. */
const alsoAccepted = (...more: readonly Acceptance[]) =>
  books({ accepted: [...books().accepted, ...more] });
const withDelivery = (one: LedgerDelivery, more: Partial<Books> = {}) =>
  books({ deliveries: books().deliveries.map((old) => (old.id === one.id ? one : old)), ...more });

describe("true books", () => {
  it("are in order", () => {
    expect(audit(books())).toEqual([]);
  });
});

describe("an occurrence that the ledger does not know", () => {
  it("is lost", () => {
    expect(audit(forgotten(3))).toEqual([
      expect.stringMatching(/^lost: the ledger does not know shop\/e-3 u-3@1 /),
    ]);
  });

  it("may be in a gap that was told, and not in one that begins later or ended before", () => {
    const inside = forgotten(3);
    expect(audit({ ...inside, events: [...inside.events, gap(2, 5)] })).toEqual([]);
    for (const other of [gap(4, 9), gap(0, 2)])
      expect(audit({ ...inside, events: [...inside.events, other] })).toHaveLength(1);
  });

  it("may have changed again before a list, while nobody watched", () => {
    const base = forgotten(3);
    const changed = {
      created: [...base.created, created(3, { count: 2, began: at(6), acked: at(6.1) })],
      events: [...base.events, event(3, { count: 2 })],
      deliveries: [
        ...base.deliveries,
        ...["hook", "table"].map((sink) => delivery(sink, 3, { event: "u-3@2" })),
      ],
      accepted: [...base.accepted, accepted("hook", 3, { occurrence: "u-3@2", at: at(9.1) })],
      sinks: base.sinks.map((sink) =>
        sink.name === "table"
          ? { ...sink, rows: new Map([...rowsOf([...Array(10).keys()]), ["u-3", 2]]) }
          : sink,
      ),
    };
    const list = { from: at(8), to: at(9), namespace: null };
    const apart = [
      { from: at(0), to: at(2), namespace: null },
      { from: at(9), to: at(100), namespace: null },
    ];
    const judged = (fields: Partial<Books>) => audit({ ...base, ...changed, ...fields });
    expect(judged({ watched: apart, listed: [list] })).toEqual([]);
    expect(judged({ watched: apart, listed: [] }), "no list").toHaveLength(1);
    expect(
      judged({ watched: apart, listed: [{ ...list, namespace: "bank" }] }),
      "a list of something else",
    ).toHaveLength(1);
    expect(
      judged({ watched: apart, listed: [{ from: at(4), to: at(5), namespace: null }] }),
      "a list before the change",
    ).toHaveLength(1);
    expect(
      judged({ watched: [{ from: at(0), to: at(7), namespace: null }], listed: [list] }),
      "somebody watched",
    ).toHaveLength(1);
    const glimpse = { from: at(6), to: at(7), namespace: null };
    expect(judged({ watched: [...apart, glimpse], listed: [list] }), "not for long enough").toEqual(
      [],
    );
    expect(
      judged({ watched: [...apart, { ...glimpse, from: at(3) }], listed: [list] }),
      "somebody watched again",
    ).toHaveLength(1);
    expect(
      judged({ watched: apart, listed: [list], events: base.events }),
      "the later state is not there, either",
    ).toHaveLength(2);
  });

  it("may be with every sink, where the process died that could not write; else not", () => {
    const whole = books();
    const lost = {
      events: whole.events.filter(({ uid }) => uid !== "u-4"),
      deliveries: whole.deliveries.filter((one) => one.event !== "u-4@1"),
    };
    const deaths = [killed(1, 20, { unwrittenSince: at(3) }), told];
    expect(audit({ ...whole, ...lost, deaths })).toEqual([]);
    expect(audit({ ...whole, ...lost }), "it could write").toEqual([
      expect.stringMatching(/^lost: /),
      expect.stringMatching(/^not written: hook accepted hook-4/),
      expect.stringMatching(/^not written: chat accepted chat-4/),
    ]);
    const accepted = whole.accepted.filter(({ id }) => id !== "chat-4");
    expect(audit({ ...whole, ...lost, accepted, deaths }), "one sink has it not").toHaveLength(1);
  });
});

describe("a delivery", () => {
  it("that the ledger calls delivered was accepted", () => {
    const accepted = books().accepted.filter(({ id }) => id !== "chat-2");
    expect(audit(books({ accepted }))).toEqual([
      "not told: chat chat-2 (u-2@1) is delivered, and was never accepted",
    ]);
  });

  it("to a table has its row, with its count or a later one", () => {
    const table = (rows: ReadonlyMap<string, number>) =>
      books({
        sinks: books().sinks.map((sink) => (sink.name === "table" ? { ...sink, rows } : sink)),
      });
    expect(audit(table(new Map([...rowsOf([...Array(10).keys()]), ["u-1", 7]])))).toEqual([]);
    expect(audit(table(rowsOf([0, 1, 2, 3, 4, 5, 6, 7, 8])))).toEqual([
      "not told: table table-9 (u-9@1) is delivered, and no row says so",
    ]);
  });

  it("of a gap has a row by its own name", () => {
    const whole = books();
    const told = (rows: readonly (readonly [string, number])[]) =>
      audit({
        ...whole,
        events: [...whole.events, gap(2, 3)],
        deliveries: [...whole.deliveries, delivery("table", 99, { id: "d-gap" })],
        sinks: whole.sinks.map((sink) =>
          sink.name === "table"
            ? { ...sink, rows: new Map([...rowsOf([...Array(10).keys()]), ...rows]) }
            : sink,
        ),
      });
    expect(told([["d-gap", 1]])).toEqual([]);
    expect(told([])).toEqual(["not told: table d-gap (u-99@1) is delivered, and no row says so"]);
  });

  it("is not pending at the end", () => {
    const pending = delivery("table", 5, { state: "pending" });
    expect(audit(withDelivery(pending))).toEqual([
      "pending: table table-5 (u-5@1) was never settled",
    ]);
  });

  it("is dead only if it was refused, and with the reason", () => {
    const dead = (fields: Partial<LedgerDelivery>) =>
      delivery("hook", 5, { state: "dead", reason: "rejected", detail: "400", ...fields });
    const accepted = books().accepted.filter(({ id }) => id !== "hook-5");
    const refused = {
      accepted,
      sinks: books().sinks.map((sink) =>
        sink.name === "hook" ? { ...sink, refused: new Set(["hook-5"]) } : sink,
      ),
    };
    expect(audit(withDelivery(dead({}), refused))).toEqual([]);
    expect(audit(withDelivery(dead({}), { accepted }))).toEqual([
      expect.stringMatching(/^dead: hook hook-5 \(u-5@1\) was never refused/),
    ]);
    expect(audit(withDelivery(dead({ reason: "expired" }), refused))).toHaveLength(1);
    expect(audit(withDelivery(dead({ reason: null }), refused))).toEqual([
      "no reason: hook hook-5 (u-5@1) is dead",
    ]);
  });

  it("that was folded is in a digest that was told, which tells of as many as are in it", () => {
    const folded = [2, 4].map((n) =>
      delivery("chat", n, { state: "folded", foldedInto: "chat-digest" }),
    );
    const digest = (total: number, fields: Partial<LedgerDelivery> = {}) =>
      delivery("chat", 77, {
        id: "chat-digest",
        event: null,
        alert: { kind: "digest", total },
        ...fields,
      });
    const rest = books().deliveries.filter(({ id }) => id !== "chat-2" && id !== "chat-4");
    const singles = books().accepted.filter(({ id }) => id !== "chat-2" && id !== "chat-4");
    const judged = (deliveries: readonly LedgerDelivery[], more: readonly Acceptance[]) =>
      audit(books({ deliveries: [...rest, ...deliveries], accepted: [...singles, ...more] }));
    const told = accepted("chat", 77, { id: "chat-digest" });
    expect(judged([...folded, digest(2)], [told])).toEqual([]);
    expect(judged([...folded, digest(3)], [told])).toEqual([
      "wrong digest: chat chat-digest tells of 3, and 2 are in it",
    ]);
    expect(judged([...folded, digest(2)], [])).toEqual([
      "not told: chat chat-digest (digest) is delivered, and was never accepted",
    ]);
    expect(judged(folded, [])).toEqual([
      expect.stringMatching(/^no digest: chat chat-2/),
      expect.stringMatching(/^no digest: chat chat-4/),
    ]);
  });

  it("that is not there is in a digest of what is too old, or missing", () => {
    const rest = books().deliveries.filter(({ id }) => id !== "chat-2");
    const singles = books().accepted.filter(({ id }) => id !== "chat-2");
    const old = delivery("chat", 77, {
      id: "chat-old",
      event: null,
      alert: { kind: "digest", total: 1, tooOld: true },
    });
    const judged = (more: readonly LedgerDelivery[]) =>
      audit(
        books({
          deliveries: [...rest, ...more],
          accepted: [...singles, ...more.map(({ id }) => accepted("chat", 77, { id }))],
        }),
      );
    expect(judged([old])).toEqual([]);
    expect(judged([])).toEqual([
      "not owed: 1 are not owed to chat, u-2@1 among them, and its digests of what is too old tell of 0",
    ]);
    expect(judged([old, { ...old, id: "chat-older" }]), "told of twice").toHaveLength(1);
  });

  it("may have changed again before it was told, where a process ended meanwhile", () => {
    const whole = books();
    const uids = whole.sinks.map((sink) =>
      sink.rows === null ? sink : { ...sink, rows: new Map([...sink.rows, ["u-2", 2]]) },
    );
    const changed = books({
      sinks: uids,
      created: [...whole.created, created(2, { count: 2, began: at(30), acked: at(30.1) })],
      events: [...whole.events, event(2, { count: 2 })],
      deliveries: [
        ...whole.deliveries.filter(({ id }) => id !== "chat-2"),
        ...["hook", "chat", "table"].map((sink) =>
          delivery(sink, 2, { id: `${sink}-2-2`, event: "u-2@2" }),
        ),
      ],
      accepted: [
        ...whole.accepted.filter(({ id }) => id !== "chat-2"),
        ...["hook", "chat"].map((sink) =>
          accepted(sink, 2, {
            id: `${sink}-2-2`,
            occurrence: sink === "hook" ? "u-2@2" : null,
            at: at(31),
          }),
        ),
      ],
    });
    expect(audit(changed)).toEqual([]);
    expect(audit({ ...changed, deaths: [told] }), "nobody did").toEqual([
      expect.stringMatching(/^not owed: 1 are not owed to chat, u-2@1/),
    ]);
  });
});

describe("a message that came twice", () => {
  const again = (fields: Partial<Acceptance> = {}) =>
    accepted("hook", 5, { at: at(30), life: 2, ...fields });

  it("may have come again after a kill, and not in the same process or after it was told to end", () => {
    expect(audit(alsoAccepted(again()))).toEqual([]);
    expect(audit(alsoAccepted(again({ life: 1, at: at(6) })))).toEqual([
      expect.stringMatching(
        /^twice: hook accepted hook-5 \(u-5@1\) .* and nothing had happened to the answer$/,
      ),
    ]);
    const ended = { ...killed(1, 20), asked: "SIGTERM", code: 0 } as const;
    expect(audit({ ...alsoAccepted(again()), deaths: [ended, told] })).toHaveLength(1);
  });

  it("may have come again where the answer was lost", () => {
    const doubtful = books().accepted.map((one) =>
      one.id === "hook-5" ? { ...one, doubtful: true } : one,
    );
    const same = again({ life: 1, at: at(6) });
    expect(audit(books({ accepted: [...doubtful, same] }))).toEqual([]);
    const third = again({ life: 1, at: at(7) });
    expect(audit(books({ accepted: [...doubtful, same, third] })), "but once").toHaveLength(1);
  });

  it("may have come again where nothing could be written any more, or from a moment later on", () => {
    const ended = { ...killed(1, 20), asked: "SIGTERM", code: 3, lost: 1 } as const;
    const judged = (since: number) =>
      audit({
        ...alsoAccepted(again()),
        deaths: [{ ...ended, unwrittenSince: at(since) }, told],
      }).filter((line) => line.startsWith("twice:"));
    expect(judged(5)).toEqual([]);
    expect(judged(5.9), "on its way").toEqual([]);
    expect(judged(6.2)).toHaveLength(1);
  });

  it("is one of no more than can have been under way at the kill", () => {
    const both = [again(), accepted("hook", 6, { at: at(30), life: 2 })];
    expect(audit(alsoAccepted(...both))).toEqual([]);
    expect(audit(alsoAccepted(...both, accepted("hook", 7, { at: at(30), life: 2 })))).toEqual([
      "too many twice: hook accepted 3 again after process 1 was killed, and 2 can be under way",
    ]);
  });

  it("has the same key each time", () => {
    const other = withDelivery(delivery("hook", 5, { id: "hook-5" }), {
      accepted: [...books().accepted, again({ id: "hook-other" })],
      deliveries: [...books().deliveries, delivery("hook", 5, { id: "hook-other" })],
    });
    expect(audit(other)).toEqual(["other key: hook accepted u-5@1 as hook-5 and as hook-other"]);
    const chat = books({
      accepted: [...books().accepted, accepted("chat", 4, { id: "chat-other", life: 2 })],
      deliveries: [...books().deliveries, delivery("chat", 4, { id: "chat-other" })],
    });
    expect(audit(chat), "as the ledger tells it").toHaveLength(1);
  });
});

describe("what was never asked for", () => {
  it("is noticed in the ledger, unless it was asked for and not answered", () => {
    const whole = books();
    const strange = {
      events: [...whole.events, event(50)],
      deliveries: [
        ...whole.deliveries,
        ...["hook", "chat"].map((sink) => delivery(sink, 50)),
        delivery("table", 50, { state: "delivered" }),
      ],
      accepted: [...whole.accepted, accepted("hook", 50), accepted("chat", 50)],
      sinks: whole.sinks.map((sink) =>
        sink.rows === null ? sink : { ...sink, rows: rowsOf([...Array(51).keys()]) },
      ),
    };
    expect(audit(books(strange))).toEqual(["made up: nobody created e-50 u-50@1"]);
    expect(audit(books({ ...strange, attempted: new Map([["e-50@1", at(50)]]) }))).toEqual([]);
  });

  it("is noticed where a sink has it and the ledger does not know", () => {
    expect(audit(alsoAccepted(accepted("hook", 51, { occurrence: null })))).toEqual([
      "not written: hook accepted hook-51 (null), and the ledger says nothing",
    ]);
  });
});

describe("the end of a process", () => {
  it.each<[string, Partial<Death>, boolean]>([
    ["killed", {}, true],
    ["told to end, with 0", { asked: "SIGTERM", code: 0 }, true],
    ["told to end, with 3", { asked: "SIGTERM", code: 3 }, false],
    ["told to end, with 3, for something is dead", { asked: "SIGTERM", code: 3, dead: 2 }, true],
    ["told to end, with 0, and something is dead", { asked: "SIGTERM", code: 0, dead: 2 }, false],
    ["told to end, and something is lost", { asked: "SIGTERM", code: 3, lost: 2 }, false],
    [
      "told to end, and something is lost, when it could not write",
      { asked: "SIGTERM", code: 3, lost: 2, unwrittenSince: at(19) },
      true,
    ],
    ["by itself, with 70", { asked: null, code: 70 }, false],
    ["by itself, by a signal", { asked: null, code: null }, false],
    ["by itself, with 2", { asked: null, code: 2 }, false],
    [
      "by itself, with 2, when it could not write",
      { asked: null, code: 2, unwrittenSince: at(19) },
      true,
    ],
    ["told to end, with 70", { asked: "SIGTERM", code: 70 }, false],
  ])("%s", (_, fields, fine) => {
    const complaints = audit(books({ deaths: [killed(1, 20, fields), told] }));
    expect(complaints.filter((line) => line.startsWith("ending:"))).toHaveLength(fine ? 0 : 1);
  });
});
