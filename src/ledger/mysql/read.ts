import { readAlert } from "../readable.ts";
import { number, text } from "./literal.ts";
import type { Owed } from "./script.ts";
import type { Session } from "./session.ts";
import { type Position, positionOf } from "./window.ts";

/** `horizon`: how far was read; `null`: there are no more. */
export interface PendingRead {
  readonly owed: readonly Owed[];
  readonly horizon: Position | null;
}

/** The next pending deliveries behind a position. */
export async function readPending(
  session: Session,
  sink: string,
  { notBefore, owedAt, seq }: Position,
  limit: number,
): Promise<PendingRead> {
  const [at, age, last] = [notBefore, owedAt, seq].map(number);
  // Each alternative is one piece of the index.
  const rows = await session.query(
    `SELECT d.seq, d.id, d.alert, d.attempts, d.owed_at, d.not_before, o.event, d.sent
     FROM kube_crier_delivery d FORCE INDEX (by_state)
     LEFT JOIN kube_crier_occurrence o ON o.seq = d.occurrence
     WHERE d.state = 'pending' AND d.sink = ${text(sink)} AND (
       d.not_before > ${at}
       OR (d.not_before = ${at} AND d.owed_at > ${age})
       OR (d.not_before = ${at} AND d.owed_at = ${age} AND d.seq > ${last}))
     ORDER BY d.not_before, d.owed_at, d.seq LIMIT ${number(limit)}`,
  );
  const owed = rows.map(([number, id, alert, attempts, owed_at, not_before, event, sent]) => ({
    seq: Number(number),
    delivery: {
      id: String(id),
      sink,
      alert: readAlert(alert, event, Number(owed_at)),
      attempts: Number(attempts),
      owedAt: Number(owed_at),
      notBefore: Number(not_before),
      ...(sent === null ? {} : { begun: true as const }),
    },
  }));
  const end = owed.length < limit ? undefined : owed.at(-1);
  return { owed, horizon: end === undefined ? null : positionOf(end) };
}
