import type { GapCause } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";

/** Where a source would resume: opaque to everyone but the source that made it. */
export interface Checkpoint {
  /** Names the stream, for instance `kubernetes:*` or `kubernetes:shop`; unique per process. */
  readonly scope: string;
  /** The identity of the cluster it belongs to. */
  readonly cluster: string;
  readonly resourceVersion: string;
  /** When it was true: milliseconds since the epoch. */
  readonly at: number;
  /** Absent where none is known. */
  readonly witness?: Witness;
}

/** An Event that was there; where it is gone before its time, others may have come and gone that nobody saw. */
export interface Witness {
  readonly uid: string;
  readonly type: string;
  /** When it was written last: milliseconds since the epoch. */
  readonly at: number;
}

export type SourceItem =
  | {
      readonly kind: "event";
      readonly event: KubeEvent;
      /** Becomes true once this item has been taken; `null` where the order of the stream does not allow one. */
      readonly checkpoint: Checkpoint | null;
      /** A list brought it, after a time that was not watched; `old`: last seen longer ago than is to be told singly. */
      readonly listed?: "young" | "old";
      /** No list that came to its end has brought it: where it is known, one did that was broken off with its process. */
      readonly unfinished?: true;
    }
  /** The stream moved on without an event of interest (list end, bookmark, DELETED). */
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint }
  /** The source has caught up with now; readiness. */
  | { readonly kind: "synced" }
  /** All that lists could bring has come, for now. */
  | {
      readonly kind: "relisted";
      /** `null`: it was everything. */
      readonly gap: Gap | null;
    };

/** Something may have happened unseen. Times are ISO-8601 UTC. */
export interface Gap {
  readonly since: string;
  readonly until: string;
  readonly cause: GapCause;
  /** Whether a list was made for what may still be there. */
  readonly listed: boolean;
}

/** A pull iterator over occurrences: ends when there is nothing more to come (files), or on abort. */
export interface Source {
  readonly name: string;
  /**
   * Batches of what is ready, in order, never empty, at most 100 items. Back-pressure is the consumer not asking for the next one.
   * @param resume checkpoints as the ledger remembers them, by scope
   */
  batches(
    resume: ReadonlyMap<string, Checkpoint>,
    signal: AbortSignal,
  ): AsyncIterable<readonly SourceItem[]>;
}

/** A source that can tell before the start what would keep it from ever working. */
export interface PreflightSource extends Source {
  /** Throws ConfigError with everything that waiting cannot cure (RBAC, certificates, a missing file); a server that is merely down is no error. */
  preflight(signal: AbortSignal): Promise<void>;
}
