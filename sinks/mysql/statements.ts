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

/** @param adds how `count` is made of two rows of one event: the greater of both, or their sum where each row was one occurrence */
export function insertRows(
  table: string,
  layout: Layout,
  rows: number,
  adds: "greatest" | "sum" = "greatest",
): string {
  const names = layout.columns.map(({ field }) => quoted(field)).join(", ");
  const tuple = `(${layout.columns.map(() => "?").join(", ")})`;
  const insert = `INSERT INTO ${quoted(table)} (${names}) VALUES ${Array.from({ length: rows }, () => tuple).join(", ")}`;
  if (layout.mode === "append") return insert;
  const updates = adds === "sum" ? summed(layout) : kept(layout);
  return `${insert} ON DUPLICATE KEY UPDATE ${updates.join(", ")}`;
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
export function findOccurrences(table: string, events: number): string {
  const marks = Array.from({ length: events }, () => "?").join(", ");
  return `SELECT event_id, last_occurrence_time FROM ${quoted(table)} WHERE event_id IN (${marks})`;
}

const given = (name: string): string => `VALUES(${quoted(name)})`;
const FIRST = quoted("first_occurrence_time");
const LAST = quoted("last_occurrence_time");
const COUNT = quoted("count");
const LATER = `${given("last_occurrence_time")} >= ${LAST}`;

/**
 * What a later occurrence knows better replaces what is there; an earlier one, arriving late, only lengthens the story.
 * In this order: what is assigned is what later assignments see.
 */
function kept({ columns }: Layout): readonly string[] {
  const counted = columns.some(({ field }) => field === "count");
  const newer = counted
    ? `(${given("count")}, ${given("last_occurrence_time")}) >= (${COUNT}, ${LAST})`
    : LATER;
  return [
    ...told(columns, newer),
    ...(counted ? [`${COUNT} = GREATEST(${COUNT}, ${given("count")})`] : []),
    ...times(),
  ];
}

/** Rows of kube-eventer's add up, but not onto one that is ours: it knows the event's own count. */
function summed({ columns }: Layout): readonly string[] {
  const theirs = `${quoted("component")} = '' AND ${quoted("object_uid")} = ''`;
  return [
    `${COUNT} = IF(${theirs}, ${COUNT} + ${given("count")}, GREATEST(${COUNT}, ${given("count")}))`,
    ...told(columns, LATER),
    ...times(),
  ];
}

function told(columns: readonly WriteColumn[], condition: string): readonly string[] {
  return columns
    .map(({ field }) => field)
    .filter((field) => !DERIVED.has(field))
    .map((field) => `${quoted(field)} = IF(${condition}, ${given(field)}, ${quoted(field)})`);
}

function times(): readonly string[] {
  return [
    `${FIRST} = LEAST(${FIRST}, ${given("first_occurrence_time")})`,
    `${LAST} = GREATEST(${LAST}, ${given("last_occurrence_time")})`,
  ];
}

const DERIVED: ReadonlySet<string> = new Set([
  "cluster",
  "event_id",
  "first_occurrence_time",
  "last_occurrence_time",
  "count",
]);
