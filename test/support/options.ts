import type { Config } from "../../src/config/config.ts";
import type { OPTION_FLAGS } from "../../src/config/flags.ts";

/** Every option of the house, in every way it can be given: what is good, what it means, and what is said of what is bad. */

/** One option in all the ways it can be given. */
export interface Row {
  /** How the value stands in the configuration that the program works with. */
  readonly from: (config: Config) => unknown;
  readonly fallback: unknown;
  /** The flag that mirrors it, by its key. */
  readonly flag?: keyof typeof OPTION_FLAGS;
  /** The parameter of a sink's or a source's URI. */
  readonly parameter?: string;
  /** As it is written in each of these ways, and what it means. */
  readonly good: readonly (readonly [written: string, means: unknown])[];
  /** What is written, and what is said of it. */
  readonly bad: readonly (readonly [written: string, said: string])[];
}

const sink = (config: Config) => config.sinks[0];
const source = (config: Config) =>
  config.sources[0] as unknown as Readonly<Record<string, unknown>>;

const PATTERN = {
  good: [
    ["shop", ["shop"]],
    ["a*,/b{1,2}/i", ["a*", "/b{1,2}/i"]],
  ],
} as const;
const badPattern = [["/(/", '"/(/" is not a pattern: missing closing ): `(`']] as const;
const badDuration = (text: string) =>
  `"${text}" is not a duration; expected a number with a unit, like 30s, 15m or 24h`;
const patterns = (from: Row["from"], flag: NonNullable<Row["flag"]>): Row => ({
  from,
  fallback: [],
  flag,
  ...PATTERN,
  bad: badPattern,
});
const sinkPatterns = (from: Row["from"], parameter: string): Row => ({
  from,
  fallback: [],
  parameter,
  ...PATTERN,
  bad: badPattern,
});

