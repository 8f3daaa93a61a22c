import type { GapAlert } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";
import type { DropReason, FailureReason } from "../event/reason.ts";

/** Why a watch was opened again: a closed set, the label of a metric. */
export const RESUME_CAUSES = {
  closed: "the API server ended the watch as it does every 30 to 60 minutes",
  expired: "410: the version is compacted; listed again",
  stalled: "nothing came for longer than the watch may last; the connection was replaced",
  network: "the connection broke",
  throttled: "429 from the API server; waited as told",
  server: "an error from the API server",
  garbage: "the stream was not readable any more",
  blocked:
    "events came faster than they could be written down; the watch was let go until there was room",
} as const;

export type ResumeCause = keyof typeof RESUME_CAUSES;

/** Why a request about the Lease failed: a closed set, the label of a metric. */
export const LEASE_FAILURES = {
  forbidden: "the API server does not allow it",
  network: "the API server could not be reached, or did not answer in time",
  throttled: "429 from the API server",
  server: "an error from the API server",
} as const;

export type LeaseFailure = keyof typeof LEASE_FAILURES;

/**
 * Everything that can happen, by name: one call is one log line and its metric, so the two can never disagree.
 * `source` and `sink` are configured names. Details are redacted by the caller's types (Secret) and again here.
 */
export interface Observer {
  eventReceived(source: string, event: KubeEvent): void;
  eventDropped(reason: DropReason): void;
  eventEnqueued(sinks: readonly string[], lastSeenMs: number): void;

  /** Deliveries without an event of the cluster behind them: gaps, and digests of what is too old. */
  noticeOwed(sinks: readonly string[]): void;

  sourceConnecting(source: string, what: string): void;
  /** A long list of what happened before: so many Events are read, about so many are still to come (`null`: unknown). */
  sourceListing(source: string, read: number, remaining: number | null): void;
  /** Caught up with now. */
  sourceSynced(source: string): void;
  /** The API server cannot be reached or refuses; tried again after `retryMs`. Logged once per burst. */
  sourceFailed(source: string, cause: ResumeCause, detail: string, retryMs: number): void;
  sourceResumed(source: string, cause: ResumeCause): void;
  /** Unreadable lines on the stream: counted, logged once per burst. */
  sourceGarbage(source: string, detail: string): void;
  sourceGap(source: string, gap: GapAlert): void;
  /** A list after a break brought what was not seen, and nothing is missing. */
  sourceRelisted(source: string, recovered: number, tooOld: number): void;
  sourceEnded(source: string): void;

  attemptFailed(
    sink: string,
    id: string,
    reason: FailureReason,
    detail: string,
    retryMs: number | null,
    durationMs: number,
  ): void;
  delivered(sink: string, id: string, ageMs: number, durationMs: number): void;
  dead(sink: string, id: string, reason: FailureReason, detail: string): void;
  folded(sink: string, count: number): void;
  lanePaused(sink: string, until: number, detail: string): void;
  laneResumed(sink: string): void;
  /** Text of a message was cut to the platform's size. */
  messageCut(sink: string): void;

  /** Changed templates are in use. */
  templatesChanged(): void;
  /** Changed templates are missing or have mistakes: the last good ones stay in use. */
  templatesStale(problems: readonly string[]): void;

  /** From now on a canary is written to the cluster of this source. */
  canaryStarted(source: string, what: string): void;
  /** It arrived, in time or after it was missed already. */
  canaryArrived(source: string, seconds: number, inTime: boolean): void;
  /** It did not arrive in time; `first`: the one before did. */
  canaryMissed(source: string, why: string, first: boolean): void;
  /** It arrives in time again, after so many seconds. */
  canaryBack(source: string, seconds: number): void;
  /** The API server did not take it; tried again after `retryMs`. Logged once per burst. */
  canaryUnwritten(source: string, detail: string, retryMs: number): void;

  /** From now on this process is a candidate for a Lease. */
  electionStarted(lease: string, identity: string): void;
  /** Who holds the Lease, and in which term, as a standby sees it change; `null`: nobody. */
  leaderSeen(holder: string | null, term: number): void;
  /** It is ours. */
  leadershipWon(identity: string, term: number): void;
  /** It is not ours any more, or cannot be known to be. */
  leadershipLost(why: string): void;
  /** Given back at the end. @param problem why it was not; whoever comes next has to wait for it to run out */
  leaseReleased(problem: string | null): void;
  /** A request about the Lease failed; it is made again. Logged once per burst. */
  leaseFailed(failure: LeaseFailure, detail: string): void;
  /** One succeeded. */
  leaseAnswered(): void;

  /** @param away whether memory delivers meanwhile, or nothing that is not written is sent */
  ledgerTrouble(detail: string, away?: "bypass" | "block"): void;
  ledgerRecovered(written: number): void;
  /** Deliveries held in memory because the ledger cannot be written. */
  ledgerHeld(count: number): void;
  /** A damaged ledger was put out of the way and a new one started. @param owed what it still owed; `null` where that cannot be read */
  ledgerReplaced(detail: string, aside: string, owed: number | null): void;

  /** The page's thread ended by itself, hung and was ended, or could not be begun again; it is tried after `retryMs`. */
  pageEnded(why: string, retryMs: number): void;

  notice(message: string, details?: Readonly<Record<string, unknown>>): void;
  warning(message: string, details?: Readonly<Record<string, unknown>>): void;
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}
