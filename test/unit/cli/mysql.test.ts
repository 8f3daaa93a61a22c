import { PassThrough } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { main } from "../../../src/cli/main.ts";
import { FakeClock } from "../../support/clock.ts";
import { cli, type CliOptions, type CliResult } from "../../support/io.ts";
import { Shelf } from "../../support/mysql-shelf.ts";
import { KUBE_EVENTERS, OWN } from "../../support/mysql-tables.ts";
import { type MysqlWire, startMysqlWire, type WireOptions } from "../../support/mysql-wire.ts";
import { RENEW, Terminal } from "../../support/terminal.ts";

interface Bench {
  readonly shelf: Shelf;
  readonly wire: MysqlWire;
  readonly clock: FakeClock;
  readonly sink: string;
  /** `kube-crier mysql migrate` of this table. */
  readonly migrate: (args?: readonly string[], options?: CliOptions) => Promise<CliResult>;
}

/** kube-eventer's table with so many rows, in a database on a loopback port. */
async function bench(rows: number, options: Omit<WireOptions, "answer"> = {}): Promise<Bench> {
  const shelf = new Shelf();
  shelf.tables.set("kube_event", { described: KUBE_EVENTERS, rows: [] });
  shelf.append(rows);
  const wire = await startMysqlWire({ answer: (statement) => shelf.answer(statement), ...options });
  onTestFinished(() => wire.close());
  const clock = new FakeClock();
  const sink = `--sink=mysql:?root:hunter2-hunter2@tcp(127.0.0.1:${wire.port})/crier`;
  return {
    shelf,
    wire,
    clock,
    sink,
    migrate: async (args = [], more = {}) => {
      const result = await passing(
        clock,
        cli(["mysql", "migrate", sink, ...args], { clock, ...more }),
      );
      expect(result.stdout + result.stderr).not.toContain("hunter2");
      return result;
    },
  };
}

/** Time passes until it is done: rows that are being written are let settle. */
async function passing<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  const over = { yes: false };
  const end = () => void (over.yes = true);
  void work.then(end, end);
  while (!over.yes) await clock.advance(250);
  return work;
}

const changes = ({ statements }: MysqlWire): readonly string[] =>
  statements
    .map(({ sql }) => /^(DROP|CREATE|INSERT|RENAME)/.exec(sql)?.[1])
    .filter((word) => word !== undefined);

