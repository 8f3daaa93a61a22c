import type { Clock } from "../clock.ts";
import type { Observer } from "../observe/observer.ts";
import { type Asked, ask, microTime } from "./ask.ts";
import { Leadership, type LeadershipPorts } from "./leadership.ts";
import { type LeaseClaim, type LeaseRecord, sameRecord } from "./lease.ts";
import { type ElectionTimes, JITTER } from "./times.ts";

export interface ElectorPorts extends LeadershipPorts {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly observer: LeadershipPorts["observer"] & Pick<Observer, "leaderSeen" | "leadershipWon">;
}

/** Terms of a new Lease begin with the seconds since then: more than any Lease before it can have counted. */
const FIRST_TERM_AT = Date.UTC(2026, 0, 1);

interface Seen {
  readonly record: LeaseRecord;
  /** When we first saw it so, by our own clock that is never set. */
  readonly at: number;
}

/**
 * One candidate for a Lease, as client-go's leader election: whoever writes its name over a record that has not changed for the record's
 * duration, or that is nobody's, has it. No two machines' clocks are compared.
 */
export class Elector {
  readonly #identity: string;
  readonly #times: ElectionTimes;
  readonly #ports: ElectorPorts;
  #seen: Seen | null = null;
  #writes = 0;

  /** @param identity unique for this process: a second one of the same name would take the Lease for its own */
  constructor(identity: string, times: ElectionTimes, ports: ElectorPorts) {
    this.#identity = identity;
    this.#times = times;
    this.#ports = ports;
  }

  /** Who holds it, as far as known; `null`: nobody, or not known yet. */
  get holder(): string | null {
    const holder = this.#seen?.record.holder ?? "";
    return holder === "" ? null : holder;
  }

  /** Waits until it is ours. `null` once `signal` aborts; a request that is under way then may still win it, which is answered. */
  async lead(signal: AbortSignal): Promise<Leadership | null> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      const won = await this.#look(signal);
      if (won !== null) return won;
      await clock.sleep(this.#pauseMs(), signal);
    }
    return null;
  }

  async #look(signal: AbortSignal): Promise<Leadership | null> {
    const { store } = this.#ports;
    const asked = await this.#ask((inner) => store.read(inner), signal);
    if (asked.kind === "failed" || signal.aborted) return null;
    if (asked.answer !== null) this.#note(asked.answer);
    if (this.#leftMs() > 0) return null;
    return asked.answer === null ? await this.#create() : await this.#take(asked.answer);
  }

  #note(record: LeaseRecord): void {
    const { monotonic, observer } = this.#ports;
    const before = this.#seen?.record;
    if (before !== undefined && sameRecord(before, record)) return;
    this.#seen = { record, at: monotonic() };
    if (before?.holder !== record.holder || before.transitions !== record.transitions)
      observer.leaderSeen(record.holder === "" ? null : record.holder, record.transitions);
  }

  /** Until it may be taken. Where it was deleted as well: who held it may believe in it for as long. */
  #leftMs(): number {
    if (this.#seen === null) return 0;
    const { record, at } = this.#seen;
    // Under our own name: the answer to the write that won it was lost.
    if (record.holder === "" || record.holder === this.#identity) return 0;
    return at + (record.durationMs ?? this.#times.leaseMs) - this.#ports.monotonic();
  }

  /** No later than when it may be taken, so that a failover does not wait for the next look. */
  #pauseMs(): number {
    const { random } = this.#ports;
    const pause = this.#times.retryMs * (1 + random() * (JITTER - 1));
    const left = this.#leftMs();
    return Math.ceil(left <= 0 ? pause : Math.min(pause, left));
  }

  async #create(): Promise<Leadership | null> {
    const { store, monotonic, clock } = this.#ports;
    const sentAt = monotonic();
    // A Lease that was deleted must not begin below the terms that a ledger knows of.
    const seconds = Math.floor((clock.now() - FIRST_TERM_AT) / 1000);
    const claim = this.#claim(Math.max(0, seconds, (this.#seen?.record.transitions ?? 0) + 1));
    const asked = await this.#ask((inner) => store.create(claim, inner));
    return asked.kind === "failed" || asked.answer === null
      ? null
      : this.#won(asked.answer, sentAt);
  }

  async #take(record: LeaseRecord): Promise<Leadership | null> {
    const { store, monotonic } = this.#ports;
    const sentAt = monotonic();
    const claim = this.#claim(record.transitions + 1);
    const asked = await this.#ask((inner) => store.replace(record, claim, inner));
    if (asked.kind === "failed" || typeof asked.answer === "string") return null;
    return this.#won(asked.answer, sentAt);
  }

  #won(record: LeaseRecord, sentAt: number): Leadership {
    this.#seen = { record, at: sentAt };
    this.#ports.observer.leadershipWon(this.#identity, record.transitions);
    return new Leadership(this.#identity, record, sentAt, this.#times, this.#ports);
  }

  #claim(transitions: number): LeaseClaim {
    this.#writes += 1;
    const now = microTime(this.#ports.clock.now(), this.#writes);
    const durationMs = this.#times.leaseMs;
    return { holder: this.#identity, durationMs, acquired: now, renewed: now, transitions };
  }

  /** What is written is waited for even when it is told to stop: whether it holds the Lease must be known, to give it back. */
  #ask<T>(
    request: (signal: AbortSignal) => Promise<T>,
    until: AbortSignal | null = null,
  ): Promise<Asked<T>> {
    const { clock, observer } = this.#ports;
    return ask(request, { ms: this.#times.renewMs / 2, until }, clock, observer);
  }
}
