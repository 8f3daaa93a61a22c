import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Attempt, Delivery, DeliveryState } from "../event/delivery.ts";
import type { FailureReason } from "../event/reason.ts";
import type { DeliveryRow } from "./ledger.ts";
import { parsed, readAlert } from "./readable.ts";

export type Row = Record<string, SQLOutputValue>;

/** The delivery's columns and the event of its occurrence, as the functions below read them. */
export const DELIVERY_COLUMNS = `
  d.id, d.sink, d.alert, d.state, d.attempts, d.owed_at, d.not_before, d.settled_at, d.reason, d.detail,
  d.sent, d.answer, d.folded_into, d.took, d.tries, o.event
  FROM delivery d LEFT JOIN occurrence o ON o.seq = d.occurrence`;

/**
 * What was sent is known once it has arrived. While a delivery is pending its `sent` says that an attempt was begun: empty, until that has
 * ended; and `?` from when another is begun after one that never ended, for the first may have arrived, whatever becomes of the others.
 */
export const BEGUN = "CASE WHEN sent IS NULL THEN '' ELSE '?' END";
export const ANSWERED = "NULLIF(sent, '')";

export function toDelivery(row: Row): Delivery {
  const begun = row["state"] === "pending" && row["sent"] !== null;
  return {
    ...(begun ? { begun } : {}),
    id: text(row["id"]),
    sink: text(row["sink"]),
    alert: readAlert(row["alert"], row["event"], Number(row["owed_at"])),
    attempts: Number(row["attempts"]),
    owedAt: Number(row["owed_at"]),
    notBefore: Number(row["not_before"]),
  };
}

export function toDeliveryRow(row: Row): DeliveryRow {
  const { begun, ...delivery } = toDelivery(row);
  return {
    ...delivery,
    state: text(row["state"]) as DeliveryState,
    settledAt: numberOrNull(row["settled_at"]),
    reason: textOrNull(row["reason"]) as FailureReason | null,
    detail: textOrNull(row["detail"]),
    sent: begun === true ? null : textOrNull(row["sent"]),
    answer: textOrNull(row["answer"]),
    foldedInto: textOrNull(row["folded_into"]),
    tookMs: numberOrNull(row["took"]),
    tries: triesOf(row["tries"]),
  };
}

export function triesOf(column: unknown): readonly Attempt[] {
  const found = parsed(column);
  return Array.isArray(found) ? (found as readonly Attempt[]) : [];
}

export function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== "string") throw new TypeError(`the ledger holds ${typeof value} for a text`);
  return value;
}

export function textOrNull(value: SQLOutputValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

export function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}

/** A way to run work in one transaction that takes the write lock at once, and rolls back whatever the work throws. */
export function transactions(db: DatabaseSync): <T>(work: () => T) => T {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  return (work) => {
    begin.run();
    try {
      const result = work();
      commit.run();
      return result;
    } catch (error) {
      // SQLite has already rolled back where the disk failed it.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  };
}
