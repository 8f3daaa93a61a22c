import { hash } from "node:crypto";
import type { Connection } from "../../../sinks/mysql/driver.ts";
import type { Clock } from "../../clock.ts";
import { ConfigError } from "../../config/config.ts";
import { SERVER_NOW } from "./literal.ts";
import { FencedError, type Session } from "./session.ts";
import { type LedgerTarget, nameOf } from "./target.ts";

/** Who has not been seen for so long is gone, though its connection may seem to be there. */
const GONE_MS = 15_000;
/** A higher term has ended with whoever had it; a Lease that was made anew counts from the beginning. */
const FORGOTTEN_MS = 60_000;
const LOOK_MS = 500;

/**
 * Takes the ledger for this process, and fences whoever had it: from then on nothing of theirs is written.
 * @param term of an elected leader; `null`: nobody is elected, so whoever has it must have gone
 * @throws FencedError where another has a term as high; ConfigError where another kube-crier is using it; AwayError
 */
export async function claim(
  session: Session,
  holder: string,
  term: number | null,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (term !== null) return claimTerm(session, holder, term);
  for (let waited = 0; ; waited += LOOK_MS) {
    signal.throwIfAborted();
    const [[got] = []] = await session.rows("SELECT GET_LOCK(?, '0')", [
      lockName(session.target.dsn.database),
    ]);
    const [[idle] = []] = await session.query(
      `SELECT ${SERVER_NOW} - seen_at FROM kube_crier_ledger WHERE one = 1`,
    );
    if (Number(got) === 1 || Number(idle) > GONE_MS) break;
    if (waited > GONE_MS + 2 * LOOK_MS)
      throw new ConfigError([
        {
          where: `--ledger ${nameOf(session.target)}`,
          message: "another kube-crier is running on it",
          hint: "stop that one first, give this one a database of its own, or let them elect a leader",
        },
      ]);
    await clock.sleep(LOOK_MS, signal);
  }
  await session.rows(
    `UPDATE kube_crier_ledger SET holder = ?, beat = beat + 1, seen_at = ${SERVER_NOW} WHERE one = 1`,
    [holder],
  );
}

/** Kept as long as the connection is there: who starts beside us sees that we live. */
export async function keepLock(connection: Connection, { dsn }: LedgerTarget): Promise<void> {
  await connection.execute("SELECT GET_LOCK(?, '0')", [lockName(dsn.database)]);
}

async function claimTerm(session: Session, holder: string, term: number): Promise<void> {
  await session.rows(
    `UPDATE kube_crier_ledger SET term = ?, holder = ?, beat = beat + 1, seen_at = ${SERVER_NOW}
     WHERE one = 1 AND (term IS NULL OR term < ? OR (term = ? AND holder = ?) OR ${SERVER_NOW} - seen_at > ${FORGOTTEN_MS})`,
    [term, holder, term, term, holder],
  );
  if (session.changed === 0) throw new FencedError();
}

function lockName(database: string): string {
  return `kube_crier.${hash("sha256", database).slice(0, 40)}`;
}
