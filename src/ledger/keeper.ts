import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import type { Observer } from "../observe/observer.ts";
import type { Trimmer } from "./retention.ts";
import { setBacks } from "./set-back.ts";
import { type Store, unlessRefused } from "./store.ts";

const LOOK_MS = 1_000;
/** Every so many looks, whatever the clock is set to meanwhile: retention by age. */
const PRUNE = 60;
/** Events, or deliveries, per transaction: about two milliseconds, in which nothing else is done. */
const BATCH = 100;
/** What the cluster still holds would count as new once it is forgotten; by default it holds Events for an hour. */
const KEPT_AT_LEAST_MS = 2 * 3_600_000;
/** Below the limit by this much, so that not every second has something to shed. */
const SHED_TO = 0.9;
const EVER = Number.MAX_SAFE_INTEGER;
const NOTHING = { removed: 0, cursor: null };

export interface KeeperPorts {
  readonly store: Store;
  readonly retention: Trimmer;
  readonly clock: Clock;
  readonly observer: Observer;
  /** How long what is settled is kept; two hours at least. */
  readonly historyMs: number;
  readonly maxBytes: number;
  /** Called when deliveries were changed by another process, or given up here. */
  readonly changed: () => void;
}

/** Keeps the ledger within its age and size, and notices what other processes did to it, until `signal` aborts. */
export async function keep(ports: KeeperPorts, signal: AbortSignal): Promise<void> {
  const { clock, store } = ports;
  let version = unlessRefused(() => store.version(), 0);
  const backBy = setBacks(clock);
  let back = 0;
  for (let looks = 1; ; looks += 1) {
    await clock.sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    back += backBy(LOOK_MS);
    if (back > 0 && unlessRefused(() => store.setBack(clock.now(), back), false)) {
      back = 0;
      ports.changed();
    }
    const found = unlessRefused(() => store.version(), version);
    if (found !== version) ports.changed();
    version = found;
    await shed(ports, signal);
    if (looks % PRUNE === 0) await prune(ports, signal);
  }
}

/** Forgets what was settled longer than `historyMs` ago. */
async function prune(ports: KeeperPorts, signal: AbortSignal): Promise<void> {
  const before = ports.clock.now() - Math.max(ports.historyMs, KEPT_AT_LEAST_MS);
  const always = () => !signal.aborted;
  await forget(ports, before, "all", always);
  await forgetSummaries(ports, before, always);
}

/** Over the size: the oldest history goes first; when there is none left, the oldest owed deliveries are given up, and counted. */
async function shed(ports: KeeperPorts, signal: AbortSignal): Promise<void> {
  const { retention, clock, observer, maxBytes } = ports;
  const used = () => unlessRefused(() => retention.usedBytes(), 0);
  if (used() <= maxBytes) return;
  const over = () => !signal.aborted && used() > maxBytes * SHED_TO;
  await forget(ports, EVER, "all", over);
  await forgetSummaries(ports, EVER, over);
  while (over()) {
    const given = unlessRefused(() => retention.overflow(BATCH, clock.now()), []);
    if (given.length === 0) return;
    ports.changed();
    const detail = `the ledger holds more than ${maxBytes} bytes`;
    for (const { id, sink } of given) observer.dead(sink, id, "overflow", detail);
    await nextTurn();
    // They were the oldest, so they stand at the beginning: the thousands behind them need no look.
    await forget(ports, EVER, "head", over);
  }
}

/** In small transactions, each followed by a turn for everyone else. `head`: only until there is one that finds nothing to forget. */
async function forget(
  { retention, clock }: KeeperPorts,
  before: number,
  extent: "all" | "head",
  goOn: () => boolean,
): Promise<void> {
  let cursor: number | null = 0;
  while (cursor !== null && goOn()) {
    const from: number = cursor;
    const step = unlessRefused(() => retention.prune(before, clock.now(), from, BATCH), NOTHING);
    await nextTurn();
    if (extent === "head" && step.removed === 0) return;
    ({ cursor } = step);
  }
}

async function forgetSummaries(
  { retention, clock }: KeeperPorts,
  before: number,
  goOn: () => boolean,
): Promise<void> {
  while (goOn()) {
    const removed = unlessRefused(() => retention.pruneSummaries(before, clock.now(), BATCH), 0);
    if (removed < BATCH) return;
    await nextTurn();
  }
}