export const GLOBAL: Readonly<Record<string, Row>> = {
  cluster: {
    from: (config) => config.cluster,
    fallback: "",
    flag: "clusterName",
    good: [
      ["prod-a", "prod-a"],
      ["生产", "生产"],
    ],
    bad: [],
  },
  lang: {
    from: (config) => config.lang,
    fallback: "en",
    flag: "lang",
    good: [
      ["en", "en"],
      ["zh", "zh"],
    ],
    bad: [
      ["zh-CN", 'expected one of en, zh; found "zh-CN"'],
      ["german", 'expected one of en, zh; found "german"'],
    ],
  },
  timezone: {
    from: (config) => config.timezone,
    fallback: "UTC",
    flag: "timezone",
    good: [
      ["Asia/Shanghai", "Asia/Shanghai"],
      ["UTC", "UTC"],
      ["America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"],
    ],
    bad: [
      [
        "Shanghai",
        '"Shanghai" is not a time zone; expected an IANA name; did you mean "Asia/Shanghai"?',
      ],
      [
        "Asia/Shanghaj",
        '"Asia/Shanghaj" is not a time zone; expected an IANA name; did you mean "Asia/Shanghai"?',
      ],
      [
        "nowhere at all",
        '"nowhere at all" is not a time zone; expected an IANA name, like Asia/Shanghai or UTC',
      ],
    ],
  },
  digestEvery: {
    from: (config) => config.digestEveryMs,
    fallback: 5_000,
    flag: "digestEvery",
    good: [
      ["30s", 30_000],
      ["3m", 180_000],
    ],
    bad: [["now and then", badDuration("now and then")]],
  },
  dataDir: {
    from: (config) => config.dataDir,
    fallback: ".kube-crier",
    flag: "dataDir",
    good: [
      ["/var/lib/kube-crier", "/var/lib/kube-crier"],
      [":memory:", ":memory:"],
    ],
    // As `--data-dir=$DIR` is where DIR is not set: the ledger would be in the working directory.
    bad: [
      ["", "names no directory"],
      [" ", "names no directory"],
    ],
  },
  ledger: {
    from: (config) => config.ledger?.reveal() ?? null,
    fallback: null,
    flag: "ledger",
    good: [
      ["mysql://crier@db:3306/kube_crier", "mysql://crier@db:3306/kube_crier"],
      ["mysql://crier:p%40ss@db/crier?tls=true", "mysql://crier:p%40ss@db:3306/crier?tls=true"],
      [
        "mysql://crier@db/crier?ca=/tls/ca.crt&cert=/tls/tls.crt&key=/tls/tls.key",
        "mysql://crier@db:3306/crier?ca=%2Ftls%2Fca.crt&cert=%2Ftls%2Ftls.crt&key=%2Ftls%2Ftls.key",
      ],
    ],
    bad: [
      [
        "postgres://db/crier",
        "is no URL of a MySQL database; expected mysql://USER:PASSWORD@HOST:PORT/DATABASE, with ?tls=true, ca=FILE, cert=FILE and key=FILE where they are needed",
      ],
      ["mysql://crier@db/crier?key=/tls/tls.key", "has one of cert and key; give both"],
    ],
  },
  ledgerAway: {
    from: (config) => config.ledgerAway,
    fallback: "bypass",
    flag: "ledgerAway",
    good: [
      ["bypass", "bypass"],
      ["block", "block"],
    ],
    bad: [["wait", 'expected one of bypass, block; found "wait"']],
  },
  history: {
    from: (config) => config.historyMs,
    fallback: 7 * 86_400_000,
    flag: "history",
    good: [
      ["30d", 30 * 86_400_000],
      ["90m", 90 * 60_000],
      ["1h", 3_600_000],
      ["1.5h", 5_400_000],
    ],
    bad: [
      ["forever", badDuration("forever")],
      ["30 fortnights", badDuration("30 fortnights")],
    ],
  },
  historyKeeps: {
    from: (config) => config.historyKeeps,
    fallback: "owed",
    flag: "historyKeeps",
    good: [
      ["all", "all"],
      ["owed", "owed"],
    ],
    bad: [["everything", 'expected one of owed, all; found "everything"']],
  },
  ledgerMax: {
    from: (config) => config.ledgerMaxBytes,
    fallback: 2 ** 30,
    flag: "ledgerMax",
    good: [
      ["1GiB", 2 ** 30],
      ["512Mi", 2 ** 29],
      ["200MB", 200_000_000],
      ["1.5g", 1_500_000_000],
      ["1048576", 2 ** 20],
      ["2TiB", 2 ** 41],
    ],
    bad: [
      ["1000", '"1000" is too small; expected at least 1MiB'],
      ["1048575", '"1048575" is too small; expected at least 1MiB'],
      ["a lot", '"a lot" is not a size; expected a number with a unit, like 512MiB or 1GiB'],
      ["1PB", '"1PB" is not a size; expected a number with a unit, like 512MiB or 1GiB'],
    ],
  },
  canary: {
    from: (config) => config.canary.everyMs,
    fallback: null,
    flag: "canary",
    good: [
      ["5m", 300_000],
      ["10s", 10_000],
    ],
    bad: [
      ["9s", "expected at least 10s"],
      ["often", badDuration("often")],
    ],
  },
  canarySink: {
    from: (config) => config.canary.sink,
    fallback: null,
    flag: "canarySink",
    good: [["stdout", "stdout"]],
    bad: [["nobody", 'there is no sink named "nobody"']],
  },
  canaryTell: {
    from: (config) => config.canary.tell,
    fallback: null,
    flag: "canaryTell",
    good: [["stdout", "stdout"]],
    bad: [["nobody", 'there is no sink named "nobody"']],
  },
  canaryDeadline: {
    from: (config) => config.canary.deadlineMs,
    fallback: 60_000,
    flag: "canaryDeadline",
    good: [
      ["30s", 30_000],
      ["1s", 1_000],
    ],
    bad: [["100ms", "expected at least 1s"]],
  },
  leaderElect: {
    from: (config) => config.election.enabled,
    fallback: false,
    flag: "leaderElect",
    good: [["false", false]],
    bad: [["true", "a SQLite ledger belongs to one process"]],
  },
  leaderElectLeaseDuration: {
    from: (config) => config.election.times.leaseMs,
    fallback: 15_000,
    flag: "leaderElectLeaseDuration",
    good: [
      ["4s", 4_000],
      ["1m", 60_000],
    ],
    bad: [
      ["3s", "expected whole seconds, at least 4s"],
      ["4500ms", "expected whole seconds, at least 4s"],
      ["soon", badDuration("soon")],
    ],
  },
  leaderElectRenewDeadline: {
    from: (config) => config.election.times.renewMs,
    fallback: 10_000,
    flag: "leaderElectRenewDeadline",
    good: [["9s", 9_000]],
    bad: [["late", badDuration("late")]],
  },
  leaderElectRetryPeriod: {
    from: (config) => config.election.times.retryMs,
    fallback: 2_000,
    flag: "leaderElectRetryPeriod",
    good: [
      ["250ms", 250],
      ["1s", 1_000],
    ],
    bad: [
      ["249ms", "expected at least 250ms"],
      ["now and then", badDuration("now and then")],
    ],
  },
  leaderElectResourceName: {
    from: (config) => config.election.name,
    fallback: "kube-crier",
    flag: "leaderElectResourceName",
    good: [["kube-crier-shop.a", "kube-crier-shop.a"]],
    bad: [
      ["Crier", "is no name of an object"],
      ["a/b", "is no name of an object"],
    ],
  },
  leaderElectResourceNamespace: {
    from: (config) => config.election.namespace,
    fallback: null,
    flag: "leaderElectResourceNamespace",
    good: [["monitoring", "monitoring"]],
    bad: [["Shop", '"Shop" is not the name of a namespace']],
  },
  templates: {
    from: (config) => config.templates,
    fallback: [],
    flag: "templates",
    good: [
      ["/etc/templates", ["/etc/templates"]],
      ["/a,configmap:monitoring/templates", ["/a", "configmap:monitoring/templates"]],
    ],
    bad: [],
  },
  listen: {
    from: (config) => config.listen,
    fallback: null,
    flag: "listen",
    good: [
      ["127.0.0.1:8080", { host: "127.0.0.1", port: 8080 }],
      [":8080", { host: "", port: 8080 }],
      ["[::1]:0", { host: "::1", port: 0 }],
      ["localhost:65535", { host: "localhost", port: 65_535 }],
    ],
    bad: [
      ["localhost", "is not an address to listen on; expected ADDR:PORT, like 127.0.0.1:8080"],
      ["127.0.0.1:65536", "is not an address to listen on"],
      ["::1:80", "is not an address to listen on"],
    ],
  },
  compat: {
    from: (config) => config.compat,
    fallback: "off",
    flag: "compat",
    good: [
      ["strict", "strict"],
      ["off", "off"],
    ],
    bad: [["loose", 'expected one of strict, off; found "loose"']],
  },
  eventMetrics: {
    from: (config) => config.eventMetrics,
    fallback: true,
    flag: "eventMetrics",
    good: [
      ["true", true],
      ["false", false],
    ],
    bad: [["perhaps", 'expected true or false; found "perhaps"']],
  },
  webListen: {
    from: (config) => config.web.listen,
    fallback: null,
    flag: "webListen",
    good: [
      [":8081", { host: "", port: 8081 }],
      ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
      ["[::1]:8081", { host: "::1", port: 8081 }],
    ],
    bad: [["8081", '"8081" is not an address to listen on; expected ADDR:PORT']],
  },
  externalUrl: {
    // It counts where there is a page, which `test/unit/config/web.test.ts` shows.
    from: (config) => config.web.externalUrl,
    fallback: null,
    flag: "externalUrl",
    good: [],
    bad: [
      [
        "events.example.com",
        '"events.example.com" is not the address of a page; expected one like https://events.example.com',
      ],
      ["https://u:p@events.example.com", "a password stands in it"],
      ["https://example.com/events", "has a path, and the page is served at the root of its host"],
      ["https://example.com?x=1", "is not the address of a page"],
    ],
  },
  webKubernetes: {
    from: (config) => config.web.asksCluster,
    fallback: false,
    flag: "webKubernetes",
    good: [
      ["on", true],
      ["off", false],
      ["auto", false],
    ],
    bad: [["yes", "expected one of auto, on, off"]],
  },
  webAudiences: {
    from: (config) => config.web.audiences,
    fallback: [],
    good: [["kube-crier,other", ["kube-crier", "other"]]],
    bad: [],
  },
  webChange: {
    from: (config) => config.web.change,
    fallback: "update deliveries.kube-crier.io",
    good: [["delete events", "delete events"]],
    bad: [
      [
        "deliveries",
        '"deliveries" is not a permission; expected a verb and a resource, like update deliveries.kube-crier.io',
      ],
    ],
  },
  webAccessFile: {
    from: (config) => config.web.accessFile,
    fallback: null,
    flag: "webAccessFile",
    good: [["/etc/kube-crier/access.yaml", "/etc/kube-crier/access.yaml"]],
    bad: [],
  },
  webProxies: {
    from: (config) => config.web.proxies,
    fallback: [],
    flag: "webProxies",
    good: [["10.0.0.7,fd00:1::/64", ["10.0.0.7", "fd00:1::/64"]]],
    bad: [
      ["proxy.example.org", '"proxy.example.org" is not an address'],
      ["0.0.0.0/0", "everybody would be believed"],
    ],
  },
  webUserHeader: {
    from: (config) => config.web.userHeader,
    fallback: "X-Forwarded-User",
    good: [["Remote-User", "Remote-User"]],
    bad: [["Remote User", '"Remote User" is not the name of a header']],
  },
  webGroupsHeader: {
    from: (config) => config.web.groupsHeader,
    fallback: "X-Forwarded-Groups",
    good: [["Remote-Groups", "Remote-Groups"]],
    bad: [["a:b", '"a:b" is not the name of a header']],
  },
  webEmailHeader: {
    from: (config) => config.web.emailHeader,
    fallback: "X-Forwarded-Email",
    good: [["Remote-Email", "Remote-Email"]],
    bad: [["", '"" is not the name of a header']],
  },
  stay: {
    from: (config) => config.stay,
    fallback: false,
    good: [
      ["true", true],
      ["false", false],
    ],
    bad: [["perhaps", 'expected true or false; found "perhaps"']],
  },
  logLevel: {
    from: (config) => config.logLevel,
    fallback: "info",
    flag: "logLevel",
    good: [
      ["debug", "debug"],
      ["info", "info"],
      ["warn", "warn"],
      ["error", "error"],
    ],
    bad: [["warning", 'expected one of debug, info, warn, error; found "warning"']],
  },
};

