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
    }
  | {
      readonly kind: "gap";
      readonly cluster: string;
      readonly since: string;
      readonly until: string;
      readonly cause: GapCause;
    };

/** Why part of the cluster's history could not be seen. */
export const GAP_CAUSES = {
  downtime: "not running, or cut off, for longer than the cluster keeps events",
  otherCluster: "the checkpoint belongs to another cluster",
  futureVersion: "the checkpoint is from the cluster's future (etcd was restored)",
  lostLedger: "the ledger was damaged and begun anew; what it still owed is lost",
} as const;

export type GapCause = keyof typeof GAP_CAUSES;
