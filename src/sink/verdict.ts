import type { FailureReason } from "../event/reason.ts";

/** What a platform's answer means. Four words; `reason` comes from the closed list. */
export type Verdict =
  | { readonly kind: "accepted" }
  | { readonly kind: "retryable"; readonly reason: FailureReason; readonly detail: string }
  /** Pauses the whole lane; `retryAfterMs` null means the sink's own default. */
  | { readonly kind: "throttled"; readonly retryAfterMs: number | null; readonly detail: string }
  | { readonly kind: "permanent"; readonly reason: FailureReason; readonly detail: string };

export const accepted: Verdict = { kind: "accepted" };

export function retryable(reason: FailureReason, detail: string): Verdict {
  return { kind: "retryable", reason, detail };
}

export function throttled(retryAfterMs: number | null, detail: string): Verdict {
  return { kind: "throttled", retryAfterMs, detail };
}

export function permanent(reason: FailureReason, detail: string): Verdict {
  return { kind: "permanent", reason, detail };
}
