import type { DatabaseSync } from "node:sqlite";
import { onStorage } from "./failure.ts";
import { text, transactions } from "./rows.ts";

/** Attempts are only remembered for rate budgets; no window is longer than a day. */
const ATTEMPTS_KEPT_MS = 25 * 3_600_000;

/** What the keeper needs of a store to keep it small; each call is bounded by its limit. */
export type Trimmer = Pick<Retention, "prune" | "pruneSummaries" | "usedBytes" | "overflow">;

/** How the ledger stays within its age and its size. Each call is one small transaction, so that nothing else waits for long. */
export class Retention {
  readonly #inTransaction;
  readonly #sql;

  constructor(db: DatabaseSync) {
    this.#inTransaction = transactions(db);
    this.#sql = statements(db);
  }

  /**
   * Looks at the next `limit` occurrences after `cursor` (0: from the oldest) and forgets those taken and settled before `before`,
   * with their deliveries; ends early when `limit` deliveries have gone. What is pending stays, however old.
   * @returns how many occurrences went, and where to go on; `null` when everything older than `before` has been seen
   */
  prune(before: number, cursor: number, limit: number): { removed: number; cursor: number | null } {
    return onStorage(() =>
      this.#inTransaction(() => {
        const rows = this.#sql.oldest.all(before, cursor, limit);
        // By the clock of that time, which may have been wrong: one from the future must not hide what stands behind it.
        const old = rows.filter((row) => Number(row["received_at"]) < before);
        let removed = 0;
        let deliveries = 0;
        for (const row of old) {
          if (row["kept"] !== 0) continue;
          const seq = Number(row["seq"]);
          deliveries += Number(this.#sql.forgetDeliveries.run(seq).changes);
          this.#sql.forget.run(seq);
          removed += 1;
          // Each may have many.
          if (deliveries >= limit) return { removed, cursor: seq };
        }
        const more = rows.length === limit && old.length > 0;
        return { removed, cursor: more ? Number(rows.at(-1)?.["seq"]) : null };
      }),
    );
  }

  /** Forgets at most `limit` digests and gaps settled before `before`, and attempts no budget asks for any more; answers how many rows went. */
  pruneSummaries(before: number, now: number, limit: number): number {
    return onStorage(() =>
      this.#inTransaction(() => {
        const gone = Number(this.#sql.forgetAttempts.run(now - ATTEMPTS_KEPT_MS, limit).changes);
        return gone + Number(this.#sql.forgetSummaries.run(before, limit - gone).changes);
      }),
    );
  }

  /** Bytes in use in the database file; freed pages are used again and do not count. */
  usedBytes(): number {
    return onStorage(() => Number(this.#sql.used.get()?.["bytes"]));
  }

  /** Gives up the oldest pending deliveries: dead (overflow). Answers which. */
  overflow(limit: number, at: number): readonly { readonly id: string; readonly sink: string }[] {
    return onStorage(() =>
      this.#inTransaction(() => {
        const oldest = this.#sql.oldestPending
          .all(limit)
          .map((row) => ({ id: text(row["id"]), sink: text(row["sink"]) }));
        for (const { id } of oldest) this.#sql.overflow.run(at, id);
        return oldest;
      }),
    );
  }
}

function statements(db: DatabaseSync) {
  return {
    oldest: db.prepare(
      `SELECT o.seq, o.received_at,
         EXISTS (SELECT 1 FROM delivery d
                 WHERE d.occurrence = o.seq AND (d.settled_at IS NULL OR d.settled_at >= ?)) AS kept
       FROM occurrence o WHERE o.seq > ? ORDER BY o.seq LIMIT ?`,
    ),
    forgetDeliveries: db.prepare("DELETE FROM delivery WHERE occurrence = ?"),
    forget: db.prepare("DELETE FROM occurrence WHERE seq = ?"),
    forgetAttempts: db.prepare(
      "DELETE FROM attempt WHERE rowid IN (SELECT rowid FROM attempt WHERE at < ? LIMIT ?)",
    ),
    forgetSummaries: db.prepare(
      `DELETE FROM delivery WHERE seq IN
         (SELECT seq FROM delivery WHERE occurrence IS NULL AND settled_at < ? LIMIT ?)`,
    ),
    used: db.prepare(
      `SELECT (p.page_count - f.freelist_count) * s.page_size AS bytes
       FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s`,
    ),
    oldestPending: db.prepare(
      "SELECT id, sink FROM delivery WHERE state = 'pending' ORDER BY seq LIMIT ?",
    ),
    overflow: db.prepare(
      `UPDATE delivery SET state = 'dead', settled_at = ?, reason = 'overflow',
         detail = 'the ledger had reached its size' WHERE id = ? AND state = 'pending'`,
    ),
  };
}
