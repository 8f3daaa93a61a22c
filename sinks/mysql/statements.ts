import { quoted } from "./columns.ts";
import type { Layout, WriteColumn } from "./layout.ts";

/**
 * Rows of one statement: a power of two, so that a connection prepares a handful of texts and no more
 * (each text takes a place below the server's max_prepared_stmt_count).
 */
export const LARGEST = 256;

/** The sizes that add up to a number of rows, largest first: 200 → 128, 64, 8. */
export function sizesOf(rows: number): readonly number[] {
  const sizes: number[] = [];
  let left = rows;
  for (let size = LARGEST; size >= 1; size /= 2) {
    for (; left >= size; left -= size) sizes.push(size);
  }
  return sizes;
}

/** @param adds how `count` is made of two rows of one event: the greater of both, or their sum where rows were counted */
export function insertRows(
  table: string,
  layout: Layout,
  rows: number,
  adds: "greatest" | "sum" = "greatest",
): string {
  const names = layout.columns.map(({ field }) => quoted(field)).join(", ");
  const tuple = `(${layout.columns.map(placeholder).join(", ")})`;
  const insert = `INSERT INTO ${quoted(table)} (${names}) VALUES ${Array.from({ length: rows }, () => tuple).join(", ")}`;
  return layout.mode === "append"
    ? insert
    : `${insert} ON DUPLICATE KEY UPDATE ${updates(layout, adds)}`;
}

/** An INSERT that adds nothing: whoever may not write learns it here. */
export function tryInsert(table: string, layout: Layout): string {
  const names = layout.columns.map(({ field }) => quoted(field)).join(", ");
  const insert = `INSERT INTO ${quoted(table)} (${names}) SELECT ${names} FROM ${quoted(table)} WHERE 1 = 0`;
  return layout.mode === "append"
    ? insert
    : `${insert} ON DUPLICATE KEY UPDATE ${quoted("event_id")} = VALUES(${quoted("event_id")})`;
}

/** Which occurrences of these events have a row already. */
export function findOccurrences(table: string, layout: Layout, events: number): string {
  const column = layout.columns.find(({ field }) => field === "event_id");
  const mark = column === undefined ? "?" : placeholder(column);
  return `SELECT event_id, last_occurrence_time FROM ${quoted(table)} WHERE event_id IN (${Array.from({ length: events }, () => mark).join(", ")})`;
}

function placeholder({ charset }: Pick<WriteColumn, "charset">): string {
  return charset === null ? "?" : `CONVERT(? USING ${charset})`;
}

/** What a later occurrence knows better replaces what is there; an earlier one, arriving late, only lengthens the story. */
function updates({ columns }: Layout, adds: "greatest" | "sum"): string {
  const has = (name: string) => columns.some(({ field }) => field === name);
  const given = (name: string) => `VALUES(${quoted(name)})`;
  const last = quoted("last_occurrence_time");
  const newer = has("count")
    ? `(${given("count")}, ${given("last_occurrence_time")}) >= (${quoted("count")}, ${last})`
    : `${given("last_occurrence_time")} >= ${last}`;
  const byAge = adds === "sum" ? `${given("last_occurrence_time")} >= ${last}` : newer;
  const told = columns
    .map(({ field }) => field)
    .filter((field) => !DERIVED.has(field))
    .map((field) => `${quoted(field)} = IF(${byAge}, ${given(field)}, ${quoted(field)})`);
  const first = quoted("first_occurrence_time");
  const count = quoted("count");
  return [
    // In this order: what is assigned is what later assignments see.
    ...told,
    `${first} = LEAST(${first}, ${given("first_occurrence_time")})`,
    ...(has("count")
      ? [
          adds === "sum"
            ? `${count} = ${count} + ${given("count")}`
            : `${count} = GREATEST(${count}, ${given("count")})`,
        ]
      : []),
    `${last} = GREATEST(${last}, ${given("last_occurrence_time")})`,
  ].join(", ");
}

const DERIVED: ReadonlySet<string> = new Set([
  "cluster",
  "event_id",
  "first_occurrence_time",
  "last_occurrence_time",
  "count",
]);
