import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { duration, tableOf } from "../../../bench/harness/table.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const load = {
  created: 5_000,
  delivered: 5_000,
  lost: 0,
  duplicated: 2,
  latencyMs: { p50: 8, p90: 11, p99: 18, max: 40 },
  cpuSecondsOfLoad: 4.5,
  process: { rssPeakMiB: 101 },
};
const cellsOf = (line: string) =>
  line
    .slice(2, -2)
    .split(" | ")
    .map((cell) => cell.trim());
const rowsOf = (table: string) => table.split("\n").map(cellsOf);

describe("the table of a benchmark", () => {
  it("has a column for each program, and one for what is wanted", () => {
    const [head, rule, ...rows] = rowsOf(
      tableOf([
        { name: "floor", scenarios: { latency500: load } },
        { name: "kube-crier", scenarios: { latency500: { ...load, delivered: 4_999, lost: 1 } } },
      ]),
    );
    expect(head).toEqual(["measure", "wanted", "floor", "kube-crier"]);
    expect(rule).toEqual(["---", "---", "---", "---"]);
    expect(rows).toEqual([
      ["500/s: delivered", "all", "5000", "4999 of 5000"],
      ["the same: latency p50 / p99", "p50 1.3 ×, p99 2 × floor", "8 / 18 ms", "8 / 18 ms"],
      ["the same: CPU per delivered event", "2 × floor", "0.90 ms", "0.90 ms"],
      ["the same: RSS peak", "120 MiB, aim 105", "101 MiB", "101 MiB"],
    ]);
  });

  it("leaves out what nobody was asked, and leaves empty what one has no part in", () => {
    const [, , ...rows] = rowsOf(
      tableOf([
        { name: "floor", scenarios: {} },
        {
          name: "kube-crier",
          scenarios: {
            drain: {
              backlog: 60_000,
              perSecond: 900,
              quiet: { p50: 6, p99: 20 },
              busy: { p50: 9, p99: 31 },
            },
          },
        },
      ]),
    );
    expect(rows).toEqual([
      ["latency to one sink, quiet, p50 / p99", "", "", "6 / 20 ms"],
      ["the same while many drain to another", "2 × quiet", "", "9 / 31 ms (60000 at 900/s)"],
    ]);
  });

  it("says what went wrong where it would stand, in one cell", () => {
    const error = "the candidate exited: a|b\nsecond line";
    const [, , row] = rowsOf(tableOf([{ name: "x", scenarios: { newapi: { error } } }]));
    expect(row?.at(-1)).toBe("error: the candidate exited: a\\|b second line");
  });

  it("does not break over a result that lacks something", () => {
    const scenarios =
      "firstwatch startup backlog old120k latency throughputmax outage10m drain order sinkhang slowsink kill9max sigterm updates newapi apirestart filefilter fileledger badchars sigtermhang".split(
        " ",
      );
    const found = Object.fromEntries(scenarios.map((name) => [name, {}]));
    const table = tableOf([{ name: "x", scenarios: found }]);
    expect(table).not.toContain("undefined");
    expect(table).not.toContain("NaN");
    for (const row of rowsOf(table)) expect(row).toHaveLength(3);
  });

  it("shows how a program ended", () => {
    const scenario = (exit: unknown) => {
      const table = tableOf([
        { name: "x", scenarios: { sigtermhang: { exit, lost: 0, created: 20 } } },
      ]);
      return rowsOf(table).at(-1)?.at(-1);
    };
    expect(scenario({ code: 0, signal: null, ms: 10_020 })).toBe("code 0 in 10 s, 0 of 20");
    expect(scenario({ code: null, signal: "SIGTERM", ms: 8 })).toBe("SIGTERM in 8 ms, 0 of 20");
    expect(scenario("did not exit")).toBe("did not exit, 0 of 20");
  });

  it("has a row for each scenario that bench/README.md describes, and the command knows", () => {
    const readme = readFileSync(path.join(ROOT, "bench/README.md"), "utf8");
    const [, table = ""] = /\| scenario[^\n]*\n\|[^\n]*\n((?:\|[^\n]*\n)+)/.exec(readme) ?? [];
    const described = table
      .trimEnd()
      .split("\n")
      .flatMap((line) => cellsOf(line)[0]?.split(", ") ?? []);
    const command = readFileSync(path.join(ROOT, "bench/run.ts"), "utf8");
    const known = /"(firstwatch,[^"]+)"/.exec(command)?.[1]?.split(",") ?? [];
    expect(described.toSorted()).toEqual(known.toSorted());
    for (const name of known) {
      const names = name === "file1m" ? ["filefilter", "fileledger"] : [name];
      for (const one of names)
        expect(
          tableOf([{ name: "x", scenarios: { [one]: {} } }]).split("\n").length,
          one,
        ).toBeGreaterThan(2);
    }
  });
});

it("durations are read at a glance", () => {
  expect([0, 850, 1_470, 9_940, 85_300].map(duration)).toEqual([
    "0 ms",
    "850 ms",
    "1.5 s",
    "9.9 s",
    "85 s",
  ]);
  expect([null, undefined, Number.NaN].map(duration)).toEqual(["-", "-", "-"]);
});
