import { CLUSTER_SCOPED } from "../pipeline/filter.ts";
import { patternProblem } from "../pipeline/matcher.ts";
import { normalLedgerUrl } from "../ledger/mysql/target.ts";
import type { SinkDefinition } from "../sink/index.ts";
import { LABELS_TOO_LONG, leavesRoom } from "../sink/room.ts";
import { s, z } from "../sink/schema.ts";
import { canaryShape } from "./canary.ts";
import { electionShape } from "./election.ts";
import { namespaceProblem, parseBytes, parseListen, timezoneProblem } from "./grammar.ts";
import { judged, judgedList, problemOf } from "./judged.ts";
import { webShape } from "./web.ts";

/** Every option of the house, once: validation, --help, JSON Schema and the docs are read from here. Options of sinks are declared by the sinks. */

function patterns(what: string, example: readonly string[]) {
  const problem = (pattern: string): string | null => {
    const detail = patternProblem(pattern);
    return detail === null ? null : `"${pattern.slice(0, 60)}" is not a pattern: ${detail}`;
  };
  return judgedList(problem, {
    description: `${what} (exact text, glob* or /regex/)`,
    example,
  }).default([]);
}

const patternLists = () => ({
  namespaces: patterns(
    `Namespaces of the objects; ${CLUSTER_SCOPED} is where nodes and others without one are`,
    ["shop", "team-*", CLUSTER_SCOPED],
  ),
  kinds: patterns("Kinds of the objects", ["Pod", "Node"]),
  reasons: patterns("Reasons of the events", ["BackOff", "Failed*", "/oom/i"]),
  names: patterns("Names of the objects", ["web-*"]),
  messages: patterns("The events' messages", ["/Back-off .* container/"]),
});

export const excludeShape = patternLists();

export const filterShape = {
  level: s
    .oneOf(["Normal", "Warning"], {
      description:
        "The least level that passes: Normal < Warning; any type other than Normal counts as Warning",
      example: "Warning",
    })
    .optional(),
  ...patternLists(),
};

export const filterSchema = s.object({
  ...filterShape,
  exclude: s.object(excludeShape).prefault({}),
});

export const kubernetesShape = {
  kubeconfig: s
    .text({
      description:
        "A kubeconfig file. Without it: $KUBECONFIG, then ~/.kube/config, then the Pod's service account",
      example: "/etc/kube-crier/kubeconfig",
    })
    .optional(),
  context: s
    .text({
      description: "A context of the kubeconfig, in place of its current one",
      example: "prod-a",
    })
    .optional(),
  server: judged(
    (text) => {
      // It would be in every line that says where this is connected to.
      if (/\/\/[^/]*@/.test(text)) return "a password stands in it; expected it in a kubeconfig";
      return /^https?:/.test(text) && URL.canParse(text)
        ? null
        : `"${text.slice(0, 80)}" is not the URL of an API server`;
    },
    {
      description: "The API server's address, in place of the kubeconfig's",
      example: "https://10.0.0.1:6443",
    },
  ).optional(),
  api: s
    .oneOf(["auto", "core", "events.k8s.io"], {
      description:
        "The API group to watch; auto: core (v1), or events.k8s.io where core is forbidden",
      example: "core",
    })
    .default("auto"),
  namespaces: judgedList(namespaceProblem, {
    description:
      "Watch these namespaces only, each on its own, so that RBAC within them suffices; none: all",
    example: ["shop", "pay"],
  }).default([]),
  replay: s
    .duration({
      description: "How much of the past to deliver on the very first start; 0s: begin now",
      example: "15m",
    })
    .prefault("0s"),
  maxAge: s
    .duration({
      description:
        "After a break in watching, what was not seen is told singly up to this age, the older in one digest; `replay` alone decides on the very first start",
      example: "15m",
    })
    .prefault("1h"),
};

/** What holds where nothing is written. */
export const KUBERNETES_DEFAULTS = s.object(kubernetesShape).parse({});

export const fileShape = {
  path: s.text({
    description:
      "A file of `kubectl get events -o json`, a watch stream or NDJSON; - is standard input",
    example: "events.json",
  }),
};

/** A list entry has one key, which is its type. */
export const sourceSchema = s.object({
  kubernetes: s.object(kubernetesShape).optional(),
  file: s.object(fileShape).optional(),
});

export const sinkShape = {
  labels: s
    .list({ description: "Added to each message as they are", example: ["prod", "team-shop"] })
    .refine(leavesRoom, LABELS_TOO_LONG)
    .default([]),
  timeout: s
    .duration({ description: "How long one attempt may take, at most a day", example: "5s" })
    // Node's timers take no more than 24 days, and end at once where they are told a longer time.
    .refine((ms) => ms > 0 && ms <= 86_400_000, "expected more than 0s and at most 24h")
    .prefault("10s"),
  giveUpAfter: s
    .duration({
      description: "A delivery that failed for so long becomes a dead letter",
      example: "2h",
    })
    .prefault("24h"),
  concurrency: s
    .integer(
      {
        description: "Requests under way at the same time; without it: what the sink declares",
        example: 4,
      },
      1,
      100,
    )
    .optional(),
  ratePerMinute: s
    .integer(
      {
        description: "Messages a minute; without it: the limits of the platform",
        example: 10,
      },
      1,
      60_000,
    )
    .optional(),
  digest: s
    .bool({
      description:
        "Fold what exceeds the rate into one digest message; without it the excess waits its turn",
      example: false,
    })
    .default(true),
  template: s
    .text({
      description: "A template file for this sink alone",
      example: "/etc/kube-crier/oncall.hbs",
    })
    .optional(),
  lang: s
    .oneOf(["en", "zh"], {
      description: "The language of this sink's messages; without it: the global one",
      example: "zh",
    })
    .optional(),
};

