import type { Medium, Secret, SinkDefinition } from "../sink/index.ts";

export type Lang = "en" | "zh";

/** A filter as the user wrote it. Each list: a value matches if any pattern matches; exact text, `glob*` or `/regex/` (RE2 syntax). Empty list: everything. */
export interface FilterSpec {
  /** The minimum: Normal < Warning; a type other than Normal counts as Warning. */
  readonly level: "Normal" | "Warning";
  readonly namespaces: readonly string[];
  readonly kinds: readonly string[];
  readonly reasons: readonly string[];
  readonly names: readonly string[];
  readonly messages: readonly string[];
  readonly exclude: {
    readonly namespaces: readonly string[];
    readonly kinds: readonly string[];
    readonly reasons: readonly string[];
    readonly names: readonly string[];
    readonly messages: readonly string[];
  };
}

export interface KubernetesSourceConfig {
  readonly type: "kubernetes";
  /** `null`: KUBECONFIG, then ~/.kube/config, then in-cluster. */
  readonly kubeconfig: string | null;
  readonly context: string | null;
  /** The API server's address in place of the kubeconfig's: kube-eventer's `kubernetes:https://HOST?auth=FILE`. Absent: the kubeconfig's. */
  readonly server?: string;
  /** `auto`: core, or events.k8s.io where core is forbidden. */
  readonly api: "auto" | "core" | "events.k8s.io";
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Milliseconds of the past to deliver on the very first start; 0: begin now. */
  readonly replayMs: number;
  /** Milliseconds: what a list after a break brings that is older is told in a digest. */
  readonly maxAgeMs: number;
}

export interface FileSourceConfig {
  readonly type: "file";
  /** `-` is standard input. */
  readonly path: string;
}

export type SourceConfig = KubernetesSourceConfig | FileSourceConfig;

/** One sink instance with everything the house decides about it. */
export interface SinkConfig {
  readonly name: string;
  readonly definition: SinkDefinition;
  /** Parsed by the definition's own schema. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly filter: FilterSpec;
  readonly lang: Lang;
  readonly labels: readonly string[];
  readonly timeoutMs: number;
  /** Counted from the moment a delivery was owed. */
  readonly giveUpAfterMs: number;
  /** `null`: the definition's own. */
  readonly concurrency: number | null;
  /** Messages a minute; `null`: the definition's own limits. */
  readonly ratePerMinute: number | null;
  /** Fold what exceeds the rate budget into a digest; without it the excess waits. */
  readonly digest: boolean;
  /** A template file of this sink alone; `null`: by type, from `templates` or built in. */
  readonly template: string | null;
}

/** An Event of our own, followed from the API server to where it is to arrive. */
export interface CanaryConfig {
  /** Milliseconds from one to the next; `null`: none is written. */
  readonly everyMs: number | null;
  /** Within this time it has to arrive. */
  readonly deadlineMs: number;
  /** The sink that has to accept it; `null`: the ledger has to hold it. */
  readonly sink: string | null;
  /** The sink that is told when it does not arrive, and when it does again; `null`: none. */
  readonly tell: string | null;
}

/** The page: where it listens, and who is let in. */
export interface WebConfig {
  /** `null`: it is not served. An empty host: all interfaces; port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** The API server is asked whose a token is, and what one may see. */
  readonly asksCluster: boolean;
  /** Whom a token has to be meant for; empty: the API server itself. */
  readonly audiences: readonly string[];
  /** `https://HOST`: where people find it, for the links of messages; `null`: they have none. */
  readonly externalUrl: string | null;
  /** `verb resource.group`: what one has to be allowed for a retry or a discard. */
  readonly change: string;
  /** Tokens and roles. */
  readonly accessFile: string | null;
  /** Whose headers say who somebody is; empty: nobody's. */
  readonly proxies: readonly string[];
  readonly userHeader: string;
  readonly groupsHeader: string;
  readonly emailHeader: string;
}

/** Several replicas of which one watches and sends. */
export interface ElectionConfig {
  /** Without it there is one replica. */
  readonly enabled: boolean;
  /** Of the Lease. */
  readonly name: string;
  /** `null`: the Pod's own, else the kubeconfig's. */
  readonly namespace: string | null;
  /** In milliseconds; what they mean stands in src/election/times.ts. */
  readonly times: { readonly leaseMs: number; readonly renewMs: number; readonly retryMs: number };
}

export interface Config {
  readonly cluster: string;
  readonly lang: Lang;
  /** An IANA name. */
  readonly timezone: string;
  /** `strict`: sinks tell an event as kube-eventer told it. */
  readonly compat: "strict" | "off";
  readonly sources: readonly SourceConfig[];
  readonly sinks: readonly SinkConfig[];
  /** The global filter. */
  readonly filter: FilterSpec;
  readonly dataDir: string;
  /** The URL of a MySQL database that is the ledger; `null`: a file in `dataDir` is. */
  readonly ledger: Secret | null;
  /** What to do while that database is away: deliver from memory, or nothing that is not written. */
  readonly ledgerAway: "bypass" | "block";
  /** The least time between two digests of a sink. */
  readonly digestEveryMs: number;
  /** How long the ledger keeps what is settled, in milliseconds. */
  readonly historyMs: number;
  /** `all`: what no filter matched, too. */
  readonly historyKeeps: "owed" | "all";
  /** Bytes the ledger may take before the oldest owed deliveries become dead (overflow). */
  readonly ledgerMaxBytes: number;
  /** Directories or `configmap:NAMESPACE/NAME`, first wins over built in. */
  readonly templates: readonly string[];
  /** `null`: no HTTP server. An empty host: all interfaces; port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Count by reason, namespace and kind on /metrics. */
  readonly eventMetrics: boolean;
  readonly canary: CanaryConfig;
  readonly web: WebConfig;
  readonly election: ElectionConfig;
  readonly stay: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** One option as it counts now: for people, nothing secret in it. */
export interface EffectiveOption {
  /** The heading it belongs to: `global`, `sources[0]`, `filter`, `sinks.oncall`. */
  readonly section: string;
  /** Below that: `filter.exclude.reasons`. */
  readonly name: string;
  /** As one would write it; `null`: nothing. Secrets are `<redacted>`. */
  readonly value: string | null;
  /** `ops.yaml:4:13`, `--sink #2`, `$TZ`; `null`: nobody gave it, it is the default. */
  readonly where: string | null;
  /** What stands there refers to the environment or to a secret file. */
  readonly referred: boolean;
  readonly about: string;
}

/** One problem of the configuration: what was found, what was expected, where, and the next step. */
export interface ConfigIssue {
  /** `ops.yaml:4:13`, `--sink #2` or `$TZ`. */
  readonly where: string;
  readonly message: string;
  readonly hint: string | null;
}

/** Thrown with every problem found, never only the first; the process ends with exit code 2. */
export class ConfigError extends Error {
  readonly issues: readonly ConfigIssue[];
  /** The configuration without the sinks that have mistakes: what else is wrong with it can be told as well. `null`: not that much. */
  readonly rest: Config | null;

  constructor(issues: readonly ConfigIssue[], rest: Config | null = null) {
    super(
      issues
        .map(
          (issue) =>
            `${issue.where}: ${issue.message}${issue.hint === null ? "" : ` (${issue.hint})`}`,
        )
        .join("\n"),
    );
    this.name = "ConfigError";
    this.issues = issues;
    this.rest = rest;
  }
}

export type { Medium };
