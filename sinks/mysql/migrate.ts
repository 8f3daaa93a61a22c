import type { Clock } from "../../src/sink/index.ts";
import { COLUMNS, createTable, type Field, quoted, type Row } from "./columns.ts";
import type { Cell, Connection } from "./driver.ts";
import { readLayout, type Layout } from "./layout.ts";
import { encode } from "./row.ts";
import { insertRows, sizesOf } from "./statements.ts";
import { type Found, findTable, layoutOf } from "./table.ts";
import { readStored } from "./time.ts";

/** Rows read and written at a time. */
const BATCH = 1_000;
/** How long a row with a smaller id may come after one with a greater. */
const SETTLE_MS = 2_000;

export interface Plan {
  readonly table: string;
  /** The server's estimates. */
  readonly rows: number;
  readonly bytes: number;
  /** Where the copy grows, and where the table is kept afterwards. */
  readonly copy: string;
  readonly kept: string;
  /** What will be done, in order, as statements where they are some. */
  readonly steps: readonly string[];
}

/** Why a table cannot be migrated, in words for a person. */
export class MigrationError extends Error {}

/** The tables have changed places, and what came at the last moment could not be copied. */
export class LastMomentError extends Error {}

/** @returns `null` where the table has all that it should. @throws MigrationError */
export async function planOf(connection: Connection, table: string): Promise<Plan | null> {
  const found = await findTable(connection, table);
  if (found === null)
    throw new MigrationError(
      `there is no table ${table} in this database; run creates it by itself, as it should be`,
    );
  const read = readLayout(table, found.columns, found.indexes);
  if ("layout" in read && read.layout.whole) return null;
  if (!found.columns.some(({ name }) => name.toLowerCase() === "id"))
    throw new MigrationError(
      `${table} has no column id to copy it by; ALTER TABLE ${quoted(table)} ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST;`,
    );
  const copy = `${table}__new`.slice(-64);
  const kept = `${table}__before`.slice(-64);
  if ((await findTable(connection, kept)) !== null)
    throw new MigrationError(
      `${kept} exists from a migration before; when nobody needs it any more: DROP TABLE ${quoted(kept)};`,
    );
  const [[rows, bytes] = []] = await connection.execute(
    "SELECT TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?",
    [table],
  );
  return {
    table,
    rows: Number(rows ?? 0),
    bytes: Number(bytes ?? 0),
    copy,
    kept,
    steps: [
      `DROP TABLE IF EXISTS ${quoted(copy)}; -- what a migration that was interrupted or undone has left`,
      `${createTable(copy)};`,
      `copy ${table} into ${copy}, ${BATCH} rows at a time: one row for each event, its rows counted, texts of times read as times; ${table} is read and written as before meanwhile`,
      swap(table, copy, kept),
      `copy what came into ${kept} at the last moment`,
    ],
  };
}

function swap(table: string, copy: string, kept: string): string {
  return `RENAME TABLE ${quoted(table)} TO ${quoted(kept)}, ${quoted(copy)} TO ${quoted(table)};`;
}

/**
 * Does what the plan says. Whoever appends to the table meanwhile loses nothing; interrupted, it leaves the table as it was and begins again.
 * @param cluster of rows that name none
 * @param progress rows copied so far
 * @returns rows read, and the events they were about
 * @throws LastMomentError where it was too late for that
 */
