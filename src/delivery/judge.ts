import type { Delivery, Outcome } from "../event/delivery.ts";
import type { FailureReason } from "../event/reason.ts";
import type { Verdict } from "../sink/verdict.ts";
import type { Sent } from "./sender.ts";

/** An error nobody classified is tried this often; a bug must neither loop for ever nor be swallowed. */
export const UNKNOWN_ATTEMPTS = 5;
/** Whatever a platform says, it is left alone at least, and at most, this long. */
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 24 * 3_600_000;

/**
 * What an answer means for the delivery it was given to.
 * @param at when it came
 * @param throttledMs how long to leave a platform alone that does not say
 * @param retryAt when to try again after the so-many-th failed attempt
 */
export function judge(
  { verdict, sent, answer }: Sent,
  delivery: Delivery,
  at: number,
  throttledMs: number,
  retryAt: (reason: FailureReason, attempts: number) => number,
): Outcome {
  switch (verdict.kind) {
    case "accepted":
      return { kind: "delivered", at, sent, answer };
    case "permanent":
      return { kind: "dead", at, reason: verdict.reason, detail: verdict.detail, counted: true };
    case "throttled": {
      const { detail } = verdict;
      const notBefore = at + pauseMs(verdict, throttledMs);
      return { kind: "retry", at, notBefore, reason: "throttled", detail, counted: false };
    }
    case "retryable": {
      const { reason, detail } = verdict;
      const attempts = delivery.attempts + 1;
      if (reason === "unknown" && attempts >= UNKNOWN_ATTEMPTS) {
        const story = `${attempts} attempts; ${detail}`;
        return { kind: "dead", at, reason: "exhausted", detail: story, counted: true };
      }
      const notBefore = retryAt(reason, attempts);
      return { kind: "retry", at, notBefore, reason, detail, counted: true };
    }
  }
}

function pauseMs(verdict: Verdict & { kind: "throttled" }, throttledMs: number): number {
  return Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, verdict.retryAfterMs ?? throttledMs));
}
