import { number } from "../../ledger/mysql/literal.ts";
import { AwayError, type Session } from "../../ledger/mysql/session.ts";
import { DAY_MS } from "../numbers.ts";
import { numberAt } from "./ids.ts";

/** What is cut into days, and by which column: all of them in the same unit. */
const TABLES = {
  kube_crier_history_entry: "id",
  kube_crier_history_object: "day",
  kube_crier_history_count: "bucket",
  kube_crier_history_segment: "id",
  kube_crier_history_word: "segment",
} as const;
type Table = keyof typeof TABLES;
/** More than three years; what is older, or claims to be, stands together before them. */
const DAYS_MAX = 1_200;
/** Days made, or dropped, in one statement: each is a file, and a clock that is years ahead asks for a thousand of them. */
export const DAYS_AT_ONCE = 31;
/** Days made before they come. */
const AHEAD = 2;
/** Rows of one statement, where the account may not drop partitions. */
const REMOVED = 5_000;

export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** Partitions by day: what is forgotten goes at once, and what is new touches only what is small enough to be in memory. */
export class Days {
  /** The last day there is a partition for; `null`: not looked yet. */
  #last: number | null = null;
  /** The account, or a table, may not: everything stands in the partition of the rest. */
  #refused = false;

  /**
   * Partitions for everything up to `to`; where there are none yet, from `from` on. Milliseconds. Where they are many it takes several
   * calls, and what has none yet stands with the rest until then.
   */
  async cover(session: Session, from: number, to: number): Promise<void> {
    if (this.#refused) return;
    this.#last ??= await lastDay(session);
    const last = dayOf(to) + AHEAD;
    if (this.#last !== null && this.#last >= dayOf(to)) return;
    const first = Math.max(this.#last === null ? dayOf(from) : this.#last + 1, last - DAYS_MAX);
    for (const table of Object.keys(TABLES) as Table[])
      if (!(await this.#cut(session, table, first, Math.min(last, first + DAYS_AT_ONCE - 1))))
        return;
    // Another may have been faster, and had fewer in mind.
    this.#last = await lastDay(session);
  }

  /** Everything before the end of `day`, in every table. */
  async drop(session: Session, day: number): Promise<void> {
    const end = numberAt((day + 1) * DAY_MS);
    for (const [table, column] of Object.entries(TABLES)) {
      const gone = (await partitionsOf(session, table)).filter((one) => one <= day);
      let isDone = gone.length > 0;
      for (let at = 0; isDone && at < gone.length; at += DAYS_AT_ONCE) {
        const some = dropped(gone.slice(at, at + DAYS_AT_ONCE));
        isDone = await allowed(() => alter(session, table, some));
      }
      if (!isDone) await removed(session, table, `${column} < ${number(end)}`);
    }
  }

  /** Nothing is left of any day. */
  async clear(session: Session): Promise<void> {
    for (const table of Object.keys(TABLES))
      if (!(await allowed(async () => void (await session.query(`TRUNCATE TABLE ${table}`)))))
        await removed(session, table, "1 = 1");
  }

  async #cut(session: Session, table: Table, first: number, last: number): Promise<boolean> {
    const there = (await partitionsOf(session, table)).at(-1);
    const from = there === undefined ? first : Math.max(first, there + 1);
    if (from > last) return true;
    const parts = Array.from({ length: last - from + 1 }, (_, index) => {
      const day = from + index;
      return `PARTITION d${day} VALUES LESS THAN (${number(numberAt((day + 1) * DAY_MS))})`;
    });
    const all = [...parts, "PARTITION rest VALUES LESS THAN MAXVALUE"].join(", ");
    const done = await allowed(() =>
      alter(session, table, `REORGANIZE PARTITION rest INTO (${all})`),
    );
    this.#refused = !done;
    return done;
  }
}

function dropped(days: readonly number[]): string {
  return `DROP PARTITION ${days.map((day) => `d${day}`).join(", ")}`;
}

async function alter(session: Session, table: string, how: string): Promise<void> {
  await session.query(`ALTER TABLE ${table} ${how}`);
}

/** The days of a table's partitions, oldest first. */
async function partitionsOf(session: Session, table: string): Promise<readonly number[]> {
  const rows = await session.query(
    `SELECT PARTITION_NAME FROM information_schema.PARTITIONS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}' AND PARTITION_NAME <> 'rest' ORDER BY PARTITION_ORDINAL_POSITION`,
  );
  return rows.map(([name]) => Number(String(name).slice(1)));
}

/** The last day that every table has. */
async function lastDay(session: Session): Promise<number | null> {
  const all: number[] = [];
  for (const table of Object.keys(TABLES)) {
    const last = (await partitionsOf(session, table)).at(-1);
    if (last === undefined) return null;
    all.push(last);
  }
  return Math.min(...all);
}

/** The account may not change tables; or a table has as many partitions as there can be. */
const REFUSED = [1044, 1142, 1227, 1499];
/** Another process has just done it: there is such a partition, or none any more. */
const DONE = [1493, 1507, 1517];

/** False where the account, or the table, may not. */
async function allowed(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    const cause = error instanceof AwayError ? (error.cause as { errno?: unknown } | null) : null;
    const errno = Number(cause?.errno);
    if (DONE.includes(errno)) return true;
    if (REFUSED.includes(errno)) return false;
    throw error;
  }
}

async function removed(session: Session, table: string, where: string): Promise<void> {
  do await session.query(`DELETE FROM ${table} WHERE ${where} LIMIT ${REMOVED}`);
  while (session.changed === REMOVED);
}
