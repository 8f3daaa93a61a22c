import { failoverMs } from "../election/times.ts";
import { nameOf, readLedgerUrl } from "../ledger/mysql/target.ts";
import { metaOf, type z } from "../sink/schema.ts";
import { Secret } from "../sink/secret.ts";
import type { Config, FilterSpec, SinkConfig, SourceConfig, WebConfig } from "./config.ts";

/** What will run, for people: one line a fact, secrets redacted. What `check` prints. */
export function describeConfig(config: Config): string {
  const rows: [string, string][] = [
    ["cluster", config.cluster === "" ? "(no name given)" : config.cluster],
    ["messages", `${config.lang}, times in ${config.timezone}`],
    ...(config.compat === "strict"
      ? [["compat", "strict: events as kube-eventer sent them"] as [string, string]]
      : []),
    ...config.sources.map((source): [string, string] => ["source", describeSource(source)]),
    ["filter", describeFilter(config.filter)],
    ...config.sinks.flatMap(describeSink),
    [
      "ledger",
      `${config.ledger === null ? `in ${config.dataDir}` : `in ${ledgerText(config.ledger)}${config.ledgerAway === "block" ? ", nothing is sent while it is away" : ""}`}, at most ${bytesText(config.ledgerMaxBytes)}, history of ${durationText(config.historyMs)}`,
    ],
    ["digests", `of a sink at most one in ${durationText(config.digestEveryMs)}`],
    ...config.templates.map((place): [string, string] => ["templates", place]),
    ["listen", listenText(config.listen)],
    ["log level", config.logLevel],
  ];
  if (!config.eventMetrics)
    rows.push(["metrics", "nothing is counted by reason, namespace and kind"]);
  const { everyMs, deadlineMs, sink, tell } = config.canary;
  if (everyMs !== null)
    rows.push([
      "canary",
      `every ${durationText(everyMs)}, to ${sink ?? "the ledger"} within ${durationText(deadlineMs)}; ${tell === null ? "no sink" : tell} is told when it does not arrive`,
    ]);
  const { web } = config;
  if (web.listen !== null) rows.push(["page", `${addressText(web.listen)}; ${whoText(web)}`]);
  const { enabled, name, namespace, times } = config.election;
  if (enabled)
    rows.push([
      "election",
      `the Lease ${namespace === null ? name : `${namespace}/${name}`}; a standby takes over within ${durationText(Math.ceil(failoverMs(times) / 1_000) * 1_000)}, a leader stops after ${durationText(times.renewMs)} without renewal`,
    ]);
  if (config.stay) rows.push(["stay", "keeps running after all sources have ended"]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join("");
}

function describeSource(source: SourceConfig): string {
  if (source.type === "file")
    return `file ${source.path === "-" ? "(standard input)" : source.path}`;
  const facts = [
    source.kubeconfig === null ? "cluster found by default" : `kubeconfig ${source.kubeconfig}`,
    source.context === null ? null : `context ${source.context}`,
    source.server === undefined ? null : `server ${source.server}`,
    source.api === "auto" ? "core/v1, or events.k8s.io/v1 where that is forbidden" : source.api,
    source.namespaces.length === 0
      ? "all namespaces"
      : `namespaces ${source.namespaces.join(", ")}`,
    source.replayMs === 0
      ? "begins now on the first start"
      : `begins ${durationText(source.replayMs)} ago on the first start`,
    `after a break tells singly what is younger than ${durationText(source.maxAgeMs)}`,
  ];
  return `kubernetes: ${facts.filter((fact) => fact !== null).join("; ")}`;
}

function describeFilter(filter: FilterSpec): string {
  const lists = (spec: FilterSpec["exclude"]): string[] =>
    (["namespaces", "kinds", "reasons", "names", "messages"] as const)
      .filter((dimension) => spec[dimension].length > 0)
      .map((dimension) => `${dimension} ${spec[dimension].join(", ")}`);
  const facts = [
    filter.level === "Warning" ? "warnings only" : "every level",
    ...lists(filter),
    ...lists(filter.exclude).map((fact) => `not ${fact}`),
  ];
  return facts.join("; ");
}

function describeSink(sink: SinkConfig): [string, string][] {
  const limits = [
    `timeout ${durationText(sink.timeoutMs)}`,
    `gives up after ${durationText(sink.giveUpAfterMs)}`,
    sink.concurrency === null ? null : `${sink.concurrency} at a time`,
    sink.ratePerMinute === null ? null : `${sink.ratePerMinute} a minute`,
    sink.digest ? null : "no digest",
    sink.template === null ? null : `template ${sink.template}`,
    sink.labels.length === 0 ? null : `labels ${sink.labels.join(", ")}`,
  ];
  const options = Object.entries(sink.options)
    .map(([name, value]) => [name, optionText(sink, name, value)] as const)
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${name} ${text}`);
  return [
    ["sink", `${sink.name} (${sink.definition.title}, ${sink.lang})`],
    ["", describeFilter(sink.filter)],
    ...(options.length === 0 ? [] : [["", options.join("; ")] as [string, string]]),
    ["", limits.filter((fact) => fact !== null).join("; ")],
  ];
}

/** Redacted by type and by declaration; empty for what is not given. */
function optionText(sink: SinkConfig, name: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (value instanceof Secret) return String(value);
  const schema = sink.definition.options.shape[name] as z.ZodType | undefined;
  const secret = schema !== undefined && metaOf(schema)?.secret === true;
  if (Array.isArray(value)) return secret ? "<redacted>" : value.map(String).join(", ");
  if (typeof value === "object") {
    const names = Object.keys(value);
    return names.map((key) => `${key}=<redacted>`).join(", ");
  }
  return secret ? "<redacted>" : JSON.stringify(value);
}

/** Where it is, without as whom it is opened. */
function ledgerText(ledger: Secret): string {
  const target = readLedgerUrl(ledger.reveal());
  return "problem" in target ? "MySQL" : nameOf(target);
}

/** How somebody is let in. */
export function whoText({ asksCluster, accessFile, proxies }: WebConfig): string {
  const ways = [
    asksCluster ? "the API server says who sees what" : null,
    accessFile === null ? null : `tokens and roles of ${accessFile}`,
    proxies.length === 0 ? null : `users as the proxies at ${proxies.join(", ")} name them`,
  ].filter((way) => way !== null);
  return ways.length === 0 ? "without authentication, for this machine only" : ways.join("; ");
}

function listenText(listen: Config["listen"]): string {
  if (listen === null) return "nothing is served; give --listen=ADDR:PORT for health and metrics";
  return addressText(listen);
}

function addressText(listen: NonNullable<Config["listen"]>): string {
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  return `${host === "" ? "all interfaces, port " : `${host}:`}${listen.port === 0 ? "any free one" : listen.port}`;
}

const DURATIONS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** The largest unit that says it exactly. */
export function durationText(ms: number): string {
  const [unit, size] = DURATIONS.find(([, size]) => ms !== 0 && ms % size === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

function bytesText(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${Number(gib.toFixed(2))} GiB` : `${Number((bytes / 2 ** 20).toFixed(2))} MiB`;
}
