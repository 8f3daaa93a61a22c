import type { DeliveryState } from "../../event/delivery.ts";
import type { FailureReason, SuppressReason } from "../../event/reason.ts";
import {
  type DeliveryRow,
  type History,
  type HistoryFilter,
  HISTORY_LIMIT,
  type HistoryRow,
  type Visible,
} from "../ledger.ts";
import { readAlert, readEvent } from "../readable.ts";
import { type StateCounts, stateCounts } from "../state-counts.ts";
import { number, text } from "./literal.ts";
import type { Session } from "./session.ts";
import { readTries, type Tries } from "./tries.ts";

/** Dead letters that are owed again in one transaction. */
const RETRIED = 500;

const COLUMNS =
  "d.id, d.sink, d.alert, d.state, d.attempts, d.owed_at, d.not_before, d.settled_at, d.reason, d.detail, d.sent, d.answer, d.folded_into, o.event, d.occurrence, d.seq";
const FROM = "FROM kube_crier_delivery d LEFT JOIN kube_crier_occurrence o ON o.seq = d.occurrence";

type Row = readonly (string | number | null)[];

/** What the ledger holds, newest first. */
export class MysqlHistory implements History {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async events(filter: HistoryFilter): Promise<readonly HistoryRow[]> {
    const owed = ofDelivery(filter);
    const some =
      owed === ""
        ? ""
        : ` AND EXISTS (SELECT 1 FROM kube_crier_delivery d WHERE d.occurrence = o.seq${owed})`;
    const events = await this.#session.query(
      `SELECT o.seq, o.received_at, o.event, o.suppressed FROM kube_crier_occurrence o
       WHERE 1 = 1${ofOccurrence(filter, "o.received_at")}${some} ORDER BY o.seq DESC LIMIT ${number(filter.limit ?? HISTORY_LIMIT)}`,
    );
    if (events.length === 0) return [];
    const byEvent = await deliveriesOf(
      this.#session,
      events.map(([seq]) => Number(seq)),
    );
    return events.map(([seq, receivedAt, event, suppressed]) => ({
      event: readEvent(event, Number(receivedAt)),
      receivedAt: Number(receivedAt),
      suppressed: (suppressed ?? null) as SuppressReason | null,
      deliveries: byEvent.get(Number(seq)) ?? [],
    }));
  }

  async deliveries(filter: HistoryFilter): Promise<readonly DeliveryRow[]> {
    const rows = await readDeliveries(
      this.#session,
      `1 = 1${ofOccurrence(filter, "d.owed_at")}${ofDelivery(filter)}
       ORDER BY d.seq DESC LIMIT ${number(filter.limit ?? HISTORY_LIMIT)}`,
    );
    return rows.map(({ row }) => row);
  }

  retry(
    ids: readonly string[],
    sink: string | null,
    now: number,
    visible: Visible = "all",
  ): Promise<number> {
    return this.#changeDead(
      `state = 'pending', attempts = 0, owed_at = ${number(now)}, not_before = ${number(now)},
      settled_at = NULL, reason = NULL, detail = NULL`,
      ids,
      sink,
      visible,
    );
  }

  discard(ids: readonly string[], sink: string | null, visible: Visible = "all"): Promise<number> {
    return this.#changeDead("state = 'discarded'", ids, sink, visible);
  }

  async #changeDead(
    change: string,
    ids: readonly string[],
    sink: string | null,
    visible: Visible,
  ): Promise<number> {
    if (visible !== "all" && visible.length === 0) return 0;
    const ofSink = sink === null ? "" : ` AND sink = ${text(sink)}`;
    const again = `UPDATE kube_crier_delivery SET ${change} WHERE state = 'dead'${ofSink}${seenIn(visible)}`;
    const lists =
      ids.length === 0
        ? [""]
        : Array.from(
            { length: Math.ceil(ids.length / RETRIED) },
            (_, part) =>
              ` AND id IN (${ids
                .slice(part * RETRIED, (part + 1) * RETRIED)
                .map(text)
                .join(", ")})`,
          );
    let count = 0;
    for (const list of lists)
      for (;;) {
        const [[changed] = []] = await this.#session.transaction([
          [
            "START TRANSACTION",
            `${again}${list} LIMIT ${RETRIED}`,
            "SET @retried = ROW_COUNT()",
            "UPDATE kube_crier_ledger SET changed = changed + 1 WHERE one = 1",
            "COMMIT",
            "SELECT @retried",
          ],
        ]);
        count += Number(changed);
        if (Number(changed) < RETRIED) break;
      }
    return count;
  }

  async counts(): Promise<StateCounts> {
    const rows = await this.#session.query(
      "SELECT sink, state, COUNT(*) FROM kube_crier_delivery GROUP BY sink, state ORDER BY sink",
    );
    return stateCounts(
      rows.map(([sink, state, count]) => [String(sink), String(state), Number(count)] as const),
    );
  }
}

