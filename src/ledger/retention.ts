import type { DatabaseSync } from "node:sqlite";
import { onStorage } from "./failure.ts";
import { isAhead, leastOf, type Looked, outlived } from "./outlived.ts";
import { type Row, text, transactions } from "./rows.ts";

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
  prune(
    before: number,
    now: number,
    cursor: number,
    limit: number,
  ): { removed: number; cursor: number | null } {
    return onStorage(() =>
      this.#inTransaction(() => {
        const rows = this.#sql.oldest.all(before, now, cursor, limit).map(toLooked);
        const last = rows.at(-1);
        const behind = isAhead(last, { before, now }) ? this.#behind(last, now) : null;
        const old = outlived(rows, { before, now, behind });
        let removed = 0;
        let deliveries = 0;
        for (const { seq, isKept } of old) {
          if (isKept) continue;
          deliveries += Number(this.#sql.forgetDeliveries.run(seq).changes);
          this.#sql.forget.run(seq);
          removed += 1;
          // Each may have many.
          if (deliveries >= limit) return { removed, cursor: seq };
        }
        const more = rows.length === limit && old.length > 0;
        return { removed, cursor: more ? (last?.seq ?? null) : null };
      }),
    );
  }

  /** The first that was taken after this one, and not while the clock was ahead; `null`: none was. */
  #behind({ seq }: Looked, now: number): Looked | null {
    const newest = this.#sql.newest.get();
    if (newest === undefined || Number(newest["received_at"]) > now) return null;
    const next = (after: number) => toLooked(this.#sql.next.get(after) ?? newest);
    const halves = leastOf(seq, Number(newest["seq"]) - 1);
    let step = halves.next();
    while (step.done !== true) step = halves.next(next(step.value).takenAt <= now);
    return next(step.value);
  }

  /** Forgets at most `limit` digests and gaps settled before `before`, and attempts no budget asks for any more; answers how many rows went. */
  pruneSummaries(before: number, now: number, limit: number): number {
    return onStorage(() =>
      this.#inTransaction(() => {
        const { forgetAttempts, forgetAhead, forgetSummaries } = this.#sql;
        const [from, to] = [now - ATTEMPTS_KEPT_MS, now + ATTEMPTS_KEPT_MS];
        let gone = Number(forgetAttempts.run(from, to, limit).changes);
        // First: those that say how old they are go with the next statement.
        gone += Number(forgetAhead.run(now, before, limit - gone).changes);
        return gone + Number(forgetSummaries.run(before, limit - gone).changes);
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

function toLooked(row: Row): Looked {
  return {
    seq: Number(row["seq"]),
    takenAt: Number(row["received_at"]),
    isKept: row["kept"] === 1,
  };
}

function statements(db: DatabaseSync) {
  return {
    oldest: db.prepare(
      `SELECT o.seq, o.received_at,
         EXISTS (SELECT 1 FROM delivery d
                 WHERE d.occurrence = o.seq AND (d.settled_at IS NULL OR d.settled_at BETWEEN ? AND ?)) AS kept
       FROM occurrence o WHERE o.seq > ? ORDER BY o.seq LIMIT ?`,
    ),
    newest: db.prepare("SELECT seq, received_at FROM occurrence ORDER BY seq DESC LIMIT 1"),
    next: db.prepare("SELECT seq, received_at FROM occurrence WHERE seq > ? ORDER BY seq LIMIT 1"),
    forgetDeliveries: db.prepare("DELETE FROM delivery WHERE occurrence = ?"),
    forget: db.prepare("DELETE FROM occurrence WHERE seq = ?"),
    forgetAttempts: db.prepare(
      "DELETE FROM attempt WHERE rowid IN (SELECT rowid FROM attempt WHERE at < ? OR at > ? LIMIT ?)",
    ),
    // Settled while the clock was ahead, and owed before one that is old.
    forgetAhead: db.prepare(
      `DELETE FROM delivery WHERE seq IN
         (SELECT seq FROM delivery WHERE occurrence IS NULL AND settled_at > ? AND seq <
           (SELECT seq FROM delivery WHERE occurrence IS NULL AND settled_at < ? ORDER BY settled_at DESC LIMIT 1)
          LIMIT ?)`,
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
      `UPDATE delivery SET state = 'dead', settled_at = ?, sent = NULL, reason = 'overflow',
         detail = 'the ledger had reached its size' WHERE id = ? AND state = 'pending'`,
    ),
  };
}
