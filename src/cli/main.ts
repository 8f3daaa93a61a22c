import type { FlagValues } from "../config/flags.ts";
import { configJsonSchema } from "../config/json-schema.ts";
import { type ConfigIssue, ConfigError } from "../config/config.ts";
import type { DeliveryState } from "../event/delivery.ts";
import type { History, HistoryFilter } from "../ledger/ledger.ts";
import { openHistory } from "../ledger/open.ts";
import { parseDuration } from "../sink/schema.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { checkCommand } from "./check.ts";
import { demoCommand } from "./demo.ts";
import { deadListCommand, deadRetryCommand, historyCommand } from "./history.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { tellProblems } from "./problems.ts";
import { type HistoryOptions, runProgram } from "./program.ts";
import { renderCommand } from "./render.ts";
import { runCommand } from "./run.ts";
import { sendCommand } from "./send.ts";
import { simulateCommand } from "./simulate.ts";
import { readVersion } from "./version.ts";

/** The whole program but for what belongs to the process itself; answers the exit code. */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return runProgram(
    argv,
    readVersion(),
    {
      run: (flags: FlagValues) => runCommand(flags, io),
      check: (flags) => checkCommand(flags, io),
      render: (flags, options) => renderCommand(flags, options, io),
      send: (flags, options) => sendCommand(flags, options, io),
      history: async (options) =>
        guarded(io, () => {
          const filter = filterOf(options, io);
          const json = options.json === true;
          return withHistory(options.dataDir, "read", (history) =>
            historyCommand(history, filter, json, io),
          );
        }),
      deadList: async ({ dataDir, sink, json }) =>
        guarded(io, () =>
          withHistory(dataDir, "read", (history) =>
            deadListCommand(history, sink ?? null, json === true, io),
          ),
        ),
      deadRetry: async (ids, { dataDir, sink }) =>
        guarded(io, () =>
          withHistory(dataDir, "write", (history) =>
            deadRetryCommand(history, ids, sink ?? null, io),
          ),
        ),
      simulate: (options) => simulateCommand(options, io),
      schema: async () => {
        io.stdout.write(`${JSON.stringify(configJsonSchema(registry), null, 2)}\n`);
        return EXIT.ok;
      },
      demo: (options) => demoCommand(options, io),
    },
    io,
  );
}

function guarded(io: Io, work: () => ExitCode): ExitCode {
  try {
    return work();
  } catch (error) {
    return tellProblems(error, io);
  }
}

function withHistory(
  dataDir: string,
  mode: "read" | "write",
  work: (history: History) => ExitCode,
): ExitCode {
  const history = openHistory(dataDir, mode);
  try {
    return work(history);
  } finally {
    history.close();
  }
}

/** @throws ConfigError on a time or number that cannot be read */
function filterOf(options: HistoryOptions, io: Io): HistoryFilter {
  const issues: ConfigIssue[] = [];
  const since = options.since === undefined ? null : parseDuration(options.since);
  if (options.since !== undefined && since === null)
    issues.push({
      where: "--since",
      message: `"${options.since}" is not a duration`,
      hint: "expected a number with a unit, like 30m, 12h or 7d",
    });
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    issues.push({
      where: "--limit",
      message: `"${options.limit}" is not a number`,
      hint: "expected a whole number above 0",
    });
  if (issues.length > 0) throw new ConfigError(issues);
  const { sink, namespace, kind, name, reason } = options;
  return {
    limit,
    ...(since === null ? {} : { since: io.clock.now() - since }),
    ...(options.state === undefined ? {} : { state: options.state as DeliveryState }),
    ...(sink === undefined ? {} : { sink }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
    ...(reason === undefined ? {} : { reason }),
  };
}
