import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import { ConfigError } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import { findKubeEventer } from "../migrate/input.ts";
import { migrate } from "../migrate/migrate.ts";
import { configurationText, explanationText, rbacText } from "../migrate/print.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { issueText } from "./problems.ts";
import type { Commands, MigrateFromOptions } from "./program/commands.ts";
import { runProgram } from "./program.ts";
import { readVersion } from "./version.ts";

/** `kube-crier migrate`: kube-eventer's command line as a configuration of ours. */
export async function migrateFromCommand(
  file: string,
  options: MigrateFromOptions,
  io: Io,
): Promise<ExitCode> {
  const name = file === "-" ? "standard input" : file;
  try {
    if (options.explain && options.rbac) throw new ConfigError([BOTH]);
    const found = findKubeEventer(await read(file, name, io), name);
    const migration = await migrate(found, registry, (argv) => parsed(argv, io));
    const text = options.explain
      ? explanationText(migration)
      : options.rbac
        ? rbacText(migration)
        : configurationText(migration);
    io.stdout.write(text);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { issues } = error;
    const count = issues.length === 1 ? "one problem" : `${issues.length} problems`;
    io.stderr.write(`${count}, nothing was printed:\n`);
    for (const issue of issues) io.stderr.write(issueText(issue));
    return EXIT.usage;
  }
}

const BOTH = {
  where: "--rbac",
  message: "and --explain do not go together",
  hint: "give one of them, or neither for all there is",
};

async function read(file: string, name: string, io: Io): Promise<string> {
  try {
    return file === "-" ? await readAll(io.stdin) : readFileSync(file, "utf8");
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConfigError([{ where: name, message, hint: "give a file, or - for standard input" }]);
  }
}

/** The arguments as `check` would take them. */
async function parsed(argv: readonly string[], io: Io): Promise<FlagValues> {
  let flags: FlagValues | null = null;
  const check: Commands["check"] = (given) => {
    flags = given;
    return Promise.resolve(EXIT.ok);
  };
  const said = new PassThrough({ encoding: "utf8" });
  const quiet = { ...io, stdout: said, stderr: said };
  await runProgram(["check", ...argv], readVersion(), { check } as Commands, quiet);
  if (flags !== null) return flags;
  // Something like `--config` without its value: what the parser says of it names the flag only.
  const [message = "cannot be read"] = String(said.read() ?? "").split("\n");
  const where = "the command line";
  throw new ConfigError([{ where, message: message.replace(/^error: /, ""), hint: null }]);
}
