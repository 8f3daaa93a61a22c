import { expect } from "vitest";
import { Canary, type CanaryOptions, type News } from "../../../src/canary/canary.ts";
import { CANARY_REASON } from "../../../src/event/canary.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { recordingObserver } from "../../support/observer.ts";

type Written = { ok: true } | { ok: false; detail: string; waitMs: number };
export const REFUSED: Written = { ok: false, detail: "500 etcd is away", waitMs: 0 };

/** A clock that somebody may set. */
class WallClock extends FakeClock {
  off = 0;
  override now(): number {
    return super.now() + this.off;
  }
}

/** A canary with a world around it that does as the test says. */
export function aCanary(options: Partial<CanaryOptions> = {}) {
  const clock = new WallClock();
  const recorded = recordingObserver();
  const news: News[] = [];
  const written: { count: number; at: number }[] = [];
  const world = { answer: { ok: true } as Written, ledgerHolds: true, isOwed: true };
  const canary = new Canary(
    {
      source: "kubernetes",
      everyMs: 300_000,
      deadlineMs: 60_000,
      sink: "ops",
      giveUpAfterMs: 3_600_000,
      ...options,
    },
    {
      clock,
      observer: recorded.observer,
      recognises: ({ eventName }) => eventName === "ours",
      write: (count, at) => {
        written.push({ count, at });
        return Promise.resolve(world.answer);
      },
      ledgerHolds: () => world.ledgerHolds,
      isOwed: () => world.isOwed,
      tell: (what) => void news.push(what),
    },
  );
  const stop = new AbortController();
  const synced = Promise.withResolvers<void>();
  const running = canary.run(synced.promise, stop.signal);
  const event = (count: number, eventName = "ours") =>
    anEvent({ eventName, count, reason: CANARY_REASON });
  /** It comes on the watch, and the ledger takes it. */
  const comes = (count: number) => {
    const sinks = canary.sinksOf(event(count));
    if (sinks !== null) canary.taken(event(count));
    return sinks;
  };
  /** And the sink takes it. */
  const arrives = (count: number) => {
    comes(count);
    canary.accepted(event(count));
  };
  const pass = (seconds: number) => clock.advance(seconds * 1000);
  const counts = () => written.map(({ count }) => count);
  const end = async () => {
    stop.abort();
    await running;
  };
  return {
    canary,
    stop,
    clock,
    recorded,
    news,
    written,
    world,
    synced,
    event,
    comes,
    arrives,
    pass,
    counts,
    end,
  };
}

/** Running, and the first one written. */
export async function begun(options: Partial<CanaryOptions> = {}) {
  const all = aCanary(options);
  all.synced.resolve();
  await all.pass(0);
  expect(all.counts()).toEqual([1]);
  return all;
}
