import type { SinkProblem } from "../../src/sink/index.ts";
import { COLUMNS, type ColumnSpec, type Field, quoted } from "./columns.ts";

/** A column as information_schema describes it. */
export interface FoundColumn {
  readonly name: string;
  /** `varchar`, `datetime`, … */
  readonly type: string;
  /** Characters a text column takes; `null`: none. */
  readonly characters: number | null;
  readonly bytes: number | null;
  readonly charset: string | null;
  /** Digits behind the second. */
  readonly precision: number | null;
  /** Something must be given for it. */
  readonly required: boolean;
}

export interface FoundIndex {
  readonly name: string;
  readonly unique: boolean;
  /** In order. */
  readonly columns: readonly string[];
}

/** A column that is written, and how. */
export interface WriteColumn {
  readonly field: Field;
  readonly holds: ColumnSpec["holds"];
  readonly size: { readonly max: number; readonly unit: "bytes" | "characters" } | null;
  /** Digits of a DATETIME; `null`: a time is written as Go's text. */
  readonly precision: number | null;
  /** Where it is not utf8mb4. */
  readonly charset: string | null;
}

/** How a table is written. */
export interface Layout {
  /** `upsert`: one row for an event, kept current. `append`: one row for each occurrence, as kube-eventer writes. */
  readonly mode: "upsert" | "append";
  readonly columns: readonly WriteColumn[];
  /** Whether a row can be found by its event_id without reading the table. */
  readonly indexed: boolean;
  /** The column that tells a row's age: of the events where it can be searched for, else of the writing. */
  readonly age: "last_occurrence_time" | "update_time" | null;
  /** All that our own table has. */
  readonly whole: boolean;
}

const TEXT = new Set(["char", "varchar"]);
const LONG_TEXT = new Set(["tinytext", "text", "mediumtext", "longtext"]);
const TIME = new Set(["datetime", "timestamp"]);
const NUMBER = new Set(["tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "double"]);
/** Of a Kubernetes uid. */
const UID_CHARACTERS = 36;

/** What a table is to us, or each thing that keeps it from being written, with the statement that would change it. */
export function readLayout(
  table: string,
  found: readonly FoundColumn[],
  indexes: readonly FoundIndex[],
): { readonly layout: Layout } | { readonly problems: readonly SinkProblem[] } {
  const byName = new Map(found.map((column) => [column.name.toLowerCase(), column]));
  const problems: SinkProblem[] = [];
  const problem = (message: string, change: string) =>
    problems.push({
      message: `table ${table} ${message}`,
      hint: `ALTER TABLE ${quoted(table)} ${change};`,
    });

  const columns = COLUMNS.flatMap((spec): readonly WriteColumn[] => {
    const column = byName.get(spec.field);
    if (column === undefined) {
      if (spec.kubeEventer)
        problem(`has no column ${spec.field}`, `ADD COLUMN ${quoted(spec.field)} ${spec.type}`);
      return [];
    }
    const written = writeColumn(spec, column);
    if (written === null) {
      problem(
        `has the column ${spec.field} of type ${column.type}, which cannot hold ${spec.holds === "text" ? "text" : `a ${spec.holds}`}`,
        `MODIFY COLUMN ${quoted(spec.field)} ${spec.type}`,
      );
      return [];
    }
    if (spec.field === "event_id" && written.size !== null && written.size.max < UID_CHARACTERS)
      problem(
        `has an event_id of ${written.size.max} characters; a uid has ${UID_CHARACTERS}`,
        `MODIFY COLUMN ${quoted(spec.field)} ${spec.type}`,
      );
    return [written];
  });
  const ours = new Set<string>(COLUMNS.map(({ field }) => field));
  for (const { name, required, type } of found) {
    if (required && !ours.has(name.toLowerCase()))
      problem(
        `has a column ${name} that must be given a value, and kube-crier knows none for it`,
        `MODIFY COLUMN ${quoted(name)} ${type.toUpperCase()} NULL`,
      );
  }
  if (problems.length > 0) return { problems };
  return { layout: layoutOf(columns, byName, indexes) };
}

function layoutOf(
  columns: readonly WriteColumn[],
  byName: ReadonlyMap<string, FoundColumn>,
  indexes: readonly FoundIndex[],
): Layout {
  const leads = (index: FoundIndex, column: string) => index.columns[0]?.toLowerCase() === column;
  const has = (field: Field) => columns.some((column) => column.field === field);
  const isKey = ({ unique, columns: of }: FoundIndex) =>
    unique && sameNames(of, has("cluster") ? ["cluster", "event_id"] : ["event_id"]);
  const mode = indexes.some(isKey) ? "upsert" : "append";
  const timed = columns.some(
    ({ field, precision }) => field === "last_occurrence_time" && precision !== null,
  );
  const searchable = timed && indexes.some((index) => leads(index, "last_occurrence_time"));
  const written = byName.get("update_time");
  const counted = indexes.some((index) => leads(index, "id") && index.columns.length === 1);
  return {
    mode,
    columns,
    indexed: indexes.some((index) => leads(index, "event_id")),
    age: searchable
      ? "last_occurrence_time"
      : written !== undefined && TIME.has(written.type) && counted
        ? "update_time"
        : null,
    whole: mode === "upsert" && searchable && columns.length === COLUMNS.length,
  };
}

function writeColumn(spec: ColumnSpec, column: FoundColumn): WriteColumn | null {
  const { field, holds } = spec;
  const plain = { field, holds, size: null, precision: null, charset: null };
  if (holds === "number") return NUMBER.has(column.type) ? plain : null;
  if (holds === "time" && TIME.has(column.type))
    return { ...plain, precision: column.precision ?? 0 };
  const charset = column.charset === null || column.charset === "utf8mb4" ? null : column.charset;
  if (TEXT.has(column.type))
    return {
      ...plain,
      charset,
      size: column.characters === null ? null : { max: column.characters, unit: "characters" },
    };
  if (!LONG_TEXT.has(column.type)) return null;
  return {
    ...plain,
    charset,
    size: column.bytes === null ? null : { max: column.bytes, unit: "bytes" },
  };
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(a.map((name) => name.toLowerCase()));
  return names.size === b.length && b.every((name) => names.has(name));
}
