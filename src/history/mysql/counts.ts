import { number } from "../../ledger/mysql/literal.ts";
import { inserts } from "../../ledger/mysql/script.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../numbers.ts";
import { packed, unpacked } from "../varints.ts";
import { numberAt, timeOf } from "./ids.ts";
import { bytesOf, hex } from "./packed.ts";
import type { Taken } from "./taken.ts";

/** How often each class happened is kept by the minute, the hour and the day: of each one row. */
export const LEVELS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const;
export type Level = keyof typeof LEVELS;
/** As the table numbers them. */
const NUMBER: Readonly<Record<Level, number>> = { minute: 1, hour: 2, day: 3 };
const NAMES = Object.keys(LEVELS) as Level[];

export interface Bucket {
  /** Its beginning, in milliseconds. */
  readonly at: number;
  /** A class, and how many of it, in turn. */
  readonly pairs: readonly number[];
}

/** Statements that add these to the counts that are there: nobody else may write meanwhile. */
export async function countStatements(
  session: Session,
  taken: readonly Taken[],
): Promise<readonly string[]> {
  const all = new Map<string, Map<number, number>>();
  for (const { at, class: of } of taken)
    for (const level of NAMES) {
      const start = Math.floor(at / LEVELS[level]) * LEVELS[level];
      const key = `${NUMBER[level]}, ${number(numberAt(start))}`;
      const counts = all.get(key) ?? new Map<number, number>();
      counts.set(of, (counts.get(of) ?? 0) + 1);
      all.set(key, counts);
    }
  if (all.size === 0) return [];
  const there = await session.query(
    `SELECT level, bucket, pairs FROM kube_crier_history_count
     WHERE (level, bucket) IN (${[...all.keys()].map((key) => `(${key})`).join(", ")})`,
  );
  for (const [level, bucket, pairs] of there) {
    const counts = all.get(`${String(level)}, ${String(bucket)}`);
    if (counts === undefined) continue;
    for (const [of, n] of pairsOf(unpacked(bytesOf(pairs))))
      counts.set(of, (counts.get(of) ?? 0) + n);
  }
  return inserts(
    "REPLACE INTO kube_crier_history_count (level, bucket, pairs) VALUES ",
    [...all].map(([key, counts]) => `(${key}, ${hex(packed([...counts].flat()))})`),
    "",
  );
}

/** The counts of one level from `from` on, before `to`, newest first. */
export async function readCounts(
  session: Session,
  level: Level,
  from: number,
  to: number,
): Promise<readonly Bucket[]> {
  const rows = await session.query(
    `SELECT bucket, pairs FROM kube_crier_history_count
     WHERE level = ${NUMBER[level]} AND bucket >= ${number(numberAt(from))} AND bucket < ${number(numberAt(to))} ORDER BY bucket DESC`,
  );
  return rows.map(([bucket, pairs]) => ({
    at: timeOf(Number(bucket)),
    pairs: unpacked(bytesOf(pairs)),
  }));
}

function* pairsOf(flat: readonly number[]): Generator<readonly [of: number, n: number]> {
  for (let at = 0; at + 1 < flat.length; at += 2) yield [flat[at] ?? 0, flat[at + 1] ?? 0];
}

/** How many of these classes, and how many of all. */
export function sumOf(
  { pairs }: Bucket,
  classes: ReadonlySet<number>,
): { readonly wanted: number; readonly all: number } {
  let [wanted, all] = [0, 0];
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const n = pairs[at + 1] ?? 0;
    all += n;
    if (classes.has(pairs[at] ?? 0)) wanted += n;
  }
  return { wanted, all };
}
