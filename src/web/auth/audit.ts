import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import path from "node:path";
import { redact } from "../../observe/redact.ts";

/** One thing that somebody did, or tried to. */
export interface AuditEntry {
  /** ISO-8601 UTC. */
  readonly at: string;
  readonly who: string;
  readonly by: string;
  /** The address it came from. */
  readonly from: string;
  /** `retry`, `discard`, `login`, `logout` … */
  readonly action: string;
  /** What it was done to: the id of a delivery, a sink. */
  readonly target: string;
  readonly outcome: "done" | "failed" | "refused";
  readonly detail: string | null;
}

/** Who did what, and when. */
export interface AuditTrail {
  record(entry: AuditEntry): void;
}

export interface AuditPorts {
  /** Each entry as a log line. */
  readonly log: (message: string, details: Readonly<Record<string, unknown>>) => void;
  /** The file could not be written: the log line is all there is. */
  readonly failed: (detail: string) => void;
}

const LONGEST = 500;

/**
 * A log line for each entry, and `audit.jsonl` beside the ledger: when that is full it becomes `audit.1.jsonl`, and the one before is gone.
 * The log comes first, for it leaves the machine.
 */
export function fileAudit(
  folder: string,
  { log, failed }: AuditPorts,
  maxBytes: number = 4 * 1024 * 1024,
): AuditTrail {
  const file = path.join(folder, "audit.jsonl");
  const older = path.join(folder, "audit.1.jsonl");

  let isFirst = true;

  function write(line: string): void {
    if (isFirst) {
      mkdirSync(folder, { recursive: true });
      // A process that died while it wrote left half a line.
      if (existsSync(file) && !readFileSync(file, "utf8").endsWith("\n"))
        appendFileSync(file, "\n");
      isFirst = false;
    }
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size > 0 && size + Buffer.byteLength(line) > maxBytes) renameSync(file, older);
    appendFileSync(file, line, { mode: 0o600, flush: true });
  }

  return {
    record(entry) {
      const bounded: AuditEntry = {
        ...entry,
        who: clipped(entry.who),
        target: clipped(entry.target),
        detail: entry.detail === null ? null : clipped(entry.detail),
      };
      log(`audit: ${bounded.who} ${bounded.action} ${bounded.target}: ${bounded.outcome}`, {
        audit: bounded,
      });
      try {
        write(`${JSON.stringify(bounded)}\n`);
      } catch (error) {
        failed(`${file} cannot be written: ${error instanceof Error ? error.message : ""}`);
      }
    },
  };
}

/** Masked as the log masks it, and first: half a secret looks like none. */
function clipped(given: string): string {
  const text = redact(given);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
