import PQueue from "p-queue";
import type { Clock } from "../clock.ts";
import type { Delivery } from "../event/delivery.ts";
import type { FailureReason } from "../event/reason.ts";
import type { Outbox } from "../ledger/ledger.ts";
import type { Observer } from "../observe/observer.ts";
import type { Rate } from "../sink/define.ts";
import { endOfTurn } from "../turn.ts";
import { Alarm } from "./alarm.ts";
import { attempt, type Attempted } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import type { Budget } from "./budget.ts";
import { Circuit } from "./circuit.ts";
import { digestOf } from "./digest.ts";
import { LOOK, takeDue } from "./due.ts";
import { judge } from "./judge.ts";
import { openBudget } from "./open-budget.ts";
import { Pause } from "./pause.ts";
import { overloaded } from "./plan.ts";
import { recorded } from "./recorded.ts";
import { Relief } from "./relief.ts";
import { closed, type Sender } from "./sender.ts";
import type { LaneState, LaneStatus } from "./status.ts";

export interface LaneOptions {
  /** The name of the sink instance. */
  readonly name: string;
  readonly rates: readonly Rate[];
  readonly concurrency: number;
  /** How long to pause when the platform throttles and does not say for how long. */
  readonly throttledMs: number;
  readonly timeoutMs: number;
  /** Counted from the moment a delivery was owed. */
  readonly giveUpAfterMs: number;
  /** Fold what exceeds the rates; without it the excess waits. */
  readonly digest: boolean;
  /** The least time between two digests. */
  readonly digestEveryMs: number;
  /**
   * The rate p-queue enforces besides the budget: the first of `rates`. It keeps the system's time, so `null` where the clock is
   * another one.
   */
  readonly gate: Rate | null;
}

export interface LanePorts {
  readonly sender: Sender;
  readonly outbox: Outbox;
  readonly observer: Observer;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** What the platform allows several sinks together; absent: it is this one's alone. */
  readonly shared?: Budget | null;
}

