import type { Alert } from "./alert.ts";
import type { FailureReason } from "./reason.ts";

/** One alert owed to one sink instance. */
export interface Delivery {
  /** A UUID made once, when the delivery is owed: the idempotency key, stable over retries and restarts. */
  readonly id: string;
  /** The name of the sink instance. */
  readonly sink: string;
  readonly alert: Alert;
  /** Failed attempts so far. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly owedAt: number;
  readonly notBefore: number;
  /** A process ended in the middle of an attempt: it may have arrived, so it is told again as it is, and in nothing else. */
  readonly begun?: true;
}

/** As it is when it begins to be owed: due at once, and never tried. */
export function newDelivery(id: string, sink: string, alert: Alert, now: number): Delivery {
  return { id, sink, alert, attempts: 0, owedAt: now, notBefore: now };
}

/**
 * pending → delivered | dead | folded (told in a digest). `dead` can be made pending again by hand, or be `discarded`.
 */
export const DELIVERY_STATES = ["pending", "delivered", "dead", "folded", "discarded"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** One attempt that failed. */
export interface Attempt {
  /** When it ended. */
  readonly at: number;
  /** `null`: not known. */
  readonly tookMs: number | null;
  readonly reason: FailureReason;
  /** The platform's answer, or what stood in its way. */
  readonly detail: string;
}

/** Of a delivery that fails for days, so many attempts are kept. */
export const ATTEMPTS_KEPT = 10;

/** The first attempt and the last ones: how it began, and how it stands. */
export function keptAttempts(all: readonly Attempt[]): readonly Attempt[] {
  return all.length <= ATTEMPTS_KEPT
    ? all
    : [...all.slice(0, 1), ...all.slice(all.length - ATTEMPTS_KEPT + 1)];
}

/** How an attempt, or a delivery without one, ended. `tookMs`: how long the attempt took. */
export type Outcome = { readonly tookMs?: number } & (
  | {
      readonly kind: "delivered";
      readonly at: number;
      readonly sent: string;
      readonly answer: string;
    }
  | {
      readonly kind: "retry";
      readonly at: number;
      readonly notBefore: number;
      readonly reason: FailureReason;
      readonly detail: string;
      readonly counted: boolean;
    }
  | {
      readonly kind: "dead";
      readonly at: number;
      readonly reason: FailureReason;
      readonly detail: string;
      /** An attempt was made, as against one given up for its age or for want of space. */
      readonly counted: boolean;
    }
);

/** What is kept of an attempt that failed. One given up for its age, or for want of space, was none. */
export function attemptsOf(outcome: Outcome): readonly Attempt[] {
  if (outcome.kind === "delivered" || (outcome.kind === "dead" && !outcome.counted)) return [];
  const { at, reason, detail, tookMs = null } = outcome;
  return [{ at, tookMs, reason, detail }];
}

/**
 * Which attempt one of those that are kept was; of as many as are kept: which one came after them. They may be more than failed: what a
 * platform's rate limit ended is no failure, and a delivery that a person owes again begins to count anew.
 * @param attempts that failed; those between the first and the last ones are not kept
 */
export function attemptNumber(index: number, kept: number, attempts: number): number {
  const skipped = Math.max(0, attempts - kept);
  return index === 0 && kept > 0 ? 1 : index + 1 + skipped;
}
