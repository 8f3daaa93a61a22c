import type { DatabaseSync } from "node:sqlite";
import type { Delivery } from "../event/delivery.ts";
import type { KubeEvent } from "../event/event.ts";
import type { Checkpoint } from "../source/source.ts";
import { onStorage } from "./failure.ts";
import { storedKey } from "./key.ts";
import { DELIVERY_COLUMNS, numberOrNull, text, toDelivery } from "./rows.ts";
import type { Owed, Pending, Store, Write } from "./store.ts";
import { witnessOf } from "./witness.ts";
import { Writer } from "./writer.ts";

const PENDING = "FROM delivery d WHERE d.sink = ? AND d.state = 'pending'";
/** As they fall due; the order of the partial index, so that nothing is sorted. */
const IN_ORDER = "ORDER BY d.not_before, d.owed_at, d.seq";

/** The embedded ledger: one SQLite file that `openDatabase` has prepared. */
export class SqliteStore implements Store {
  readonly #writer: Writer;
  readonly #sql;
  /** The occurrence that was taken last before it was opened. */
  readonly #mark: number;

  constructor(db: DatabaseSync) {
    this.#writer = new Writer(db);
    this.#sql = statements(db);
    this.#mark = lastIn(db);
  }

  write(writes: readonly Write[]): readonly boolean[] {
    return onStorage(() => this.#writer.write(writes));
  }

  has(event: KubeEvent): boolean {
    return onStorage(() => this.#sql.has.get(storedKey(event), event.key) !== undefined);
  }

  unowed(event: KubeEvent, sinks: readonly string[]): boolean {
    const asked = [storedKey(event), event.key, this.#mark, JSON.stringify(sinks)] as const;
    return onStorage(() => this.#sql.unowed.get(...asked) !== undefined);
  }

  get(id: string): Delivery | null {
    return onStorage(() => {
      const row = this.#sql.get.get(id);
      return row === undefined ? null : toDelivery(row);
    });
  }

  due(sink: string, now: number, limit: number): readonly Delivery[] {
    return onStorage(() => this.#sql.due.all(sink, now, limit).map(toDelivery));
  }

  *backlog(sink: string): Iterable<Owed> {
    const rows = onStorage(() => this.#sql.backlog.iterate(sink));
    try {
      for (;;) {
        const next = onStorage(() => rows.next());
        if (next.done === true) return;
        const row = next.value;
        yield {
          id: text(row["id"]),
          notBefore: Number(row["not_before"]),
          owedAt: Number(row["owed_at"]),
        };
      }
    } finally {
      // An unfinished statement would keep its snapshot, and the WAL from being emptied.
      rows.return?.();
    }
  }

  pending(sink: string, now: number): Pending {
    return onStorage(() => {
      const row = this.#sql.pending.get(now, sink) ?? {};
      return {
        due: Number(row["due"]),
        total: Number(row["total"]),
        nextAt: this.nextAt(sink, now),
        oldestOwedAt: numberOrNull(row["oldest"]),
      };
    });
  }

  nextAt(sink: string, now: number): number | null {
    return onStorage(() => numberOrNull(this.#sql.nextAt.get(sink, now)?.["at"]));
  }

  throttledUntil(sink: string, now: number): number | null {
    return onStorage(() => numberOrNull(this.#sql.throttledUntil.get(sink, now)?.["at"]));
  }

  recentAttempts(sink: string, since: number): readonly number[] {
    return onStorage(() => this.#sql.attempts.all(sink, since).map((row) => Number(row["at"])));
  }

  checkpoints(): ReadonlyMap<string, Checkpoint> {
    return onStorage(
      () =>
        new Map(
          this.#sql.checkpoints.all().map((row) => {
            const scope = text(row["scope"]);
            const checkpoint = {
              scope,
              cluster: text(row["cluster"]),
              resourceVersion: text(row["resource_version"]),
              at: Number(row["at"]),
              ...witnessOf(row["witness"]),
            };
            return [scope, checkpoint];
          }),
        ),
    );
  }

  setBack(now: number, ms: number): boolean {
    onStorage(() => this.#sql.setBack.run(now, ms, now));
    return true;
  }

  version(): number {
    return onStorage(() => Number(this.#sql.version.get()?.["data_version"]));
  }
}

/** None where it cannot be read: that is found by whoever has to. */
function lastIn(db: DatabaseSync): number {
  try {
    const row = db.prepare("SELECT MAX(seq) AS seq FROM occurrence").get();
    return Number(row?.["seq"] ?? 0);
  } catch {
    return 0;
  }
}

function statements(db: DatabaseSync) {
  return {
    has: db.prepare("SELECT 1 FROM occurrence WHERE key IN (?, ?)"),
    unowed: db.prepare(
      `SELECT 1 FROM occurrence o WHERE o.key IN (?, ?) AND o.seq <= ? AND NOT EXISTS (
         SELECT 1 FROM delivery d WHERE d.occurrence = o.seq AND d.sink IN (SELECT value FROM json_each(?)))`,
    ),
    get: db.prepare(`SELECT ${DELIVERY_COLUMNS} WHERE d.id = ? AND d.state = 'pending'`),
    due: db.prepare(
      `SELECT ${DELIVERY_COLUMNS}
       WHERE d.sink = ? AND d.state = 'pending' AND d.not_before <= ? ${IN_ORDER} LIMIT ?`,
    ),
    backlog: db.prepare(`SELECT d.id, d.not_before, d.owed_at ${PENDING} ${IN_ORDER}`),
    pending: db.prepare(
      `SELECT COUNT(*) AS total, COUNT(*) FILTER (WHERE d.not_before <= ?) AS due, MIN(d.owed_at) AS oldest ${PENDING}`,
    ),
    nextAt: db.prepare(`SELECT MIN(d.not_before) AS at ${PENDING} AND d.not_before > ?`),
    throttledUntil: db.prepare(
      `SELECT MAX(d.not_before) AS at ${PENDING} AND d.not_before > ? AND d.reason = 'throttled'`,
    ),
    attempts: db.prepare("SELECT at FROM attempt WHERE sink = ? AND at >= ? ORDER BY at"),
    checkpoints: db.prepare("SELECT * FROM checkpoint"),
    setBack: db.prepare(
      "UPDATE delivery SET not_before = MAX(?, not_before - ?) WHERE state = 'pending' AND not_before > ?",
    ),
    version: db.prepare("PRAGMA data_version"),
  };
}