/** One sink's worker: takes what is due, when the sink may be told, and settles what came of it. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #ports: LanePorts;
  readonly #queue: PQueue;
  readonly #budget: Budget;
  readonly #circuit = new Circuit();
  readonly #inFlight = new Set<string>();
  readonly #stop = new AbortController();
  readonly #alarm: Alarm;
  readonly #pause: Pause;
  readonly #relief: Relief;
  readonly #idle: (() => void)[] = [];
  #unsubscribe: () => void = () => undefined;
  #closing: Promise<void> | null = null;
  #running = false;
  #woken = false;

  constructor(options: LaneOptions, ports: LanePorts) {
    const { name, concurrency, digestEveryMs, gate } = options;
    this.#options = options;
    this.#ports = ports;
    this.#alarm = new Alarm(ports.clock, () => this.#wake());
    this.#pause = new Pause(name, ports.observer);
    this.#relief = new Relief(digestEveryMs);
    this.#queue = new PQueue({
      concurrency,
      ...(gate === null ? {} : { interval: gate.perMs, intervalCap: gate.count, strict: true }),
    });
    this.#budget = openBudget(options, ports);
  }

  get state(): LaneState {
    if (this.#pause.until !== null) return "paused";
    return this.#circuit.open ? "broken" : "open";
  }

  status(now: number): LaneStatus {
    const { state } = this;
    const until = state === "paused" ? this.#pause.until : this.#circuit.probeAt(now);
    const [rate = null] = this.#options.rates;
    return {
      state,
      until: state === "open" ? null : until,
      inFlight: this.#inFlight.size,
      budget: rate && { ...rate, left: this.#budget.available(now) },
    };
  }

  start(): void {
    const { outbox, clock } = this.#ports;
    this.#running = true;
    this.#unsubscribe = outbox.onAdded(this.#options.name, () => this.#wake());
    const now = clock.now();
    const until = outbox.throttledUntil(this.#options.name, now);
    if (until !== null)
      this.#pause.begin(until, "the platform's limit was hit before the start", now);
    this.#wake();
  }

  /** Resolves when nothing is owed to this sink any more, or the lane is stopped. */
  idle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    this.#wake();
    return promise;
  }

  /**
   * Takes nothing new and waits for what is under way until `deadline` (milliseconds since the epoch); what is still under way then
   * is interrupted, stays owed, and its attempt does not count. Closes the sink.
   */
  async drain(deadline: number): Promise<void> {
    const { clock, sender, observer } = this.#ports;
    this.#running = false;
    this.#unsubscribe();
    this.#alarm.cancel();
    for (const resolve of this.#idle.splice(0)) resolve();
    const left = deadline - clock.now();
    if (left > 0) {
      const done = new AbortController();
      await Promise.race([this.#queue.onIdle(), clock.sleep(left, done.signal)]);
      done.abort();
    }
    this.#stop.abort();
    await this.#queue.onIdle();
    // A lane that drains may be stopped before its time.
    await (this.#closing ??= closed(this.#options.name, sender, observer));
  }

  /** `drain` without waiting. */
  stop(): Promise<void> {
    return this.drain(this.#ports.clock.now());
  }

  /** Looks once at what there is to do, after everything that happens in this turn of the event loop. */
  #wake(): void {
    if (this.#woken || !this.#running) return;
    this.#woken = true;
    endOfTurn.giveOut(() => {
      this.#woken = false;
      if (this.#running) this.#turn();
    });
  }

  #turn(): void {
    const { clock, outbox } = this.#ports;
    const { name, concurrency, rates, digest } = this.#options;
    const now = clock.now();
    this.#tellIdle();
    if (this.#pause.at(now)) return this.#alarm.set(this.#pause.until);
    let room = concurrency - this.#inFlight.size;
    if (this.#circuit.open) {
      if (this.#inFlight.size > 0) return;
      const probeAt = this.#circuit.probeAt(now);
      if (now < probeAt) return this.#alarm.set(probeAt);
      room = 1;
    }
    if (room <= 0) return;
    if (rates.length === 0) {
      const launched = this.#launch(this.#take(now, room), now);
      if (launched < room) this.#alarm.set(outbox.nextAt(name, now));
      return;
    }
    const planned = this.#relief.plannedUntil(now);
    if (planned !== null) return this.#alarm.set(planned);
    // Without digests all of it waits for a slot, and need not be counted.
    const due = digest ? outbox.pending(name, now).due - this.#inFlight.size : null;
    if (due !== null && overloaded(due, this.#budget, now)) return this.#relieve(now, room);
    room = Math.min(room, this.#budget.available(now));
    const launched = this.#launch(this.#take(now, room), now);
    this.#alarm.set(outbox.nextAt(name, now));
    if (due === null ? launched === room : launched < due) this.#awaitSlot(now);
  }

  /** Sends what may go singly, and folds the rest when the time has come. */
  #relieve(now: number, room: number): void {
    const { outbox, observer } = this.#ports;
    const { name } = this.#options;
    const due = this.#take(now, LOOK);
    // All that was due has become too old.
    if (due.length === 0) return this.#alarm.set(outbox.nextAt(name, now));
    const { send, fold, wakeAt } = this.#relief.plan(due, this.#budget, now);
    if (fold.length === 0) {
      this.#launch(send.slice(0, room), now);
      const until = wakeAt > now ? wakeAt : this.#budget.nextSlotAt(now);
      if (until > now) this.#alarm.set(until);
      this.#relief.waits(now, until);
      return;
    }
    const ids = fold.map(({ id }) => id);
    const digest = outbox.fold(name, ids, digestOf(fold), now);
    observer.folded(name, fold.length);
    if (due.length < LOOK) {
      this.#relief.folded(now);
      this.#launch([digest], now);
    }
    this.#wake();
  }

  #take(now: number, max: number): readonly Delivery[] {
    const { due, isMore } = takeDue(this.#ports, this.#options, now, max, this.#inFlight);
    if (isMore) this.#wake();
    return due;
  }

  #launch(deliveries: readonly Delivery[], now: number): number {
    const limited = this.#options.rates.length > 0;
    for (const delivery of deliveries) {
      this.#inFlight.add(delivery.id);
      if (limited) {
        this.#budget.start();
        this.#ports.outbox.attempting(this.#options.name, now, delivery.id);
      }
      void this.#queue.add(() => this.#deliver(delivery));
    }
    return deliveries.length;
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { sender, clock, outbox } = this.#ports;
    const startedAt = clock.now();
    const { timeoutMs, rates } = this.#options;
    // A budget's attempt, and a digest in place of many, are known before the request leaves.
    const told = rates.length > 0 ? recorded(outbox, this.#stop.signal) : null;
    if (told !== null) await told;
    const result = await attempt(sender, delivery, timeoutMs, clock, this.#stop.signal);
    this.#budget.end(clock.now());
    if (result !== null) {
      this.#settle(delivery, result, startedAt);
      // The slot is free when a death could not make us tell it again.
      const settled = recorded(outbox, this.#stop.signal);
      if (settled !== null) await settled;
    }
    this.#inFlight.delete(delivery.id);
    this.#relief.attemptEnded();
    this.#wake();
  }

  #settle(delivery: Delivery, result: NonNullable<Attempted>, startedAt: number): void {
    const { outbox, observer, clock } = this.#ports;
    const { name, throttledMs } = this.#options;
    const { id } = delivery;
    const at = clock.now();
    if (result.verdict.kind !== "retryable") this.#circuit.succeeded();
    const outcome = judge(result, delivery, at, throttledMs, (reason, attempts) =>
      this.#retryAt(reason, attempts, startedAt, at),
    );
    outbox.settle(id, { ...outcome, tookMs: result.durationMs });
    if (outcome.kind === "delivered") {
      observer.delivered(name, id, Math.max(0, at - delivery.owedAt), result.durationMs);
      return;
    }
    const { reason, detail } = outcome;
    const retryMs = outcome.kind === "retry" ? outcome.notBefore - at : null;
    observer.attemptFailed(name, id, reason, detail, retryMs, result.durationMs);
    if (outcome.kind === "dead") observer.dead(name, id, reason, detail);
    else if (reason === "throttled") this.#pause.begin(outcome.notBefore, detail, at);
  }

  /** A delivery's own backoff; while the sink as a whole is down, no later than it is tried again. */
  #retryAt(reason: FailureReason, attempts: number, startedAt: number, now: number): number {
    const { random } = this.#ports;
    const own = now + backoffMs(attempts, random());
    const probeAt = this.#circuit.failed(reason, startedAt, now, random());
    return probeAt ?? own;
  }

  /** Looks again when the rates allow another request; one that has only to wait for an answer is woken by it. */
  #awaitSlot(now: number): void {
    const at = this.#budget.nextSlotAt(now);
    if (at > now) this.#alarm.set(at);
  }

  #tellIdle(): void {
    if (this.#idle.length === 0 || this.#inFlight.size > 0) return;
    // Anything that falls due at any time is owed; counting it all would cost more.
    if (this.#ports.outbox.nextAt(this.#options.name, 0) !== null) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
