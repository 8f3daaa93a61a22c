import { randomUUID } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import path from "node:path";
import { createCanarySites } from "../app/canaries.ts";
import type { Clients } from "../app/clients.ts";
import { gather } from "../app/gather.ts";
import { checkSenders, composeFor, createSenders, httpClient } from "../app/senders.ts";
import { leaseOf } from "../app/election.ts";
import { createSources } from "../app/sources.ts";
import { createWebAccess } from "../app/web-access.ts";
import {
  type Config,
  ConfigError,
  type ConfigIssue,
  type KubernetesSourceConfig,
  type SinkConfig,
} from "../config/config.ts";
import { whoText } from "../config/describe.ts";
import type { Alert } from "../event/alert.ts";
import { damageIn } from "../ledger/database.ts";
import { nameOf, readLedgerUrl } from "../ledger/mysql/target.ts";
import type { Observer } from "../observe/observer.ts";
import type { Secret, SinkCheck } from "../sink/index.ts";
import { namesProxy } from "../sink/http.ts";
import { hostOf, reach } from "../sink/reach.ts";
import { reviewAccess } from "../source/kubernetes/review.ts";
import type { SinkTemplate } from "../template/templates.ts";
import { exampleAlerts } from "../app/examples.ts";
import type { Io } from "./io.ts";
import { readVersion } from "./version.ts";

/** A line of the table that `check` prints. */
export interface Row {
  readonly area: string;
  readonly what: string;
  readonly result: string;
}

export interface Checked {
  readonly rows: readonly Row[];
  readonly issues: readonly ConfigIssue[];
}

/** Permissions as the API server states them, then a real list and the opening of a real watch. */
export async function checkSources(
  config: Config,
  clients: Clients,
  observer: Observer,
  io: Io,
): Promise<Checked> {
  const rows: Row[] = [];
  const issues: ConfigIssue[] = [];
  for (const source of config.sources) {
    if (source.type === "kubernetes")
      rows.push(...(await permissionRows(source, clients, io.signal)));
  }
  const sources = await gather(issues, null, () =>
    createSources(config, {
      clients,
      clock: io.clock,
      random: Math.random,
      observer,
      stdin: () => io.stdin,
    }),
  );
  for (const source of sources ?? []) {
    const before = issues.length;
    await gather(issues, null, () => source.preflight(io.signal));
    rows.push({
      area: "source",
      what: source.name,
      result: issues.length === before ? "can be read, or will be waited for" : "cannot be read",
    });
  }
  const sites = createCanarySites(config, { clients, env: io.env, makeId: randomUUID });
  for (const { source, writer } of sites) {
    const problems = await writer.problems(io.signal);
    issues.push(...problems);
    const result = problems.length === 0 ? "may be written, or will be tried" : "cannot be written";
    rows.push({ area: "canary", what: source, result });
  }
  const lease = leaseOf(config, { clients, env: io.env });
  if (lease !== null) {
    const problems = await lease.problems(io.signal);
    issues.push(...problems);
    const { namespace, name } = lease.place;
    const result = problems.length === 0 ? "may be held, or will be tried" : "cannot be held";
    rows.push({ area: "lease", what: `${namespace}/${name}`, result });
  }
  return { rows, issues };
}

async function permissionRows(
  source: KubernetesSourceConfig,
  clients: Clients,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const row = (what: string, result: string): Row => ({ area: "permission", what, result });
  try {
    const permissions = await reviewAccess(clients.get(source), source, signal);
    return permissions.map(({ verb, group, namespace, allowed, reason }) =>
      row(
        `${verb} events (${group}) in ${namespace === null ? "all namespaces" : namespace}`,
        allowed ? "allowed" : `not allowed${reason === "" ? "" : `: ${reason}`}`,
      ),
    );
  } catch (error) {
    // The source itself says what is wrong with it; a cluster that is down is waited for.
    return [
      row(
        "list and watch events",
        `not known: ${error instanceof Error ? error.message : String(error)}`,
      ),
    ];
  }
}

/** Whether the page could be served: who is let in, and our right to ask the API server. */
export async function checkWeb(
  config: Config,
  clients: Clients,
  observer: Observer,
  io: Io,
): Promise<Checked> {
  const issues: ConfigIssue[] = [];
  const { clock, signal } = io;
  const site = await gather(issues, null, () =>
    createWebAccess(config, { clients, clock, observer }, signal),
  );
  if (site !== null) issues.push(...(await site.problems(signal)));
  if (config.web.listen === null) return { rows: [], issues };
  const result = issues.length === 0 ? "can be served" : "cannot be served";
  return { rows: [{ area: "page", what: whoText(config.web), result }], issues };
}

