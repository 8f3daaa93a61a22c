import type { Session } from "../../ledger/mysql/session.ts";

/** What of the ledger is in the index, by the ledger's own numbers: everything above `low`, up to `high`; words up to `worded`. */
export interface Covered {
  /** Counts the changes: whoever has seen another number has been overtaken. */
  readonly turn: number;
  readonly low: number;
  readonly high: number;
  readonly worded: number;
  /** The highest number the ledger has given. */
  readonly newest: number;
  /** Whether what is at `high` is still what was. */
  readonly isSame: boolean;
}

export async function readCovered(session: Session): Promise<Covered> {
  const [row = []] = await session.query(
    `SELECT h.turn, h.low, h.high, h.worded, h.mark, (SELECT MAX(seq) FROM kube_crier_occurrence),
       (SELECT HEX(key_hash) FROM kube_crier_occurrence WHERE seq = h.high)
     FROM kube_crier_history h WHERE h.one = 1`,
  );
  const [turn, low, high, worded, mark, newest, found] = row;
  return {
    turn: Number(turn),
    low: Number(low),
    high: Number(high),
    worded: Number(worded),
    newest: Number(newest ?? 0),
    // What is forgotten says nothing.
    isSame: mark === null || found === null || mark === found,
  };
}
