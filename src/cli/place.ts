import { ConfigError } from "../config/config.ts";
import { expand } from "../config/secrets.ts";
import type { ExportRow } from "../ledger/care.ts";
import { exportLedger } from "../ledger/export.ts";
import type { History } from "../ledger/ledger.ts";
import { type HistoryReader, UnreadableError } from "../history/history.ts";
import { openReaderHere } from "../history/open.ts";
import { openHistory } from "../ledger/open.ts";
import { type LedgerTarget, readLedgerUrl } from "../ledger/mysql/target.ts";
import type { Io } from "./io.ts";
import type { Place } from "./program/commands.ts";

/** The database that is named; `null`: none is. @throws ConfigError on a URL that is none */
export function databaseOf({ ledger }: Place, io: Pick<Io, "env">): LedgerTarget | null {
  if (ledger === undefined) return null;
  const { text, problems } = expand(ledger, io.env);
  const where = "--ledger";
  if (problems.length > 0) throw new ConfigError(problems.map((one) => ({ where, ...one })));
  const target = readLedgerUrl(text);
  if ("problem" in target) throw new ConfigError([{ where, message: target.problem, hint: null }]);
  return target;
}

/** @throws ConfigError where there is no readable ledger */
export async function historyAt(
  place: Place,
  io: Pick<Io, "env">,
  mode: "read" | "write",
): Promise<History & { readonly close: () => void | Promise<void> }> {
  const target = databaseOf(place, io);
  if (target === null) return openHistory(place.dataDir, mode);
  return (await import("../ledger/mysql/reader.ts")).openMysqlHistory(target);
}

export async function* exportAt(
  place: Place,
  io: Pick<Io, "env">,
  since: number | null,
): AsyncGenerator<ExportRow> {
  const target = databaseOf(place, io);
  if (target === null) yield* exportLedger(place.dataDir, since);
  else yield* (await import("../ledger/mysql/reader.ts")).exportMysqlLedger(target, since);
}

/** Everything the history can be asked, of a database or a data directory. */
export async function readerAt(
  place: Place,
  { env, clock }: Pick<Io, "env" | "clock">,
): Promise<HistoryReader> {
  const target = databaseOf(place, { env });
  if (target === null) return openReaderHere(place.dataDir, clock);
  return (await import("../history/mysql/open.ts")).openMysqlReaderHere(target, clock);
}

/** A ledger that cannot be read, told as a mistake. */
export function readable(place: Place, error: unknown): unknown {
  if (!(error instanceof UnreadableError)) return error;
  const where = place.ledger === undefined ? `--data-dir ${place.dataDir}` : "--ledger";
  return new ConfigError([{ where, message: error.message, hint: null }]);
}
