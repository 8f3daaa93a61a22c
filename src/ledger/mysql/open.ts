import { randomUUID } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { ConfigError } from "../../config/config.ts";
import type { LedgerOptions, Ledger } from "../open.ts";
import { setBackSince } from "../set-back.ts";
import { claim, keepLock } from "./claim.ts";
import { MysqlHistory } from "./history.ts";
import { keepMysql } from "./keeper.ts";
import { load, type Loaded } from "./load.ts";
import { MysqlOutbox } from "./outbox.ts";
import { missingRights } from "./probe.ts";
import { MysqlRetention } from "./retention.ts";
import { migrate } from "./schema.ts";
import { fence, waitsSetBack } from "./script.ts";
import { AwayError, PATIENT_MS, Session } from "./session.ts";
import { type LedgerTarget, nameOf } from "./target.ts";
import { readUntold } from "./untold.ts";

/** Deliveries held in memory while the database is away. */
const HELD_MAX = 10_000;
const RETRY_MS = 1_000;
/** Within the time that the end of the process grants the ledger. */
const CLOSE_MS = 4_000;

export interface MysqlLedgerOptions extends Omit<LedgerOptions, "dataDir"> {
  readonly target: LedgerTarget;
  /** What to do while the database is away: deliver from memory, or nothing that is not written. */
  readonly away: "bypass" | "block";
  /** Deliveries held in memory meanwhile. */
  readonly bound?: number;
}

/**
 * The ledger of `run` in MySQL, for this process alone. A database that is away is waited for, and told; what waiting cannot cure is thrown.
 * @throws ConfigError where it may not be used so, is in use, or is a newer version's; FencedError where another has a term as high
 */
export async function openMysqlLedger(
  options: MysqlLedgerOptions,
  signal: AbortSignal,
): Promise<Ledger> {
  const { target, clock, observer, makeId, historyMs, maxBytes, away } = options;
  const holder = randomUUID();
  const term = options.term ?? null;
  const closing = new AbortController();
  const keeping = new Session(target, PATIENT_MS, async (connection) => {
    if (term === null) await keepLock(connection, target);
  });
  const writing = new Session(target);
  try {
    const retention = new MysqlRetention(keeping, holder);
    const { loaded, size } = await onceThere(options, signal, async () => {
      await prepared(keeping, holder, options, signal);
      return { loaded: await caughtUp(writing, holder, clock), size: await retention.size() };
    });
    const outbox = new MysqlOutbox(writing, loaded, {
      clock,
      observer,
      makeId,
      bound: options.bound ?? HELD_MAX,
      away,
      holder,
      elected: term !== null,
    });
    const history = new MysqlHistory(keeping);
    let { bytes } = size;
    const sized = (found: number) => {
      bytes = found;
    };
    const kept = keepMysql(
      { session: keeping, retention, outbox, clock, observer, holder, historyMs, maxBytes, sized },
      closing.signal,
    );
    return {
      outbox,
      history: {
        events: (filter) => history.events(filter),
        deliveries: (filter) => history.deliveries(filter),
        counts: () => history.counts(),
        discard: (ids, sink, visible) => history.discard(ids, sink, visible),
        retry: async (ids, sink, now, visible) => {
          const retried = await history.retry(ids, sink, now, visible);
          if (retried > 0) outbox.reload();
          return retried;
        },
      },
      untold: (wanted) => readUntold(writing, wanted, loaded.lastOccurrence),
      healthy: () => !outbox.troubled,
      bytes: () => bytes,
      onLoss: () => undefined,
      onFenced: (callback) => outbox.onFenced(callback),
      close: async () => {
        if (closing.signal.aborted) return 0;
        closing.abort();
        const over = new AbortController();
        const lost = await outbox.close(clock.sleep(CLOSE_MS, over.signal));
        over.abort();
        writing.destroy();
        keeping.destroy();
        await kept;
        return lost;
      },
    };
  } catch (error) {
    writing.destroy();
    keeping.destroy();
    throw error;
  }
}

/** Tables made, rights there, ours. */
async function prepared(
  session: Session,
  holder: string,
  { target, clock, term }: MysqlLedgerOptions,
  signal: AbortSignal,
): Promise<void> {
  await migrate(session);
  const problems = await missingRights(session);
  if (problems.length > 0)
    throw new ConfigError(problems.map((problem) => ({ where: where(target), ...problem })));
  await claim(session, holder, term ?? null, clock, signal);
}

/** What waits for a moment waits no longer because the clock was set back while nobody ran. */
async function caughtUp(session: Session, holder: string, clock: Clock): Promise<Loaded> {
  const loaded = await load(session, clock.now());
  const ms = setBackSince(loaded.checkpoints, clock.now());
  if (ms === 0) return loaded;
  await session.transaction([
    ["START TRANSACTION", waitsSetBack(clock.now(), ms), fence(holder), "COMMIT"],
  ]);
  return load(session, clock.now());
}

/** Again from the beginning until the database stays for all of it: it may go away in the middle. */
async function onceThere<T>(
  { target, observer, clock }: MysqlLedgerOptions,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let told = false; ; told = true) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      const { problem } = error;
      if (problem !== null) throw new ConfigError([{ where: where(target), ...problem }]);
      if (!told) observer.warning(`the ledger is away, and waited for: ${error.message}`);
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

function where(target: LedgerTarget): string {
  return `--ledger ${nameOf(target)}`;
}
