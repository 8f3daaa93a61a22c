import { createInterface } from "node:readline/promises";
import { type Config, ConfigError, type SinkConfig } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import { loadConfig } from "../config/load.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { targetOf } from "../../sinks/mysql.ts";
import { connect, DatabaseError, FileError } from "../../sinks/mysql/driver.ts";
import {
  LastMomentError,
  migrate,
  MigrationError,
  type Plan,
  planOf,
} from "../../sinks/mysql/migrate.ts";
import type { Target } from "../../sinks/mysql/table.ts";
import { troubleOf } from "../../sinks/mysql/trouble.ts";
import { counted } from "../observe/counted.ts";
import { EXIT, type ExitCode, type Io, renews } from "./io.ts";
import { LiveLine } from "./live.ts";
import { tellWarnings } from "./load.ts";
import { tellProblems } from "./problems.ts";
import type { MigrateOptions } from "./program/commands.ts";

const CONNECT_MS = 10_000;
/** Rows from one line to the next where no terminal shows them count. */
const TELL_EVERY = 100_000;

/** `kube-crier mysql migrate`: makes an existing table whole, after saying how. */
export async function migrateCommand(
  flags: FlagValues & MigrateOptions,
  io: Io,
): Promise<ExitCode> {
  try {
    const { config, warnings } = loadConfig({ flags, registry, env: io.env });
    tellWarnings(warnings, io);
    const sink = chosen(config, flags.to ?? null);
    // The registry has erased the type of the options; the sink's own schema made them.
    const target = targetOf(sink.options as Parameters<typeof targetOf>[0]);
    return await migrateTarget(sink.name, target, config.cluster, flags, io);
  } catch (error) {
    return tellProblems(error, io);
  }
}

async function migrateTarget(
  sink: string,
  target: Target,
  cluster: string,
  options: MigrateOptions,
  io: Io,
): Promise<ExitCode> {
  try {
    const connection = await connect({ ...target, timeoutMs: CONNECT_MS });
    try {
      const plan = await planOf(connection, target.table);
      if (plan === null) {
        io.stdout.write(`${target.table} has all columns and indexes: nothing to do\n`);
        return EXIT.ok;
      }
      io.stdout.write(planText(plan, cluster));
      if (options.dryRun === true) return EXIT.ok;
      if (options.yes !== true && !(await agreed(io))) {
        if (io.signal.aborted) {
          io.stderr.write("\ninterrupted: nothing was changed\n");
          return EXIT.interrupted;
        }
        io.stderr.write("nothing was changed; --yes goes ahead without asking\n");
        return EXIT.usage;
      }
      const started = io.clock.now();
      let copied = 0;
      const live = renews(io, io.stderr) ? new LiveLine(io.stderr) : null;
      const stop = live?.show(() => progressText(copied, plan, io.clock.now() - started), io.clock);
      try {
        const { read, events } = await migrate(connection, plan, {
          clock: io.clock,
          cluster,
          signal: io.signal,
          progress: (rows) => {
            const line = Math.floor(rows / TELL_EVERY) > Math.floor(copied / TELL_EVERY);
            copied = rows;
            if (live === null && line)
              io.stderr.write(`${progressText(copied, plan, io.clock.now() - started)}\n`);
          },
        });
        io.stdout.write(
          `done: ${counted(read, "row", "rows")} became ${counted(events, "event", "events")}; the table as it was is ${plan.kept}; when nobody needs it any more: DROP TABLE \`${plan.kept}\`;\n`,
        );
        return EXIT.ok;
      } finally {
        stop?.();
      }
    } finally {
      await connection.end();
    }
  } catch (error) {
    if (error instanceof LastMomentError) {
      io.stderr.write(`${error.message}\n`);
      return EXIT.failed;
    }
    if (io.signal.aborted) {
      io.stderr.write(
        "interrupted: the table is as it was; the copy is dropped when the command is given again\n",
      );
      return EXIT.interrupted;
    }
    throw new ConfigError([{ where: `sink ${sink}`, ...problemOf(error, target) }]);
  }
}

function problemOf(error: unknown, target: Target) {
  if (error instanceof MigrationError) return { message: error.message, hint: null };
  if (!(error instanceof DatabaseError) && !(error instanceof FileError)) throw error;
  const { problem, verdict } = troubleOf(error, target);
  return (
    problem ?? {
      message: verdict.kind === "accepted" ? error.message : verdict.detail,
      hint: "give the command again when the database answers",
    }
  );
}

function chosen(config: Config, to: string | null): SinkConfig {
  const sinks = config.sinks.filter(({ definition }) => definition.type === "mysql");
  const names = sinks.map(({ name }) => name).join(", ");
  const wanted = to === null ? sinks : sinks.filter(({ name }) => name === to);
  const [sink] = wanted;
  if (sink !== undefined && wanted.length === 1) return sink;
  throw new ConfigError([
    sinks.length === 0
      ? {
          where: "--sink",
          message: "the configuration has no mysql sink",
          hint: "give one with --sink='mysql:…' or --config",
        }
      : {
          where: "--to",
          message: to === null ? "there are several mysql sinks" : `there is no mysql sink "${to}"`,
          hint: `choose one with --to: ${names}`,
        },
  ]);
}

function planText(plan: Plan, cluster: string): string {
  const size = `${Math.max(1, Math.round(plan.bytes / 1_048_576)).toLocaleString("en")} MiB`;
  return [
    `${plan.table}: about ${plan.rows.toLocaleString("en")} rows, ${size}; the copy needs about as much again.`,
    "kube-crier may run on meanwhile. kube-eventer may not: stop it first, it cannot write the new table.",
    `Rows that name no cluster become rows of ${cluster === "" ? "the cluster without a name (--cluster-name)" : cluster}.`,
    "",
    ...plan.steps.map((step, index) => `${index + 1}. ${step}`),
    "",
    `To go back: RENAME TABLE \`${plan.table}\` TO \`${plan.copy}\`, \`${plan.kept}\` TO \`${plan.table}\`;`,
    "",
  ].join("\n");
}

function progressText(copied: number, plan: Plan, ms: number): string {
  const share = plan.rows === 0 ? 100 : Math.min(100, Math.round((copied / plan.rows) * 100));
  const rate = ms === 0 ? 0 : Math.round(copied / (ms / 1000));
  return `${copied.toLocaleString("en")} rows copied (about ${share} %), ${rate.toLocaleString("en")} in a second`;
}

/** Only the whole word: whoever pipes something in by mistake changes nothing. */
async function agreed(io: Io): Promise<boolean> {
  io.stderr.write('go ahead? "yes" does it: ');
  const lines = createInterface({ input: io.stdin, signal: io.signal });
  try {
    for await (const line of lines) return line.trim().toLowerCase() === "yes";
    return false;
  } finally {
    lines.close();
  }
}
