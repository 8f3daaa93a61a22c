import type { DeliveryState } from "../event/delivery.ts";
import type { KubeEvent } from "../event/event.ts";
import type { SuppressReason } from "../event/reason.ts";

/** What a person does for a ledger from the command line; the same for every kind of ledger. */

/** Something that is wrong in a ledger. */
export interface Finding {
  readonly what: string;
  /** How often; `null` where it is about the whole. */
  readonly count: number | null;
  /** Ids or keys of some of them. */
  readonly examples: readonly string[];
}

export interface Contents {
  readonly version: number;
  readonly bytes: number;
  /** Bytes within it that hold nothing, and are used again. */
  readonly freeBytes: number;
  readonly events: number;
  readonly attempts: number;
  readonly checkpoints: number;
  /** By sink. */
  readonly deliveries: ReadonlyMap<string, Readonly<Record<DeliveryState, number>>>;
}

export interface CheckReport {
  /** `null` where it cannot be read so far. */
  readonly contents: Contents | null;
  /** Empty: it is sound. */
  readonly findings: readonly Finding[];
}

/** In bytes, on the disk. */
export interface Compaction {
  readonly before: number;
  readonly after: number;
}

/** One line of an export; times are ISO-8601 UTC. */
export type ExportRow =
  | { readonly type: "ledger"; readonly version: number; readonly since: string | null }
  | {
      readonly type: "event";
      readonly receivedAt: string;
      /** Why it was kept for history alone. */
      readonly suppressed: SuppressReason | null;
      readonly event: KubeEvent;
      /** Where the row holds no event: what it holds. */
      readonly unreadable?: string;
    }
  | ({ readonly type: "delivery" } & Readonly<Record<string, unknown>>)
  | { readonly type: "attempt"; readonly sink: string; readonly at: string }
  | ({ readonly type: "checkpoint" } & Readonly<Record<string, unknown>>);
