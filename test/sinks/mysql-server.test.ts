import { describe, expect, it } from "vitest";
import { anEvent } from "../support/events.ts";
import { aMessage } from "../support/messages.ts";
import {
  accepted,
  bench,
  deliver,
  inserts,
  isInsert,
  many,
  never,
  numbered,
  uids,
} from "../support/mysql-sink.ts";
import { KUBE_EVENTERS } from "../support/mysql-tables.ts";
import type { Said, Statement } from "../support/mysql-wire.ts";

/** What a server does once in a blue moon, by a server that does it at once: MySQL's protocol, and no database behind it. */
describe("rows that are delivered together", () => {
  it("go in few statements, of as few sizes as there are powers of two", async () => {
    const { wire, sink } = await bench();
    expect(await deliver(sink, 300)).toEqual(many(300).map(() => accepted));
    expect(inserts(wire).map((one) => uids(one).length)).toEqual([256, 32, 8, 4]);
    expect(new Set(inserts(wire).flatMap(uids)).size).toBe(300);
  });

  it("are in the order of their keys, so that two writers never wait for each other crosswise", async () => {
    const { wire, sink } = await bench();
    const shuffled = [3, 0, 2, 1].map(numbered);
    await Promise.all(shuffled.map((message) => sink.deliver(message, never)));
    expect(inserts(wire).flatMap(uids)).toEqual(["uid-0000", "uid-0001", "uid-0002", "uid-0003"]);
  });

  it("have a table made for them where there is none, which is said", async () => {
    const { wire, sink, told } = await bench(undefined, { table: null });
    expect(await deliver(sink, 1)).toEqual([accepted]);
    expect(wire.statements.filter(({ sql }) => sql.startsWith("CREATE TABLE"))).toHaveLength(1);
    expect(told).toEqual(["created the table kube_event"]);
  });

  it("are told apart by the one that the server does not take", async () => {
    const wrong = (statement: Statement): Said | null =>
      isInsert(statement) && uids(statement).includes("uid-0005")
        ? { error: 1366, message: "Incorrect string value for column 'message'" }
        : null;
    const { wire, sink } = await bench(wrong);
    const verdicts = await deliver(sink, 16);
    expect(verdicts[5]).toMatchObject({ kind: "permanent", reason: "rejected" });
    expect(verdicts.filter(({ kind }) => kind === "accepted")).toHaveLength(15);
    // In halves: five times for one of sixteen, not sixteen times.
    expect(inserts(wire).length).toBeLessThanOrEqual(10);
  });

  it("are not taken for rejected where the server says that a statement was too long", async () => {
    const { sink } = await bench((statement) =>
      isInsert(statement) && uids(statement).length > 4
        ? { error: 1153, message: "Got a packet bigger than 'max_allowed_packet' bytes" }
        : null,
    );
    expect(await deliver(sink, 16)).toEqual(many(16).map(() => accepted));
  });

  it("are tried again where two writers met, and given back to the lane where they go on meeting", async () => {
    let met = 0;
    const { sink } = await bench((statement) => {
      if (!isInsert(statement) || met >= 2) return null;
      met += 1;
      return { error: 1213, message: "Deadlock found when trying to get lock", state: "40001" };
    });
    expect(await deliver(sink, 2)).toEqual([accepted, accepted]);
    expect(met).toBe(2);

    const { wire, sink: other } = await bench((statement) =>
      isInsert(statement) ? { error: 1205, message: "Lock wait timeout exceeded" } : null,
    );
    const [verdict] = await deliver(other, 1);
    expect(verdict).toMatchObject({ kind: "retryable", reason: "server" });
    expect(inserts(wire)).toHaveLength(4);
  });
});

