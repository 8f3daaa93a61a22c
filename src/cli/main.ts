import { EXIT, type Io } from "./io.ts";
import { runProgram } from "./program.ts";
import { readVersion } from "./version.ts";

/**
 * The whole program but for what belongs to the process itself; answers the exit code.
 * Commands are loaded when they are called: `run` should not carry the simulator in its memory.
 */
export function main(argv: readonly string[], all: Io): Promise<number> {
  // What cannot print has nothing to do any more; but `run` has other sinks, and tries this one again.
  const { signal, unwritable = signal } = all;
  const io = { ...all, signal: AbortSignal.any([signal, unwritable]) };
  return runProgram(
    argv,
    readVersion(),
    {
      run: async (flags) => (await import("./run.ts")).runCommand(flags, all),
      check: async (flags) => (await import("./check.ts")).checkCommand(flags, io),
      render: async (flags, options) =>
        (await import("./render.ts")).renderCommand(flags, options, io),
      explain: async (flags, options) =>
        (await import("./explain.ts")).explainCommand(flags, options, io),
      send: async (flags, options) => (await import("./send.ts")).sendCommand(flags, options, io),
      history: async (options) => (await import("./lookup.ts")).historyCommand(options, io),
      deadList: async (options) => (await import("./history.ts")).deadListCommand(options, io),
      deadDiscard: async (ids, options) =>
        (await import("./history.ts")).deadDiscardCommand(ids, options, io),
      deadRetry: async (ids, options) =>
        (await import("./history.ts")).deadRetryCommand(ids, options, io),
      ledgerCheck: async (options) => (await import("./ledger.ts")).checkLedgerCommand(options, io),
      ledgerVacuum: async (options) =>
        (await import("./ledger.ts")).vacuumLedgerCommand(options, io),
      ledgerExport: async (options) =>
        (await import("./ledger.ts")).exportLedgerCommand(options, io),
      mysqlMigrate: async (flags) => (await import("./mysql.ts")).migrateCommand(flags, io),
      migrate: async (file, options) =>
        (await import("./migrate.ts")).migrateFromCommand(file, options, io),
      simulate: async (options) => (await import("./simulate.ts")).simulateCommand(options, io),
      schema: async () => {
        const { configJsonSchema } = await import("../config/json-schema.ts");
        const { sinks } = await import("../../sinks/index.ts");
        io.stdout.write(`${JSON.stringify(configJsonSchema(sinks), null, 2)}\n`);
        return EXIT.ok;
      },
      completion: async (shell, commands) => {
        const { completionScript } = await import("./completion.ts");
        io.stdout.write(completionScript(shell, commands));
        return EXIT.ok;
      },
      demo: async (options) => (await import("./demo.ts")).demoCommand(options, io),
    },
    io,
  );
}
