import { describe, expect, it } from "vitest";
import { bench, never } from "../support/mysql-sink.ts";
import { type Described, KUBE_EVENTERS, OWN } from "../support/mysql-tables.ts";
import type { Said, Statement } from "../support/mysql-wire.ts";

/** What a look at the start says of a server and its table: what waiting cannot cure, each with the statement that would. */
async function look(
  besides: (statement: Statement) => Said | null = () => null,
  options: Parameters<typeof bench>[1] = {},
) {
  const { sink, wire } = await bench(besides, options);
  const check = await sink.check?.(never);
  return {
    away: check?.away,
    wire,
    problems: (check?.problems ?? []).map(({ message, hint }) => `${message} → ${hint}`),
  };
}

const variable = (name: string, value: string) => (statement: Statement) =>
  statement.sql.includes(name) ? ({ rows: [[value]] } as const) : null;
const readOnly =
  (...grants: readonly string[]) =>
  (statement: Statement): Said | null =>
    statement.sql === "SHOW GRANTS"
      ? { rows: grants.map((grant) => [grant]) }
      : variable("read_only", "1")(statement);
const denied = (command: string) => ({
  error: 1142,
  message: `${command} command denied to user 'crier'@'10.0.0.7' for table 'kube_event'`,
});

describe("a look at a server", () => {
  it("finds nothing wrong with a table of ours, of kube-eventer's, or one that may be made", async () => {
    for (const table of [OWN, KUBE_EVENTERS, null])
      expect(await look(undefined, { table })).toMatchObject({ away: null, problems: [] });
  });

  it("makes no table, and asks the server whether it would", async () => {
    const { problems, wire } = await look(undefined, {
      table: null,
      refuses: (sql) => (sql.startsWith("CREATE") ? denied("CREATE") : null),
    });
    expect(problems).toEqual([
      expect.stringMatching(/→ GRANT CREATE ON `crier`\.\* TO 'root'@'%';$/),
    ]);
    expect(wire.statements.filter(({ sql }) => sql.startsWith("CREATE"))).toEqual([]);
  });

  it("names the right to write that is missing", async () => {
    const { problems } = await look(({ sql }) =>
      sql.startsWith("INSERT") ? denied("INSERT, UPDATE") : null,
    );
    expect(problems).toEqual([
      expect.stringMatching(/→ GRANT INSERT, UPDATE ON `crier`\.`kube_event` TO 'root'@'%';$/),
    ]);
  });

  it("names the right to delete where old rows are to be", async () => {
    const besides = ({ sql }: Statement) => (sql.startsWith("DELETE") ? denied("DELETE") : null);
    expect((await look(besides)).problems).toEqual([]);
    const { problems } = await look(besides, { given: { retention: "30d" } });
    expect(problems).toEqual([expect.stringMatching(/→ GRANT DELETE ON/)]);
  });

  it("says where old rows cannot be told from young ones", async () => {
    const columns = KUBE_EVENTERS.columns.filter(([name]) => name !== "update_time");
    const table: Described = { ...KUBE_EVENTERS, columns };
    const { problems } = await look(undefined, { table, given: { retention: "30d" } });
    expect(problems).toEqual([expect.stringMatching(/retention is asked for.*mysql migrate/)]);
    expect((await look(undefined, { table })).problems).toEqual([]);
  });

  it("names each column that is missing or holds something else, with its statement", async () => {
    const columns = OWN.columns
      .filter(([name]) => name !== "message")
      .map((column) => (column[0] === "reason" ? ["reason", "blob", ...column.slice(2)] : column));
    const { problems } = await look(undefined, { table: { ...OWN, columns } });
    expect(problems).toEqual([
      expect.stringContaining("ALTER TABLE `kube_event` MODIFY COLUMN `reason`"),
      expect.stringContaining("ALTER TABLE `kube_event` ADD COLUMN `message`"),
    ]);
  });

  it("names a column of somebody else's that must be given a value, and none that need not", async () => {
    const needs = (fallback: string | null, extra: string) => ({
      ...OWN,
      columns: [...OWN.columns, ["team", "int", null, null, null, null, "NO", fallback, extra]],
    });
    const { problems } = await look(undefined, { table: needs(null, "") });
    expect(problems).toEqual([expect.stringMatching(/column team .*→ ALTER TABLE .* INT NULL;$/)]);
    for (const table of [needs("0", ""), needs(null, "STORED GENERATED")])
      expect((await look(undefined, { table })).problems).toEqual([]);
  });

  it("takes a server that is read-only for no place to make a table, unless the account may write even then", async () => {
    const refused = await look(readOnly("GRANT ALL PRIVILEGES ON `crier`.* TO `root`@`%`"), {
      table: null,
    });
    expect(refused.problems).toEqual([expect.stringMatching(/is read-only.*read_only = OFF;$/)]);
    for (const grant of [
      "GRANT ALL PRIVILEGES ON *.* TO `root`@`%`",
      "GRANT SELECT, SUPER ON *.* TO `root`@`%`",
      "GRANT READ_ONLY ADMIN ON *.* TO `root`@`%`",
      "GRANT CONNECTION_ADMIN ON *.* TO `root`@`%`",
    ])
      expect((await look(readOnly("GRANT USAGE", grant), { table: null })).problems).toEqual([]);
  });

  it("is told so by the server where the table is there", async () => {
    const { problems } = await look(({ sql }) =>
      sql.startsWith("INSERT")
        ? { error: 1290, message: "The MySQL server is running with the --read-only option" }
        : null,
    );
    expect(problems).toEqual([expect.stringMatching(/is read-only: .*name the primary/)]);
  });

  it.each([
    [1045, "Access denied for user 'root'@'%'", /lets nobody in as 'root'@'%'.*ALTER USER/],
    [1049, "Unknown database 'crier'", /there is no database crier.*CREATE DATABASE `crier`/],
    [1044, "Access denied for user 'root'@'%' to database 'crier'", /may not use.*GRANT SELECT/],
  ])("that is refused (%i) says what to do", async (error, message, said) => {
    const { problems, away } = await look(undefined, { greets: () => ({ error, message }) });
    expect(problems).toEqual([expect.stringMatching(said)]);
    expect(away).toBeNull();
  });

  it.each([
    ["too many others are there", { error: 1040, message: "Too many connections" }, /Too many/],
    ["it is going down", { error: 1053, message: "Server shutdown in progress" }, /shutdown/],
  ])("waits where %s", async (_, refusal, said) => {
    const { problems, away } = await look(undefined, { greets: () => refusal });
    expect({ problems, away }).toEqual({ problems: [], away: expect.stringMatching(said) });
  });

  it("waits for one that hangs up in the middle", async () => {
    const { problems, away } = await look(({ sql }) => (sql.includes("COLUMNS") ? "close" : null));
    expect({ problems, away }).toEqual({
      problems: [],
      away: expect.stringMatching(/^127\.0\.0\.1/),
    });
  });
});
