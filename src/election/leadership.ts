import type { Clock } from "../clock.ts";
import type { Observer } from "../observe/observer.ts";
import { type Asked, ask, type AskLimits, microTime } from "./ask.ts";
import type { LeaseClaim, LeaseRecord, LeaseStore } from "./lease.ts";
import type { ElectionTimes } from "./times.ts";

/** The end of a process waits no longer for an API server. */
const LAST_WORDS: AskLimits = { ms: 1_000, until: null };

export interface LeadershipPorts {
  readonly store: LeaseStore;
  readonly clock: Clock;
  /** Milliseconds from anywhere; never set back, whatever happens to the time of day. */
  readonly monotonic: () => number;
  readonly observer: Pick<
    Observer,
    "leaseFailed" | "leaseAnswered" | "leadershipLost" | "leaseReleased"
  >;
}

/**
 * A Lease that is ours. It is believed in for `renewMs` after the last renewal that succeeded was *sent*; others may take it `leaseMs`
 * after they *saw* that renewal at the earliest. What lies between is for ending what is under way.
 */
export class Leadership {
  readonly #identity: string;
  readonly #times: ElectionTimes;
  readonly #ports: LeadershipPorts;
  readonly #lost = new AbortController();
  readonly #over = new AbortController();
  readonly #renewing: Promise<void>;
  readonly #watching: Promise<void>;
  #record: LeaseRecord;
  /** The renewal that counts was sent then. */
  #sentAt: number;
  #trouble = "";
  #writes = 0;

  /** @param sentAt when the request that acquired it was sent, by `monotonic` */
  constructor(
    identity: string,
    record: LeaseRecord,
    sentAt: number,
    times: ElectionTimes,
    ports: LeadershipPorts,
  ) {
    this.#identity = identity;
    this.#record = record;
    this.#sentAt = sentAt;
    this.#times = times;
    this.#ports = ports;
    this.#renewing = this.#orLose(this.#renew());
    this.#watching = this.#orLose(this.#watch());
  }

  /** Grows with each change of hands: what a ledger knows an old leader by. */
  get term(): number {
    return this.#record.transitions;
  }

  /** Aborts when it is lost; its reason is an Error that says why. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * To be asked before anything leaves: a process that was stopped, or too busy to look at the time, learns here that its time is over,
   * before any timer of its own has told it.
   */
  holds(): boolean {
    if (this.#left() <= 0)
      this.lose(
        `the Lease could not be renewed within ${this.#times.renewMs / 1000} s${this.#trouble}`,
      );
    return !this.#over.signal.aborted;
  }

  /** Ends it here, whatever the API server says. */
  lose(why: string): void {
    if (this.#over.signal.aborted) return;
    this.#ports.observer.leadershipLost(why);
    this.#over.abort();
    this.#lost.abort(new Error(why));
  }

  /** Gives it back, so that another one need not wait; nothing where it is lost. Renews no more. */
  async release(): Promise<void> {
    const held = this.holds();
    this.#over.abort();
    await this.#renewing;
    await this.#watching;
    if (held) this.#ports.observer.leaseReleased(await this.#giveBack());
  }

  /** What went wrong, or `null`. */
  async #giveBack(): Promise<string | null> {
    for (let tries = 0; tries < 2; tries += 1) {
      const { transitions } = this.#record;
      // As client-go leaves it: a second is for those who look at nothing but times.
      const nobodys = { holder: "", durationMs: 1_000, transitions };
      const asked = await this.#write(nobodys, LAST_WORDS);
      if (asked.kind === "failed") return asked.detail;
      if (asked.answer !== "changed") return null;
      // A renewal whose answer was not waited for: once more, where it is still ours.
      const { store } = this.#ports;
      const now = await this.#ask((signal) => store.read(signal), LAST_WORDS);
      if (now.kind === "failed") return now.detail;
      if (now.answer?.holder !== this.#identity) return null;
      this.#record = now.answer;
    }
    return "it is written again and again";
  }

  #left(): number {
    return this.#sentAt + this.#times.renewMs - this.#ports.monotonic();
  }

  async #watch(): Promise<void> {
    while (this.holds()) await this.#ports.clock.sleep(this.#left(), this.#over.signal);
  }