/** The deliveries that a condition finds, with the occurrence and the number of each. */
export async function readDeliveries(
  session: Session,
  where: string,
): Promise<
  readonly { readonly row: DeliveryRow; readonly occurrence: number; readonly seq: number }[]
> {
  const rows = await session.query(`SELECT ${COLUMNS} ${FROM} WHERE ${where}`);
  const tries = await readTries(
    session,
    rows.map((row) => Number(row[15])),
  );
  return rows.map((row) => {
    const seq = Number(row[15]);
    return { row: deliveryRow(row, tries(seq)), occurrence: Number(row[14]), seq };
  });
}

/** What is, or was, owed of each of these occurrences. */
export async function deliveriesOf(
  session: Session,
  occurrences: readonly number[],
): Promise<ReadonlyMap<number, readonly DeliveryRow[]>> {
  if (occurrences.length === 0) return new Map();
  const found = await readDeliveries(
    session,
    `d.occurrence IN (${occurrences.map(number).join(", ")}) ORDER BY d.seq`,
  );
  const groups = Map.groupBy(found, ({ occurrence }) => occurrence);
  return new Map([...groups].map(([of, all]) => [of, all.map(({ row }) => row)]));
}

function deliveryRow(row: Row, tries: Tries): DeliveryRow {
  const [id, sink, alert, state, attempts, owedAt, notBefore, settledAt, ...rest] = row;
  const [reason, detail, sent, answer, foldedInto, event] = rest.map((cell) =>
    cell === null ? null : String(cell),
  );
  return {
    id: String(id),
    sink: String(sink),
    alert: readAlert(alert, event, Number(owedAt)),
    attempts: Number(attempts),
    state: state as DeliveryState,
    owedAt: Number(owedAt),
    notBefore: Number(notBefore),
    settledAt: settledAt === null ? null : Number(settledAt),
    reason: (reason ?? null) as FailureReason | null,
    detail: detail ?? null,
    // While it is pending it says only that an attempt was begun.
    sent: state === "pending" ? null : (sent ?? null),
    answer: answer ?? null,
    foldedInto: foldedInto ?? null,
    ...tries,
  };
}

/** What tells of several events at once has no occurrence, and is for those who may see all. */
function seenIn(visible: Visible): string {
  return visible === "all"
    ? ""
    : ` AND occurrence IN (SELECT o.seq FROM kube_crier_occurrence o
        WHERE CASE WHEN JSON_VALID(o.event) THEN JSON_UNQUOTE(JSON_EXTRACT(o.event, '$.eventNamespace')) END IN (${visible.map(text).join(", ")}))`;
}

/** What the filter says about the occurrence; `since` is compared with `time`. */
function ofOccurrence(filter: HistoryFilter, time: string): string {
  const since = filter.since === undefined ? "" : ` AND ${time} >= ${number(filter.since)}`;
  return `${equal([
    ["o.namespace", filter.namespace],
    ["o.kind", filter.kind],
    ["o.name", filter.name],
    ["o.reason", filter.reason],
  ])}${since}`;
}

function ofDelivery(filter: HistoryFilter): string {
  return equal([
    ["d.sink", filter.sink],
    ["d.state", filter.state],
  ]);
}

function equal(pairs: readonly (readonly [column: string, value: string | undefined])[]): string {
  return pairs
    .map(([column, value]) => (value === undefined ? "" : ` AND ${column} = ${text(value)}`))
    .join("");
}