export const FILTER: Readonly<Record<string, Row>> = {
  level: {
    from: (config) => config.filter.level,
    fallback: "Normal",
    flag: "level",
    good: [
      ["Normal", "Normal"],
      ["Warning", "Warning"],
    ],
    bad: [
      ["warning", 'expected one of Normal, Warning; found "warning" (did you mean "Warning"?)'],
      ["Error", 'expected one of Normal, Warning; found "Error"'],
    ],
  },
  namespaces: patterns((config) => config.filter.namespaces, "namespaces"),
  kinds: patterns((config) => config.filter.kinds, "kinds"),
  reasons: patterns((config) => config.filter.reasons, "reasons"),
  names: patterns((config) => config.filter.names, "names"),
  messages: patterns((config) => config.filter.messages, "messages"),
};

export const EXCLUDE: Readonly<Record<string, Row>> = {
  namespaces: patterns((config) => config.filter.exclude.namespaces, "excludeNamespaces"),
  kinds: patterns((config) => config.filter.exclude.kinds, "excludeKinds"),
  reasons: patterns((config) => config.filter.exclude.reasons, "excludeReasons"),
  names: patterns((config) => config.filter.exclude.names, "excludeNames"),
  messages: patterns((config) => config.filter.exclude.messages, "excludeMessages"),
};

