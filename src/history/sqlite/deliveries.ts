import { type OneState, sinkCounts, Tally } from "../sink-counts.ts";
import { DELIVERY_COLUMNS, numberOrNull, text, toDeliveryRow } from "../../ledger/rows.ts";
import { readEvent } from "../../ledger/readable.ts";
import type { DeliveryRow } from "../../ledger/ledger.ts";
import type { Budget, Steps } from "../budget.ts";
import type { DeliveryPage, DeliveryStory, EventBrief, SinkCounts, Visible } from "../history.ts";
import { isVisible } from "../match.ts";
import { brief } from "./story.ts";
import type { Tables } from "./tables.ts";

const CHUNK = 200;
/** For someone who may see some namespaces only, each has to be looked at. */
const COUNTED_MAX = 20_000;

/** What was folded into a digest was owed shortly before it: so far back it is looked for, and so many are listed. */
const FOLDED_BACK = 50_000;
const FOLDED_CHUNK = 2_000;
const FOLDED_MAX = 50;

/** One delivery, with what it tells of. */
export function* deliveryOf(
  tables: Tables,
  id: string,
  visible: Visible,
  budget: Budget,
): Steps<DeliveryStory | null> {
  const found = tables.ledger
    .prepare(`SELECT d.seq, o.key, ${DELIVERY_COLUMNS} WHERE d.id = ?`)
    .get(id);
  if (found === undefined || !maySee(found["event"], visible)) return null;
  const row = toDeliveryRow(found);
  const event = typeof found["key"] === "string" ? found["key"] : null;
  const folded =
    row.alert.kind === "digest"
      ? yield* foldedInto(tables, id, Number(found["seq"]), visible, budget)
      : [];
  return { row, event, folded };
}

/** There is no index for it: it is asked seldom, and written with every fold. */
function* foldedInto(
  { ledger }: Tables,
  id: string,
  seq: number,
  visible: Visible,
  budget: Budget,
): Steps<readonly EventBrief[]> {
  const some = ledger.prepare(
    `SELECT o.seq, o.key, o.received_at, o.event FROM delivery d JOIN occurrence o ON o.seq = d.occurrence
     WHERE d.seq < ?1 AND d.seq >= ?1 - ${FOLDED_CHUNK} AND d.folded_into = ?2 ORDER BY d.seq DESC LIMIT ${FOLDED_MAX}`,
  );
  const briefs: EventBrief[] = [];
  for (let high = seq; high > 0 && high > seq - FOLDED_BACK; high -= FOLDED_CHUNK) {
    for (const row of some.all(high, id)) briefs.push(...brief(row, visible));
    if (briefs.length >= FOLDED_MAX || budget.over()) break;
    yield;
  }
  return briefs.slice(0, FOLDED_MAX);
}

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
  const of = { pending: [] as readonly OneState[], dead: [] as readonly OneState[] };
  for (const state of ["pending", "dead"] as const) {
    of[state] =
      visible === "all" ? counted(tables, state) : yield* looked(tables, state, visible, budget);
    yield;
  }
  return sinkCounts(of);
}

function counted({ ledger }: Tables, state: "pending" | "dead"): readonly OneState[] {
  return ledger
    .prepare(
      `SELECT sink, COUNT(*) AS n, MIN(owed_at) AS oldest FROM delivery INDEXED BY delivery_${state}
       WHERE state = '${state}' GROUP BY sink`,
    )
    .all()
    .map((row) => ({
      sink: text(row["sink"]),
      n: Number(row["n"]),
      oldest: numberOrNull(row["oldest"]),
      capped: false,
    }));
}

function* looked(
  tables: Tables,
  state: "pending" | "dead",
  visible: Visible,
  budget: Budget,
): Steps<readonly OneState[]> {
  const some = tables.ledger.prepare(
    `SELECT d.seq, d.sink, d.owed_at, o.event FROM delivery d INDEXED BY delivery_${state}
     JOIN occurrence o ON o.seq = d.occurrence
     WHERE d.state = '${state}' AND d.seq < ? ORDER BY d.seq DESC LIMIT ${CHUNK}`,
  );
  const tally = new Tally();
  let high = Number.MAX_SAFE_INTEGER;
  let seen = 0;
  for (;;) {
    const rows = some.all(high);
    for (const row of rows) {
      high = Number(row["seq"]);
      if (maySee(row["event"], visible)) tally.add(text(row["sink"]), Number(row["owed_at"]));
    }
    seen += rows.length;
    if (rows.length < CHUNK) return tally.counted(false);
    if (seen >= COUNTED_MAX || budget.over()) return tally.counted(true);
    yield;
  }
}

function maySee(event: unknown, visible: Visible): boolean {
  if (visible === "all") return true;
  return typeof event === "string" && isVisible(readEvent(event, 0).eventNamespace, visible);
}
