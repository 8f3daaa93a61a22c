import { type Described, OWN } from "./mysql-tables.ts";
import type { Said, Statement } from "./mysql-wire.ts";

type Cells = readonly (string | null)[];

/** Tables by name, as far as a migration looks at them: rows of kube-eventer's by ascending id, what was written to ours as it came. */
export class Shelf {
  readonly tables = new Map<string, { described: Described; rows: Cells[] }>();
  /** Told of each statement before it is answered. */
  heard: (statement: Statement) => Said | null = () => null;

  answer = (statement: Statement): Said => {
    const { sql, values } = statement;
    const own = this.heard(statement);
    if (own !== null) return own;
    const [, first = "", second = "", third = ""] = [...sql.matchAll(/`([^`]+)`/g)].reduce<
      string[]
    >((found, [, name = ""]) => [...found, name], [""]);
    const asked = this.tables.get(values[0] ?? "");
    if (sql.includes("information_schema.COLUMNS")) return { rows: asked?.described.columns ?? [] };
    if (sql.includes("information_schema.STATISTICS"))
      return { rows: asked?.described.indexes ?? [] };
    if (sql.includes("information_schema.TABLES"))
      return { rows: [[String(asked?.rows.length), "16384"]] };
    if (sql.startsWith("DROP TABLE")) this.tables.delete(first);
    if (sql.startsWith("CREATE TABLE")) this.tables.set(first, { described: OWN, rows: [] });
    if (sql.startsWith("RENAME TABLE")) {
      const [before, copy] = [this.tables.get(first), this.tables.get(third)];
      if (before === undefined || copy === undefined) throw new Error("no such table");
      this.tables.delete(third);
      this.tables.set(second, before).set(first, copy);
    }
    if (sql.startsWith("INSERT")) {
      const width = values.length / (sql.split("(?").length - 1);
      for (let start = 0; start < values.length; start += width)
        this.rows(first).push(values.slice(start, start + width));
    }
    const from = /FROM `([^`]+)`/.exec(sql)?.[1] ?? "";
    if (sql.startsWith("SELECT MAX")) return { rows: [[this.rows(from).at(-1)?.[0] ?? null]] };
    if (sql.startsWith("SELECT COUNT"))
      return { rows: [[String(new Set(this.rows(from).map((row) => row[7])).size)]] };
    if (sql.startsWith("SELECT `id`")) {
      const [after = "0", upTo = "Infinity"] = values;
      const found = this.rows(from).filter(
        ([id]) => Number(id) > Number(after) && Number(id) <= Number(upTo),
      );
      return { rows: found.slice(0, 1000) };
    }
    return { changed: 0 };
  };

  rows(table: string): Cells[] {
    return this.tables.get(table)?.rows ?? [];
  }

  /** Appends rows as kube-eventer does. */
  append(count: number, change: (row: string[], id: number) => void = () => undefined): void {
    const rows = this.rows("kube_event");
    for (let n = 0; n < count; n += 1) {
      const id = rows.length + 1;
      const times = ["2025-11-21 10:00:00 +0800 CST", "2025-11-21 10:05:00.5 +0800 CST"];
      const words = [String(id), "shop", "Pod", "web", "Warning", "BackOff", `m${id}`];
      const row = [...words, `event-${id}`, ...times, "2025-11-21 02:10:00"];
      change(row, id);
      rows.push(row);
    }
  }
}
