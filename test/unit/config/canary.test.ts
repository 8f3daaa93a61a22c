import { describe, expect, it } from "vitest";
import { describeConfig } from "../../../src/config/describe.ts";
import { load, problemsOf } from "../../support/config.ts";

const FLAGS = { sink: ["stdout:?name=audit", "stdout:?name=oncall"] };
const canaryOf = (flags: Readonly<Record<string, string>>) =>
  load({ flags: { ...FLAGS, ...flags } }).config.canary;
const wrong = (flags: Readonly<Record<string, string>>, source: readonly string[] = []) =>
  problemsOf({ flags: { ...FLAGS, ...flags, ...(source.length > 0 ? { source } : {}) } });

describe("the canary's options", () => {
  it("say all there is to say", () => {
    expect(
      canaryOf({
        canary: "5m",
        canarySink: "audit",
        canaryTell: "oncall",
        canaryDeadline: "30s",
      }),
    ).toEqual({ everyMs: 300_000, deadlineMs: 30_000, sink: "audit", tell: "oncall" });
  });

  it.each([
    ["5m", 60_000],
    ["2m", 60_000],
    ["1m", 30_000],
    ["10s", 5_000],
  ])("leave it half of %s to arrive, at most a minute", (canary, deadlineMs) => {
    expect(canaryOf({ canary }).deadlineMs).toBe(deadlineMs);
  });

  it("are off by default", () => {
    expect(canaryOf({})).toEqual({ everyMs: null, deadlineMs: 60_000, sink: null, tell: null });
  });

  it("are told in plain words", () => {
    const said = (flags: Readonly<Record<string, string>>) =>
      /^canary +(.*)$/m.exec(describeConfig(load({ flags: { ...FLAGS, ...flags } }).config))?.[1];
    expect(said({ canary: "5m" })).toBe(
      "every 5m, to the ledger within 1m; no sink is told when it does not arrive",
    );
    expect(said({ canary: "90s", canarySink: "audit", canaryTell: "oncall" })).toBe(
      "every 90s, to audit within 45s; oncall is told when it does not arrive",
    );
    expect(said({})).toBeUndefined();
  });
});

describe("mistakes with the canary", () => {
  it("a sink that is not there, with those that are", () => {
    expect(wrong({ canary: "5m", canarySink: "audits", canaryTell: "nobody" })).toBe(
      [
        '--canary-sink: there is no sink named "audits" (the sinks: audit, oncall)',
        '--canary-tell: there is no sink named "nobody" (the sinks: audit, oncall)',
      ].join("\n"),
    );
  });

  it("in YAML, with the line", () => {
    expect(problemsOf({}, "canary: 5m\ncanarySink: nobody")).toBe(
      'file1.yaml:2:13: canarySink: there is no sink named "nobody" (the sinks: stdout)',
    );
  });

  it("more time to arrive than there is until the next", () => {
    expect(wrong({ canary: "30s", canaryDeadline: "1m" })).toBe(
      "--canary-deadline: is longer than the time between two canaries (30 s) (make it shorter, or canary longer)",
    );
    expect(wrong({ canary: "30s", canaryDeadline: "30s" })).toBe("");
  });

  it("no cluster to write it to", () => {
    expect(wrong({ canary: "5m" }, ["file:-"])).toBe(
      "--canary: there is no cluster to write it to (it needs a kubernetes source; leave it out)",
    );
    expect(wrong({ canary: "5m" }, ["file:-", "kubernetes:"])).toBe("");
  });
});

describe("what works with the canary and should be known", () => {
  const notes = (flags: Readonly<Record<string, string>>) =>
    load({ flags: { ...FLAGS, ...flags } }).warnings.map(
      ({ where, message }) => `${where}: ${message}`,
    );

  it("options that do nothing without it", () => {
    expect(notes({ canarySink: "audit", canaryDeadline: "5s" }).toSorted()).toEqual([
      "--canary-deadline: does nothing without canary",
      "--canary-sink: does nothing without canary",
    ]);
  });

  it("a sink that would have to tell of its own failure", () => {
    expect(notes({ canary: "5m", canarySink: "audit", canaryTell: "audit" })).toEqual([
      '--canary-tell: "audit" is the sink that the canary is followed to: when that fails, nobody is told',
    ]);
    expect(notes({ canary: "5m", canarySink: "audit", canaryTell: "oncall" })).toEqual([]);
  });
});
