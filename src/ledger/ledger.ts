import type { Alert } from "../event/alert.ts";
import type { Attempt, Delivery, DeliveryState, Outcome } from "../event/delivery.ts";
import type { KubeEvent } from "../event/event.ts";
import type { FailureReason, SuppressReason } from "../event/reason.ts";
import type { Checkpoint } from "../source/source.ts";
import type { StateCounts } from "./state-counts.ts";

/** One thing the pump took: what happened and to which sinks it is owed. */
export interface Entry {
  /** `null` where there is no occurrence behind it (a digest). */
  readonly event: KubeEvent | null;
  readonly alert: Alert;
  readonly sinks: readonly string[];
  /** Why it is owed to nobody, for history. */
  readonly suppressed?: SuppressReason;
}

/** An occurrence, and sinks that want it. */
export interface Wanted {
  readonly event: KubeEvent;
  readonly sinks: readonly string[];
}

/** Which of them a process before this one has taken, and were never owed to one of their sinks; none, while that cannot be known. */
export type AskUntold = (wanted: readonly Wanted[]) => Awaitable<readonly boolean[]>;

/** What became of one entry. */
export type Taken = "enqueued" | "duplicate";

/**
 * The write side: what is owed. A promise kept means: written in one transaction and safe from the death of the process.
 * With SQLite in WAL mode a power cut may undo the last transactions, whole: their checkpoint is undone with them, so the source delivers them again.
 */
export interface Outbox {
  /** Occurrences, what is owed, and the checkpoints, in one transaction; idempotent by occurrence key. Waits while the store cannot be written and the memory bound is used up. */
  add(
    entries: readonly Entry[],
    checkpoints: readonly Checkpoint[],
    signal: AbortSignal,
  ): Promise<readonly Taken[]>;
  checkpoints(): ReadonlyMap<string, Checkpoint>;
  /** Due deliveries, oldest first, at most `max`, none of those in `except`. */
  due(sink: string, now: number, max: number, except: ReadonlySet<string>): readonly Delivery[];
  /** Due now, and when the next one that is not due yet will be (`null`: none). */
  pending(
    sink: string,
    now: number,
  ): {
    readonly due: number;
    readonly total: number;
    readonly nextAt: number | null;
    readonly oldestOwedAt: number | null;
  };
  /** When the next delivery falls due that is not due yet; `null`: none. Cheap, however much is pending. */
  nextAt(sink: string, now: number): number | null;
  settle(id: string, outcome: Outcome): void;
  /**
   * Resolves, and never rejects, when everything told so far is written, or held where it may be sent unwritten. `null`: it is, or
   * will be before the network is asked again.
   */
  written(): Promise<void> | null;
  /** Replaces deliveries by one digest delivery, atomically; answers the new delivery. */
  fold(sink: string, ids: readonly string[], digest: Alert, now: number): Delivery;
  /** Calls back whenever something was added for `sink`; answers the way to stop. */
  onAdded(sink: string, callback: () => void): () => void;
  /** Times of the last attempts of a sink since `since`, so that a restart does not spend a robot's budget twice. */
  recentAttempts(sink: string, since: number): readonly number[];
  /**
   * Written before a request of a sink with a rate budget leaves, so that not even a crash spends the same slot twice, or has another
   * message tell what this one (`id`) may have told.
   */
  attempting(sink: string, at: number, id?: string): void;
  /** Until when the platform asked to be left alone, as far as a pending delivery remembers it; `null`: not paused. */
  throttledUntil(sink: string, now: number): number | null;
}

export const HISTORY_LIMIT = 100;

export interface HistoryFilter {
  readonly state?: DeliveryState;
  readonly sink?: string;
  readonly namespace?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly reason?: string;
  /** Milliseconds since the epoch. */
  readonly since?: number;
  /** `HISTORY_LIMIT` where none is given. */
  readonly limit?: number;
}

export interface HistoryRow {
  readonly event: KubeEvent;
  readonly receivedAt: number;
  /** Why it is owed to nobody; `null` where it was owed. */
  readonly suppressed: SuppressReason | null;
  readonly deliveries: readonly DeliveryRow[];
}

export interface DeliveryRow {
  readonly id: string;
  readonly sink: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly owedAt: number;
  readonly settledAt: number | null;
  readonly notBefore: number;
  readonly reason: FailureReason | null;
  readonly detail: string | null;
  /** What was sent and what the platform answered, once delivered. */
  readonly sent: string | null;
  readonly answer: string | null;
  /** The digest delivery that told it, for `folded`. */
  readonly foldedInto: string | null;
  /** How long the attempt took that delivered it. */
  readonly tookMs: number | null;
  /** Attempts that failed, oldest first: the first, and the last ones. */
  readonly tries: readonly Attempt[];
  readonly alert: Alert;
}

/** The namespaces whose Events somebody may list; decided by whoever lets people in, heeded inside every query. */
export type Visible = "all" | readonly string[];

/** At once where the ledger is a file, later where it is behind a network. */
export type Awaitable<T> = T | Promise<T>;

/** The read side, and the few things a person may change. */
export interface History {
  events(filter: HistoryFilter): Awaitable<readonly HistoryRow[]>;
  deliveries(filter: HistoryFilter): Awaitable<readonly DeliveryRow[]>;
  /** Dead → pending, with a fresh give-up age; answers how many. `ids` empty means all (of `sink`, where given). */
  retry(
    ids: readonly string[],
    sink: string | null,
    now: number,
    visible?: Visible,
  ): Awaitable<number>;
  /** Dead → discarded: nobody needs to look at it any more; it stays in the history. The rest as with `retry`. */
  discard(ids: readonly string[], sink: string | null, visible?: Visible): Awaitable<number>;
  counts(): Awaitable<StateCounts>;
}
