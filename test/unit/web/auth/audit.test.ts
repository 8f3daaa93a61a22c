import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type AuditEntry, fileAudit } from "../../../../src/web/auth/audit.ts";

let folder: string;
let logged: [string, Readonly<Record<string, unknown>>][];
let failures: string[];

beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), "kube-crier-audit-")), "data");
  logged = [];
  failures = [];
});

const ports = {
  log: (message: string, details: Readonly<Record<string, unknown>>) =>
    void logged.push([message, details]),
  failed: (detail: string) => void failures.push(detail),
};

const entry = (target: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  at: "2026-11-20T08:00:00.000Z",
  who: "alice",
  by: "kubernetes",
  from: "203.0.113.9",
  action: "retry",
  target,
  outcome: "done",
  detail: null,
  ...more,
});

/** What an auditor finds in the files, oldest first; a line that is no entry is none. */
function targets(): string[] {
  return ["audit.1.jsonl", "audit.jsonl"]
    .map((name) => path.join(folder, name))
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .flatMap((line) => /^\{.*"target":"([^"]*)".*\}$/.exec(line)?.[1] ?? []);
}

describe("the audit trail", () => {
  it("is a log line and a line of a file that only we may read", () => {
    const audit = fileAudit(folder, ports);
    audit.record(entry("d-1"));
    expect(logged).toEqual([["audit: alice retry d-1: done", { audit: entry("d-1") }]]);
    const file = path.join(folder, "audit.jsonl");
    expect(readFileSync(file, "utf8")).toBe(`${JSON.stringify(entry("d-1"))}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("survives a restart", () => {
    for (const target of ["d-1", "d-2", "d-3"]) fileAudit(folder, ports).record(entry(target));
    expect(targets()).toEqual(["d-1", "d-2", "d-3"]);
  });

  it("is no file before the first entry", () => {
    fileAudit(folder, ports);
    expect(existsSync(folder)).toBe(false);
  });

  it("takes so much room and no more, and forgets the oldest", () => {
    const audit = fileAudit(folder, ports, 2_000);
    for (let n = 0; n < 100; n += 1) audit.record(entry(`d-${n}`));
    expect(readdirSync(folder).toSorted()).toEqual(["audit.1.jsonl", "audit.jsonl"]);
    for (const name of readdirSync(folder))
      expect(statSync(path.join(folder, name)).size).toBeLessThanOrEqual(2_000);
    const kept = targets();
    expect(kept.length).toBeGreaterThan(9);
    expect(kept).toEqual(kept.map((_, n) => `d-${100 - kept.length + n}`));
  });

  it("holds what somebody could choose to a bounded line of its own", () => {
    const audit = fileAudit(folder, ports);
    audit.record(
      entry('x\n{"who":"admin"}', { who: "y".repeat(5_000), detail: "z".repeat(5_000) }),
    );
    const lines = readFileSync(path.join(folder, "audit.jsonl"), "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]?.length).toBeLessThan(1_500);
  });

  it("keeps no secret in the file that the log line masks, nor half of one at the cut", () => {
    const audit = fileAudit(folder, ports);
    const secret = "SEC0123456789abcdef";
    const url = `https://oapi.example/robot/send?access_token=${secret}`;
    audit.record(
      entry(url, { outcome: "failed", detail: `${"x".repeat(450)} Bearer ${secret.repeat(9)}` }),
    );
    audit.record(entry("d-1", { who: url, detail: null }));
    const written = readFileSync(path.join(folder, "audit.jsonl"), "utf8");
    expect(written).not.toContain("SEC0");
    expect(written).toContain("access_token=<redacted>");
    expect(written).toContain("Bearer <redacted>");
    const [first] = logged;
    expect(JSON.parse(written.split("\n")[0] ?? "")).toEqual(first?.[1]["audit"]);
  });

  it("goes on after a line that was cut short by the end of a process", () => {
    fileAudit(folder, ports).record(entry("d-1"));
    writeFileSync(path.join(folder, "audit.jsonl"), '{"at":"2026', { flag: "a" });
    const audit = fileAudit(folder, ports);
    audit.record(entry("d-2"));
    expect(targets()).toEqual(["d-1", "d-2"]);
  });

  it("is in the log at least where the file cannot be written, which is said", () => {
    const file = path.join(path.dirname(folder), "file");
    writeFileSync(file, "");
    chmodSync(file, 0o600);
    fileAudit(file, ports).record(entry("d-1"));
    expect(logged).toHaveLength(1);
    expect(failures).toEqual([expect.stringContaining("audit.jsonl cannot be written")]);
  });
});
