/** Why a delivery failed or ended: the metric label, the history column and the docs table are this one list. */
export const FAILURE_REASONS = {
  network: "the connection was refused, reset or could not be made",
  timeout: "no complete answer within the sink's timeout",
  server: "the platform answered with a server error (5xx, or its own busy code)",
  throttled: "the platform's rate limit was hit; the lane is paused",
  auth: "the platform refused the token, key or signature",
  rejected: "the platform refused the message",
  template: "the template could not be rendered, or its result was not valid",
  tooLarge: "the message exceeds the platform's size even with its text cut",
  tls: "the server's certificate was not trusted",
  config: "the options of the sink do not fit",
  expired: "older than the give-up age",
  exhausted: "tried as often as an unknown error is tried",
  overflow: "the ledger's size budget was used up",
  unknown: "an error nobody classified; a bug worth reporting",
} as const;

export type FailureReason = keyof typeof FAILURE_REASONS;

/** Failures that say something about the sink and not about the one message. */
export const OUTAGE_REASONS: ReadonlySet<FailureReason> = new Set(["network", "timeout", "server"]);

/** Why an event was received but is owed to nobody. */
export const DROP_REASONS = {
  globalFilter: "the global filter excluded it",
  noSink: "no sink's filter matched it",
  canary: "it is the canary of another kube-crier, or an old one of our own",
  duplicate: "this occurrence was already taken",
  tooOld: "a list after a break brought it, older than maxAge: told in one digest",
} as const;

export type DropReason = keyof typeof DROP_REASONS;

/** Why an event that is owed to nobody may be kept for history alone. */
export type SuppressReason = Exclude<DropReason, "canary">;

/** Received and wanted, yet owed to nobody: what is no longer filtered but not enqueued either. */
export function isSuppression(reason: DropReason): reason is "duplicate" | "tooOld" {
  return reason === "duplicate" || reason === "tooOld";
}

/** Nobody wants it: it is kept only so that one can ask whether it was seen. */
export function isUnwanted(reason: SuppressReason | undefined): boolean {
  return reason === "globalFilter" || reason === "noSink";
}