export const KUBERNETES: Readonly<Record<string, Row>> = {
  kubeconfig: {
    from: (config) => source(config)["kubeconfig"],
    fallback: null,
    parameter: "kubeconfig",
    good: [["/etc/kubeconfig", "/etc/kubeconfig"]],
    bad: [],
  },
  context: {
    from: (config) => source(config)["context"],
    fallback: null,
    parameter: "context",
    good: [["prod-a", "prod-a"]],
    bad: [],
  },
  server: {
    from: (config) => source(config)["server"],
    fallback: undefined,
    good: [["https://10.0.0.1:6443", "https://10.0.0.1:6443"]],
    bad: [
      ["10.0.0.1:6443", '"10.0.0.1:6443" is not the URL of an API server'],
      ["https://a:b@10.0.0.1", "a password stands in it; expected it in a kubeconfig"],
    ],
  },
  api: {
    from: (config) => source(config)["api"],
    fallback: "auto",
    parameter: "api",
    good: [
      ["auto", "auto"],
      ["core", "core"],
      ["events.k8s.io", "events.k8s.io"],
    ],
    bad: [["v1", 'expected one of auto, core, events.k8s.io; found "v1"']],
  },
  namespaces: {
    from: (config) => source(config)["namespaces"],
    fallback: [],
    parameter: "namespaces",
    good: [
      ["shop", ["shop"]],
      ["shop,pay", ["shop", "pay"]],
    ],
    bad: [
      [
        "team-*",
        '"team-*" is not the name of a namespace; a source watches namespaces by their exact names, patterns belong into a filter',
      ],
      ["Shop", '"Shop" is not the name of a namespace'],
    ],
  },
  replay: {
    from: (config) => source(config)["replayMs"],
    fallback: 0,
    flag: "replay",
    parameter: "replay",
    good: [
      ["15m", 900_000],
      ["0s", 0],
    ],
    bad: [["yesterday", badDuration("yesterday")]],
  },
  maxAge: {
    from: (config) => source(config)["maxAgeMs"],
    fallback: 3_600_000,
    flag: "maxAge",
    parameter: "maxAge",
    good: [
      ["15m", 900_000],
      ["0s", 0],
    ],
    bad: [["old", badDuration("old")]],
  },
};

