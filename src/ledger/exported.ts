import type { KubeEvent } from "../event/event.ts";
import type { ExportRow } from "./care.ts";

/** Rows that are in memory at once. */
export const EXPORT_PAGE = 200;

export type Value = string | number | bigint | null | undefined | Uint8Array;

/** A table of the ledger, and what a row of it is in an export. */
export interface ExportTable {
  /** What its rows are numbered by. */
  readonly number: string;
  readonly columns: string;
  readonly from: string;
  readonly time: string;
  /** @param values the number, then the columns */
  readonly row: (values: readonly Value[]) => ExportRow;
}

/** In what the databases differ. */
export interface ExportDialect {
  /** Of the tables' names. */
  readonly prefix: string;
  /** What attempts are numbered by. */
  readonly attempt: string;
  /** The key of a delivery's event, of the occurrence `o`. */
  readonly key: string;
}

/** Events, then deliveries, then attempts. */
export function exportTables({ prefix, attempt, key }: ExportDialect): readonly ExportTable[] {
  return [
    {
      number: "o.seq",
      columns: "o.received_at, o.event",
      from: `${prefix}occurrence o`,
      time: "o.received_at",
      row: ([, receivedAt, event]) => ({
        type: "event",
        receivedAt: iso(receivedAt),
        event: JSON.parse(String(event)) as KubeEvent,
      }),
    },
    {
      number: "d.seq",
      columns: `d.id, d.sink, d.state, d.attempts, d.owed_at, d.not_before, d.settled_at, d.reason, d.detail,
        d.sent, d.answer, d.folded_into, ${key}, d.alert`,
      from: `${prefix}delivery d LEFT JOIN ${prefix}occurrence o ON o.seq = d.occurrence`,
      time: "d.owed_at",
      row: deliveryOf,
    },
    {
      number: attempt,
      columns: "a.sink, a.at",
      from: `${prefix}attempt a`,
      time: "a.at",
      row: ([, sink, at]) => ({ type: "attempt", sink: String(sink), at: iso(at) }),
    },
  ];
}

function deliveryOf(values: readonly Value[]): ExportRow {
  const [, id, sink, state, attempts, owedAt, notBefore, settledAt, ...rest] = values;
  const [reason, detail, sent, answer, foldedInto, event, alert] = rest;
  return {
    type: "delivery",
    id: String(id),
    sink: String(sink),
    state: String(state),
    attempts: Number(attempts),
    owedAt: iso(owedAt),
    notBefore: iso(notBefore),
    settledAt: settledAt === null ? null : iso(settledAt),
    reason,
    detail,
    // While it is pending the column says that an attempt was begun.
    sent: state === "pending" ? null : sent,
    answer,
    foldedInto,
    /** The key of its event; its own alert where it is about none (digest, gap). */
    event,
    alert: typeof alert === "string" ? (JSON.parse(alert) as unknown) : null,
  };
}

export function iso(ms: Value): string {
  return new Date(Number(ms)).toISOString();
}
