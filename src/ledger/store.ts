import { type Attempt, attemptsOf, type Delivery, type Outcome } from "../event/delivery.ts";
import type { KubeEvent } from "../event/event.ts";
import type { SuppressReason } from "../event/reason.ts";
import type { Checkpoint } from "../source/source.ts";

/** One change of the ledger; several of them make a transaction. */
export type Write =
  | {
      readonly kind: "take";
      readonly event: KubeEvent | null;
      readonly receivedAt: number;
      /** Kept for history alone. */
      readonly suppressed?: SuppressReason;
      readonly deliveries: readonly Delivery[];
      /** Owed even if the occurrence is already there: it was decided while the store could not be asked. */
      readonly force: boolean;
    }
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint }
  | {
      readonly kind: "settle";
      readonly id: string;
      readonly outcome: Outcome;
      /** Failed attempts to add to those the delivery has. */
      readonly failed: number;
      /** Failed attempts to keep beside those it has: this one, and those before it of which the store does not know yet. */
      readonly tries: readonly Attempt[];
    }
  | {
      readonly kind: "fold";
      readonly ids: readonly string[];
      readonly delivery: Delivery;
      readonly at: number;
    }
  | {
      readonly kind: "attempt";
      readonly sink: string;
      readonly at: number;
      /** Of this delivery. */
      readonly id?: string;
    };

/** The settlement of one attempt. */
export function settlement(id: string, outcome: Outcome): Write & { kind: "settle" } {
  const failed = outcome.kind !== "delivered" && outcome.counted ? 1 : 0;
  return { kind: "settle", id, outcome, failed, tries: attemptsOf(outcome) };
}

export interface Pending {
  readonly due: number;
  readonly total: number;
  readonly nextAt: number | null;
  readonly oldestOwedAt: number | null;
}

/** A pending delivery without its alert. */
export interface Owed {
  readonly id: string;
  readonly notBefore: number;
  readonly owedAt: number;
}

/** The truth on disk. Every method throws StorageError when the disk, and not a bug, is the reason. */
export interface Store {
  /** All or nothing. Answers, per `take`, whether it was new. */
  write(writes: readonly Write[]): readonly boolean[];
  /** Whether the occurrence is known. */
  has(event: KubeEvent): boolean;
  /** Whether it was taken before the store was opened, and never owed to one of these sinks. */
  unowed(event: KubeEvent, sinks: readonly string[]): boolean;
  /** A pending delivery; `null` when there is none of that id. */
  get(id: string): Delivery | null;
  /** Due deliveries, oldest first. */
  due(sink: string, now: number, limit: number): readonly Delivery[];
  /** Everything pending of a sink, in the order it falls due; read only as far as it is iterated. */
  backlog(sink: string): Iterable<Owed>;
  pending(sink: string, now: number): Pending;
  nextAt(sink: string, now: number): number | null;
  throttledUntil(sink: string, now: number): number | null;
  recentAttempts(sink: string, since: number): readonly number[];
  checkpoints(): ReadonlyMap<string, Checkpoint>;
  /** The clock was set back by so many milliseconds: what waits for a moment waits no longer than it would have. Answers true. */
  setBack(now: number, ms: number): boolean;
  /** Changes whenever another process has changed the ledger. */
  version(): number;
}

/** The disk is full, gone, read-only, broken or locked for too long. Nothing of the transaction was written. */
export class StorageError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "StorageError";
  }
}

/** What the work gives; `otherwise` while the disk refuses, of which whoever writes takes notice and says so. */
export function unlessRefused<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof StorageError) return otherwise;
    throw error;
  }
}
