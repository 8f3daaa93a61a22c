import { describe, expect, it } from "vitest";
import {
  namespaceProblem,
  parseBytes,
  parseListen,
  sinkNameProblem,
  timezoneProblem,
} from "../../../src/config/grammar.ts";

describe("parseBytes", () => {
  it.each([
    ["1GiB", 2 ** 30],
    ["1Gi", 2 ** 30],
    ["1gb", 1e9],
    ["1G", 1e9],
    ["512MiB", 512 * 2 ** 20],
    ["1.5 Ti", 1.5 * 2 ** 40],
    ["2048Ki", 2 ** 21],
    ["5000000", 5_000_000],
    ["5000000B", 5_000_000],
  ])("%s is %d", (text, bytes) => {
    expect(parseBytes(text)).toEqual({ ok: true, value: bytes });
  });

  it.each(["", "lots", "-1Gi", "1 PiB", "1GiBB", "1e9", "GiB"])("%j is no size", (text) => {
    expect(parseBytes(text)).toMatchObject({
      ok: false,
      problem: expect.stringContaining("is not a size; expected") as unknown,
    });
  });

  it("refuses what a ledger cannot live in", () => {
    expect(parseBytes("1000Ki")).toEqual({
      ok: false,
      problem: '"1000Ki" is too small; expected at least 1MiB',
    });
  });
});

describe("parseListen", () => {
  it.each([
    ["127.0.0.1:8080", "127.0.0.1", 8080],
    ["localhost:0", "localhost", 0],
    [":8080", "", 8080],
    ["[::1]:9090", "::1", 9090],
    ["[::]:65535", "::", 65_535],
    ["kube-crier.monitoring.svc:80", "kube-crier.monitoring.svc", 80],
  ])("%s", (text, host, port) => {
    expect(parseListen(text)).toEqual({ ok: true, value: { host, port } });
  });

  it.each(["8080", "127.0.0.1", ":65536", "::1:80", "http://x:80", "a b:80", ":", ":x", ""])(
    "%j is refused",
    (text) => {
      expect(parseListen(text)).toMatchObject({
        ok: false,
        problem: expect.stringContaining("expected ADDR:PORT") as unknown,
      });
    },
  );
});

describe("timezoneProblem", () => {
  it.each(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/Argentina/Buenos_Aires"])(
    "%s is a time zone",
    (name) => {
      expect(timezoneProblem(name)).toBeNull();
    },
  );

  it.each([
    ["Asia/Shangai", "Asia/Shanghai"],
    ["Shanghai", "Asia/Shanghai"],
    ["Europe/Shanghai", "Asia/Shanghai"],
    ["new york", "America/New_York"],
    ["Europe/Berln", "Europe/Berlin"],
  ])("%s → %s", (name, meant) => {
    expect(timezoneProblem(name)).toContain(`did you mean "${meant}"?`);
  });

  it("says what is expected where nothing is near", () => {
    expect(timezoneProblem("zzzzzzzzzzzzzzzz")).toBe(
      '"zzzzzzzzzzzzzzzz" is not a time zone; expected an IANA name, like Asia/Shanghai or UTC',
    );
    expect(timezoneProblem("")).not.toBeNull();
  });
});

describe("names", () => {
  it("of namespaces are DNS labels", () => {
    for (const good of ["shop", "kube-system", "a", "0-9", "x".repeat(63)])
      expect(namespaceProblem(good)).toBeNull();
    for (const bad of ["", "Shop", "a_b", "-a", "a-", "team-*", "/a/", "x".repeat(64), "_cluster"])
      expect(namespaceProblem(bad)).toContain("is not the name of a namespace");
  });

  it("of sinks fit a metric's label and a table's column", () => {
    for (const good of ["oncall", "dingtalk-2", "Team.A_b", "x".repeat(63)])
      expect(sinkNameProblem(good)).toBeNull();
    for (const bad of ["", "on call", "-a", "a\nb", "值班", "x".repeat(64), 'a"b'])
      expect(sinkNameProblem(bad)).toContain("cannot be the name of a sink");
  });
});
