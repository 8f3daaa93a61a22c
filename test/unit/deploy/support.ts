import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { ROOT } from "../../support/manifests.ts";

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const rules: readonly Rule[] = (
  parse(readFileSync(path.join(ROOT, "deploy/prometheus-rules.yaml"), "utf8")) as {
    groups: { rules: Rule[] }[];
  }
).groups.flatMap((group) => group.rules);

export const alerts = rules.flatMap((rule) => (rule.alert === undefined ? [] : [rule.alert]));

/** Every metric of ours with its labels, as `/metrics` shows it; and the names of those that every Node program has. */
export async function exposed(): Promise<{
  readonly ours: ReadonlyMap<string, readonly string[]>;
  readonly common: ReadonlySet<string>;
}> {
  const metrics = createMetrics("1.2.3", ["kubernetes"], ["oncall"]);
  metrics.startCanary("kubernetes");
  metrics.measure({
    now: () => 0,
    pending: () => ({ total: 0, oldestOwedAt: null }),
    ledgerBytes: () => 0,
  });
  const text = await metrics.text();
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1] ?? "");
  const ours = names
    .filter((name) => name.startsWith("kube_crier_"))
    .map((name): [string, readonly string[]] => {
      const series = new RegExp(`^${name}(?:_bucket)?(?:\\{([^}]*)\\})? `, "m").exec(text)?.[1];
      const labels = [...(series ?? "").matchAll(/(\w+)=/g)].map((match) => match[1] ?? "");
      return [name, labels.filter((label) => label !== "le").toSorted()];
    });
  return {
    ours: new Map(ours),
    common: new Set(names.filter((name) => !name.startsWith("kube_crier_"))),
  };
}

/** Names of metrics in a PromQL expression, a histogram's parts under its own name. */
export function metricsIn(expr: string): readonly string[] {
  return [...expr.matchAll(/\b(?:kube_crier|process|nodejs|kubelet)_\w+/g)].map(([name]) =>
    name.replace(/(_seconds)_(bucket|sum|count)$/, "$1"),
  );
}

/** Whether promtool is here; on Debian and Ubuntu `apt-get install prometheus` brings it. */
export const havePromtool = (() => {
  try {
    execFileSync("promtool", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** Runs promtool; answers everything it said, and fails with that. */
export function promtool(...args: readonly string[]): string {
  try {
    return execFileSync("promtool", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`promtool ${args.join(" ")}:\n${stdout}${stderr}`, { cause: error });
  }
}
