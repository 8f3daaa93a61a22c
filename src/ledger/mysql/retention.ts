import { isAhead, leastOf, type Looked, outlived } from "../outlived.ts";
import { number, text } from "./literal.ts";
import { fence } from "./script.ts";
import type { Rows, Session } from "./session.ts";

/** Attempts are only remembered for rate budgets; no window is longer than a day. */
const ATTEMPTS_KEPT_MS = 25 * 3_600_000;
const OVERFLOWN = "the ledger had reached its size";

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
    now: number,
    cursor: number,
    limit: number,
  ): Promise<{ readonly removed: number; readonly cursor: number | null }> {
    const found = await this.#session.query(
      `SELECT o.seq, o.received_at, EXISTS (
         SELECT 1 FROM kube_crier_delivery d
         WHERE d.occurrence = o.seq AND (d.settled_at IS NULL OR d.settled_at BETWEEN ${number(before)} AND ${number(now)}))
       FROM kube_crier_occurrence o WHERE o.seq > ${number(cursor)} ORDER BY o.seq LIMIT ${number(limit)}`,
    );
    const rows = found.map(toLooked);
    const last = rows.at(-1);
    const behind = isAhead(last, { before, now }) ? await this.#behind(last, now) : null;
    const old = outlived(rows, { before, now, behind });
    const gone = old.flatMap(({ seq, isKept }) => (isKept ? [] : seq));
    if (gone.length > 0) {
      const list = gone.map(number).join(", ");
      // A person may have it owed again since it was looked at.
      await this.#write([
        `DELETE t FROM kube_crier_try t JOIN kube_crier_delivery d ON d.seq = t.delivery WHERE d.occurrence IN (${list}) AND d.settled_at IS NOT NULL`,
        `DELETE FROM kube_crier_delivery WHERE occurrence IN (${list}) AND settled_at IS NOT NULL`,
        `DELETE o FROM kube_crier_occurrence o LEFT JOIN kube_crier_delivery d ON d.occurrence = o.seq WHERE o.seq IN (${list}) AND d.seq IS NULL`,
      ]);
    }
    const more = rows.length === limit && old.length > 0;
    return { removed: gone.length, cursor: more ? (last?.seq ?? null) : null };
  }

  /** The first that was taken after this one, and not while the clock was ahead; `null`: none was. */
  async #behind({ seq }: Looked, now: number): Promise<Looked | null> {
    const one = async (which: string) =>
      (
        await this.#session.query(
          `SELECT seq, received_at FROM kube_crier_occurrence ${which} LIMIT 1`,
        )
      )
        .map(toLooked)
        .at(0);
    const newest = await one("ORDER BY seq DESC");
    if (newest === undefined || newest.takenAt > now) return null;
    const next = async (after: number) =>
      (await one(`WHERE seq > ${number(after)} ORDER BY seq`)) ?? newest;
    const halves = leastOf(seq, newest.seq - 1);
    let step = halves.next();
    while (step.done !== true) step = halves.next((await next(step.value)).takenAt <= now);
    return next(step.value);
  }

  /** Forgets at most `limit` digests and gaps settled before `before`, and attempts no budget asks for any more; answers how many rows went. */
  async pruneSummaries(before: number, now: number, limit: number): Promise<number> {
    const seqs = async (of: string) =>
      (await this.#session.query(of)).map(([seq]) => number(Number(seq)));
    const attempts = await seqs(
      `SELECT seq FROM kube_crier_attempt WHERE at < ${number(now - ATTEMPTS_KEPT_MS)} OR at > ${number(now + ATTEMPTS_KEPT_MS)}
       ORDER BY at LIMIT ${number(limit)}`,
    );
    const old = `occurrence IS NULL AND settled_at < ${number(before)}`;
    // Of those that were settled while the clock was ahead, what was owed before one that is old; first, for they go with it.
    const summaries = await seqs(
      `SELECT seq FROM kube_crier_delivery WHERE (${old}) OR (occurrence IS NULL AND settled_at > ${number(now)} AND seq <
         (SELECT seq FROM kube_crier_delivery WHERE ${old} ORDER BY settled_at DESC LIMIT 1))
       ORDER BY settled_at DESC, seq LIMIT ${number(limit - attempts.length)}`,
    );
    if (attempts.length + summaries.length === 0) return 0;
    const settled = "settled_at IS NOT NULL";
    await this.#write([
      ...listed("DELETE FROM kube_crier_attempt WHERE seq", attempts),
      ...listed(
        `DELETE t FROM kube_crier_try t JOIN kube_crier_delivery d ON d.seq = t.delivery WHERE d.${settled} AND d.seq`,
        summaries,
      ),
      ...listed(`DELETE FROM kube_crier_delivery WHERE ${settled} AND seq`, summaries),
    ]);
    return attempts.length + summaries.length;
  }

  /** Gives up the oldest pending deliveries: dead (overflow). Answers which. */
  async overflow(
    limit: number,
    at: number,
  ): Promise<readonly { readonly id: string; readonly sink: string }[]> {
    const rows = await this.#session.query(
      `SELECT seq FROM kube_crier_delivery WHERE state = 'pending' ORDER BY seq LIMIT ${number(limit)}`,
    );
    if (rows.length === 0) return [];
    const list = rows.map(([seq]) => number(Number(seq))).join(", ");
    // Some may have been settled since they were looked at.
    const given = await this.#write(
      [
        `UPDATE kube_crier_delivery SET state = 'dead', settled_at = ${number(at)}, sent = NULL, reason = 'overflow', detail = ${text(OVERFLOWN)}
         WHERE seq IN (${list}) AND state = 'pending'`,
      ],
      `SELECT id, sink FROM kube_crier_delivery WHERE seq IN (${list}) AND state = 'dead' AND settled_at = ${number(at)} AND reason = 'overflow' ORDER BY seq`,
    );
    return given.map(([id, sink]) => ({ id: String(id), sink: String(sink) }));
  }

  /** Bytes of the tables with their indexes (what the history is looked up in goes with its days), and about how many occurrences they hold, as the server has last counted, with what tells of several. */
  async size(): Promise<{ readonly bytes: number; readonly rows: number }> {
    const rows = await this.#session.query(
      `SELECT TABLE_NAME, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'kube\\_crier\\_%' AND TABLE_NAME NOT LIKE 'kube\\_crier\\_history%'`,
    );
    const [[summaries] = []] = await this.#session.query(
      "SELECT COUNT(*) FROM kube_crier_delivery WHERE occurrence IS NULL",
    );
    const occurrences = rows.find(([name]) => name === "kube_crier_occurrence")?.[1] ?? 0;
    return {
      bytes: rows.reduce((sum, [, , bytes]) => sum + Number(bytes), 0),
      rows: Number(occurrences) + Number(summaries),
    };
  }

  /** Lets the server count again, by looking at a few pages. */
  async analyze(): Promise<void> {
    await this.#session.query(
      "ANALYZE NO_WRITE_TO_BINLOG TABLE kube_crier_occurrence, kube_crier_delivery",
    );
  }

  /** @returns the rows of `answer`, asked when the rest is written */
  #write(statements: readonly string[], ...answer: readonly string[]): Promise<Rows> {
    return this.#session.transaction([
      ["START TRANSACTION", ...statements, fence(this.#holder), "COMMIT", ...answer],
    ]);
  }
}

function toLooked([seq, receivedAt, kept]: Rows[number]): Looked {
  return { seq: Number(seq), takenAt: Number(receivedAt), isKept: Number(kept) === 1 };
}

function listed(statement: string, which: readonly string[]): readonly string[] {
  return which.length === 0 ? [] : [`${statement} IN (${which.join(", ")})`];
}
