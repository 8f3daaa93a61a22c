import { electionTimes, JITTER } from "../election/times.ts";
import { s } from "../sink/schema.ts";
import { issueAt } from "./at.ts";
import type { ConfigIssue, ElectionConfig } from "./config.ts";
import { namespaceProblem } from "./grammar.ts";
import type { Tree } from "./tree.ts";

const LEASE_MS = 15_000;
/** Below it a failover within five seconds would be no shorter, and a slow answer of the API server would end a leader. */
const SHORTEST_LEASE_MS = 4_000;
/** Between the end of an old leader and the beginning of a new one. */
const MARGIN_MS = 1_000;
const SHORTEST_RETRY_MS = 250;
const NAME = "kube-crier";

/** Several replicas of which one watches and sends; named as in client-go and Kubernetes' own components. */
export const electionShape = {
  leaderElect: s
    .bool({
      description:
        "Hold a Lease of the cluster while watching and sending, and stand by while another replica holds it; it needs a ledger that all replicas share, and the right to get, create and update the Lease",
      example: true,
    })
    .default(false),
  leaderElectLeaseDuration: s
    .duration({
      description:
        "For how long after the leader's last sign of life a standby waits before it takes over, in whole seconds, at least 4s",
      example: "4s",
    })
    .refine(
      (ms) => ms >= SHORTEST_LEASE_MS && ms % 1_000 === 0,
      "expected whole seconds, at least 4s",
    )
    .prefault("15s"),
  leaderElectRenewDeadline: s
    .duration({
      description:
        "A leader that could not renew the Lease for so long stops; at least 1s less than the duration; without it: two thirds of it",
      example: "10s",
    })
    .optional(),
  leaderElectRetryPeriod: s
    .duration({
      description:
        "From one renewal, or look at the Lease, to the next, at least 250ms; without it: two fifteenths of the duration",
      example: "2s",
    })
    .refine((ms) => ms >= SHORTEST_RETRY_MS, "expected at least 250ms")
    .optional(),
  leaderElectResourceName: s
    .text({
      description: "The name of the Lease: the same for all replicas, and nobody else's",
      example: "kube-crier-shop",
    })
    .refine(
      (name) => /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(name),
      "is no name of an object",
    )
    .default(NAME),
  leaderElectResourceNamespace: s
    .text({
      description:
        "The namespace of the Lease; without it: $POD_NAMESPACE, then the kubeconfig's, then default",
      example: "monitoring",
    })
    .superRefine((text, ctx) => {
      const message = namespaceProblem(text);
      if (message !== null) ctx.addIssue({ code: "custom", message, input: undefined });
    })
    .optional(),
};

/** Options of the election as the schema read them. */
export interface RawElection {
  readonly leaderElect?: boolean | undefined;
  readonly leaderElectLeaseDuration?: number | undefined;
  readonly leaderElectRenewDeadline?: number | undefined;
  readonly leaderElectRetryPeriod?: number | undefined;
  readonly leaderElectResourceName?: string | undefined;
  readonly leaderElectResourceNamespace?: string | undefined;
}

export function resolvedElection(raw: RawElection): ElectionConfig {
  return {
    enabled: raw.leaderElect === true,
    name: raw.leaderElectResourceName ?? NAME,
    namespace: raw.leaderElectResourceNamespace ?? null,
    times: timesOf(raw),
  };
}

/** What the options of the election say together: mistakes, and what works but should be known. */
export function judgeElection(
  raw: RawElection,
  house: { readonly hasCluster: boolean; readonly isShared: boolean },
  tree: Tree,
): { readonly issues: readonly ConfigIssue[]; readonly notes: readonly ConfigIssue[] } {
  const issues: ConfigIssue[] = [];
  const at = (option: keyof RawElection, message: string, hint: string) =>
    issueAt(tree, option, message, hint);
  if (raw.leaderElect !== true) {
    const idle = Object.keys(electionShape).filter(
      (option) => option !== "leaderElect" && option in tree.value,
    ) as (keyof RawElection)[];
    const notes = idle.map((option) =>
      at(option, "does nothing without leaderElect", "give leaderElect: true, or leave it out"),
    );
    return { issues, notes };
  }
  if (!house.hasCluster)
    issues.push(
      at("leaderElect", "there is no cluster for a Lease", "it needs a kubernetes source"),
    );
  if (!house.isShared)
    issues.push(
      at(
        "leaderElect",
        "a SQLite ledger belongs to one process: a standby could not go on where the leader ended",
        "use --ledger=mysql://… for all replicas, or one replica without --leader-elect",
      ),
    );
  const { leaseMs, renewMs, retryMs } = timesOf(raw);
  const seconds = (ms: number) => `${ms / 1_000} s`;
  if (renewMs > leaseMs - MARGIN_MS)
    issues.push(
      at(
        "leaderElectRenewDeadline",
        `an old leader may still be sending (it gives up after ${seconds(renewMs)}) when a new one begins (after ${seconds(leaseMs)})`,
        `give at most ${seconds(leaseMs - MARGIN_MS)}, or a longer leaderElectLeaseDuration`,
      ),
    );
  if (retryMs * JITTER >= renewMs)
    issues.push(
      at(
        "leaderElectRetryPeriod",
        `a leader would give up (after ${seconds(renewMs)}) before it has tried again (after up to ${seconds(retryMs * JITTER)})`,
        `give less than ${seconds(Math.floor(renewMs / JITTER))}, or a longer leaderElectRenewDeadline`,
      ),
    );
  return { issues, notes: [] };
}

function timesOf(raw: RawElection) {
  const {
    leaderElectLeaseDuration: leaseMs = LEASE_MS,
    leaderElectRenewDeadline: renewMs,
    leaderElectRetryPeriod: retryMs,
  } = raw;
  return electionTimes(leaseMs, renewMs, retryMs);
}
