import { type FailureReason, OUTAGE_REASONS } from "../event/reason.ts";

const FIRST_MS = 250;
/** However long an outage was, its end is noticed within this time. */
const CAP_MS = 5_000;

/**
 * Keeps a sink that is down from being hammered with everything that is pending: after a failure one delivery at a time is tried,
 * at growing intervals, until one is accepted. Pure: time and chance are given.
 */
export class Circuit {
  #failures = 0;
  #failedAt = 0;
  #until = 0;

  get open(): boolean {
    return this.#failures > 0;
  }

  /** When the next delivery may be tried while open. */
  probeAt(now: number): number {
    this.#notAfter(now);
    return this.#until;
  }

  /** The sink answered, whatever it said. */
  succeeded(): void {
    this.#failures = 0;
  }

  /**
   * @param startedAt when the failed attempt began: those that were under way together are one sign of an outage, not many
   * @param random in [0, 1)
   * @returns when the delivery should be tried again if it is the sink that is down; `null` while it may be the delivery's own fault
   */
  failed(reason: FailureReason, startedAt: number, now: number, random: number): number | null {
    if (!OUTAGE_REASONS.has(reason)) return null;
    this.#notAfter(now);
    if (this.open && startedAt < this.#failedAt) return this.#until;
    this.#failures += 1;
    this.#failedAt = now;
    const step = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(this.#failures - 1, 10));
    // Half of it is certain, so that chance cannot make it a hammer.
    this.#until = now + Math.floor(step / 2 + (random * step) / 2);
    return this.#failures > 1 ? this.#until : null;
  }

  /** The wall clock may have been set back: nothing has failed in the future, and the wait is no longer for that. */
  #notAfter(now: number): void {
    if (now >= this.#failedAt) return;
    this.#until -= this.#failedAt - now;
    this.#failedAt = now;
  }
}