/** Renders every kind of alert for every sink: what only shows then is a body that is not JSON, or too large without any text. */
export function checkTemplates(
  config: Config,
  templates: ReadonlyMap<string, SinkTemplate>,
  now: number,
): Checked {
  const examples = exampleAlerts(config.cluster, now);
  const rows: Row[] = [];
  const issues: ConfigIssue[] = [];
  for (const sink of config.sinks) {
    const template = templates.get(sink.name);
    if (template === undefined) continue;
    // Of a record's events no digest is made.
    const alerts = examples.filter(
      ({ kind }) => kind !== "digest" || sink.definition.isRecord !== true,
    );
    const problem = firstProblem(config, sink, template, alerts, now);
    rows.push({
      area: "template",
      what: sink.name,
      result: problem === null ? `renders ${alerts.length} examples` : "does not render",
    });
    if (problem !== null)
      issues.push({
        where: `sink ${sink.name}`,
        message: problem,
        hint: "mend the template; `kube-crier render` shows what it gives",
      });
  }
  return { rows, issues };
}

function firstProblem(
  config: Config,
  sink: SinkConfig,
  template: SinkTemplate,
  alerts: readonly Alert[],
  now: number,
): string | null {
  for (const alert of alerts) {
    const composed = composeFor(config, sink, template, { id: "check", alert }, now);
    if (!composed.ok && composed.verdict.kind !== "accepted") return composed.verdict.detail;
  }
  return null;
}

/** Sinks that can be asked without telling anybody anything; an address that is away is waited for and no problem of the configuration. */
export async function checkSinks(
  config: Config,
  templates: ReadonlyMap<string, SinkTemplate>,
  observer: Observer,
  io: Io,
): Promise<Checked> {
  const { clock, stdout, signal } = io;
  const client = httpClient(readVersion());
  const senders = createSenders(config, templates, { client, stdout, clock, observer });
  try {
    const { found, issues } = await checkSenders(senders, signal);
    const rows = await Promise.all(
      config.sinks.map((sink) => sinkRow(sink, found.get(sink.name) ?? null, io)),
    );
    return { rows, issues };
  } finally {
    await Promise.all([...senders.values()].map((sender) => sender.close()));
    client.close();
  }
}

async function sinkRow(sink: SinkConfig, check: SinkCheck | null, io: Io): Promise<Row> {
  const row = (result: string): Row => ({
    area: "sink",
    what: `${sink.name} (${sink.definition.type})`,
    result,
  });
  if (check !== null && check.problems.length > 0) return row("cannot be used");
  if (check !== null && check.away !== null)
    return row(`is away and would be waited for: ${check.away}`);
  if (check !== null) return row("answers, and can be used");
  if (namesProxy(io.env)) return row("behind a proxy: not asked");
  const found = await reach(hostOf(sink.options, sink.definition.uri.target), io.clock, io.signal);
  switch (found.kind) {
    case "answers":
      return row(`${found.host} answers`);
    case "away":
      return row(`${found.host} is away and would be waited for: ${found.problem}`);
    case "none":
      return row("ready");
  }
}

/** Without its lock and without a change: a running kube-crier may hold it. */
export async function checkLedger(config: Config): Promise<Checked> {
  const { dataDir, ledger } = config;
  if (ledger !== null) return checkDatabase(ledger);
  const row = (result: string): Row => ({ area: "ledger", what: dataDir, result });
  let nearest = path.resolve(dataDir);
  while (!existsSync(nearest) && nearest !== path.dirname(nearest)) nearest = path.dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch {
    const issue = {
      where: `--data-dir ${dataDir}`,
      message: `${nearest} cannot be written by this user`,
      hint: "give a directory this user may write, or mount a volume there",
    };
    return { rows: [row("cannot be written")], issues: [issue] };
  }
  try {
    const damage = nearest === path.resolve(dataDir) ? damageIn(dataDir) : null;
    const result =
      damage === null
        ? "can be written"
        : `is damaged: ${damage}; the start sets it aside and begins a new one`;
    return { rows: [row(result)], issues: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { rows: [row("cannot be used")], issues: error.issues };
  }
}

/** Nothing is made there, and nothing changed. */
async function checkDatabase(ledger: Secret): Promise<Checked> {
  const target = readLedgerUrl(ledger.reveal());
  if ("problem" in target) throw new Error(`ledger ${target.problem}`);
  const { issues, away } = await (await import("../ledger/mysql/check.ts")).lookAtMysql(target);
  const answer = away === null ? "answers, and can be written" : `would be waited for: ${away}`;
  const result = issues.length > 0 ? "cannot be used" : answer;
  return { rows: [{ area: "ledger", what: nameOf(target), result }], issues };
}
