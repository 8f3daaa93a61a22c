import { statSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../clock.ts";
import { databasePath, openReadOnly } from "../ledger/database.ts";
import type { LedgerTarget } from "../ledger/mysql/target.ts";
import type { HistoryReader } from "./history.ts";
import { Queue } from "./queue.ts";
import { readerOf } from "./question.ts";
import { Thread, type Where } from "./thread.ts";
import { Engine, type Places } from "./sqlite/engine.ts";

/** The index of a data directory, beside its ledger. */
export function indexPath(dataDir: string): string {
  return path.join(dataDir, "history.db");
}

/** The ledger of a data directory, and its index beside it. */
export function placesIn(dataDir: string): Places {
  const file = databasePath(dataDir);
  return {
    ledger: () => openReadOnly(dataDir),
    index: indexPath(dataDir),
    // A damaged one is renamed, and another takes its name.
    which: () => {
      const found = statSync(file, { throwIfNoEntry: false });
      return found === undefined ? "none" : `${found.ino} ${found.birthtimeMs}`;
    },
    owned: true,
  };
}

/**
 * The history in this thread, a step at a time: for the command line, which has nothing else to do.
 * @throws ConfigError, with the first answer, where there is no readable ledger
 */
export function openReaderHere(dataDir: string, clock: Clock): HistoryReader {
  return readerOf(new Queue(new Engine(placesIn(dataDir), clock), clock));
}

/** Looked at so often whether there is something to index, and done when it is this much: one question then waits for less than a second. */
const INDEX_EVERY_MS = 10_000;
const INDEX_FROM = 1_000;

/**
 * The history in a thread of its own, for a process that has to deliver meanwhile. It begins with the first question, or when there is
 * much to index, and ends when nobody asks any more.
 * @param newest grows with what arrives, as the highest number that the ledger has given does; asked often
 */
export function openReaderBeside(
  dataDir: string,
  newest: () => number,
  clock: Clock,
): HistoryReader {
  return beside({ dataDir }, newest, clock);
}

/** The same of a ledger in a database: the thread has connections of its own. */
export function openDatabaseReaderBeside(
  target: LedgerTarget,
  newest: () => number,
  clock: Clock,
): HistoryReader {
  return beside({ target }, newest, clock);
}

function beside(where: Where, newest: () => number, clock: Clock): HistoryReader {
  const thread = new Thread(where, clock);
  const reader = readerOf(new Queue(thread, clock));
  const closing = new AbortController();
  const keeping = keepIndexed(thread, newest, clock, closing.signal);
  return {
    ...reader,
    close: async () => {
      closing.abort();
      await keeping;
      await reader.close();
    },
  };
}

/** Lets nothing pile up that the next question would have to wait for. */
async function keepIndexed(
  thread: Thread,
  newest: () => number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let indexed = Number.NEGATIVE_INFINITY;
  for (;;) {
    // First the program begins: what it delivers comes before what is looked at.
    await clock.sleep(INDEX_EVERY_MS, signal);
    if (signal.aborted) return;
    const now = newest();
    if (now - indexed >= INDEX_FROM || now < indexed) {
      thread.index();
      indexed = now;
    }
  }
}

/** The same for a ledger in memory, which no other thread can see; `db` is its own connection, and stays open. */
export function openReaderOver(db: DatabaseSync, clock: Clock): HistoryReader {
  const places = { ledger: () => db, index: ":memory:", which: () => db, owned: false };
  return readerOf(new Queue(new Engine(places, clock), clock));
}
