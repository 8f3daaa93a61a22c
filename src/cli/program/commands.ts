import type { FlagValues } from "../../config/flags.ts";
import type { Completable, Shell } from "../completion.ts";

/** What each command does, given its flags; answers the exit code. */
export interface Commands {
  run(flags: FlagValues): Promise<number>;
  check(flags: FlagValues): Promise<number>;
  render(
    flags: FlagValues,
    options: { event?: string; template?: string; reveal?: true; engine?: string; raw?: true },
  ): Promise<number>;
  explain(
    flags: FlagValues,
    options: { event?: string; id?: string; json?: true },
  ): Promise<number>;
  send(flags: FlagValues, options: { to?: readonly string[]; dryRun?: true }): Promise<number>;
  history(options: HistoryOptions): Promise<number>;
  deadList(options: Place & { sink?: string; json?: true }): Promise<number>;
  deadRetry(ids: readonly string[], options: Place & { sink?: string }): Promise<number>;
  deadDiscard(ids: readonly string[], options: Place & { sink?: string }): Promise<number>;
  ledgerCheck(options: Place): Promise<number>;
  ledgerVacuum(options: Place): Promise<number>;
  ledgerExport(options: ExportOptions): Promise<number>;
  mysqlMigrate(flags: FlagValues & MigrateOptions): Promise<number>;
  migrate(file: string, options: MigrateFromOptions): Promise<number>;
  simulate(options: { listen: string; robots?: string }): Promise<number>;
  schema(): Promise<number>;
  completion(shell: Shell, commands: readonly Completable[]): Promise<number>;
  demo(options: DemoOptions): Promise<number>;
}

export interface DemoOptions {
  readonly once?: true;
  readonly listen: string;
  readonly webListen: string;
  readonly lang: string;
}

export interface MigrateOptions {
  readonly to?: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

export interface MigrateFromOptions {
  readonly explain?: true;
  readonly rbac?: true;
}

/** Where a command finds the ledger: a database where one is named, else a directory. */
export interface Place {
  readonly dataDir: string;
  readonly ledger?: string;
}

export interface ExportOptions extends Place {
  readonly since?: string;
  readonly output?: string;
}

/** Each field of a query, by the name its flag has. */
export interface HistoryOptions extends Place {
  readonly since?: string;
  readonly until?: string;
  readonly cluster?: string;
  readonly namespace?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly reason?: string;
  readonly type?: string;
  readonly component?: string;
  readonly sink?: string;
  readonly state?: string;
  readonly kept?: string;
  readonly why?: string;
  readonly search?: string;
  readonly limit: string;
  readonly json?: true;
  readonly csv?: true;
  readonly follow?: true;
}

/** Makes the handler of a command from what it does; keeps the exit code. */
export type Act = <A extends readonly unknown[]>(
  run: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>;
