import { onTestFinished } from "vitest";
import { Lane, type LaneOptions } from "../../../src/delivery/lane.ts";
import type { Sender } from "../../../src/delivery/sender.ts";
import type { Alert } from "../../../src/event/alert.ts";
import type { Delivery } from "../../../src/event/delivery.ts";
import { accepted, type Verdict } from "../../../src/sink/verdict.ts";
import { settle, type FakeClock } from "../../support/clock.ts";
import { aLedger, anEntry, never, type TestLedger } from "../../support/ledger.ts";

export interface Request {
  readonly at: number;
  readonly id: string;
  readonly alert: Alert;
}

/** A platform in memory: notes every request, and answers as the test says, after `latencyMs`. */
export class FakePlatform implements Sender {
  readonly requests: Request[] = [];
  readonly told: Request[] = [];
  readonly #clock: FakeClock;
  answer: (delivery: Delivery, now: number) => Verdict | Promise<Verdict> = () => accepted;
  latencyMs = 0;
  closed = false;
  readonly #open = new Set<string>();
  #cut = false;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async send(delivery: Delivery, signal: AbortSignal, now: number) {
    if (this.#cut) return new Promise<never>(() => undefined);
    const request = { at: now, id: delivery.id, alert: delivery.alert };
    this.requests.push(request);
    this.#open.add(delivery.id);
    const verdict = await this.answer(delivery, now);
    if (this.latencyMs > 0) await this.#clock.sleep(this.latencyMs, signal);
    if (verdict.kind === "accepted" && !signal.aborted) this.told.push(request);
    if (this.#cut) return new Promise<never>(() => undefined);
    this.#open.delete(delivery.id);
    return { verdict, sent: "{}", answer: "HTTP 200" };
  }

  /** What has been asked for last, of each, and not been answered yet. */
  unanswered(): readonly string[] {
    return [...this.#open];
  }

  /** Its client was killed: nothing more comes from it, and no answer reaches it. */
  cut(): void {
    this.#cut = true;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  /** Waits until nothing more is requested at this moment. */
  async quiet(): Promise<void> {
    for (let before = -1; before < this.requests.length;) {
      before = this.requests.length;
      await settle();
    }
  }

  /** Seconds after `start` at which requests came. */
  secondsSince(start: number): number[] {
    return this.requests.map(({ at }) => (at - start) / 1_000);
  }
}

export const DINGTALK = {
  rates: [{ count: 20, perMs: 60_000 }],
  concurrency: 1,
  throttledMs: 600_000,
} as const;

export const LARK = {
  rates: [
    { count: 100, perMs: 60_000 },
    { count: 5, perMs: 1_000 },
  ],
  concurrency: 2,
  throttledMs: 60_000,
} as const;

export interface TestLane extends TestLedger {
  readonly platform: FakePlatform;
  readonly lane: Lane;
  readonly name: string;
  /** Owes `count` more occurrences to the sink. */
  readonly owe: (count: number, reason?: string) => Promise<void>;
}

/** A lane over a ledger in memory, its time the test's, its chance always the middle. */
export function aLane(
  options: Partial<LaneOptions> = {},
  parts: { readonly ledger?: TestLedger; readonly random?: () => number } = {},
): TestLane {
  const ledger = parts.ledger ?? aLedger();
  const platform = new FakePlatform(ledger.clock);
  const name = options.name ?? "chat";
  const lane = new Lane(
    {
      name,
      rates: [],
      concurrency: 4,
      throttledMs: 60_000,
      timeoutMs: 10_000,
      giveUpAfterMs: 3_600_000,
      digest: true,
      digestEveryMs: 5_000,
      gate: null,
      ...options,
    },
    {
      sender: platform,
      outbox: ledger.outbox,
      observer: ledger.recorded.observer,
      clock: ledger.clock,
      random: parts.random ?? (() => 0.5),
    },
  );
  onTestFinished(async () => {
    if (ledger.db.isOpen) await lane.stop();
  });
  let owed = 0;
  return {
    ...ledger,
    platform,
    lane,
    name,
    owe: async (count, reason = "BackOff") => {
      const entries = Array.from({ length: count }, () => anEntry((owed += 1), [name], reason));
      await ledger.outbox.add(entries, [], never);
    },
  };
}

/** The most requests in any window of `perMs`, by when the platform got them. */
export function busiest(times: readonly number[], perMs: number): number {
  return Math.max(
    0,
    ...times.map((from) => times.filter((at) => at >= from && at < from + perMs).length),
  );
}
