import type { SinkIo } from "../../src/sink/index.ts";
import { quoted } from "./columns.ts";
import type { Connection } from "./driver.ts";
import type { Layout } from "./layout.ts";
import { type Opened, openTable, type Target } from "./table.ts";
import { dateTime } from "./time.ts";
import { troubleOf } from "./trouble.ts";

const EVERY_MS = 3_600_000;
/** Rows of one DELETE: it holds its locks for some milliseconds only. */
const BATCH = 500;
/** Rests four times as long as it works, and at least so long. */
const REST = 4;
const REST_MS = 20;
const TELL_EVERY = 100_000;
const CONNECT_MS = 10_000;

/** Deletes what is too old, hour by hour, in small pieces on a connection of its own. */
export class Retention {
  readonly #target: Target;
  readonly #keepMs: number;
  readonly #io: Pick<SinkIo, "clock" | "notice" | "warning">;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(target: Target, keepMs: number, io: Pick<SinkIo, "clock" | "notice" | "warning">) {
    this.#target = target;
    this.#keepMs = keepMs;
    this.#io = io;
  }

  /** Once the table is known to be there. */
  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#sweep(signal);
      } catch (error) {
        const { verdict } = troubleOf(error, this.#target);
        if (verdict.kind !== "accepted" && !signal.aborted)
          this.#io.warning(`old rows could not be deleted; again in an hour: ${verdict.detail}`);
      }
      await this.#io.clock.sleep(EVERY_MS, signal);
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<null>();
    let connection: Connection | null = null;
    // A server that hangs must not hold up the end, at whatever it does.
    const abort = () => {
      connection?.destroy();
      over.resolve(null);
    };
    signal.addEventListener("abort", abort, { once: true });
    try {
      const opening = openTable(this.#target, CONNECT_MS, (made) => {
        connection = made;
        if (signal.aborted) made.destroy();
      });
      const opened = await Promise.race([opening, over.promise]);
      if (opened === null) opening.catch(() => undefined);
      else await this.#remove(opened, signal);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #remove({ connection, layout }: Opened, signal: AbortSignal): Promise<void> {
    const { clock } = this.#io;
    const before = dateTime(new Date(clock.now() - this.#keepMs).toISOString(), 3);
    let removed = 0;
    let told = 0;
    try {
      for (;;) {
        const started = clock.now();
        const { deleted, more } = await removeOld(connection, this.#target.table, layout, before);
        removed += deleted;
        if (removed - told >= TELL_EVERY) {
          told = removed;
          this.#io.notice(`retention: ${removed} rows older than ${before} deleted so far`);
        }
        if (!more) break;
        await clock.sleep(Math.max(REST_MS, REST * (clock.now() - started)), signal);
      }
      if (removed > 0) this.#io.notice(`retention: ${removed} rows older than ${before} deleted`);
    } finally {
      await connection.end();
    }
  }
}

/**
 * One small piece of what is older.
 * @param before as a DATETIME in UTC
 */
export async function removeOld(
  connection: Connection,
  table: string,
  { age }: Layout,
  before: string,
): Promise<{ readonly deleted: number; readonly more: boolean }> {
  const name = quoted(table);
  if (age === "last_occurrence_time") {
    await connection.execute(
      `DELETE FROM ${name} WHERE last_occurrence_time < ? ORDER BY last_occurrence_time LIMIT ${BATCH}`,
      [before],
    );
    return { deleted: connection.changed, more: connection.changed === BATCH };
  }
  // Without an index on a time: the oldest rows are those with the smallest ids, and reading stops at the first that are young.
  const oldest = await connection.query(
    `SELECT id, update_time FROM ${name} ORDER BY id LIMIT ${BATCH}`,
  );
  const last = oldest.findLast(([, written]) => String(written) < before);
  if (last === undefined) return { deleted: 0, more: false };
  await connection.execute(`DELETE FROM ${name} WHERE id <= ? AND update_time < ?`, [
    String(last[0]),
    before,
  ]);
  return { deleted: connection.changed, more: connection.changed === BATCH };
}
