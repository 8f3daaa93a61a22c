import { ConfigError } from "../../config/config.ts";
import type { ExportRow } from "../care.ts";
import type { History } from "../ledger.ts";
import { exportRows } from "./export.ts";
import { MysqlHistory } from "./history.ts";
import { refuseNewer, versionOf } from "./schema.ts";
import { AwayError, Session } from "./session.ts";
import { type LedgerTarget, nameOf } from "./target.ts";

/** Months of history take their time. */
const READ_MS = 600_000;

/**
 * The history in a database for the command line, while `run` may be using it.
 * @throws ConfigError where there is no readable ledger
 */
export async function openMysqlHistory(
  target: LedgerTarget,
): Promise<History & { readonly close: () => Promise<void> }> {
  const session = await openReader(target);
  const history = new MysqlHistory(session);
  return {
    events: (filter) => told(target, () => history.events(filter)),
    deliveries: (filter) => told(target, () => history.deliveries(filter)),
    counts: () => told(target, () => history.counts()),
    retry: (ids, sink, now, visible) => told(target, () => history.retry(ids, sink, now, visible)),
    discard: (ids, sink, visible) => told(target, () => history.discard(ids, sink, visible)),
    close: () => session.end(),
  };
}

/**
 * Everything the ledger holds, oldest first, page by page. What is taken after the beginning is left out.
 * @param since milliseconds since the epoch; `null`: all
 * @throws ConfigError where it cannot be read
 */
export async function* exportMysqlLedger(
  target: LedgerTarget,
  since: number | null,
): AsyncGenerator<ExportRow> {
  const session = await openReader(target);
  try {
    yield* exportRows(session, since);
  } catch (error) {
    throw readable(target, error);
  } finally {
    await session.end();
  }
}

/** @throws ConfigError where there is no ledger of ours, or a newer one */
export async function openReader(target: LedgerTarget): Promise<Session> {
  const session = new Session(target, READ_MS);
  try {
    const version = await told(target, () => versionOf(session));
    if (version === null)
      throw new ConfigError([
        {
          where: `--ledger ${nameOf(target)}`,
          message: "there is no ledger in it",
          hint: "name the database that `run` was given, or run it first",
        },
      ]);
    refuseNewer(session, version);
    return session;
  } catch (error) {
    session.destroy();
    throw error;
  }
}

/** What keeps the database from answering is told as a mistake, with its remedy where there is one. */
export async function told<T>(target: LedgerTarget, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw readable(target, error);
  }
}

function readable(target: LedgerTarget, error: unknown): unknown {
  if (!(error instanceof AwayError)) return error;
  const { problem, message } = error;
  const hint = "give the command again when the database answers";
  return new ConfigError([
    { where: `--ledger ${nameOf(target)}`, ...(problem ?? { message, hint }) },
  ]);
}
