import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable, Writable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { READER_GONE } from "../../../src/cli/io.ts";
import { main } from "../../../src/cli/main.ts";
import { FakeClock } from "../../support/clock.ts";
import { filledLedger } from "../../support/damage.ts";
import { cli } from "../../support/io.ts";
import { temporaryDirectory } from "../../support/ledger.ts";
import { startMysqlWire } from "../../support/mysql-wire.ts";

/** Where the commands about a ledger look for it, and what they say where it is not. */
const LOOKING = [
  "ledger check",
  "ledger export",
  "dead list",
  "dead retry",
  "dead discard",
  "history",
] as const;

describe("a ledger in a database", () => {
  it.each(LOOKING)("that is away is told by %s, and exits with 2", async (command) => {
    const url = "mysql://crier:hunter2@127.0.0.1:1/crier";
    const { code, stdout, stderr } = await cli([...command.split(" "), `--ledger=${url}`]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/--ledger.*127\.0\.0\.1:1/);
    expect(stderr).not.toContain("hunter2");
  });

  it.each(LOOKING)("that is none is told by %s, with what to give", async (command) => {
    const wire = await startMysqlWire({ answer: () => ({ rows: [] }) });
    onTestFinished(() => wire.close());
    const url = `mysql://crier:hunter2@127.0.0.1:${wire.port}/crier`;
    const { code, stderr } = await cli([...command.split(" "), `--ledger=${url}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/there is no ledger/);
    expect(stderr).not.toContain("hunter2");
    await wire.left();
  });

  it.each([
    ["no URL", "crier", /^ {2}--ledger: /m],
    ["another database", "postgres://u@h/d", /^ {2}--ledger: .*mysql:\/\//m],
    ["a variable that is not set", "mysql://u:${NOT_SET}@h/d", /NOT_SET/],
  ])("that is %s is a mistake", async (_, ledger, message) => {
    for (const command of LOOKING) {
      const { code, stderr } = await cli([...command.split(" "), `--ledger=${ledger}`]);
      expect(code, command).toBe(2);
      expect(stderr).toMatch(message);
    }
  });

  it("takes its password from the environment, which is not repeated", async () => {
    const { code, stderr } = await cli(["ledger", "check", "--ledger=${URL}"], {
      env: { URL: "mysql://crier:hunter2@127.0.0.1:1/crier" },
    });
    expect(code).toBe(2);
    expect(stderr).toContain("127.0.0.1:1");
    expect(stderr).not.toContain("hunter2");
  });

  it("is not compacted by us: it says who does it, and how", async () => {
    const { code, stderr } = await cli(["ledger", "vacuum", "--ledger=mysql://u@h/d"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--ledger: a database gives its own space back");
    expect(stderr).toContain("OPTIMIZE TABLE kube_crier_occurrence, kube_crier_delivery;");
  });
});

describe("a data directory without a ledger", () => {
  it.each(LOOKING)("is told by %s, and nothing is made there", async (command) => {
    const dataDir = mkdtempSync(path.join(tmpdir(), "kube-crier-none-"));
    const { code, stdout, stderr } = await cli([...command.split(" "), `--data-dir=${dataDir}`]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(dataDir);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it("leaves no file of an export behind", async () => {
    const dataDir = temporaryDirectory();
    const output = path.join(dataDir, "out.ndjson");
    const { code } = await cli(["ledger", "export", `--data-dir=${dataDir}`, `--output=${output}`]);
    expect(code).toBe(2);
    expect(readdirSync(dataDir)).toEqual([]);
  });
});

describe("an export", () => {
  it("of one of each speaks in the singular", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 1);
    const { code, stderr } = await cli(["ledger", "export", `--data-dir=${dataDir}`]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^exported 1 event, 1 delivery, 0 attempts\b.*\n$/);
  });

  it("into `head` has done what was wanted of it, and says nothing", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 3_000);
    const stop = new AbortController();
    let said = "";
    const stdout = new Writable({ highWaterMark: 1, write: () => stop.abort(READER_GONE) });
    const stderr = new Writable({
      write(chunk: Buffer, _encoding, done) {
        said += chunk.toString();
        done();
      },
    });
    const { signal } = stop;
    const io = {
      stdin: Readable.from([]),
      stdout,
      stderr,
      env: {},
      clock: new FakeClock(),
      signal,
    };
    expect(await main(["ledger", "export", `--data-dir=${dataDir}`], io)).toBe(0);
    expect(said).toBe("");
  });

  it("into a file, told to end, leaves neither the file nor a part of it", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 10);
    const folder = temporaryDirectory();
    const output = path.join(folder, "out.ndjson");
    const { code, stderr } = await cli(
      ["ledger", "export", `--data-dir=${dataDir}`, `--output=${output}`],
      { signal: AbortSignal.abort() },
    );
    expect([code, stderr]).toEqual([3, "told to stop: the export is not whole\n"]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("does not take the place of a file, also an empty one", async () => {
    const dataDir = temporaryDirectory();
    await filledLedger(dataDir, 1);
    const output = path.join(temporaryDirectory(), "there");
    writeFileSync(output, "");
    const args = ["ledger", "export", `--data-dir=${dataDir}`, `--output=${output}`];
    const { code, stderr } = await cli(args);
    expect(code).toBe(2);
    expect(stderr).toContain(`--output ${output}: is there already`);
  });
});
