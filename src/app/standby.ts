import type { Config, ConfigIssue } from "../config/config.ts";
import { readLedgerUrl } from "../ledger/mysql/target.ts";
import type { Observer } from "../observe/observer.ts";

/**
 * What a replica can know of the ledger that it may have to open some night: nothing is made there, and nothing changed. What opens
 * it is loaded by then. Told to stop it looks no further, and has nothing to say.
 */
export async function ledgerProblems(
  { ledger }: Pick<Config, "ledger">,
  observer: Pick<Observer, "warning">,
  signal: AbortSignal,
): Promise<readonly ConfigIssue[]> {
  const target = ledger === null ? null : readLedgerUrl(ledger.reveal());
  // The schema has read it once already.
  if (target === null || "problem" in target) return [];
  const [{ lookAtMysql }] = await Promise.all([
    import("../ledger/mysql/check.ts"),
    import("../ledger/mysql/open.ts"),
  ]);
  const { issues, away } = await lookAtMysql(target, signal);
  if (away !== null && !signal.aborted)
    observer.warning(`the ledger is away; whoever leads waits for it: ${away}`);
  return issues;
}
