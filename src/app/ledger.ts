import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { type LedgerTarget, readLedgerUrl } from "../ledger/mysql/target.ts";
import { type Ledger, openLedger } from "../ledger/open.ts";
import type { Observer } from "../observe/observer.ts";

export interface LedgerPorts {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly makeId: () => string;
  /** Of an elected leader; `null`: nobody is elected. */
  readonly term: number | null;
}

/** The database that the ledger is in; `null`: it is a file. */
export function targetOf({ ledger }: Pick<Config, "ledger">): LedgerTarget | null {
  if (ledger === null) return null;
  const target = readLedgerUrl(ledger.reveal());
  // The schema has read it once already.
  if ("problem" in target) throw new Error(`ledger ${target.problem}`);
  return target;
}

/**
 * The ledger that the configuration names; a database that is away is waited for until `signal` aborts.
 * @throws ConfigError, for what waiting cannot cure; FencedError where another leader has a higher term
 */
export async function openConfigured(
  config: Config,
  ports: LedgerPorts,
  signal: AbortSignal,
): Promise<Ledger> {
  const { ledgerAway, historyMs, ledgerMaxBytes: maxBytes } = config;
  const target = targetOf(config);
  if (target === null) return openLedger({ ...ports, ...config, maxBytes });
  // Only those who have one load it.
  const { openMysqlLedger } = await import("../ledger/mysql/open.ts");
  return openMysqlLedger({ ...ports, target, historyMs, maxBytes, away: ledgerAway }, signal);
}
