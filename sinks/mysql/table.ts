import { createTable, quoted } from "./columns.ts";
import { connect, type Connection, type ConnectOptions } from "./driver.ts";
import { type FoundColumn, type FoundIndex, type Layout, readLayout } from "./layout.ts";
import type { SinkProblem } from "../../src/sink/index.ts";

/** Where rows go, and how to get there. */
export interface Target extends Omit<ConnectOptions, "timeoutMs"> {
  readonly table: string;
}

/** A connection, and what the table at its end looks like. */
export interface Opened {
  readonly connection: Connection;
  readonly layout: Layout;
  /** Bytes of the largest statement the server takes; it may cut the connection over a larger one before it says why. */
  readonly packet: number;
  /** It was not there before. */
  readonly created: boolean;
}

/** The table is there and cannot be written. */
export class LayoutError extends Error {
  readonly problems: readonly SinkProblem[];

  constructor(problems: readonly SinkProblem[]) {
    super(problems.map(({ message }) => message).join("; "));
    this.problems = problems;
  }
}

/**
 * Connects, and creates the table where it is missing.
 * @param connected told of the connection before the first question, so that a server which never answers can be left
 * @throws DatabaseError, FileError, LayoutError
 */
export async function openTable(
  target: Target,
  timeoutMs: number,
  connected: (connection: Connection) => void = () => undefined,
): Promise<Opened> {
  const connection = await connect({ ...target, timeoutMs });
  connected(connection);
  try {
    const [[limit] = []] = await connection.query("SELECT @@max_allowed_packet");
    const packet = Number(limit);
    const before = await findTable(connection, target.table);
    if (before !== null)
      return { connection, layout: layoutOf(target, before), packet, created: false };
    await connection.query(createTable(target.table));
    const found = await findTable(connection, target.table);
    // Not even now visible: the server itself says why.
    if (found === null) await connection.query(`SELECT 1 FROM ${quoted(target.table)} LIMIT 0`);
    return {
      connection,
      layout: layoutOf(target, found ?? { columns: [], indexes: [] }),
      packet,
      created: true,
    };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

export interface Found {
  readonly columns: readonly FoundColumn[];
  readonly indexes: readonly FoundIndex[];
}

/** @throws LayoutError */
export function layoutOf({ table }: Pick<Target, "table">, { columns, indexes }: Found): Layout {
  const read = readLayout(table, columns, indexes);
  if ("problems" in read) throw new LayoutError(read.problems);
  return read.layout;
}

/** `null`: there is none, or none that this account may see. */
export async function findTable(connection: Connection, table: string): Promise<Found | null> {
  const columns = await connection.execute(
    `SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, CHARACTER_SET_NAME, DATETIME_PRECISION, IS_NULLABLE, COLUMN_DEFAULT, EXTRA
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [table],
  );
  if (columns.length === 0) return null;
  const parts = await connection.execute(
    `SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY INDEX_NAME, SEQ_IN_INDEX`,
    [table],
  );
  const indexes = new Map<string, { unique: boolean; columns: string[] }>();
  for (const [name, notUnique, column] of parts) {
    const index = indexes.get(String(name)) ?? { unique: Number(notUnique) === 0, columns: [] };
    // An index over an expression has no name there.
    index.columns.push(column === null || column === undefined ? "" : String(column));
    indexes.set(String(name), index);
  }
  return {
    columns: columns.map(
      ([name, type, characters, bytes, charset, precision, nullable, fallback, extra]) => ({
        name: String(name),
        type: String(type).toLowerCase(),
        characters: numberOf(characters),
        bytes: numberOf(bytes),
        charset: charset === null || charset === undefined ? null : String(charset),
        precision: numberOf(precision),
        required:
          nullable === "NO" &&
          fallback === null &&
          !/auto_increment|GENERATED/i.test(String(extra)),
      }),
    ),
    indexes: [...indexes].map(([name, index]) => ({ name, ...index })),
  };
}

function numberOf(cell: string | number | null | undefined): number | null {
  return cell === null || cell === undefined ? null : Number(cell);
}
