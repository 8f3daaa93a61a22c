/** What a row says, by kube-eventer's names, and what it could not say. */
export interface Row {
  /** What makes a row the same as another: cluster and the Event's uid. */
  readonly cluster: string;
  readonly event_id: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** ISO-8601 UTC. */
  readonly first_occurrence_time: string;
  readonly last_occurrence_time: string;
  readonly count: number;
  readonly component: string;
  readonly host: string;
  readonly object_uid: string;
  /** ISO-8601 UTC: when the row was written, where that is carried over from another table. */
  readonly update_time?: string;
}

export type Field = keyof Row;

export interface ColumnSpec {
  readonly field: Field;
  /** Of our own table. */
  readonly type: string;
  readonly holds: "text" | "time" | "number";
  /** kube-eventer writes it: a table without it is none that we know. */
  readonly kubeEventer: boolean;
}

const NAME = "VARCHAR(253) NOT NULL DEFAULT ''";
const WORD = "VARCHAR(63) NOT NULL DEFAULT ''";
const ID = "VARCHAR(64) NOT NULL DEFAULT ''";

/** In the order of the table. Names are what Kubernetes allows at most; what is longer was made up by somebody and is cut. */
export const COLUMNS: readonly ColumnSpec[] = [
  { field: "cluster", type: NAME, holds: "text", kubeEventer: false },
  { field: "namespace", type: WORD, holds: "text", kubeEventer: true },
  { field: "kind", type: WORD, holds: "text", kubeEventer: true },
  { field: "name", type: NAME, holds: "text", kubeEventer: true },
  { field: "type", type: "VARCHAR(32) NOT NULL DEFAULT ''", holds: "text", kubeEventer: true },
  { field: "reason", type: "VARCHAR(128) NOT NULL DEFAULT ''", holds: "text", kubeEventer: true },
  {
    field: "message",
    type: "MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL",
    holds: "text",
    kubeEventer: true,
  },
  { field: "event_id", type: ID, holds: "text", kubeEventer: true },
  {
    field: "first_occurrence_time",
    type: "DATETIME(6) NOT NULL",
    holds: "time",
    kubeEventer: true,
  },
  { field: "last_occurrence_time", type: "DATETIME(6) NOT NULL", holds: "time", kubeEventer: true },
  { field: "count", type: "INT UNSIGNED NOT NULL DEFAULT 1", holds: "number", kubeEventer: false },
  { field: "component", type: NAME, holds: "text", kubeEventer: false },
  { field: "host", type: NAME, holds: "text", kubeEventer: false },
  { field: "object_uid", type: ID, holds: "text", kubeEventer: false },
];

/** What the queries of docs/history.md need, and the key that keeps an event to one row. */
const INDEXES = [
  "UNIQUE KEY one_row (`cluster`, `event_id`)",
  "KEY by_time (`last_occurrence_time`, `first_occurrence_time`, `cluster`, `namespace`, `reason`, `count`)",
  "KEY by_object (`namespace`, `kind`, `name`, `last_occurrence_time`)",
  "KEY by_reason (`cluster`, `namespace`, `reason`, `first_occurrence_time`)",
];

export function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** MySQL 5.7 and later, MariaDB 10.2 and later. */
export function createTable(table: string): string {
  const columns = COLUMNS.map(({ field, type }) => `${quoted(field)} ${type}`);
  return [
    `CREATE TABLE IF NOT EXISTS ${quoted(table)} (`,
    [
      "  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY",
      ...columns.map((column) => `  ${column}`),
      "  `update_time` DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)",
      ...INDEXES.map((index) => `  ${index}`),
    ].join(",\n"),
    ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
  ].join("\n");
}