  async #renew(): Promise<void> {
    const { clock, monotonic } = this.#ports;
    const over = this.#over.signal;
    let next = this.#sentAt + this.#times.retryMs;
    let again = false;
    while (!over.aborted) {
      await clock.sleep(next - monotonic(), over);
      if (over.aborted || !this.holds()) return;
      const sentAt = monotonic();
      next = sentAt + this.#times.retryMs;
      const isSecond: boolean = again;
      again = false;
      const asked = await this.#write(this.#own());
      if (over.aborted) return;
      if (asked.kind === "failed") this.#trouble = `: ${asked.detail}`;
      else if (asked.answer === "changed") {
        // By a renewal of our own whose answer was lost, or by another holder.
        again = (await this.#isOurs()) && !isSecond;
        if (again) next = sentAt;
      } else if (asked.answer === "gone") await this.#createAgain(sentAt);
      else if (asked.answer !== null) this.#renewed(asked.answer, sentAt);
    }
  }

  /** Whether it is ours still, as far as is known; lost, where it is another's. */
  async #isOurs(): Promise<boolean> {
    const { store } = this.#ports;
    const asked = await this.#ask((signal) => store.read(signal));
    if (asked.kind === "failed") {
      this.#trouble = `: ${asked.detail}`;
      return false;
    }
    // Deleted just now: the next renewal finds out and makes it again.
    if (asked.answer === null) return true;
    const { holder } = asked.answer;
    if (holder === this.#identity) {
      this.#trouble = ": somebody else writes it as well";
      // Whoever wrote it may have set the term back, below which a ledger takes nothing.
      this.#record = {
        ...asked.answer,
        transitions: Math.max(this.term, asked.answer.transitions),
      };
      return true;
    }
    this.lose(holder === "" ? "somebody emptied the Lease" : `${holder} took the Lease`);
    return false;
  }

  /** Somebody deleted it. Who makes it first has it, so where we do nobody else had it meanwhile. */
  async #createAgain(sentAt: number): Promise<void> {
    const { store } = this.#ports;
    const claim = { ...this.#claim(), ...this.#own() };
    const asked = await this.#ask((signal) => store.create(claim, signal));
    if (asked.kind === "failed") this.#trouble = `: ${asked.detail}`;
    else if (asked.answer === null) await this.#isOurs();
    else this.#renewed(asked.answer, sentAt);
  }

  #renewed(record: LeaseRecord, sentAt: number): void {
    this.#record = record;
    this.#sentAt = sentAt;
    this.#trouble = "";
  }

  #own(): Pick<LeaseClaim, "holder" | "durationMs" | "transitions"> {
    return {
      holder: this.#identity,
      durationMs: this.#times.leaseMs,
      transitions: this.#record.transitions,
    };
  }

  #claim(): Pick<LeaseClaim, "acquired" | "renewed"> {
    this.#writes += 1;
    const renewed = microTime(this.#ports.clock.now(), this.#writes);
    return { acquired: this.#record.acquired, renewed };
  }

  #write(
    own: Pick<LeaseClaim, "holder" | "durationMs" | "transitions">,
    limits = this.#limits(),
  ): Promise<Asked<LeaseRecord | "changed" | "gone">> {
    const { store } = this.#ports;
    const claim = { ...this.#claim(), ...own };
    return this.#ask((signal) => store.replace(this.#record, claim, signal), limits);
  }

  #ask<T>(
    request: (signal: AbortSignal) => Promise<T>,
    limits: AskLimits = this.#limits(),
  ): Promise<Asked<T>> {
    const { clock, observer } = this.#ports;
    return ask(request, limits, clock, observer);
  }

  /** A request may take half of the time there is, so that another one can follow. */
  #limits(): AskLimits {
    return { ms: this.#times.renewMs / 2, until: this.#over.signal };
  }

  /** A mistake of ours in here must not leave us in the belief to lead. */
  #orLose(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => {
      this.lose(`the election failed: ${String(error)}`);
      throw error;
    });
  }
}
