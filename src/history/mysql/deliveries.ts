import { type OneState, sinkCounts, Tally } from "../sink-counts.ts";
import { storedKey } from "../../ledger/key.ts";
import { readDeliveries } from "../../ledger/mysql/history.ts";
import { number, text } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import type { DeliveryRow } from "../../ledger/ledger.ts";
import type { Budget } from "../budget.ts";
import type {
  DeliveryPage,
  DeliveryStory,
  EventBrief,
  HistoryReader,
  SinkCounts,
  Visible,
} from "../history.ts";
import { isVisible } from "../match.ts";
import { readRows } from "./rows.ts";
import { brief } from "./story.ts";

const CHUNK = 200;
/** Beyond these they are looked for one after the other, and not sorted. */
const SORTED_MAX = 20_000;
/** For someone who may see some namespaces only, each has to be looked at. */
const COUNTED_MAX = 20_000;

/** What was folded into a digest was owed shortly before it: so far back it is looked for, and so many are listed. */
const FOLDED_BACK = 50_000;
const FOLDED_CHUNK = 5_000;
const FOLDED_MAX = 50;

/** One delivery, with what it tells of. */
export async function deliveryOf(
  session: Session,
  id: string,
  visible: Visible,
  budget: Budget,
): Promise<DeliveryStory | null> {
  const [found] = await readDeliveries(session, `d.id = ${text(id)}`);
  if (found === undefined || !maySee(found.row, visible)) return null;
  const { row, seq } = found;
  const { alert } = row;
  const event = alert.kind === "event" ? storedKey(alert.event) : null;
  const folded = alert.kind === "digest" ? await foldedInto(session, id, seq, visible, budget) : [];
  return { row, event, folded };
}

/** There is no index for it: it is asked seldom, and written with every fold. */
async function foldedInto(
  session: Session,
  id: string,
  seq: number,
  visible: Visible,
  budget: Budget,
): Promise<readonly EventBrief[]> {
  const briefs: EventBrief[] = [];
  for (let high = seq; high > 0 && high > seq - FOLDED_BACK; high -= FOLDED_CHUNK) {
    const low = Math.max(0, high - FOLDED_CHUNK);
    const rows = await session.query(
      `SELECT occurrence FROM kube_crier_delivery WHERE seq < ${number(high)} AND seq >= ${number(low)} AND folded_into = ${text(id)}
       AND occurrence IS NOT NULL ORDER BY seq DESC LIMIT ${FOLDED_MAX}`,
    );
    if (rows.length > 0) {
      const seqs = rows.map(([of]) => number(Number(of))).join(", ");
      for (const { row } of await readRows(session, `o.seq IN (${seqs}) ORDER BY o.seq DESC`))
        if (isVisible(row.event.eventNamespace, visible)) briefs.push(brief(row));
    }
    if (briefs.length >= FOLDED_MAX || budget.over()) break;
  }
  return briefs.slice(0, FOLDED_MAX);
}

type Query = Parameters<HistoryReader["deliveries"]>[0];

/** What is pending or was given up, newest first. What tells of several events at once is for those who may see all of them. */
export async function deliveriesOf(
  session: Session,
  { state, sink, limit }: Query,
  before: number | null,
  visible: Visible,
  budget: Budget,
): Promise<DeliveryPage> {
  const of = `state = '${state}'${sink === null ? "" : ` AND sink = ${text(sink)}`}`;
  const [[many] = []] = await session.query(
    `SELECT COUNT(*) FROM (SELECT 1 FROM kube_crier_delivery FORCE INDEX (by_state) WHERE ${of} LIMIT ${SORTED_MAX + 1}) some`,
  );
  const index = Number(many) > SORTED_MAX ? "PRIMARY" : "by_state";
  const rows: DeliveryRow[] = [];
  let high = before ?? Number.MAX_SAFE_INTEGER;
  for (;;) {
    const seqs = await session.query(
      `SELECT seq FROM kube_crier_delivery FORCE INDEX (${index}) WHERE ${of} AND seq < ${number(high)} ORDER BY seq DESC LIMIT ${CHUNK}`,
    );
    if (seqs.length === 0) return { rows, next: null };
    const found = await readDeliveries(
      session,
      `d.seq IN (${seqs.map(([seq]) => number(Number(seq))).join(", ")}) ORDER BY d.seq DESC`,
    );
    for (const { row, seq } of found) {
      if (maySee(row, visible)) {
        if (rows.length === limit) return { rows, next: high };
        rows.push(row);
      }
      high = seq;
    }
    if (seqs.length < CHUNK) return { rows, next: null };
    if (budget.over()) return { rows, next: high };
  }
}

/** How much each sink is owed, and how much was given up. */
export async function sinksOf(
  session: Session,
  visible: Visible,
  budget: Budget,
): Promise<readonly SinkCounts[]> {
  const of = (state: "pending" | "dead") =>
    visible === "all" ? counted(session, state) : looked(session, state, visible, budget);
  return sinkCounts({ pending: await of("pending"), dead: await of("dead") });
}

async function counted(session: Session, state: string): Promise<readonly OneState[]> {
  const rows = await session.query(
    `SELECT sink, COUNT(*), MIN(owed_at) FROM kube_crier_delivery FORCE INDEX (by_state) WHERE state = '${state}' GROUP BY sink`,
  );
  return rows.map(([sink, n, oldest]) => ({
    sink: String(sink),
    n: Number(n),
    oldest: Number(oldest),
    capped: false,
  }));
}

async function looked(
  session: Session,
  state: string,
  visible: Visible,
  budget: Budget,
): Promise<readonly OneState[]> {
  const tally = new Tally();
  let high = Number.MAX_SAFE_INTEGER;
  for (let seen = 0; ; seen += CHUNK) {
    const rows = await readDeliveries(
      session,
      `d.state = '${state}' AND d.seq < ${number(high)} ORDER BY d.seq DESC LIMIT ${CHUNK}`,
    );
    for (const { row, seq } of rows) {
      high = seq;
      if (maySee(row, visible)) tally.add(row.sink, row.owedAt);
    }
    if (rows.length < CHUNK) return tally.counted(false);
    if (seen + CHUNK >= COUNTED_MAX || budget.over()) return tally.counted(true);
  }
}

function maySee({ alert }: DeliveryRow, visible: Visible): boolean {
  if (visible === "all") return true;
  return alert.kind === "event" && isVisible(alert.event.eventNamespace, visible);
}
