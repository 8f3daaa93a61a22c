import { DELIVERY_COLUMNS, numberOrNull, text, toDeliveryRow, toEvent } from "../../ledger/rows.ts";
import type { DeliveryRow } from "../../ledger/ledger.ts";
import type { Budget, Steps } from "../budget.ts";
import type { DeliveryPage, SinkCounts, Visible } from "../history.ts";
import { isVisible } from "../match.ts";
import type { Tables } from "./tables.ts";

const CHUNK = 200;
/** For someone who may see some namespaces only, each has to be looked at. */
const COUNTED_MAX = 20_000;

/** What is pending or was given up, newest first. What tells of several events at once is for those who may see all of them. */
export function* deliveriesOf(
  tables: Tables,
  state: "pending" | "dead",
  sink: string | null,
  limit: number,
  before: number | null,
  visible: Visible,
  budget: Budget,
): Steps<DeliveryPage> {
  const some = tables.ledger.prepare(
    `SELECT seq FROM delivery INDEXED BY delivery_${state}
     WHERE state = '${state}' AND seq < ? ${sink === null ? "" : "AND sink = ?"} ORDER BY seq DESC LIMIT ${CHUNK}`,
  );
  const read = tables.ledger.prepare(`SELECT ${DELIVERY_COLUMNS} WHERE d.seq = ?`);
  const rows: DeliveryRow[] = [];
  let high = before ?? Number.MAX_SAFE_INTEGER;
  for (;;) {
    const seqs = some.all(...(sink === null ? [high] : [high, sink]));
    for (const { seq } of seqs) {
      const row = read.get(seq ?? null);
      if (row !== undefined && maySee(row["event"], visible)) {
        if (rows.length === limit) return { rows, next: high };
        rows.push(toDeliveryRow(row));
      }
      high = Number(seq);
    }
    if (seqs.length < CHUNK) return { rows, next: null };
    if (budget.over()) return { rows, next: high };
    yield;
  }
}

/** How much each sink is owed, and how much was given up. */
export function* sinksOf(
  tables: Tables,
  visible: Visible,
  budget: Budget,
): Steps<readonly SinkCounts[]> {
  const counts = new Map<string, SinkCounts>();
  for (const state of ["pending", "dead"] as const) {
    const rows =
      visible === "all"
        ? tables.ledger
            .prepare(
              `SELECT sink, COUNT(*) AS n, MIN(owed_at) AS oldest FROM delivery INDEXED BY delivery_${state}
               WHERE state = '${state}' GROUP BY sink`,
            )
            .all()
        : yield* each(tables, state, visible, budget);
    for (const row of rows) {
      const sink = text(row["sink"]);
      const of = counts.get(sink) ?? {
        sink,
        pending: 0,
        dead: 0,
        capped: false,
        oldestOwedAt: null,
      };
      counts.set(sink, {
        ...of,
        [state]: of[state] + Number(row["n"]),
        capped: of.capped || row["capped"] === 1,
        oldestOwedAt: state === "pending" ? numberOrNull(row["oldest"]) : of.oldestOwedAt,
      });
    }
    yield;
  }
  return [...counts.values()].toSorted((a, b) => (a.sink < b.sink ? -1 : 1));
}

function* each(
  tables: Tables,
  state: "pending" | "dead",
  visible: Visible,
  budget: Budget,
): Steps<readonly Record<string, string | number>[]> {
  const some = tables.ledger.prepare(
    `SELECT d.seq, d.sink, d.owed_at, o.event FROM delivery d INDEXED BY delivery_${state}
     JOIN occurrence o ON o.seq = d.occurrence
     WHERE d.state = '${state}' AND d.seq < ? ORDER BY d.seq DESC LIMIT ${CHUNK}`,
  );
  const counts = new Map<string, { sink: string; n: number; oldest: number; capped: number }>();
  let high = Number.MAX_SAFE_INTEGER;
  let looked = 0;
  for (;;) {
    const rows = some.all(high);
    for (const row of rows) {
      high = Number(row["seq"]);
      if (!maySee(row["event"], visible)) continue;
      const sink = text(row["sink"]);
      const of = counts.get(sink) ?? { sink, n: 0, oldest: Infinity, capped: 0 };
      of.n += 1;
      of.oldest = Math.min(of.oldest, Number(row["owed_at"]));
      counts.set(sink, of);
    }
    looked += rows.length;
    if (rows.length < CHUNK) return [...counts.values()];
    if (looked >= COUNTED_MAX || budget.over())
      return [...counts.values()].map((of) => ({ ...of, capped: 1 }));
    yield;
  }
}

function maySee(event: unknown, visible: Visible): boolean {
  if (visible === "all") return true;
  return typeof event === "string" && isVisible(toEvent(event).eventNamespace, visible);
}