describe("mysql migrate", () => {
  it("says what it will do, does it, and says what it did", async () => {
    const { shelf, wire, migrate } = await bench(1500);
    const { code, stdout, stderr } = await migrate(["--yes", "--cluster-name=prod-a"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const steps = stdout.split("\n").filter((line) => /^\d\. /.test(line));
    expect(steps.map((step) => step.split(" ").slice(0, 3).join(" "))).toEqual([
      "1. DROP TABLE",
      "2. CREATE TABLE",
      "3. copy kube_event",
      "4. RENAME TABLE",
      "5. copy what",
    ]);
    expect(stdout).toContain("kube_event: about 1,500 rows, 1 MiB; the copy needs about as much");
    expect(stdout).toContain("Rows that name no cluster become rows of prod-a.");
    expect(stdout).toContain(
      "To go back: RENAME TABLE `kube_event` TO `kube_event__new`, `kube_event__before` TO `kube_event`;",
    );
    expect(stdout).toMatch(
      /done: 1500 rows became 1500 events; the table as it was is kube_event__before; .*DROP TABLE `kube_event__before`;\n$/,
    );
    expect(shelf.rows("kube_event").map(([cluster]) => cluster)).toEqual(
      Array.from({ length: 1500 }, () => "prod-a"),
    );
    await wire.left();
  });

  it("of one row speaks in the singular, and of a cluster without a name says how to give it one", async () => {
    const { migrate } = await bench(1);
    const { stdout } = await migrate(["--yes"]);
    expect(stdout).toContain("done: 1 row became 1 event;");
    expect(stdout).toContain("rows of the cluster without a name (--cluster-name)");
  });

  it("with --dry-run says it, asks nothing and does nothing", async () => {
    const { wire, migrate } = await bench(3);
    const { code, stdout, stderr } = await migrate(["--dry-run"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("To go back:");
    expect(changes(wire)).toEqual([]);
  });

  it("of a table that is whole has nothing to do, and asks nothing", async () => {
    const { shelf, wire, migrate } = await bench(0);
    shelf.tables.set("kube_event", { described: OWN, rows: [] });
    expect(await migrate()).toEqual({
      code: 0,
      stdout: "kube_event has all columns and indexes: nothing to do\n",
      stderr: "",
    });
    expect(changes(wire)).toEqual([]);
  });

  it("given again finds nothing to do", async () => {
    const { migrate } = await bench(2);
    expect((await migrate(["--yes"])).code).toBe(0);
    expect((await migrate(["--yes"])).stdout).toContain("nothing to do");
  });
});

describe("without --yes it asks,", () => {
  it.each(["yes", "yes\n", " YES \n", "Yes\r\n", "yes\nno\n"])("and %j does it", async (stdin) => {
    const { wire, migrate } = await bench(2);
    const { code, stderr } = await migrate([], { stdin });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'go ahead? "yes" does it: ' });
    expect(changes(wire)).toContain("RENAME");
  });

  it.each(["", "\n", "y\n", "no\n", "yes please\n", "\nyes\n", '{"kind":"Event"}'])(
    "and %j changes nothing",
    async (stdin) => {
      const { wire, migrate } = await bench(2);
      const { code, stdout, stderr } = await migrate([], { stdin });
      expect(code).toBe(2);
      expect(stdout).toContain("To go back:");
      expect(stderr).toContain("nothing was changed; --yes goes ahead without asking\n");
      expect(changes(wire)).toEqual([]);
      await wire.left();
    },
  );

  it("and told to end meanwhile, it waits for no answer", async () => {
    const { wire, clock, sink } = await bench(2);
    const stop = new AbortController();
    const [stdout, stderr] = [new PassThrough(), new PassThrough().setEncoding("utf8")];
    let said = "";
    stderr.on("data", (text: string) => {
      said += text;
      if (said.includes("go ahead?")) stop.abort();
    });
    const io = { stdin: new PassThrough(), stdout, stderr, env: {}, clock, signal: stop.signal };
    stdout.resume();
    expect(await main(["mysql", "migrate", sink], io)).toBe(1);
    expect(said).toBe('go ahead? "yes" does it: \ninterrupted: nothing was changed\n');
    expect(changes(wire)).toEqual([]);
    await wire.left();
  });
});

describe("which sink is meant", () => {
  const two = ["--sink=mysql:?u@tcp(a)/d?name=one", "--sink=mysql:?u@tcp(b)/d?name=two"];

  it.each([
    ["none of that kind", ["--sink=stdout:"], "--sink: the configuration has no mysql sink"],
    ["several", two, "--to: there are several mysql sinks\n      → choose one with --to: one, two"],
    [
      "one that is not there",
      [...two, "--to=three"],
      '--to: there is no mysql sink "three"\n      → choose one with --to: one, two',
    ],
    [
      "one of another kind",
      [...two, "--sink=stdout:?name=out", "--to=out"],
      '--to: there is no mysql sink "out"',
    ],
  ])("%s is refused", async (_, flags, message) => {
    const { code, stdout, stderr } = await cli(["mysql", "migrate", ...flags]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`one problem, nothing was started:\n  ${message}`);
  });

  it("is the only one, beside sinks of other kinds, or the one that is named", async () => {
    const { migrate } = await bench(1);
    expect((await migrate(["--dry-run", "--sink=stdout:"])).code).toBe(0);
    const other = "--sink=mysql:?u@tcp(127.0.0.1:1)/d?name=other";
    expect((await migrate(["--dry-run", other, "--to=mysql"])).code).toBe(0);
  });
});

describe("a migration that cannot be done", () => {
  it("because the database lets nobody in says so", async () => {
    const { migrate } = await bench(1, {
      greets: () => ({ error: 1045, message: "Access denied for user 'root'@'localhost'" }),
    });
    const { code, stderr } = await migrate(["--yes"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^one problem, nothing was started:\n {2}sink mysql: .*Access denied/);
  });

  it("because the database is away is to be tried again", async () => {
    const { wire, migrate } = await bench(1);
    await wire.close();
    const { code, stderr } = await migrate(["--yes"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/sink mysql: .*ECONNREFUSED/);
    expect(stderr).toContain("→ give the command again when the database answers");
  });

  it("because there is no table says that none is needed", async () => {
    const { shelf, migrate } = await bench(0);
    shelf.tables.clear();
    const { code, stderr } = await migrate();
    expect(code).toBe(2);
    expect(stderr).toContain("sink mysql: there is no table kube_event in this database; run");
  });

  it("because the account may not change tables names the grant, and changes nothing", async () => {
    const { shelf, migrate } = await bench(3);
    shelf.heard = ({ sql }) =>
      sql.startsWith("DROP")
        ? { error: 1142, message: "DROP command denied to user 'root' for table kube_event__new" }
        : null;
    const { code, stderr } = await migrate(["--yes"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/GRANT DROP ON `crier`\.\* TO /);
    expect(shelf.rows("kube_event")).toHaveLength(3);
  });

  it("further for a moment leaves the table as it was, and begins anew when it is given again", async () => {
    const { shelf, migrate } = await bench(2500);
    let inserts = 0;
    shelf.heard = ({ sql }) => {
      if (sql.startsWith("INSERT")) inserts += 1;
      return inserts === 2 ? "close" : null;
    };
    const { code, stderr } = await migrate(["--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain("→ give the command again when the database answers");
    expect(shelf.tables.has("kube_event__before")).toBe(false);
    shelf.heard = () => null;
    const again = await migrate(["--yes"]);
    expect(again.stdout).toContain("done: 2500 rows became 2500 events");
    expect(shelf.rows("kube_event")).toHaveLength(2500);
  });

  it("to its end, once the tables have changed places, says which rows may be missing and how to begin again", async () => {
    const { shelf, migrate } = await bench(3);
    shelf.heard = ({ sql }) => {
      if (sql.startsWith("RENAME")) shelf.append(2);
      const isLate = shelf.tables.has("kube_event__before") && sql.startsWith("SELECT");
      return isLate ? { error: 1053, message: "Server shutdown in progress" } : null;
    };
    const { code, stderr } = await migrate(["--yes"]);
    expect(code).toBe(3);
    expect(stderr).toContain(
      "the tables have changed places, but rows of kube_event__before with an id over 3 may be missing in kube_event: Server shutdown in progress; to begin again, RENAME TABLE `kube_event` TO `kube_event__new`, `kube_event__before` TO `kube_event`; and give the command again",
    );
    expect(stderr).not.toContain("nothing was started");
  });
});

describe("told to end", () => {
  it("as it copies, it leaves the table as it was, and says so", async () => {
    const { shelf, migrate } = await bench(2500);
    const stop = new AbortController();
    shelf.heard = ({ sql }) => {
      if (sql.startsWith("INSERT")) stop.abort();
      return null;
    };
    const { code, stderr } = await migrate(["--yes"], { signal: stop.signal });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        "interrupted: the table is as it was; the copy is dropped when the command is given again\n",
    });
    expect(shelf.rows("kube_event")).toHaveLength(2500);
    expect(shelf.tables.has("kube_event__before")).toBe(false);
  });

  it("as the tables have changed places, it does not say that the table is as it was", async () => {
    const { shelf, migrate } = await bench(3);
    const stop = new AbortController();
    shelf.heard = ({ sql }) => {
      if (!shelf.tables.has("kube_event__before") || !sql.startsWith("SELECT")) return null;
      stop.abort();
      return "close";
    };
    const { code, stderr } = await migrate(["--yes"], { signal: stop.signal });
    expect(code).toBe(3);
    expect(stderr).toContain("the tables have changed places");
    expect(stderr).not.toContain("as it was");
  });
});

describe("how far it is", () => {
  async function onTerminal(env: Readonly<Record<string, string>>) {
    const { clock, sink } = await bench(2500);
    const terminal = new Terminal();
    const stdout = new PassThrough();
    stdout.resume();
    const { signal } = new AbortController();
    const io = { stdin: new PassThrough(), stdout, stderr: terminal, env, clock, signal };
    const code = await passing(clock, main(["mysql", "migrate", sink, "--yes"], io));
    expect(code).toBe(0);
    return terminal;
  }

  it("is shown in one line on a terminal, which is gone afterwards", async () => {
    const { seen, rows } = await onTerminal({});
    expect(seen).toContain("0 rows copied (about 0 %), 0 in a second");
    expect(rows).toEqual([""]);
  });

  it("is not shown on a terminal that cannot renew a line", async () => {
    const { seen } = await onTerminal({ TERM: "dumb" });
    expect(seen.join("")).not.toContain(RENEW);
    expect(seen.join("")).toBe("");
  });
});
