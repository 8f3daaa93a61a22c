import type { KubeEvent } from "./event.ts";
import type { Severity } from "./severity.ts";

/** One line of a digest: occurrences of one reason on one workload. */
export interface DigestLine {
  readonly count: number;
  readonly severity: Severity;
  readonly reason: string;
  readonly namespace: string | null;
  readonly kind: string;
  /** The workload as far as the object's name tells it: `web` for `web-7d4b9c6f5d-x2x9z`. */
  readonly workload: string;
  /** How many distinct objects stand behind the line. */
  readonly objects: number;
}

/** What a sink is told: one occurrence, a digest of what exceeded its budget, or a gap in what could be seen. */
export type Alert =
  | { readonly kind: "event"; readonly event: KubeEvent }
  | {
      readonly kind: "digest";
      readonly cluster: string;
      readonly total: number;
      /** ISO-8601 UTC: the oldest and newest last-seen among the folded occurrences. */
      readonly from: string;
      readonly to: string;
      /** At most ten lines, sorted by severity, then number. */
      readonly lines: readonly DigestLine[];
      /** Lines beyond the ten. */
      readonly moreKinds: number;
      /** It tells what a list brought too late to be told singly, not what exceeded a budget. */
      readonly tooOld?: true;
    }
  | GapAlert;

export interface GapAlert {
  readonly kind: "gap";
  readonly cluster: string;
  readonly since: string;
  readonly until: string;
  readonly cause: GapCause;
  /** Occurrences that a list brought afterwards, not seen before and wanted by a sink; absent where nothing was listed. */
  readonly recovered?: number;
  /** How many of them are too old to be told singly. */
  readonly tooOld?: number;
}

/** Why part of the cluster's history could not be seen. */
export const GAP_CAUSES = {
  downtime: "not running, or cut off, for longer than the cluster keeps events",
  expired: "the resourceVersion expired, and the cluster has forgotten Events of before",
  firstStart: "nothing is known of an earlier run: the first start, or the ledger was lost",
  otherCluster: "the checkpoint belongs to another cluster",
  futureVersion: "the checkpoint is from the cluster's future (etcd was restored)",
  lostLedger: "the ledger was damaged and begun anew; what it still owed is lost",
} as const;

export type GapCause = keyof typeof GAP_CAUSES;
