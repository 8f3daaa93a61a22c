import { describe, expect, it } from "vitest";
import { type Bench, bench, deliver } from "../support/mysql-sink.ts";
import { KUBE_EVENTERS } from "../support/mysql-tables.ts";
import type { Said, Statement } from "../support/mysql-wire.ts";

const HOUR = 3_600_000;
const given = { retention: "30d" };
/** Before the bench's clock, which is a moment after eight. */
const THIRTY_DAYS = expect.stringMatching(/^2026-10-21 08:00:0\d\.\d{3}$/) as string;
const isDelete = ({ sql }: Statement) => sql.startsWith("DELETE");
const deletes = ({ wire }: Bench) => wire.statements.filter(isDelete);
/** Each DELETE takes as many rows as are left, at most 500. */
function holding(count: number) {
  let left = count;
  return (statement: Statement): Said | null => {
    if (!isDelete(statement)) return null;
    const changed = Math.min(500, left);
    left -= changed;
    return { changed };
  };
}
/** Moves time on, in small steps, until it is so. */
async function until({ clock }: Bench, isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn += 1) {
    if (turn > 2000) throw new Error("it did not come to that");
    await clock.advance(20);
  }
}

describe("rows that are too old", () => {
  it("are deleted 500 at a time, on a connection of their own, until there are none", async () => {
    const b = await bench(holding(1200), { given });
    await deliver(b.sink, 1);
    await until(b, () => b.told.length > 0);
    expect(deletes(b).map(({ values, connection }) => [values, connection])).toEqual(
      Array.from({ length: 3 }, () => [[THIRTY_DAYS], 2]),
    );
    expect(b.told).toEqual([expect.stringMatching(/^retention: 1200 rows older .* deleted$/)]);
    await until(b, () => b.wire.open === 1);
  });

  it("are looked for again after an hour, and nothing is said where there are none", async () => {
    const b = await bench(holding(1), { given });
    await deliver(b.sink, 1);
    await until(b, () => b.told.length > 0 && b.wire.open === 1);
    await b.clock.advance(HOUR - 1000);
    expect(deletes(b)).toHaveLength(1);
    await b.clock.advance(1000);
    await until(b, () => deletes(b).length === 2 && b.wire.open === 1);
    expect(deletes(b)[1]?.values).toEqual([expect.stringMatching(/^2026-10-21 09:00:0/)]);
    expect(b.told).toHaveLength(1);
  });

  it("are none where nobody asked for that", async () => {
    const b = await bench(holding(5));
    await deliver(b.sink, 1);
    await b.clock.advance(2 * HOUR);
    expect(deletes(b)).toEqual([]);
    expect(b.wire.connections).toBe(1);
  });

  it("that cannot be deleted are left for an hour, which is said; the sink writes on", async () => {
    let allowed = false;
    const b = await bench(
      (statement) =>
        isDelete(statement) && !allowed
          ? { error: 1142, message: "DELETE command denied to user 'root'@'%' for table" }
          : null,
      { given },
    );
    await deliver(b.sink, 1);
    await until(b, () => b.told.length > 0);
    expect(b.told).toEqual([
      expect.stringMatching(/could not be deleted; again in an hour: .*GRANT DELETE ON/),
    ]);
    expect((await deliver(b.sink, 2)).map(({ kind }) => kind)).toEqual(["accepted", "accepted"]);
    allowed = true;
    await b.clock.advance(HOUR);
    await until(b, () => deletes(b).length === 2);
    expect(b.told).toHaveLength(1);
  });

  it("of a table without an index on its times go by the time they were written, the oldest first", async () => {
    const pages = [
      [
        ["1", "2026-09-01 00:00:00"],
        ["2", "2026-10-20 23:59:59"],
        ["3", "2026-11-01 00:00:00"],
      ],
      [["3", "2026-11-01 00:00:00"]],
    ];
    const b = await bench(
      (statement) => {
        if (isDelete(statement)) return { changed: 2 };
        return statement.sql.startsWith("SELECT id, update_time")
          ? { rows: pages.shift() ?? [] }
          : null;
      },
      { given, table: KUBE_EVENTERS },
    );
    await deliver(b.sink, 1);
    await until(b, () => b.told.some((text) => text.startsWith("retention: 2 rows")));
    expect(deletes(b).map(({ values }) => values)).toEqual([["2", THIRTY_DAYS]]);
  });

  it("are as many as they are said to be on the way, where they are very many", async () => {
    const b = await bench(holding(100_700), { given });
    await deliver(b.sink, 1);
    await until(b, () => b.told.length === 2);
    expect(b.told).toEqual([
      expect.stringMatching(/^retention: 100000 rows .* deleted so far$/),
      expect.stringMatching(/^retention: 100700 rows .* deleted$/),
    ]);
  });
});

describe("the end of a sink that deletes what is too old", () => {
  /** Of the connection that deletes, which is the second. */
  const hangsAt = (part: string) => (statement: Statement) =>
    statement.connection === 2 && statement.sql.includes(part) ? ("hang" as const) : null;

  it.each(["SET SESSION", "max_allowed_packet", "information_schema.COLUMNS", "DELETE"])(
    "does not wait for a server that hangs at %s",
    async (part) => {
      const b = await bench(hangsAt(part), { given });
      await deliver(b.sink, 1);
      await b.wire.ran(part, part === "DELETE" ? 1 : 2);
      await b.sink.close();
      if (part !== "SET SESSION") await b.wire.left();
      expect(deletes(b)).toHaveLength(part === "DELETE" ? 1 : 0);
    },
  );

  it("does not wait for a server that does not greet", async () => {
    const b = await bench(undefined, {
      given,
      greets: (connection) => (connection === 2 ? "hang" : "in"),
    });
    await deliver(b.sink, 1);
    await until(b, () => b.wire.connections === 2);
    await b.sink.close();
    expect(b.told).toEqual([]);
  });

  it("comes between two pieces as well, and no more is deleted", async () => {
    const b = await bench(holding(50_000), { given });
    await deliver(b.sink, 1);
    await until(b, () => deletes(b).length >= 3);
    await b.sink.close();
    const { length } = deletes(b);
    await b.clock.advance(2 * HOUR);
    expect(deletes(b)).toHaveLength(length);
    await b.wire.left();
  });
});
