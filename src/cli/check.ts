import { createClients } from "../app/clients.ts";
import { gather } from "../app/gather.ts";
import { checkSenders, composeFor, createSenders, httpClient } from "../app/senders.ts";
import { createSources } from "../app/sources.ts";
import { loadTemplates } from "../app/templates.ts";
import { type Config, ConfigError, type ConfigIssue } from "../config/config.ts";
import { describeConfig } from "../config/describe.ts";
import type { FlagValues } from "../config/flags.ts";
import { loadConfig } from "../config/load.ts";
import type { Observer } from "../observe/observer.ts";
import { jsonLog } from "../observe/log.ts";
import { createMetrics } from "../observe/metrics.ts";
import { createObserver } from "../observe/observe.ts";
import type { SinkTemplate } from "../template/templates.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { tellWarnings } from "./load.ts";
import { tellProblems } from "./problems.ts";
import { exampleAlerts } from "./examples.ts";
import { readVersion } from "./version.ts";

/** `kube-crier check`: everything `run` does up to the first watch, and what would run. */
export async function checkCommand(flags: FlagValues, io: Io): Promise<ExitCode> {
  try {
    const { config, warnings } = loadConfig({ flags, registry, env: io.env });
    io.stdout.write(describeConfig(config));
    tellWarnings(warnings, io);
    const issues = await problemsOf(config, io);
    if (issues.length > 0) throw new ConfigError(issues);
    io.stdout.write("\nall is well: run would start\n");
    return EXIT.ok;
  } catch (error) {
    return tellProblems(error, io);
  }
}

async function problemsOf(config: Config, io: Io): Promise<readonly ConfigIssue[]> {
  const issues: ConfigIssue[] = [];
  const { observer } = createObserver(
    jsonLog("warn", io.stderr),
    createMetrics("check", [], []),
    io.clock,
  );
  const clients = createClients(config.sources, io.clock);
  const templates = await gather(issues, null, () =>
    loadTemplates(config, { clients, clock: io.clock, observer }, io.signal),
  );
  if (templates !== null) issues.push(...unfit(config, templates, io.clock.now()));
  if (templates !== null) issues.push(...(await probed(config, templates, observer, io)));
  const sources = await gather(issues, null, () => sourcesOf(config, clients, observer, io));
  for (const source of sources ?? []) await gather(issues, null, () => source.preflight(io.signal));
  clients.close();
  return issues;
}

/** Sinks that can be asked without telling anybody anything. */
async function probed(
  config: Config,
  templates: ReadonlyMap<string, SinkTemplate>,
  observer: Observer,
  io: Io,
): Promise<readonly ConfigIssue[]> {
  const client = httpClient(readVersion());
  const senders = createSenders(config, templates, {
    client,
    stdout: io.stdout,
    clock: io.clock,
    observer,
  });
  try {
    return await checkSenders(senders, io.signal);
  } finally {
    await Promise.all([...senders.values()].map((sender) => sender.close()));
    client.close();
  }
}

function sourcesOf(
  config: Config,
  clients: ReturnType<typeof createClients>,
  observer: Observer,
  io: Io,
) {
  return createSources(config, {
    clients,
    clock: io.clock,
    random: Math.random,
    observer,
    stdin: () => io.stdin,
  });
}

/** What only shows when something is rendered: a body that is not JSON, or too large without any text. */
function unfit(
  config: Config,
  templates: ReadonlyMap<string, SinkTemplate>,
  now: number,
): readonly ConfigIssue[] {
  return config.sinks.flatMap((sink) => {
    const template = templates.get(sink.name);
    if (template === undefined) return [];
    for (const alert of exampleAlerts(config.cluster, now)) {
      const composed = composeFor(config, sink, template, { id: "check", alert }, now);
      if (!composed.ok && composed.verdict.kind !== "accepted")
        return [
          {
            where: `sink ${sink.name}`,
            message: composed.verdict.detail,
            hint: "mend the template; `kube-crier render` shows what it gives",
          },
        ];
    }
    return [];
  });
}
