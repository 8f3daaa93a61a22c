import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import type { Outcome } from "../../src/event/delivery.ts";
import { openDatabase } from "../../src/ledger/database.ts";
import { SqliteHistory } from "../../src/ledger/history.ts";
import type { Entry } from "../../src/ledger/ledger.ts";
import { type FileLedger, openLedger } from "../../src/ledger/open.ts";
import { StoreOutbox } from "../../src/ledger/outbox.ts";
import { SqliteStore } from "../../src/ledger/sqlite.ts";
import { FakeClock } from "./clock.ts";
import { anEvent } from "./events.ts";
import { recordingObserver, type RecordingObserver } from "./observer.ts";

/** A directory that goes when the test has ended. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), "kube-crier-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export interface TestLedger {
  readonly db: DatabaseSync;
  readonly clock: FakeClock;
  readonly recorded: RecordingObserver;
  readonly outbox: StoreOutbox;
  readonly history: SqliteHistory;
}

/** Ids that can be read in a failure: d1, d2, … */
export function countingIds(prefix = "d"): () => string {
  let made = 0;
  return () => `${prefix}${(made += 1)}`;
}

/**
 * An outbox over SQLite without the lock of `run`: opening the same directory again while this one was never closed is what a
 * process finds after the one before it was killed.
 */
export function aLedger(
  options: {
    readonly dataDir?: string;
    readonly clock?: FakeClock;
    readonly bound?: number;
    readonly makeId?: () => string;
  } = {},
): TestLedger {
  // Short: a test that locks the file should not wait for it.
  const db = openDatabase(options.dataDir ?? ":memory:", 10);
  const clock = options.clock ?? new FakeClock();
  const recorded = recordingObserver();
  const outbox = new StoreOutbox(new SqliteStore(db), {
    clock,
    observer: recorded.observer,
    makeId: options.makeId ?? countingIds(),
    bound: options.bound ?? 10_000,
  });
  onTestFinished(() => {
    if (!db.isOpen) return;
    outbox.close();
    db.close();
  });
  return { db, clock, recorded, outbox, history: new SqliteHistory(db) };
}

/** A ledger as `run` has one: alone on its directory, keeping house, closed at the end of the test unless it was closed before. */
export function aRunningLedger(
  dataDir: string,
  options: {
    readonly clock?: FakeClock;
    readonly historyMs?: number;
    readonly maxBytes?: number;
    readonly makeId?: () => string;
  } = {},
): FileLedger & { readonly clock: FakeClock; readonly recorded: RecordingObserver } {
  const clock = options.clock ?? new FakeClock();
  const recorded = recordingObserver();
  const ledger = openLedger({
    dataDir,
    historyMs: options.historyMs ?? 7 * 86_400_000,
    maxBytes: options.maxBytes ?? 2 ** 30,
    clock,
    observer: recorded.observer,
    makeId: options.makeId ?? countingIds(),
  });
  onTestFinished(async () => void (await ledger.close()));
  return { ...ledger, clock, recorded };
}

/** The n-th of many different occurrences, owed to the sinks. */
export function anEntry(n: number, sinks: readonly string[], reason = "BackOff"): Entry {
  const event = anEvent({
    uid: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
    count: 1,
    reason,
    object: { name: `web-${n}` },
  });
  return { event, alert: { kind: "event", event }, sinks };
}

/** An attempt that failed, and may be made again at once. */
export function tried(at: number, detail: string, tookMs = 20): Outcome {
  return { kind: "retry", at, notBefore: at, reason: "server", detail, counted: true, tookMs };
}

export const never: AbortSignal = new AbortController().signal;

/** Of deliveries that are under way: none is. */
export const none: ReadonlySet<string> = new Set();
