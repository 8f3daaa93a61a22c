import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT } from "../../support/manifests.ts";
import { alerts, exposed, havePromtool, metricsIn, promtool, rules } from "./support.ts";

const RULES = path.join(ROOT, "deploy/prometheus-rules.yaml");
const TESTS = path.join(ROOT, "deploy/prometheus-rules.test.yaml");
const tests = (
  parse(readFileSync(TESTS, "utf8")) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
  }
).tests.flatMap((test) => test.alert_rule_test);

describe("deploy/prometheus-rules.yaml", () => {
  it("asks for metrics that kube-crier has", async () => {
    const { ours, common } = await exposed();
    const others = ["kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"];
    const unknown = rules
      .flatMap((rule) => metricsIn(rule.expr))
      .filter((name) => !ours.has(name) && !common.has(name) && !others.includes(name));
    expect(unknown).toEqual([]);
  });

  it("names reasons, outcomes and causes that exist", async () => {
    const { ours } = await exposed();
    const matchers = rules.flatMap((rule) => [
      ...rule.expr.matchAll(/(kube_crier_\w+)\{(\w+)="([^"]+)"\}/g),
    ]);
    expect(matchers.length).toBeGreaterThan(0);
    for (const [, name = "", label] of matchers) expect(ours.get(name), name).toContain(label);
  });

  it("says of each alert how urgent it is, what it means, and where to read on", () => {
    for (const { alert, labels, annotations } of rules) {
      if (alert === undefined) continue;
      expect(["critical", "warning"], alert).toContain(labels?.["severity"]);
      expect(Object.keys(annotations ?? {}), alert).toEqual(["summary", "description", "runbook"]);
      expect(annotations?.["runbook"]).toBe(`docs/operating.md#${alert.toLowerCase()}`);
    }
    expect(new Set(alerts).size).toBe(alerts.length);
  });

  it("has for each alert a case in which it fires and one in which it does not", () => {
    const cases = (fires: boolean) =>
      new Set(
        tests.filter((test) => test.exp_alerts.length > 0 === fires).map((test) => test.alertname),
      );
    expect(cases(true)).toEqual(new Set(alerts));
    expect(cases(false)).toEqual(new Set(alerts));
  });
});

describe.skipIf(!havePromtool)("promtool (apt-get install prometheus)", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "kube-crier-rules-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("finds the rules well-formed", () => {
    expect(promtool("check", "rules", RULES)).toContain(`${rules.length} rules found`);
  });

  it("sees every alert fire, and keep quiet, when it should", () => {
    expect(promtool("test", "rules", TESTS)).toContain("SUCCESS");
  });

  it("would see an alert that is broken", () => {
    cpSync(TESTS, path.join(folder, path.basename(TESTS)));
    const broken = readFileSync(RULES, "utf8").replace(
      "kube_crier_ledger_writable == 0",
      "kube_crier_ledger_writable == 2",
    );
    writeFileSync(path.join(folder, path.basename(RULES)), broken);
    expect(() => promtool("test", "rules", path.join(folder, path.basename(TESTS)))).toThrow(
      /KubeCrierLedgerNotWritable/,
    );
  });
});
