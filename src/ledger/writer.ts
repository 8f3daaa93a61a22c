import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { ATTEMPTS_KEPT, type Delivery } from "../event/delivery.ts";
import { storedKey } from "./key.ts";
import { ANSWERED, BEGUN, transactions } from "./rows.ts";
import type { Write } from "./store.ts";
import { witnessText } from "./witness.ts";

/** Applies writes to the tables; `write` is one transaction. */
export class Writer {
  readonly #inTransaction;
  readonly #sql;

  constructor(db: DatabaseSync) {
    this.#inTransaction = transactions(db);
    this.#sql = statements(db);
  }

  write(writes: readonly Write[]): readonly boolean[] {
    return this.#inTransaction(() => {
      const taken: boolean[] = [];
      for (const write of writes) {
        switch (write.kind) {
          case "take":
            taken.push(this.#take(write));
            break;
          case "checkpoint": {
            const { scope, cluster, resourceVersion, at, witness } = write.checkpoint;
            this.#sql.checkpoint.run(scope, cluster, resourceVersion, at, witnessText(witness));
            break;
          }
          case "settle":
            this.#settle(write);
            break;
          case "fold":
            for (const id of write.ids) this.#sql.folded.run(write.at, write.delivery.id, id);
            this.#owe(write.delivery, null);
            break;
          case "attempt":
            this.#sql.attempt.run(write.sink, write.at);
            if (write.id !== undefined) this.#sql.begun.run(write.id);
            break;
        }
      }
      return taken;
    });
  }

  #take(write: Write & { kind: "take" }): boolean {
    const { event } = write;
    let occurrence: SQLInputValue = null;
    if (event !== null) {
      const { namespace, kind, name } = event.object;
      const key = storedKey(event);
      const { changes, lastInsertRowid } = this.#sql.occurrence.run(
        key,
        write.receivedAt,
        namespace,
        kind,
        name,
        event.reason,
        JSON.stringify(event),
        write.suppressed ?? null,
        event.key,
      );
      if (changes === 0 && !write.force) return false;
      occurrence = changes === 0 ? this.#known(key, event.key) : lastInsertRowid;
    }
    for (const delivery of write.deliveries) this.#owe(delivery, occurrence);
    return true;
  }

  #known(...keys: [string, string]): SQLInputValue {
    return this.#sql.known.get(...keys)?.["seq"] ?? null;
  }

  #owe(delivery: Delivery, occurrence: SQLInputValue): void {
    const shared = occurrence !== null && delivery.alert.kind === "event";
    this.#sql.owe.run(
      delivery.id,
      delivery.sink,
      occurrence,
      shared ? null : JSON.stringify(delivery.alert),
      delivery.attempts,
      delivery.owedAt,
      delivery.notBefore,
    );
  }

  #settle({ id, outcome, failed, tries }: Write & { kind: "settle" }): void {
    // The last one goes along with its settlement; more there are only after the disk had refused.
    const last = outcome.kind === "delivered" ? undefined : tries.at(-1);
    for (const one of last === undefined ? tries : tries.slice(0, -1))
      this.#sql.tried.run(JSON.stringify(one), id);
    const tried = last === undefined ? null : JSON.stringify(last);
    const took = outcome.tookMs ?? null;
    switch (outcome.kind) {
      case "delivered":
        this.#sql.delivered.run(failed, outcome.at, outcome.sent, outcome.answer, took, id);
        return;
      case "retry":
        this.#sql.retry.run(failed, outcome.notBefore, outcome.reason, outcome.detail, tried, id);
        return;
      case "dead":
        this.#sql.dead.run(failed, outcome.at, outcome.reason, outcome.detail, tried, id);
        return;
    }
  }
}

/** Adds an attempt (`null`: none) to those that are kept, as `keptAttempts` says. */
const TRIED = `tries = (
  SELECT CASE
    WHEN n.tried IS NULL THEN tries
    WHEN json_array_length(n.old) < ${ATTEMPTS_KEPT} THEN json_insert(n.old, '$[#]', json(n.tried))
    ELSE json_insert(json_remove(n.old, '$[1]'), '$[#]', json(n.tried)) END
  FROM (SELECT ? AS tried, COALESCE(tries, '[]') AS old) n)`;

function statements(db: DatabaseSync) {
  return {
    // By its key alone it is known where a ledger older than version 3 took it.
    occurrence: db.prepare(
      `INSERT OR IGNORE INTO occurrence (key, received_at, namespace, kind, name, reason, event, suppressed)
       SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM occurrence WHERE key = ?)`,
    ),
    known: db.prepare("SELECT seq FROM occurrence WHERE key IN (?, ?)"),
    owe: db.prepare(
      `INSERT INTO delivery (id, sink, occurrence, alert, state, attempts, owed_at, not_before)
       VALUES (?, ?, ?, ?, 'pending', ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
    ),
    checkpoint: db.prepare(
      `INSERT INTO checkpoint (scope, cluster, resource_version, at, witness) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (scope) DO UPDATE
       SET cluster = excluded.cluster, resource_version = excluded.resource_version, at = excluded.at, witness = excluded.witness`,
    ),
    // A delivery that was given up while its request was under way, and arrived after all, did arrive.
    delivered: db.prepare(
      `UPDATE delivery SET state = 'delivered', attempts = attempts + ?, settled_at = ?, sent = ?, answer = ?, took = ?, reason = NULL, detail = NULL
       WHERE id = ? AND state IN ('pending', 'dead')`,
    ),
    retry: db.prepare(
      `UPDATE delivery SET attempts = attempts + ?, not_before = ?, reason = ?, detail = ?, sent = ${ANSWERED}, ${TRIED}
       WHERE id = ? AND state = 'pending'`,
    ),
    dead: db.prepare(
      `UPDATE delivery SET state = 'dead', attempts = attempts + ?, settled_at = ?, reason = ?, detail = ?, sent = NULL, ${TRIED}
       WHERE id = ? AND state = 'pending'`,
    ),
    folded: db.prepare(
      `UPDATE delivery SET state = 'folded', settled_at = ?, sent = NULL, folded_into = ? WHERE id = ? AND state = 'pending'`,
    ),
    tried: db.prepare(`UPDATE delivery SET ${TRIED} WHERE id = ?`),
    attempt: db.prepare("INSERT INTO attempt (sink, at) VALUES (?, ?)"),
    begun: db.prepare(`UPDATE delivery SET sent = ${BEGUN} WHERE id = ? AND state = 'pending'`),
  };
}
