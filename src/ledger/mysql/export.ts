import type { KubeEvent } from "../../event/event.ts";
import type { ExportRow } from "../care.ts";
import { number } from "./literal.ts";
import { versionOf } from "./schema.ts";
import type { Session } from "./session.ts";

/** Rows that are in memory at once. */
const PAGE = 200;

type Row = readonly (string | number | null)[];

interface Table {
  /** What its rows are numbered by; the first column. */
  readonly number: string;
  readonly columns: string;
  readonly from: string;
  readonly time: string;
  readonly row: (row: Row) => ExportRow;
}

const TABLES: readonly Table[] = [
  {
    number: "o.seq",
    columns: "o.received_at, o.event",
    from: "kube_crier_occurrence o",
    time: "o.received_at",
    row: ([, receivedAt, event]) => ({
      type: "event",
      receivedAt: iso(receivedAt),
      event: JSON.parse(String(event)) as KubeEvent,
    }),
  },
  {
    number: "d.seq",
    columns:
      "d.id, d.sink, d.state, d.attempts, d.owed_at, d.not_before, d.settled_at, d.reason, d.detail, d.sent, d.answer, d.folded_into, o.event, d.alert",
    from: "kube_crier_delivery d LEFT JOIN kube_crier_occurrence o ON o.seq = d.occurrence",
    time: "d.owed_at",
    row: deliveryOf,
  },
  {
    number: "a.seq",
    columns: "a.sink, a.at",
    from: "kube_crier_attempt a",
    time: "a.at",
    row: ([, sink, at]) => ({ type: "attempt", sink: String(sink), at: iso(at) }),
  },
];

/** As `exportLedger` of a file, in its order and its words. */
export async function* exportRows(
  session: Session,
  since: number | null,
): AsyncGenerator<ExportRow> {
  const last: number[] = [];
  for (const { number: seq, from } of TABLES) {
    const [[found] = []] = await session.query(`SELECT COALESCE(MAX(${seq}), 0) FROM ${from}`);
    last.push(Number(found));
  }
  yield {
    type: "ledger",
    version: (await versionOf(session)) ?? 0,
    since: since === null ? null : iso(since),
  };
  for (const [index, table] of TABLES.entries()) {
    for (let after = 0; ;) {
      const { number: seq, columns, from, time, row } = table;
      const rows = await session.query(
        `SELECT ${seq}, ${columns} FROM ${from}
         WHERE ${seq} > ${number(after)} AND ${seq} <= ${number(last[index] ?? 0)} AND ${time} >= ${number(since ?? 0)}
         ORDER BY ${seq} LIMIT ${PAGE}`,
      );
      for (const one of rows) yield row(one);
      if (rows.length < PAGE) break;
      after = Number(rows.at(-1)?.[0]);
    }
  }
}

function deliveryOf(row: Row): ExportRow {
  const [, id, sink, state, attempts, owedAt, notBefore, settledAt, ...rest] = row;
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
    sent,
    answer,
    foldedInto,
    /** The key of its event; its own alert where it is about none (digest, gap). */
    event: typeof event === "string" ? (JSON.parse(event) as KubeEvent).key : null,
    alert: typeof alert === "string" ? (JSON.parse(alert) as unknown) : null,
  };
}

function iso(ms: string | number | null | undefined): string {
  return new Date(Number(ms)).toISOString();
}