describe("a connection", () => {
  it("that the server closed while it was idle is nobody's failure", async () => {
    const { wire, sink } = await bench();
    await deliver(sink, 1);
    wire.hangUp();
    await wire.left();
    expect(await deliver(sink, 1)).toEqual([accepted]);
    expect(wire.connections).toBe(2);
  });

  it("that is lost on the way is made once more for what was under way", async () => {
    let lost = 0;
    const { wire, sink } = await bench((statement) => {
      if (!isInsert(statement) || statement.connection > 1) return null;
      lost += 1;
      return lost === 1 ? null : "close";
    });
    expect(await deliver(sink, 1)).toEqual([accepted]);
    expect(await deliver(sink, 3)).toEqual([accepted, accepted, accepted]);
    expect(wire.connections).toBe(2);
  });

  it.each([
    [1045, "Access denied for user 'root'", "server", /ALTER USER/],
    [1040, "Too many connections", "server", /Too many connections/],
    [1129, "Host is blocked because of many connection errors", "server", /FLUSH HOSTS/],
  ])(
    "that is refused (%i) keeps what is owed, and says what to do",
    async (error, message, reason, todo) => {
      const { sink } = await bench(undefined, { greets: () => ({ error, message }) });
      const [verdict] = await deliver(sink, 2);
      expect(verdict).toMatchObject({ kind: "retryable", reason });
      expect(JSON.stringify(verdict)).toMatch(todo);
    },
  );

  it("to a server that hangs ends with the attempt; the next has one of its own", async () => {
    const { wire, sink } = await bench((statement) =>
      isInsert(statement) && statement.connection === 1 ? "hang" : null,
    );
    const attempt = new AbortController();
    const waiting = deliver(sink, 2, attempt.signal);
    await wire.ran("INSERT");
    attempt.abort();
    for (const verdict of await waiting)
      expect(verdict).toMatchObject({ kind: "retryable", reason: "timeout" });
    await wire.left();
    expect(await deliver(sink, 2)).toEqual([accepted, accepted]);
    expect(wire.connections).toBe(2);
  });

  it("is kept for the others where only one of those who wait goes", async () => {
    const { wire, sink } = await bench();
    const goes = new AbortController();
    const left = sink.deliver(numbered(1), goes.signal);
    const stays = sink.deliver(numbered(2), never);
    goes.abort();
    expect(await left).toMatchObject({ kind: "retryable", reason: "timeout" });
    expect(await stays).toEqual(accepted);
    expect(inserts(wire).flatMap(uids)).toEqual(["uid-0002"]);
  });

  it("is closed with the sink, and what comes then stays owed", async () => {
    const { wire, sink } = await bench();
    await deliver(sink, 1);
    await sink.close();
    await wire.left();
    expect(await deliver(sink, 1)).toEqual([
      expect.objectContaining({ kind: "retryable", reason: "network" }),
    ]);
    expect(wire.connections).toBe(1);
  });

  it("is closed with the sink also where the server has fallen silent", async () => {
    const { wire, sink } = await bench((statement) =>
      isInsert(statement) && uids(statement).includes("uid-0001") ? "hang" : null,
    );
    await deliver(sink, 1);
    const attempt = new AbortController();
    const waiting = sink.deliver(numbered(1), attempt.signal);
    await wire.ran("INSERT", 2);
    await sink.close();
    await wire.left();
    attempt.abort();
    expect(await waiting).toMatchObject({ kind: "retryable" });
  });
});

describe("a look at the start", () => {
  it.each([
    ["does not greet", { greets: () => "hang" as const }, () => null],
    ["answers nothing", {}, () => "hang" as const],
    [
      "has locked the table",
      {},
      ({ sql }: Statement) => (sql.startsWith("INSERT") ? ("hang" as const) : null),
    ],
  ])("waits three seconds for a server that %s", async (_, options, besides) => {
    const { wire, sink, clock } = await bench(besides, options);
    const looking = sink.check?.(never);
    while (wire.connections === 0) await clock.advance(0);
    await clock.advance(2_999);
    await clock.advance(1);
    expect(await looking).toEqual({
      problems: [],
      away: `127.0.0.1:${wire.port} gives no answer in 3000 ms`,
    });
  });

  it("writes nothing, and leaves", async () => {
    const { wire, sink } = await bench();
    expect(await sink.check?.(never)).toEqual({ problems: [], away: null });
    await wire.left();
    expect(wire.statements.filter(({ sql }) => /^(INSERT|DELETE|CREATE)/.test(sql))).toEqual([
      expect.objectContaining({ sql: expect.stringContaining("WHERE 1 = 0") as string }),
    ]);
  });
});

describe("a table of kube-eventer's, which has no key", () => {
  /** Of the database: what was written. */
  function remembering(loses: (nth: number) => boolean) {
    const rows: string[][] = [];
    let nth = 0;
    const besides = ({ sql, values }: Statement): Said | null => {
      if (sql.startsWith("SELECT event_id"))
        return { rows: rows.filter(([id = ""]) => values.includes(id)) };
      if (!sql.startsWith("INSERT")) return null;
      nth += 1;
      const width = values.length / (sql.split("(?").length - 1);
      for (let start = 0; start < values.length; start += width) {
        const row = values.slice(start, start + width);
        // …, event_id, first_occurrence_time, last_occurrence_time
        rows.push([row.at(-3) ?? "", row.at(-1) ?? ""]);
      }
      return loses(nth) ? "close" : { changed: 1 };
    };
    return { rows, besides };
  }

  it("gets no second row where the answer to the first was lost", async () => {
    const { rows, besides } = remembering((nth) => nth === 2);
    const { sink } = await bench(besides, { table: KUBE_EVENTERS });
    const later = anEvent({ uid: "uid-0001", lastSeen: "2026-11-20T09:30:00Z" });
    expect(await deliver(sink, 1)).toEqual([accepted]);
    expect(await sink.deliver(aMessage({ event: later }), never)).toEqual(accepted);
    expect(rows).toEqual([
      ["uid-0000", "2026-11-20 08:05:30 +0000 UTC"],
      ["uid-0001", "2026-11-20 09:30:00 +0000 UTC"],
    ]);
  });

  it("gets a row for each occurrence, and none for one that is delivered twice at once", async () => {
    const { rows, besides } = remembering(() => false);
    const { sink } = await bench(besides, { table: KUBE_EVENTERS });
    const times = ["08:05:30", "08:06:30", "08:05:30"].map((time) =>
      aMessage({ event: anEvent({ uid: "uid-0001", lastSeen: `2026-11-20T${time}Z` }) }),
    );
    const verdicts = await Promise.all(times.map((one) => sink.deliver(one, never)));
    expect(verdicts).toEqual([accepted, accepted, accepted]);
    expect(rows.map(([, last]) => last)).toEqual([
      "2026-11-20 08:05:30 +0000 UTC",
      "2026-11-20 08:06:30 +0000 UTC",
    ]);
  });
});
