import { createClients } from "../app/clients.ts";
import { gather } from "../app/gather.ts";
import { loadTemplates } from "../app/templates.ts";
import { differenceText } from "../compat/differences.ts";
import { type Config, ConfigError, type ConfigIssue } from "../config/config.ts";
import { describeConfig } from "../config/describe.ts";
import type { FlagValues } from "../config/flags.ts";
import { type Loaded, loadConfig } from "../config/load.ts";
import { jsonLog } from "../observe/log.ts";
import { createMetrics } from "../observe/metrics.ts";
import { createObserver } from "../observe/observe.ts";
import { sinks as registry } from "../../sinks/index.ts";
import {
  type Checked,
  checkLedger,
  checkSinks,
  checkSources,
  checkTemplates,
  checkWeb,
} from "./checks.ts";
import { EXIT, type ExitCode, type Io, READER_GONE } from "./io.ts";
import { tellWarnings } from "./load.ts";
import { tellProblems } from "./problems.ts";
import { table } from "./table.ts";

/** `kube-crier check`: everything `run` does up to the first watch, one table of it, and every problem at once. */
export async function checkCommand(flags: FlagValues, io: Io): Promise<ExitCode> {
  try {
    const { config, warnings, differences } = await loadAndLookFurther(flags, io);
    io.stdout.write(`${describeConfig(config)}\n`);
    const { rows, issues } = await checkAll(config, io);
    if (io.signal.aborted) {
      // What was not asked to the end is no answer: a CI job that runs out of time has not passed.
      if (io.signal.reason !== READER_GONE)
        io.stderr.write("told to end: not everything was checked\n");
      return EXIT.interrupted;
    }
    io.stdout.write(
      table(
        ["checked", "what", "result"],
        rows.map(({ area, what, result }) => [area, what, result]),
      ),
    );
    for (const difference of differences) io.stdout.write(`\n${differenceText(difference)}`);
    if (differences.length > 0) io.stdout.write("\n");
    tellWarnings(warnings, io);
    if (issues.length > 0) throw new ConfigError(issues);
    io.stdout.write("\nall is well: run would start\n");
    return EXIT.ok;
  } catch (error) {
    return tellProblems(error, io);
  }
}

/**
 * The configuration; where it has mistakes, those that only the cluster, templates and sinks show are told with them.
 * @throws ConfigError with every problem there is
 */
export async function loadAndLookFurther(flags: FlagValues, io: Io): Promise<Loaded> {
  try {
    return loadConfig({ flags, registry, env: io.env });
  } catch (error) {
    if (!(error instanceof ConfigError) || error.rest === null) throw error;
    const { issues } = await checkAll(error.rest, io);
    throw new ConfigError([...error.issues, ...issues]);
  }
}

async function checkAll(config: Config, io: Io): Promise<Checked> {
  const issues: ConfigIssue[] = [];
  const { clock, signal } = io;
  const { observer } = createObserver(
    jsonLog("warn", io.stderr),
    createMetrics("check", [], []),
    clock,
  );
  const clients = createClients(config.sources, clock);
  try {
    const templates = await gather(issues, null, () =>
      loadTemplates(config, { clients, clock, observer }, signal),
    );
    const parts = [
      await checkSources(config, clients, observer, io),
      ...(templates === null
        ? []
        : [
            checkTemplates(config, templates, clock.now()),
            await checkSinks(config, templates, observer, io),
          ]),
      await checkLedger(config),
      await checkWeb(config, clients, observer, io),
    ];
    return {
      rows: parts.flatMap((part) => part.rows),
      issues: [...issues, ...parts.flatMap((part) => part.issues)],
    };
  } finally {
    clients.close();
  }
}
