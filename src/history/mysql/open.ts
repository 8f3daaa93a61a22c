import type { Clock } from "../../clock.ts";
import type { LedgerTarget } from "../../ledger/mysql/target.ts";
import type { HistoryReader } from "../history.ts";
import { readerOf } from "../question.ts";
import { Queue } from "../queue.ts";
import { Engine } from "./engine.ts";

/** The history of a ledger in MySQL, read and indexed in this thread: for the command line, which has nothing else to do. */
export function openMysqlReaderHere(target: LedgerTarget, clock: Clock): HistoryReader {
  return readerOf(new Queue(new Engine(target, clock), clock));
}
