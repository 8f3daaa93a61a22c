import type { SuppressReason } from "../event/reason.ts";
import type { ExportRow } from "./care.ts";
import type { DeliveryRow } from "./ledger.ts";
import { isEvent, parsed, readEvent } from "./readable.ts";
import { triesOf } from "./rows.ts";
import { witnessOf } from "./witness.ts";

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
  /** Of a delivery `d`: how long the attempt took that delivered it, and what became of those that failed, as JSON. */
  readonly tries: string;
}

/** Events, then deliveries, then attempts; checkpoints, which have no number, stand last. */
export function exportTables({
  prefix,
  attempt,
  key,
  tries,
}: ExportDialect): readonly ExportTable[] {
  return [
    {
      number: "o.seq",
      columns: "o.received_at, o.suppressed, o.event",
      from: `${prefix}occurrence o`,
      time: "o.received_at",
      row: ([, receivedAt, suppressed, event]) => ({
        type: "event",
        receivedAt: iso(receivedAt),
        suppressed: (suppressed ?? null) as SuppressReason | null,
        event: readEvent(event, Number(receivedAt)),
        ...(isEvent(parsed(event)) ? {} : { unreadable: String(event) }),
      }),
    },
    {
      number: "d.seq",
      columns: `d.id, d.sink, d.state, d.attempts, d.owed_at, d.not_before, d.settled_at, d.reason, d.detail,
        d.sent, d.answer, d.folded_into, ${key}, d.alert, ${tries}`,
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
  const [reason, detail, sent, answer, foldedInto, event, alert, took, tries] = rest;
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
    alert: typeof alert === "string" ? (parsed(alert) ?? alert) : null,
    ...triesRow({
      tookMs: took === null || took === undefined ? null : Number(took),
      tries: triesOf(tries),
    }),
  };
}

/** What is known of a delivery's attempts, as an export has it. */
export function triesRow({ tookMs, tries }: Pick<DeliveryRow, "tookMs" | "tries">) {
  return { tookMs, tries: tries.map((one) => ({ ...one, at: iso(one.at) })) };
}

/** How far the cluster was seen. @param since milliseconds since the epoch */
export function checkpointsSql(prefix: string, since: number): string {
  return `SELECT scope, cluster, resource_version, at, witness FROM ${prefix}checkpoint WHERE at >= ${since} ORDER BY scope`;
}

export function checkpointOf(values: readonly Value[]): ExportRow {
  const [scope, cluster, resourceVersion, at, witness] = values;
  const row = { scope, cluster, resourceVersion, at: iso(at) };
  return { type: "checkpoint", ...row, witness: witnessOf(witness).witness ?? null };
}

export function iso(ms: Value): string {
  return new Date(Number(ms)).toISOString();
}
