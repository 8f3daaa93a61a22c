import type { Clock } from "../../clock.ts";
import type { Observer } from "../../observe/observer.ts";
import { StorageError } from "../store.ts";
import { setBacks } from "../set-back.ts";
import { countPending } from "./load.ts";
import { text } from "./literal.ts";
import type { MysqlOutbox } from "./outbox.ts";
import type { MysqlRetention } from "./retention.ts";
import { fence, waitsSetBack } from "./script.ts";
import { AwayError, FencedError, type Session } from "./session.ts";

const LOOK_MS = 1_000;
/** Every so many looks: a sign of life, a count of what is pending, retention. */
const BEAT = 5;
const COUNT = 15;
const PRUNE = 60;
/** Events, or deliveries, in one transaction. */
const BATCH = 200;
/** Between two of them, so that what is written for deliveries never waits for long. */
const PAUSE_MS = 20;
/** What the cluster still holds would count as new once it is forgotten; by default it holds Events for an hour. */
const KEPT_AT_LEAST_MS = 2 * 3_600_000;
/** Below the limit by this much, so that not every minute has something to shed. */
const SHED_TO = 0.9;
/** What was deleted takes up its room until nobody reads what was there before, a backup for one: it is not to go twice for that. */
const UNSEEN_MS = 15 * 60_000;
const EVER = Number.MAX_SAFE_INTEGER;

export interface MysqlKeeperPorts {
  /** A connection of its own: nothing that is delivered waits for it. */
  readonly session: Session;
  readonly retention: MysqlRetention;
  readonly outbox: Pick<
    MysqlOutbox,
    "sure" | "trouble" | "reload" | "counted" | "forget" | "setBack"
  >;
  readonly clock: Clock;
  readonly observer: Pick<Observer, "dead">;
  readonly holder: string;
  readonly historyMs: number;
  readonly maxBytes: number;
  readonly sized: (bytes: number) => void;
}

/** Shows that we live, sees whether we still have the ledger and what others changed in it, and keeps it small; until `signal` aborts. */
export async function keepMysql(ports: MysqlKeeperPorts, signal: AbortSignal): Promise<void> {
  const { session, outbox, clock, holder } = ports;
  let known: number | null = null;
  let shed: Shed | null = null;
  const backBy = setBacks(clock);
  let back = 0;
  for (let looks = 1; ; looks += 1) {
    await clock.sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    const ms = backBy(LOOK_MS);
    back += ms;
    if (ms > 0) outbox.setBack(clock.now(), ms);
    try {
      const [row] = await session.query(
        `SELECT holder = ${text(holder)}, changed FROM kube_crier_ledger WHERE one = 1`,
      );
      if (row !== undefined && Number(row[0]) !== 1) throw new FencedError();
      outbox.sure();
      const changed = Number(row?.[1]);
      if (known !== null && changed !== known) outbox.reload();
      known = changed;
      if (back > 0) {
        await session.transaction([
          ["START TRANSACTION", waitsSetBack(clock.now(), back), fence(holder), "COMMIT"],
        ]);
        back = 0;
        outbox.reload();
      }
      if (looks % BEAT === 0)
        await session.transaction([["START TRANSACTION", fence(holder), "COMMIT"]]);
      if (looks % COUNT === 0) outbox.counted(await countPending(session));
      if (looks % PRUNE === 0) shed = await prune(ports, shed, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof StorageError) && !(error instanceof FencedError)) throw error;
      // Somebody has locked what is to be forgotten: another time. Nothing that is owed waits for it.
      if (error instanceof AwayError && error.isPassing) continue;
      outbox.trouble(error);
      if (error instanceof FencedError) return;
    }
  }
}

/** What went for its size last, of which the server may not have taken notice yet. */
interface Shed {
  readonly at: number;
  /** Half of it is gone, as far as the server knows, when it says so much or less. */
  readonly seenAt: number;
}

/** Forgets what was settled longer than `historyMs` ago, and what is too much: the oldest history first, then what is owed. */
async function prune(
  ports: MysqlKeeperPorts,
  last: Shed | null,
  signal: AbortSignal,
): Promise<Shed | null> {
  const { retention, clock, historyMs, maxBytes, sized } = ports;
  const now = clock.now();
  const before = now - Math.max(historyMs, KEPT_AT_LEAST_MS);
  await forget(ports, before, EVER, signal);
  await forgetSummaries(ports, before, EVER, signal);
  // It counts seldom, unless it is told to.
  if (last !== null) await retention.analyze();
  const { bytes, rows } = await retention.size();
  sized(bytes);
  if (last !== null && bytes > last.seenAt && Math.abs(now - last.at) < UNSEEN_MS) return last;
  if (bytes <= maxBytes) return null;
  const surplus = Math.ceil(rows * (1 - (maxBytes * SHED_TO) / bytes));
  const removed = await forget(ports, EVER, surplus, signal);
  const all = removed + (await forgetSummaries(ports, EVER, surplus - removed, signal));
  // Where most of it was history, what is owed may do as it is.
  if (all < surplus / 2) await giveUp(ports, surplus - all, signal);
  await retention.analyze();
  sized((await retention.size()).bytes);
  return { at: now, seenAt: (bytes + maxBytes * SHED_TO) / 2 };
}

/** At most `most` occurrences; answers how many. */
async function forget(
  { retention, clock }: MysqlKeeperPorts,
  before: number,
  most: number,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  let cursor: number | null = 0;
  while (cursor !== null && removed < most && !signal.aborted) {
    const from: number = cursor;
    const step = await retention.prune(before, clock.now(), from, Math.min(BATCH, most - removed));
    removed += step.removed;
    ({ cursor } = step);
    if (step.removed > 0) await clock.sleep(PAUSE_MS, signal);
  }
  return removed;
}

/** At most `most` digests and gaps; answers how many. */
async function forgetSummaries(
  { retention, clock }: MysqlKeeperPorts,
  before: number,
  most: number,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  while (removed < most && !signal.aborted) {
    const limit = Math.min(BATCH, most - removed);
    const gone = await retention.pruneSummaries(before, clock.now(), limit);
    removed += gone;
    if (gone < limit) break;
    await clock.sleep(PAUSE_MS, signal);
  }
  return removed;
}

/** No history is left: the oldest that is owed goes, and is counted. */
async function giveUp(ports: MysqlKeeperPorts, most: number, signal: AbortSignal): Promise<void> {
  const { retention, clock, observer, outbox, maxBytes } = ports;
  for (let given = 0; given < most && !signal.aborted;) {
    const dead = await retention.overflow(Math.min(BATCH, most - given), clock.now());
    if (dead.length === 0) return;
    outbox.forget(dead.map(({ id }) => id));
    const detail = `the ledger holds more than ${maxBytes} bytes`;
    for (const { id, sink } of dead) observer.dead(sink, id, "overflow", detail);
    given += dead.length;
    await forget(ports, EVER, dead.length, signal);
    await forgetSummaries(ports, EVER, dead.length, signal);
  }
}