export async function migrate(
  connection: Connection,
  plan: Plan,
  ports: {
    readonly clock: Clock;
    readonly cluster: string;
    readonly progress: (rows: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly read: number; readonly events: number }> {
  const { table, copy, kept } = plan;
  const { clock, signal, progress } = ports;
  const source = await findTable(connection, table);
  if (source === null) throw new MigrationError(`the table ${table} has gone`);
  await connection.query(`DROP TABLE IF EXISTS ${quoted(copy)}`);
  await connection.query(createTable(copy));
  const target = withUpdateTime(
    layoutOf({ table: copy }, (await findTable(connection, copy)) ?? { columns: [], indexes: [] }),
  );
  const reader = readerOf(source, ports.cluster);
  let last = "0";
  let read = 0;
  const copyUpTo = async (from: string, into: string, end: string | null) => {
    for (;;) {
      // Behind the swap there is no way back: what came at the last moment would be in neither of both tables that are read.
      if (end !== null) signal.throwIfAborted();
      const rows = await connection.execute(
        `SELECT ${reader.columns} FROM ${quoted(from)} WHERE id > ? ${end === null ? "" : "AND id <= ?"} ORDER BY id LIMIT ${BATCH}`,
        end === null ? [last] : [last, end],
      );
      await writeRows(connection, into, target, rows.map(reader.row));
      last = String(rows.at(-1)?.[0] ?? last);
      read += rows.length;
      progress(read);
      if (rows.length < BATCH) return;
    }
  };

  for (;;) {
    const before = read;
    const [[end] = []] = await connection.query(`SELECT MAX(id) FROM ${quoted(table)}`);
    if (end === null || end === undefined) break;
    await clock.sleep(SETTLE_MS, signal);
    await copyUpTo(table, copy, String(end));
    if (read - before < BATCH) break;
  }
  signal.throwIfAborted();
  await connection.query(swap(table, copy, kept));
  try {
    await copyUpTo(kept, table, null);
  } catch (error) {
    // Given again, the command would find the table whole and nothing to do.
    throw new LastMomentError(
      `the tables have changed places, but rows of ${kept} with an id over ${last} may be missing in ${table}: ${error instanceof Error ? error.message : String(error)}; to begin again, ${swap(table, kept, copy)} and give the command again`,
    );
  }
  const [[events] = []] = await connection.query(`SELECT COUNT(*) FROM ${quoted(table)}`);
  return { read, events: Number(events ?? 0) };
}

async function writeRows(
  connection: Connection,
  table: string,
  layout: Layout,
  rows: readonly Row[],
): Promise<void> {
  let start = 0;
  for (const size of sizesOf(rows.length)) {
    const part = rows.slice(start, start + size);
    start += size;
    await connection.execute(
      insertRows(table, layout, size, "sum"),
      part.flatMap((row) => encode(row, layout).values),
    );
  }
}

function withUpdateTime(layout: Layout): Layout {
  const column = {
    field: "update_time",
    holds: "time",
    size: null,
    precision: 6,
    charset: null,
  } as const;
  return { ...layout, columns: [...layout.columns, column] };
}

/** How rows of a table, whatever it has of our columns, are read. */
function readerOf(
  { columns }: Found,
  cluster: string,
): { readonly columns: string; readonly row: (cells: readonly Cell[]) => Row } {
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  const fields = [...COLUMNS.map(({ field }) => field), "update_time" as const].filter((field) =>
    names.has(field),
  );
  const place = new Map<Field, number>(fields.map((field, index) => [field, index + 1]));
  return {
    columns: ["id", ...fields].map(quoted).join(", "),
    row: (cells) => {
      const text = (field: Field, fallback = "") => {
        const cell = cells[place.get(field) ?? -1];
        return cell === null || cell === undefined ? fallback : String(cell);
      };
      const written = readStored(text("update_time"));
      const first = readStored(text("first_occurrence_time"));
      const last = readStored(text("last_occurrence_time")) ?? first ?? written ?? EPOCH;
      const own = text("cluster");
      return {
        cluster: own === "" ? cluster : own,
        // Without one, two rows would be one.
        event_id: text("event_id") === "" ? `row-${String(cells[0])}` : text("event_id"),
        namespace: text("namespace"),
        kind: text("kind"),
        name: text("name"),
        type: text("type"),
        reason: text("reason"),
        message: text("message"),
        first_occurrence_time: first ?? last,
        last_occurrence_time: last,
        count: Math.max(1, Number(text("count", "1"))),
        component: text("component"),
        host: text("host"),
        object_uid: text("object_uid"),
        update_time: written ?? last,
      };
    },
  };
}

const EPOCH = "1970-01-01T00:00:00Z";
