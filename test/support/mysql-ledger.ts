import { onTestFinished } from "vitest";
import { openMysqlLedger } from "../../src/ledger/mysql/open.ts";
import type { Ledger } from "../../src/ledger/open.ts";
import { type LedgerTarget, readLedgerUrl } from "../../src/ledger/mysql/target.ts";
import { FakeClock } from "./clock.ts";
import { countingIds, never } from "./ledger.ts";
import type { Mariadb } from "./mariadb.ts";
import { recordingObserver, type RecordingObserver } from "./observer.ts";

export interface TestMysqlLedger extends Ledger {
  readonly clock: FakeClock;
  readonly recorded: RecordingObserver;
}

export interface TestMysqlOptions {
  readonly clock?: FakeClock;
  readonly bound?: number;
  readonly away?: "bypass" | "block";
  readonly makeId?: () => string;
  readonly term?: number | null;
  readonly historyMs?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** A ledger in a database of its own; closed when the test has ended. */
export async function aMysqlLedger(
  target: LedgerTarget,
  options: TestMysqlOptions = {},
): Promise<TestMysqlLedger> {
  const clock = options.clock ?? new FakeClock();
  const recorded = recordingObserver();
  const ledger = await openMysqlLedger(
    {
      target,
      clock,
      observer: recorded.observer,
      makeId: options.makeId ?? countingIds(),
      historyMs: options.historyMs ?? 7 * 86_400_000,
      maxBytes: options.maxBytes ?? 1_073_741_824,
      away: options.away ?? "bypass",
      term: options.term ?? null,
      ...(options.bound === undefined ? {} : { bound: options.bound }),
    },
    options.signal ?? never,
  );
  onTestFinished(async () => {
    await Promise.race([ledger.close(), clock.advance(60_000)]);
    await ledger.close();
  });
  return Object.assign(ledger, { clock, recorded });
}

/** A new database, and how the ledger is told to get there. */
export async function aDatabase(
  mariadb: Mariadb,
  name: string,
  login = "root",
): Promise<LedgerTarget> {
  await mariadb.sql(`CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET utf8mb4`);
  return targetOf(mariadb, name, login);
}

export function targetOf(
  { port }: Pick<Mariadb, "port">,
  database: string,
  login = "root",
): LedgerTarget {
  const target = readLedgerUrl(`mysql://${login}@127.0.0.1:${port}/${database}`);
  if ("problem" in target) throw new Error(target.problem);
  return target;
}
