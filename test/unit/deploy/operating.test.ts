import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXIT } from "../../../src/cli/io.ts";
import { FAILURE_REASONS } from "../../../src/event/reason.ts";
import { Crier, until } from "../../support/crier.ts";
import { cli } from "../../support/io.ts";
import { deploymentOf, manifests, ROOT } from "../../support/manifests.ts";
import { alerts, exposed, rules } from "./support.ts";

const text = readFileSync(path.join(ROOT, "docs/operating.md"), "utf8");
const headings = [...text.matchAll(/^#+ (.*)$/gm)].map((match) => match[1] ?? "");
/** Rows of the table that has `head` as its first heading, cells trimmed. */
function table(head: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${head} `));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const words = (cell = "") => [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? "");

describe("docs/operating.md", () => {
  it("explains every metric with its labels, and none that does not exist", async () => {
    const { ours } = await exposed();
    const documented = table("metric").map(([name, labels]): [string, readonly string[]] => [
      words(name)[0] ?? "",
      words(labels).toSorted(),
    ]);
    expect(new Map(documented)).toEqual(ours);
    expect(documented).toHaveLength(ours.size);
    const records = rules.flatMap(({ record }) => record ?? []);
    for (const [name] of text.matchAll(/kube_crier(?:_(?!history…)|:)[\w:]+/g))
      expect(ours.has(name) || records.includes(name), name).toBe(true);
  });

  it("explains every reason of a failure", () => {
    const documented = table("reason").map(([reason]) => words(reason)[0]);
    expect(new Set(documented)).toEqual(new Set(Object.keys(FAILURE_REASONS)));
  });

  it("explains every alert, and none that does not exist", () => {
    expect(headings.filter((heading) => heading.startsWith("KubeCrier"))).toEqual(alerts);
  });

  it("explains every exit code", () => {
    expect(table("exit code").map(([code]) => Number(code))).toEqual(
      Object.values(EXIT).toSorted((a, b) => a - b),
    );
  });

  it("speaks of the Deployment that is shipped", () => {
    const { pod, container } = deploymentOf(manifests("kube-crier.yaml"));
    expect(text).toContain(`the 45 s that the Deployment grants`);
    expect(pod.terminationGracePeriodSeconds).toBe(45);
    expect(text.match(/kube-crier:\d\S*/g)).toEqual(
      Array.from({ length: 2 }, () => container.image),
    );
    for (const [option] of text.matchAll(/--data-dir=\S+/g))
      expect(container.args).toContain(option);
  });
});

describe("the backup that docs/operating.md tells to make", () => {
  let folder: string;
  let process: Crier | null = null;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "kube-crier-backup-"));
  });

  afterEach(async () => {
    await process?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What node is given between the quotes, on the ledger of this test. */
  const script = (dataDir: string) =>
    (/ node -e '([^']*)'/.exec(text)?.[1] ?? "").replaceAll("/var/lib/kube-crier", dataDir);

  it("is whole while the program runs, readable by nobody else, and can be restored", async () => {
    const dataDir = path.join(folder, "ledger");
    process = new Crier([
      "run",
      `--source=file:${path.join(ROOT, "src/demo/events.jsonl")}`,
      "--sink=stdout:",
      `--data-dir=${dataDir}`,
      "--stay",
    ]);
    const running = process;
    const lines = readFileSync(path.join(ROOT, "src/demo/events.jsonl"), "utf8").trim().split("\n");
    await until(
      () => (running.stdout.split("\n").length > lines.length ? true : undefined),
      "every event to be told",
    );
    const node = globalThis.process.execPath;
    execFileSync(node, ["-e", script(dataDir)], { stdio: "pipe" });
    expect(running.running).toBe(true);
    const backup = path.join(dataDir, "backup.db");
    expect(statSync(backup).mode & 0o077).toBe(0);

    const restored = path.join(folder, "restored");
    mkdirSync(restored);
    cpSync(backup, path.join(restored, "ledger.db"));
    const history = async (dir: string) =>
      (await cli(["history", `--data-dir=${dir}`, "--json", "--limit=1000"])).stdout;
    const told = await history(restored);
    expect(told.trim().split("\n")).toHaveLength(lines.length);
    expect(told).toBe(await history(dataDir));

    // Nothing is owed in it, so a start on it tells nothing again.
    const again = await cli([
      "run",
      `--source=file:${path.join(ROOT, "src/demo/events.jsonl")}`,
      "--sink=stdout:",
      `--data-dir=${restored}`,
    ]);
    expect(again).toMatchObject({ code: 0, stdout: "" });
    // Two processes start; what else is asked is asked in this one.
  }, 120_000);
});
