import { describe, expect, it, onTestFinished } from "vitest";
import { connect, type Connection } from "../../sinks/mysql/driver.ts";
import { migrate, planOf } from "../../sinks/mysql/migrate.ts";
import { FakeClock } from "../support/clock.ts";
import { Shelf } from "../support/mysql-shelf.ts";
import { KUBE_EVENTERS, OWN } from "../support/mysql-tables.ts";
import { startMysqlWire } from "../support/mysql-wire.ts";

async function open(count: number): Promise<{ shelf: Shelf; connection: Connection }> {
  const shelf = new Shelf();
  shelf.tables.set("kube_event", { described: KUBE_EVENTERS, rows: [] });
  shelf.append(count);
  const wire = await startMysqlWire({ answer: (statement) => shelf.answer(statement) });
  onTestFinished(() => wire.close());
  const dsn = {
    user: "root",
    password: "",
    host: "127.0.0.1",
    port: wire.port,
    socket: null,
    database: "crier",
    tls: "false",
  } as const;
  const files = { ca: null, cert: null, key: null };
  return { shelf, connection: await connect({ dsn, ...files, timeoutMs: 5000 }) };
}

async function run(connection: Connection, stop = new AbortController(), cluster = "") {
  const plan = await planOf(connection, "kube_event");
  if (plan === null) throw new Error("nothing to do");
  const progress: number[] = [];
  const clock = new FakeClock();
  const ports = {
    clock,
    cluster,
    signal: stop.signal,
    progress: (rows: number) => progress.push(rows),
  };
  const done = migrate(connection, plan, ports);
  void done.catch(() => undefined);
  const over = { yes: false };
  const end = () => void (over.yes = true);
  void done.then(end, end);
  while (!over.yes) await clock.advance(500);
  return { ...(await done), progress };
}

describe("a migration", () => {
  it.each([0, 1, 999, 1000, 1001, 2500])("of %i rows copies each once", async (count) => {
    const { shelf, connection } = await open(count);
    const { read, events, progress } = await run(connection);
    expect({ read, events }).toEqual({ read: count, events: count });
    expect(shelf.rows("kube_event").map((row) => row[7])).toEqual(
      Array.from({ length: count }, (_, n) => `event-${n + 1}`),
    );
    expect(shelf.rows("kube_event__before")).toHaveLength(count);
    expect(progress.at(-1)).toBe(count);
  });

  it("reads texts of times as times, and names the cluster of rows that name none", async () => {
    const { shelf, connection } = await open(1);
    await run(connection, undefined, "prod-a");
    const words = ["prod-a", "shop", "Pod", "web", "Warning", "BackOff", "m1", "event-1"];
    const times = ["2025-11-21 02:00:00.000000", "2025-11-21 02:05:00.500000"];
    expect(shelf.rows("kube_event")).toEqual([
      words.concat(times, "1", "", "", "", "2025-11-21 02:10:00.000000"),
    ]);
  });

  it("loses nothing of what is appended while it goes on, not even at the last moment", async () => {
    const { shelf, connection } = await open(1500);
    let appended = 0;
    shelf.heard = ({ sql }) => {
      if (!sql.startsWith("INSERT") && !sql.startsWith("RENAME")) return null;
      if (shelf.tables.has("kube_event__before")) return null;
      shelf.append(7);
      appended += 7;
      return null;
    };
    const { read } = await run(connection);
    expect(appended).toBeGreaterThan(7);
    expect(read).toBe(1500 + appended);
    expect(new Set(shelf.rows("kube_event").map((row) => row[7])).size).toBe(1500 + appended);
  });

  it("that is told to end before the tables change places leaves the table as it was", async () => {
    const { shelf, connection } = await open(2500);
    const stop = new AbortController();
    shelf.heard = ({ sql }) => {
      if (sql.startsWith("INSERT")) stop.abort();
      return null;
    };
    await expect(run(connection, stop)).rejects.toThrow(/abort/i);
    expect(shelf.rows("kube_event")).toHaveLength(2500);
    expect(shelf.tables.has("kube_event__before")).toBe(false);
    // Given again it begins anew.
    shelf.heard = () => null;
    expect((await run(connection)).read).toBe(2500);
  });

  it("that is told to end as the tables change places copies what came at the last moment all the same", async () => {
    const { shelf, connection } = await open(3);
    const stop = new AbortController();
    shelf.heard = ({ sql }) => {
      if (!sql.startsWith("RENAME")) return null;
      shelf.append(1);
      stop.abort();
      return null;
    };
    expect((await run(connection, stop)).read).toBe(4);
    expect(shelf.rows("kube_event").map((row) => row[7])).toContain("event-4");
  });

  it("keeps rows apart that name no event, and gives one without times that of its writing", async () => {
    const { shelf, connection } = await open(0);
    shelf.append(2, (row) => {
      row[7] = "";
      row[8] = "";
      row[9] = "never";
    });
    await run(connection);
    expect(shelf.rows("kube_event").map((row) => [row[7], row[8], row[9]])).toEqual(
      [1, 2].map((id) => [`row-${id}`, "2025-11-21 02:10:00.000000", "2025-11-21 02:10:00.000000"]),
    );
  });
});

describe("the plan of a migration", () => {
  it("says what will be done, by how much, and where the table is kept", async () => {
    const { connection } = await open(12);
    expect(await planOf(connection, "kube_event")).toMatchObject({
      rows: 12,
      bytes: 16_384,
      copy: "kube_event__new",
      kept: "kube_event__before",
      steps: expect.arrayContaining([
        "RENAME TABLE `kube_event` TO `kube_event__before`, `kube_event__new` TO `kube_event`;",
      ]) as string[],
    });
  });

  it("is none for a table that is whole", async () => {
    const { shelf, connection } = await open(0);
    shelf.tables.set("kube_event", { described: OWN, rows: [] });
    expect(await planOf(connection, "kube_event")).toBeNull();
  });

  it("is refused where there is no table, none that can be read in order, or one is in the way", async () => {
    const { shelf, connection } = await open(0);
    await expect(planOf(connection, "elsewhere")).rejects.toThrow("there is no table elsewhere");
    const [, ...columns] = KUBE_EVENTERS.columns;
    shelf.tables.set("orderless", { described: { columns, indexes: [] }, rows: [] });
    await expect(planOf(connection, "orderless")).rejects.toThrow("has no column id");
    shelf.tables.set("kube_event__before", { described: KUBE_EVENTERS, rows: [] });
    await expect(planOf(connection, "kube_event")).rejects.toThrow("from a migration before");
  });

  it("has names that MySQL takes, however long the table's is", async () => {
    const { shelf, connection } = await open(0);
    const name = "t".repeat(64);
    shelf.tables.set(name, { described: KUBE_EVENTERS, rows: [] });
    const plan = await planOf(connection, name);
    for (const other of [plan?.copy ?? "", plan?.kept ?? ""]) {
      expect(other).toHaveLength(64);
      expect(other).not.toBe(name);
    }
    expect(plan?.copy).not.toBe(plan?.kept);
  });
});
