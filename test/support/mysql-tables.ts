import { COLUMNS } from "../../sinks/mysql/columns.ts";
import type { Said, Statement } from "./mysql-wire.ts";

type Cells = readonly (readonly (string | null)[])[];

/** What information_schema says of a table: its columns, and its indexes. */
export interface Described {
  readonly columns: Cells;
  readonly indexes: Cells;
}

function column(name: string, type: string, extra = ""): readonly (string | null)[] {
  const size = /\((\d+)\)/.exec(type)?.[1] ?? null;
  const kind = type.replace(/[ (].*/, "").toLowerCase();
  const isText = /char|text/.test(kind);
  const characters = kind === "mediumtext" ? "16777215" : size;
  return [
    name,
    kind,
    isText ? characters : null,
    isText && characters !== null ? String(Number(characters) * 4) : null,
    isText ? "utf8mb4" : null,
    kind === "datetime" ? size : kind === "timestamp" ? "0" : null,
    "NO",
    /DEFAULT (\S+)/.exec(type)?.[1] ?? null,
    extra,
  ];
}

/** As kube-crier makes it. */
export const OWN: Described = {
  columns: [
    column("id", "BIGINT", "auto_increment"),
    ...COLUMNS.map(({ field, type }) => column(field, type)),
    column("update_time", "DATETIME(6) DEFAULT now"),
  ],
  indexes: [
    ["PRIMARY", "0", "id"],
    ["one_row", "0", "cluster"],
    ["one_row", "0", "event_id"],
    ["by_time", "1", "last_occurrence_time"],
  ],
};

/** As kube-eventer's script makes it: no key, texts of times. */
export const KUBE_EVENTERS: Described = {
  columns: [
    column("id", "BIGINT", "auto_increment"),
    ...COLUMNS.filter(({ kubeEventer }) => kubeEventer).map(({ field }) =>
      column(field, "VARCHAR(255) DEFAULT ''"),
    ),
    column("update_time", "TIMESTAMP DEFAULT now"),
  ],
  indexes: [["PRIMARY", "0", "id"]],
};

/** What a server says of everything but what the test is about; `null`: there is no table until it is created. */
export function saysOf(table: Described | null, besides: (statement: Statement) => Said | null) {
  let found = table;
  return (statement: Statement): Said => {
    const own = besides(statement);
    if (own !== null) return own;
    const { sql } = statement;
    if (sql.startsWith("CREATE TABLE")) found = OWN;
    if (sql.includes("information_schema.COLUMNS")) return { rows: found?.columns ?? [] };
    if (sql.includes("information_schema.STATISTICS")) return { rows: found?.indexes ?? [] };
    if (sql.includes("max_allowed_packet")) return { rows: [["16777216"]] };
    if (sql.startsWith("SELECT")) return { rows: [] };
    return { changed: 0 };
  };
}
