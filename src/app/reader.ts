import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import type { HistoryReader } from "../history/history.ts";
import { openDatabaseReaderBeside, openReaderBeside } from "../history/open.ts";
import { targetOf } from "./ledger.ts";

/**
 * The history of the ledger that the configuration names, read beside whoever writes it.
 * @param arrived grows with what comes
 */
export function openReader(config: Config, arrived: () => number, clock: Clock): HistoryReader {
  const target = targetOf(config);
  return target === null
    ? openReaderBeside(config.dataDir, arrived, clock)
    : openDatabaseReaderBeside(target, arrived, clock);
}
