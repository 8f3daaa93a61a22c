import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Elector } from "../../../src/election/elector.ts";
import type { Leadership } from "../../../src/election/leadership.ts";
import { electionTimes, type ElectionTimes, failoverMs } from "../../../src/election/times.ts";
import { FakeClock } from "../../support/clock.ts";
import { seeded } from "../../support/life.ts";
import { recordingObserver } from "../../support/observer.ts";
import { SkewedClock, SlowStore } from "./support.ts";

/**
 * Replicas that fight for one Lease while their processes are stopped and killed, their network is slow or loses answers, and their
 * clocks show anything and run unevenly: at no instant do two that run believe to lead, and in the end somebody does.
 */
const STEP_MS = 250;
const COUNT = 3;

type Trouble =
  | { readonly kind: "stop"; readonly who: number; readonly ms: number }
  | { readonly kind: "cut"; readonly who: number; readonly ms: number }
  | { readonly kind: "kill"; readonly who: number }
  | { readonly kind: "release"; readonly who: number }
  | { readonly kind: "slow"; readonly ms: number }
  | { readonly kind: "lose"; readonly answers: number };

interface Happening {
  readonly afterMs: number;
  readonly trouble: Trouble;
}

/** One of them, or whoever leads: most of what matters happens to that one. */
const LEADER = -1;
const who = fc.oneof(fc.constant(LEADER), fc.integer({ min: 0, max: COUNT - 1 }));
/** Around the times of an election, or long past them. */
const ms = fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 60_000 }));
const happening: fc.Arbitrary<Happening> = fc.record({
  afterMs: fc.integer({ min: 0, max: 12_000 }),
  trouble: fc.oneof(
    fc.record({ kind: fc.constant("stop" as const), who, ms }),
    fc.record({ kind: fc.constant("cut" as const), who, ms }),
    fc.record({ kind: fc.constant("kill" as const), who }),
    fc.record({ kind: fc.constant("release" as const), who }),
    fc.record({ kind: fc.constant("slow" as const), ms: fc.integer({ min: 0, max: 8_000 }) }),
    fc.record({ kind: fc.constant("lose" as const), answers: fc.integer({ min: 1, max: 4 }) }),
  ),
});

type Start = (
  clock: SkewedClock,
  identity: string,
  stop: AbortSignal,
) => Promise<Leadership | null>;

/** One place among the replicas: its process, and the one that is started where that ended. */
class Replica {
  readonly clock: SkewedClock;
  readonly #start: Start;
  readonly #name: string;
  #process = 0;
  #stop = new AbortController();
  leadership: Leadership | null = null;

  constructor(name: string, clock: SkewedClock, start: Start) {
    this.#name = name;
    this.clock = clock;
    this.#start = start;
    this.run();
  }

  run(): void {
    this.#process += 1;
    const process = this.#process;
    this.leadership = null;
    this.#stop = new AbortController();
    void this.#lead(process, this.#stop.signal);
  }

  async #lead(process: number, stop: AbortSignal): Promise<void> {
    const led = await this.#start(this.clock, `${this.#name}${process}`, stop);
    if (process === this.#process) this.leadership = led;
    else led?.lose("it was killed");
  }

  /** Nothing of it runs any more; another one is started in its place. */
  kill(): void {
    this.#stop.abort();
    this.leadership?.lose("it was killed");
    this.run();
  }

  release(): void {
    const { leadership } = this;
    this.leadership = null;
    this.#stop.abort();
    void leadership?.release().catch(() => undefined);
    this.run();
  }

  /** Whether a message would leave it now. */
  sends(): boolean {
    if (this.clock.stopped || this.leadership === null) return false;
    if (this.leadership.holds()) return true;
    // It ends, and is started again.
    this.run();
    return false;
  }
}

async function fight(
  seed: number,
  rates: readonly number[],
  troubles: readonly Happening[],
  times: ElectionTimes,
): Promise<{
  readonly together: string[];
  readonly terms: readonly number[];
  readonly led: boolean;
}> {
  const base = new FakeClock();
  const store = new SlowStore();
  const random = seeded(seed);
  let slowest = 50;
  const together: string[] = [];
  const terms: number[] = [];
  const start: Start = (clock, identity, stop) =>
    new Elector(identity, times, {
      store: store.from(clock, base, () => random() * slowest),
      clock,
      monotonic: () => clock.monotonic(),
      random,
      observer: recordingObserver().observer,
    })
      .lead(stop)
      .then((led) => {
        if (led !== null) terms.push(led.term);
        return led;
      });
  const replicas = rates.map(
    (rate, index) =>
      new Replica(`r${index}-`, new SkewedClock(base, rate, (random() - 0.5) * 1e11), start),
  );
  const watch = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      await base.advance(STEP_MS);
      const sending = replicas.flatMap((replica, index) => (replica.sends() ? [index] : []));
      if (sending.length > 1) together.push(`${sending.join(" and ")} at ${base.now()}`);
    }
  };
  for (const { afterMs, trouble } of troubles) {
    await watch(afterMs);
    const hit =
      "who" in trouble
        ? (replicas[trouble.who] ?? replicas.find((replica) => replica.sends()))
        : undefined;
    if (trouble.kind === "stop") hit?.clock.stopFor(trouble.ms);
    else if (trouble.kind === "cut") hit?.clock.cutFor(trouble.ms);
    else if (trouble.kind === "kill") hit?.kill();
    else if (trouble.kind === "release") hit?.release();
    else if (trouble.kind === "slow") slowest = trouble.ms;
    else store.lost += trouble.answers;
  }
  slowest = 50;
  store.lost = 0;
  // The longest stop, and then what a failover may take by the slowest clock.
  await watch(60_000 + 2 * failoverMs(times));
  const led = replicas.some((replica) => replica.sends());
  for (const replica of replicas) replica.kill();
  return { together, terms, led };
}

describe("an election among replicas with troubles", () => {
  it.each([
    ["of the default times", electionTimes(15_000, undefined, undefined), 0.1],
    ["as short as is allowed", electionTimes(4_000, undefined, undefined), 0.1],
    ["with the least margin that is allowed", electionTimes(15_000, 14_000, 2_000), 0.02],
  ])(
    "never has two leaders at once, has one in the end, and counts terms upwards: %s",
    async (_, times, skew) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer(),
          fc.array(fc.double({ min: 1 - skew, max: 1 + skew, noNaN: true }), {
            minLength: COUNT,
            maxLength: COUNT,
          }),
          fc.array(happening, { maxLength: 12 }),
          async (seed, rates, troubles) => {
            const { together, terms, led } = await fight(seed, rates, troubles, times);
            expect(together).toEqual([]);
            expect(led).toBe(true);
            expect(new Set(terms).size).toBe(terms.length);
            expect(terms).toEqual(terms.toSorted((a, b) => a - b));
          },
        ),
        { numRuns: Number(process.env["ELECTION_RUNS"] ?? 30) },
      );
    },
    120_000,
  );
});