/** What the house decides about a sink; the other keys of the entry are the sink's own options. */
export const sinkSchema = s.object({ ...sinkShape, filter: filterSchema.prefault({}) });

export const globalShape = {
  cluster: s
    .text({ description: "The name of the cluster, as messages show it", example: "prod-a" })
    .default(""),
  lang: s
    .oneOf(["en", "zh"], { description: "The language of the messages", example: "zh" })
    .default("en"),
  timezone: judged(timezoneProblem, {
    description: "The time zone of the messages, an IANA name; without it: $TZ, then the system's",
    example: "Asia/Shanghai",
  }).optional(),
  compat: s
    .oneOf(["strict", "off"], {
      description:
        "With `strict` DingTalk, WeCom apps and webhooks get each event as kube-eventer sent it, less its defects: see sinks/README.md",
      example: "strict",
    })
    .default("off"),
  digestEvery: s
    .duration({
      description:
        "The least time between two digests of a sink; what may be sent singly never waits for it",
      example: "30s",
    })
    .prefault("5s"),
  dataDir: judged((text) => (text.trim() === "" ? "names no directory" : null), {
    description: "Where the ledger lives: what is owed and what was delivered",
    example: "/var/lib/kube-crier",
  }).default(".kube-crier"),
  ledger: s
    .secretForm(
      {
        description:
          "A MySQL (5.7, 8) or MariaDB (10.5 or later) database in place of a file in `dataDir`; with `?tls=true`, and `ca=FILE`, `cert=FILE`, `key=FILE` where they are needed. What is no letter or digit in the password is percent-encoded",
        example: "mysql://crier:fedcba9876543210@db.example.com:3306/kube_crier",
      },
      normalLedgerUrl,
    )
    .optional(),
  ledgerAway: s
    .oneOf(["bypass", "block"], {
      description:
        "What to do while the database of `ledger` is away: deliver from memory, up to 10,000 deliveries, and write it down later; or take and send nothing that is not written",
      example: "block",
    })
    .default("bypass"),
  history: s
    .duration({ description: "How long the ledger keeps what is settled", example: "30d" })
    .prefault("7d"),
  historyKeeps: s
    .oneOf(["owed", "all"], {
      description: "`all`: the history keeps what no filter matched as well, to say it was seen",
      example: "all",
    })
    .default("owed"),
  ledgerMax: judged((text) => problemOf(parseBytes(text)), {
    description:
      "How large the ledger may grow before the oldest owed deliveries become dead letters",
    example: "4GiB",
  }).default("1GiB"),
  templates: s
    .list({
      description:
        "Directories, or configmap:NAMESPACE/NAME, of templates that replace built-in ones; the first wins",
      example: ["/etc/kube-crier/templates", "configmap:monitoring/templates"],
    })
    .default([]),
  listen: judged((text) => problemOf(parseListen(text)), {
    description:
      "Serve /livez, /readyz and /metrics on ADDR:PORT; :8080 means all interfaces, port 0 any free one; without it: nothing is served",
    example: ":8080",
  }).optional(),
  eventMetrics: s
    .bool({
      description:
        "Count occurrences by reason, namespace and kind on /metrics, as kube-eventer's eventer_events_*_total; 1,000 series of each at most",
      example: false,
    })
    .default(true),
  ...canaryShape,
  ...webShape,
  ...electionShape,
  stay: s
    .bool({ description: "Keep running after all sources have ended (files)", example: true })
    .default(false),
  logLevel: s
    .oneOf(["debug", "info", "warn", "error"], {
      description: "The least level of log lines",
      example: "debug",
    })
    .default("info"),
};

/** The whole configuration but the entries of `sinks`, whose options depend on their type. */
export const rootSchema = s.object({
  ...globalShape,
  sources: z.array(sourceSchema).optional(),
  filter: filterSchema.prefault({}),
  sinks: z.record(z.string(), z.unknown()).optional(),
});

/** Keys of a sink's entry that are the house's: no sink may declare an option of such a name. */
export const HOUSE_KEYS: readonly string[] = ["type", "filter", ...Object.keys(sinkShape)];

/** @throws Error where two sinks have one type, or a sink's option the name of a house option: a mistake in the code, not in a configuration */
export function checkRegistry(registry: readonly SinkDefinition[]): void {
  const seen = new Set<string>();
  for (const { type, options } of registry) {
    if (seen.has(type)) throw new Error(`two sinks have the type ${type}`);
    seen.add(type);
    for (const name of Object.keys(options.shape))
      if (HOUSE_KEYS.includes(name))
        throw new Error(`the sink ${type} declares the option ${name}, which is the house's`);
  }
}
