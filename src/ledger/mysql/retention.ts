import { number, text } from "./literal.ts";
import { fence } from "./script.ts";
import type { Session } from "./session.ts";

/** Attempts are only remembered for rate budgets; no window is longer than a day. */
const ATTEMPTS_KEPT_MS = 25 * 3_600_000;

/** How the ledger stays within its age and its size. Each call is a few rows, found by an index, in one short transaction. */
export class MysqlRetention {
  readonly #session: Session;
  readonly #holder: string;

  constructor(session: Session, holder: string) {
    this.#session = session;
    this.#holder = holder;
  }

  /**
   * Looks at the next `limit` occurrences after `cursor` (0: from the oldest) and forgets those taken and settled before `before`,
   * with their deliveries. What is pending stays, however old.
   * @returns how many occurrences went, and where to go on; `null` when everything older than `before` has been seen
   */
  async prune(
    before: number,
    cursor: number,
    limit: number,
  ): Promise<{ readonly removed: number; readonly cursor: number | null }> {
    const rows = await this.#session.query(
      `SELECT o.seq, o.received_at, EXISTS (
         SELECT 1 FROM kube_crier_delivery d
         WHERE d.occurrence = o.seq AND (d.settled_at IS NULL OR d.settled_at >= ${number(before)}))
       FROM kube_crier_occurrence o WHERE o.seq > ${number(cursor)} ORDER BY o.seq LIMIT ${number(limit)}`,
    );
    // By the clock of that time, which may have been wrong: one from the future must not hide what stands behind it.
    const old = rows.filter(([, receivedAt]) => Number(receivedAt) < before);
    const gone = old.flatMap(([seq, , kept]) => (Number(kept) === 0 ? Number(seq) : []));
    if (gone.length > 0) {
      const list = gone.map(number).join(", ");
      await this.#write([
        `DELETE t FROM kube_crier_try t JOIN kube_crier_delivery d ON d.seq = t.delivery WHERE d.occurrence IN (${list})`,
        `DELETE FROM kube_crier_delivery WHERE occurrence IN (${list})`,
        `DELETE FROM kube_crier_occurrence WHERE seq IN (${list})`,
      ]);
    }
    const more = rows.length === limit && old.length > 0;
    return { removed: gone.length, cursor: more ? Number(rows.at(-1)?.[0]) : null };
  }

  /** Forgets at most `limit` digests and gaps settled before `before`, and attempts no budget asks for any more. */
  async pruneSummaries(before: number, now: number, limit: number): Promise<void> {
    const old = `FROM kube_crier_delivery WHERE occurrence IS NULL AND settled_at < ${number(before)} ORDER BY settled_at, seq LIMIT ${number(limit)}`;
    await this.#write([
      `DELETE FROM kube_crier_attempt WHERE at < ${number(now - ATTEMPTS_KEPT_MS)} ORDER BY at LIMIT ${number(limit)}`,
      `DELETE t FROM kube_crier_try t JOIN (SELECT seq ${old}) gone ON gone.seq = t.delivery`,
      `DELETE ${old}`,
    ]);
  }

  /** Gives up the oldest pending deliveries: dead (overflow). Answers which. */
  async overflow(
    limit: number,
    at: number,
  ): Promise<readonly { readonly id: string; readonly sink: string }[]> {
    const rows = await this.#session.query(
      `SELECT seq, id, sink FROM kube_crier_delivery WHERE state = 'pending' ORDER BY seq LIMIT ${number(limit)}`,
    );
    if (rows.length === 0) return [];
    const list = rows.map(([seq]) => number(Number(seq))).join(", ");
    await this.#write([
      `UPDATE kube_crier_delivery SET state = 'dead', settled_at = ${number(at)}, reason = 'overflow', detail = ${text("the ledger had reached its size")}
       WHERE seq IN (${list}) AND state = 'pending'`,
    ]);
    return rows.map(([, id, sink]) => ({ id: String(id), sink: String(sink) }));
  }

  /** Bytes of the tables with their indexes (what the history is looked up in goes with its days), and about how many occurrences they hold, as the server has last counted. */
  async size(): Promise<{ readonly bytes: number; readonly rows: number }> {
    const rows = await this.#session.query(
      `SELECT TABLE_NAME, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'kube\\_crier\\_%' AND TABLE_NAME NOT LIKE 'kube\\_crier\\_history%'`,
    );
    return {
      bytes: rows.reduce((sum, [, , bytes]) => sum + Number(bytes), 0),
      rows: Number(rows.find(([name]) => name === "kube_crier_occurrence")?.[1] ?? 0),
    };
  }

  /** Lets the server count again, by looking at a few pages. */
  async analyze(): Promise<void> {
    await this.#session.query(
      "ANALYZE NO_WRITE_TO_BINLOG TABLE kube_crier_occurrence, kube_crier_delivery",
    );
  }

  async #write(statements: readonly string[]): Promise<void> {
    await this.#session.transaction([
      ["START TRANSACTION", ...statements, fence(this.#holder), "COMMIT"],
    ]);
  }
}
