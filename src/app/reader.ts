import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { type HistoryReader, UnreadableError } from "../history/history.ts";
import { openReaderBeside } from "../history/open.ts";

/**
 * The history of the ledger that the configuration names, read beside whoever writes it.
 * @param arrived grows with what comes
 */
export function openReader(config: Config, arrived: () => number, clock: Clock): HistoryReader {
  return config.ledger === null
    ? openReaderBeside(config.dataDir, arrived, clock)
    : unreadable("the page does not read a ledger in MySQL yet; `kube-crier history` does");
}

function unreadable(why: string): HistoryReader {
  const refuse = () => Promise.reject(new UnreadableError(why));
  return {
    events: refuse,
    timeline: refuse,
    event: refuse,
    deliveries: refuse,
    delivery: refuse,
    sinks: refuse,
    namespaces: refuse,
    tail: refuse,
    close: () => Promise.resolve(),
  };
}
