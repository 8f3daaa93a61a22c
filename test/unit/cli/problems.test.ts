import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Io } from "../../../src/cli/io.ts";
import { tellWarnings } from "../../../src/cli/load.ts";
import { tellProblems } from "../../../src/cli/problems.ts";
import { exitCodeOf } from "../../../src/cli/run.ts";
import { ConfigError } from "../../../src/config/config.ts";
import { FakeClock } from "../../support/clock.ts";

function anIo(): { io: Io; said: () => string } {
  const stderr = new PassThrough();
  const io: Io = {
    stdin: Readable.from([""]),
    stdout: new PassThrough(),
    stderr,
    env: {},
    clock: new FakeClock(),
    signal: new AbortController().signal,
  };
  return { io, said: () => (stderr.read() as Buffer | null)?.toString() ?? "" };
}

describe("problems", () => {
  const one = { where: "ops.yaml:4:13", message: '"Eror" is no level', hint: "expected Warning" };
  const two = { where: "--sink #2", message: "url is missing", hint: null };

  it("steer no terminal, whatever a file says", () => {
    const { io, said } = anIo();
    const message = "\u001b]0;owned\u0007\u001b[2Jkey\u009b31m: there is no such option\r";
    tellProblems(new ConfigError([{ ...one, message, where: "a\u001b[1A.yaml:1:1" }]), io);
    const text = said();
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(text.split("\n")).toHaveLength(4);
    expect(text).toContain(": there is no such option");
  });

  it("are read in the order they are written, whatever a name turns around", () => {
    const { io, said } = anIo();
    const hint = "did you mean \u2066gnp.\u2069?\u2028one problem less";
    tellProblems(new ConfigError([{ ...one, message: "\u202etxt.exe\u200b", hint }]), io);
    expect(said()).toBe(
      "one problem, nothing was started:\n  ops.yaml:4:13: txt.exe\n      → did you mean gnp.? one problem less\n",
    );
  });

  it("are told with their number, places and remedies; the exit code is 2", () => {
    const { io, said } = anIo();
    expect(tellProblems(new ConfigError([one, two]), io)).toBe(2);
    expect(said()).toBe(
      [
        "2 problems, nothing was started:",
        '  ops.yaml:4:13: "Eror" is no level',
        "      → expected Warning",
        "  --sink #2: url is missing",
        "",
      ].join("\n"),
    );
  });

  it("one is one", () => {
    const { io, said } = anIo();
    tellProblems(new ConfigError([two]), io);
    expect(said()).toContain("one problem, nothing was started:\n");
  });

  it("a bug is not a problem of the configuration: thrown on", () => {
    const { io, said } = anIo();
    expect(() => tellProblems(new TypeError("x is undefined"), io)).toThrow(TypeError);
    expect(said()).toBe("");
  });

  it("warnings stop nothing, and no warnings say nothing", () => {
    const { io, said } = anIo();
    tellWarnings([], io);
    expect(said()).toBe("");
    tellWarnings([one], io);
    expect(said()).toBe(
      'warnings:\n  ops.yaml:4:13: "Eror" is no level\n      → expected Warning\n',
    );
  });
});

describe("the exit code of run", () => {
  const well = {
    received: 9,
    filtered: 0,
    suppressed: 0,
    enqueued: 9,
    delivered: 9,
    dead: 0,
    folded: 0,
    pending: 0,
    lost: 0,
    problems: [],
    deposed: null,
  };

  it.each([
    ["everything is told", {}, 0],
    ["something is owed still: it waits in the ledger", { pending: 3 }, 0],
    ["something is dead", { dead: 1 }, 3],
    ["something is lost", { lost: 1 }, 3],
    ["a source could not be read", { problems: ["file: x"] }, 2],
    ["another replica may lead", { deposed: "x", dead: 1 }, 4],
    ["a source could not be read, and something is dead", { problems: ["file: x"], dead: 1 }, 2],
  ])("%s", (_, change, code) => {
    expect(exitCodeOf({ ...well, ...change })).toBe(code);
  });
});