export const SINK: Readonly<Record<string, Row>> = {
  labels: {
    from: (config) => sink(config)?.labels,
    fallback: [],
    parameter: "label",
    good: [["prod", ["prod"]]],
    bad: [],
  },
  timeout: {
    from: (config) => sink(config)?.timeoutMs,
    fallback: 10_000,
    parameter: "timeout",
    good: [
      ["5s", 5_000],
      ["250ms", 250],
    ],
    bad: [["quick", badDuration("quick")]],
  },
  giveUpAfter: {
    from: (config) => sink(config)?.giveUpAfterMs,
    fallback: 86_400_000,
    parameter: "give_up_after",
    good: [["2h", 7_200_000]],
    bad: [["never", badDuration("never")]],
  },
  concurrency: {
    from: (config) => sink(config)?.concurrency,
    fallback: null,
    parameter: "concurrency",
    good: [
      ["1", 1],
      ["100", 100],
    ],
    bad: [
      ["0", 'expected at least 1; found "0"'],
      ["101", 'expected at most 100; found "101"'],
      ["many", 'expected a number; found "many" (for example 4)'],
      ["1.5", 'expected a whole number; found "1.5"'],
    ],
  },
  ratePerMinute: {
    from: (config) => sink(config)?.ratePerMinute,
    fallback: null,
    parameter: "rate_per_minute",
    good: [
      ["10", 10],
      ["60000", 60_000],
    ],
    bad: [
      ["0", 'expected at least 1; found "0"'],
      ["60001", 'expected at most 60000; found "60001"'],
    ],
  },
  digest: {
    from: (config) => sink(config)?.digest,
    fallback: true,
    parameter: "digest",
    good: [
      ["false", false],
      ["true", true],
    ],
    bad: [["no way", 'expected true or false; found "no way"']],
  },
  template: {
    from: (config) => sink(config)?.template,
    fallback: null,
    parameter: "template",
    good: [["/etc/oncall.hbs", "/etc/oncall.hbs"]],
    bad: [],
  },
  lang: {
    from: (config) => sink(config)?.lang,
    fallback: "en",
    parameter: "lang",
    good: [
      ["zh", "zh"],
      ["en", "en"],
    ],
    bad: [["cn", 'expected one of en, zh; found "cn" (did you mean "en"?)']],
  },
};

export const SINK_FILTER: Readonly<Record<string, Row>> = {
  level: {
    from: (config) => sink(config)?.filter.level,
    fallback: "Warning",
    parameter: "level",
    good: [
      ["Normal", "Normal"],
      ["Warning", "Warning"],
    ],
    bad: [["warn", 'expected one of Normal, Warning; found "warn" (did you mean "Warning"?)']],
  },
  namespaces: sinkPatterns((config) => sink(config)?.filter.namespaces, "namespaces"),
  kinds: sinkPatterns((config) => sink(config)?.filter.kinds, "kinds"),
  reasons: sinkPatterns((config) => sink(config)?.filter.reasons, "reasons"),
  names: sinkPatterns((config) => sink(config)?.filter.names, "names"),
  messages: sinkPatterns((config) => sink(config)?.filter.messages, "messages"),
};
