import type { SuppressReason } from "../../event/reason.ts";
import { storedKey } from "../../ledger/key.ts";
import type { DeliveryRow } from "../../ledger/ledger.ts";
import { deliveriesOf } from "../../ledger/mysql/history.ts";
import { readEvent } from "../../ledger/readable.ts";
import { number } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import type { EventRow, Filter, Visible } from "../history.ts";
import { fits, says, toldSo, traitsOf, withinTime } from "../match.ts";
import { momentOf } from "./taken.ts";

/** An occurrence as the ledger holds it, and its number there. */
export interface Numbered {
  readonly seq: number;
  readonly row: EventRow;
}

/** Those that a condition on `o` finds, without what was owed of them. */
export async function readRows(session: Session, where: string): Promise<readonly Numbered[]> {
  const rows = await session.query(
    `SELECT o.seq, o.received_at, o.suppressed, o.event FROM kube_crier_occurrence o WHERE ${where}`,
  );
  return rows.map(([seq, receivedAt, suppressed, json]) => {
    const event = readEvent(json, Number(receivedAt));
    return {
      seq: Number(seq),
      row: {
        id: storedKey(event),
        at: momentOf(event.lastSeen, Number(receivedAt)),
        event,
        receivedAt: Number(receivedAt),
        suppressed: (suppressed ?? null) as SuppressReason | null,
        deliveries: [],
      },
    };
  });
}

/** Of these, what fits in everything, with its deliveries, by its number in the ledger. */
export async function fitting(
  session: Session,
  all: readonly Numbered[],
  filter: Filter,
  visible: Visible,
): Promise<ReadonlyMap<number, EventRow>> {
  const some = all.filter(({ row }) => says(row.event, filter) && withinTime(filter, row.at));
  const deliveries = await deliveriesOf(
    session,
    some.map(({ seq }) => seq),
  );
  return new Map(
    some.flatMap(({ seq, row }) => {
      const owed = deliveries.get(seq) ?? [];
      return isWanted(row, owed, filter, visible)
        ? [[seq, { ...row, deliveries: owed }] as const]
        : [];
    }),
  );
}

function isWanted(
  { event, suppressed }: EventRow,
  deliveries: readonly DeliveryRow[],
  filter: Filter,
  visible: Visible,
): boolean {
  const sinks = deliveries.map(({ sink }) => sink);
  return fits(traitsOf(event, suppressed, sinks), filter, visible) && toldSo(filter, deliveries);
}

/** The rows of these numbers. */
export async function readFitting(
  session: Session,
  seqs: readonly number[],
  filter: Filter,
  visible: Visible,
): Promise<ReadonlyMap<number, EventRow>> {
  if (seqs.length === 0) return new Map();
  const rows = await readRows(session, `o.seq IN (${seqs.map(number).join(", ")})`);
  return fitting(session, rows, filter, visible);
}
