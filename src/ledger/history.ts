import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { SuppressReason } from "../event/reason.ts";
import {
  type DeliveryRow,
  type History,
  type HistoryFilter,
  HISTORY_LIMIT,
  type HistoryRow,
  type Visible,
} from "./ledger.ts";
import { DELIVERY_COLUMNS, text, textOrNull, toDeliveryRow, transactions } from "./rows.ts";
import { readEvent } from "./readable.ts";
import { type StateCounts, stateCounts } from "./state-counts.ts";

/** What tells of several events at once has no occurrence, and is for those who may see all. */
const SEEN_IN = `occurrence IN (SELECT o.seq FROM occurrence o
  WHERE o.seq = delivery.occurrence AND json_valid(o.event) AND o.event ->> 'eventNamespace' IN (SELECT value FROM json_each(?)))`;

/** The history of a file: it answers at once. */
export type FileHistory = Pick<
  SqliteHistory,
  "events" | "deliveries" | "retry" | "discard" | "counts"
>;

interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** What the ledger holds, newest first. `retry` needs a database opened for writing. */
export class SqliteHistory implements History {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  events(filter: HistoryFilter): readonly HistoryRow[] {
    const where = conditions(filter, "o.received_at");
    const owed = deliveryConditions(filter);
    const sql =
      owed.sql === ""
        ? where.sql
        : `${where.sql} AND EXISTS (SELECT 1 FROM delivery d WHERE d.occurrence = o.seq ${owed.sql})`;
    const deliveries = this.#db.prepare(
      `SELECT ${DELIVERY_COLUMNS} WHERE d.occurrence = ? ORDER BY d.seq`,
    );
    return this.#db
      .prepare(
        `SELECT o.seq, o.received_at, o.event, o.suppressed FROM occurrence o WHERE 1 ${sql} ORDER BY o.seq DESC LIMIT ?`,
      )
      .all(...where.values, ...owed.values, filter.limit ?? HISTORY_LIMIT)
      .map((row) => ({
        event: readEvent(row["event"], Number(row["received_at"])),
        receivedAt: Number(row["received_at"]),
        suppressed: textOrNull(row["suppressed"]) as SuppressReason | null,
        deliveries: deliveries.all(row["seq"] ?? null).map(toDeliveryRow),
      }));
  }

  deliveries(filter: HistoryFilter): readonly DeliveryRow[] {
    const where = conditions(filter, "d.owed_at");
    const owed = deliveryConditions(filter);
    return this.#db
      .prepare(
        `SELECT ${DELIVERY_COLUMNS} WHERE 1 ${where.sql} ${owed.sql} ORDER BY d.seq DESC LIMIT ?`,
      )
      .all(...where.values, ...owed.values, filter.limit ?? HISTORY_LIMIT)
      .map(toDeliveryRow);
  }

  retry(
    ids: readonly string[],
    sink: string | null,
    now: number,
    visible: Visible = "all",
  ): number {
    return this.#changeDead(
      `state = 'pending', attempts = 0, owed_at = ?, not_before = ?, settled_at = NULL, reason = NULL, detail = NULL`,
      [now, now],
      { ids, sink, visible },
    );
  }

  discard(ids: readonly string[], sink: string | null, visible: Visible = "all"): number {
    return this.#changeDead("state = 'discarded'", [], { ids, sink, visible });
  }

  #changeDead(
    change: string,
    values: readonly SQLInputValue[],
    which: {
      readonly ids: readonly string[];
      readonly sink: string | null;
      readonly visible: Visible;
    },
  ): number {
    const conditions = all([
      ["sink = ?", which.sink ?? undefined],
      [SEEN_IN, which.visible === "all" ? undefined : JSON.stringify(which.visible)],
    ]);
    const sql = `UPDATE delivery SET ${change} WHERE state = 'dead' ${conditions.sql}`;
    return transactions(this.#db)(() => {
      if (which.ids.length === 0)
        return Number(this.#db.prepare(sql).run(...values, ...conditions.values).changes);
      const one = this.#db.prepare(`${sql} AND id = ?`);
      return which.ids.reduce(
        (sum, id) => sum + Number(one.run(...values, ...conditions.values, id).changes),
        0,
      );
    });
  }

  counts(): StateCounts {
    const rows = this.#db
      .prepare("SELECT sink, state, COUNT(*) AS n FROM delivery GROUP BY sink, state ORDER BY sink")
      .all();
    return stateCounts(
      rows.map((row) => [text(row["sink"]), text(row["state"]), Number(row["n"])] as const),
    );
  }
}

/** What the filter says about the occurrence; `since` is compared with `time`. */
function conditions(filter: HistoryFilter, time: string): Condition {
  return all([
    ["o.namespace = ?", filter.namespace],
    ["o.kind = ?", filter.kind],
    ["o.name = ?", filter.name],
    ["o.reason = ?", filter.reason],
    [`${time} >= ?`, filter.since],
  ]);
}

function deliveryConditions(filter: HistoryFilter): Condition {
  return all([
    ["d.sink = ?", filter.sink],
    ["d.state = ?", filter.state],
  ]);
}

function all(
  conditions: readonly (readonly [sql: string, value: SQLInputValue | undefined])[],
): Condition {
  const given = conditions.filter(([, value]) => value !== undefined);
  return {
    sql: given.map(([sql]) => `AND ${sql}`).join(" "),
    values: given.map(([, value]) => value ?? null),
  };
}
