import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import { Crier, until } from "../support/crier.ts";

const folder = () => mkdtempSync(path.join(tmpdir(), "kube-crier-process-"));

/** More than any pipe holds. */
const MANY = 3_000;

function manyEvents(): string {
  const file = path.join(folder(), "events.ndjson");
  const lines = Array.from({ length: MANY }, (_, n) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `web.${n}`, namespace: "shop", uid: `uid-${n}`, resourceVersion: `${n}` },
      involvedObject: { kind: "Pod", namespace: "shop", name: `web-${n}` },
      type: "Warning",
      reason: "BackOff",
      message: "Back-off restarting failed container".padEnd(300, "."),
    }),
  );
  writeFileSync(file, lines.join("\n"));
  return file;
}

function start(...args: string[]): Crier {
  const crier = new Crier(args);
  onTestFinished(() => crier.destroy());
  return crier;
}

describe("the process", { timeout: 60_000 }, () => {
  it("whose output is closed ends as if told to: exit code 0, and what is owed stays in the ledger", async () => {
    const dataDir = folder();
    const crier = start("run", `--source=file:${manyEvents()}`, `--data-dir=${dataDir}`);
    await until(() => crier.stdout.includes("\n") || undefined, "a line");
    crier.closeOutput("stdout");
    expect(await crier.ended()).toBe(0);
    expect(crier.stderr).toContain("what is owed stays in the ledger");
    const history = openHistory(dataDir, "read");
    onTestFinished(() => history.close());
    const counts = history.counts().get("stdout");
    expect(counts?.dead).toBe(0);
    expect(counts?.pending).toBeGreaterThan(0);
  });

  it("whose log nobody reads any more goes on delivering", async () => {
    const crier = start("run", `--source=file:${manyEvents()}`, "--data-dir=:memory:");
    crier.closeOutput("stderr");
    expect(await crier.ended()).toBe(0);
    expect(crier.stdout.trimEnd().split("\n")).toHaveLength(MANY);
  });
});
