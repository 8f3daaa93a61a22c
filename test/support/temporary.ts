import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** One folder for all temporary files of a run of the tests, removed at its end: tests need not clean up after themselves. */
export function setup(): () => void {
  const before = process.env["TMPDIR"];
  const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-tests-"));
  process.env["TMPDIR"] = folder;
  return () => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    rmSync(folder, { recursive: true, force: true });
  };
}
