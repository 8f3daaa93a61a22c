import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import { Crier, type CrierOptions, PROGRAM, until } from "../support/crier.ts";
import { filledLedger } from "../support/damage.ts";
import { startInbox } from "../support/inbox.ts";

const folder = () => mkdtempSync(path.join(tmpdir(), "kube-crier-process-"));

/** More than any pipe holds. */
const MANY = 3_000;

function manyEvents(count = MANY): string {
  const file = path.join(folder(), "events.ndjson");
  const lines = Array.from({ length: count }, (_, n) =>
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
  return startWith({}, ...args);
}

function startWith(options: CrierOptions, ...args: string[]): Crier {
  const crier = new Crier(args, options);
  onTestFinished(() => crier.destroy());
  return crier;
}

/** Takes nothing, as a disk without room does: full(4). */
function fullDisk(): { readonly stdout: number } {
  const stdout = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(stdout));
  return { stdout };
}

/** Its exit code and its error output where `head` takes the first line and goes. */
function headOf(...args: string[]): { readonly first: string; readonly stderr: string } {
  const { stdout, stderr } = spawnSync(
    "sh",
    ["-c", '{ "$@"; echo "code $?" >&2; } | head -n 1', "sh", process.execPath, PROGRAM, ...args],
    { encoding: "utf8" },
  );
  return { first: stdout, stderr };
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

describe("a command whose reader has seen enough", { timeout: 120_000 }, () => {
  it.each([
    ["history --json, page after page", ["history", "--json", `--limit=${MANY}`], /^\{"id":/],
    ["history as a table", ["history", `--limit=${MANY}`], /^last seen /],
    ["ledger export", ["ledger", "export"], /^\{"type":"ledger"/],
  ])("%s: ends at once, with 0 and without a word", async (_, command, line) => {
    const dataDir = folder();
    await filledLedger(dataDir, MANY);
    const { first, stderr } = headOf(...command, `--data-dir=${dataDir}`);
    expect(first).toMatch(line);
    expect(stderr).toBe("code 0\n");
  });
});

describe.skipIf(!existsSync("/dev/full"))("on a full disk", { timeout: 120_000 }, () => {
  it.each([
    ["what is short", ["schema"]],
    ["what is shorter", ["--version"]],
    ["the history, page after page", ["history", "--json", "--limit=1500"]],
    ["an export", ["ledger", "export"]],
  ])("%s that is printed: said, and exit code 3", async (_, command) => {
    const dataDir = folder();
    const needsLedger = command.length > 1;
    if (needsLedger) await filledLedger(dataDir, 1_500);
    const place = needsLedger ? [`--data-dir=${dataDir}`] : [];
    const crier = startWith(fullDisk(), ...command, ...place);
    expect(await crier.ended()).toBe(3);
    expect(crier.stderr).toMatch(
      /^kube-crier: standard output cannot be written: ENOSPC: no space left on device/,
    );
    // Once; and no claim that all is done.
    expect(crier.stderr.match(/cannot be written/g)).toHaveLength(1);
    expect(crier.stderr).not.toMatch(/exported|report it|\n {4}at /);
  });

  it("run goes on: others are told, and what is to be printed stays owed until there is room", async () => {
    const inbox = await startInbox();
    onTestFinished(() => inbox.close());
    const dataDir = folder();
    const both = [
      "run",
      `--source=file:${manyEvents(3)}`,
      `--data-dir=${dataDir}`,
      "--sink=stdout:?format=json",
    ];
    const crier = startWith(fullDisk(), ...both, `--sink=webhook:${inbox.url}/in`);
    await inbox.received(3);
    await crier.says("standard output cannot be written: ENOSPC");
    crier.kill("SIGTERM");
    expect(await crier.ended()).toBe(3);
    expect(crier.log.at(-1)).toMatchObject({ delivered: 3, pending: 3, dead: 0, lost: 0 });
    const again = start(...both);
    expect(await again.ended()).toBe(0);
    const printed = again.stdout.trimEnd().split("\n");
    expect(new Set(printed.map((line) => /web-\d/.exec(line)?.[0]))).toEqual(
      new Set(["web-0", "web-1", "web-2"]),
    );
    expect(printed).toHaveLength(3);
  });
});
