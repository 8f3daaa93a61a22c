import type { EventRow } from "./history.ts";

export const CSV_COLUMNS = [
  "lastSeen",
  "firstSeen",
  "receivedAt",
  "count",
  "type",
  "reason",
  "cluster",
  "namespace",
  "kind",
  "name",
  "component",
  "message",
  "told",
  "suppressed",
  "id",
] as const;

/** What a spreadsheet would take for a formula, also in the width Chinese keyboards type; and the blanks it skips before one. */
const FORMULA = /^[\s\0]*[=+\-@＝＋－＠]|^[\t\r\n]/u;
/** The same behind what ends a cell where a semicolon stands between them, and quotes within one are none: as in German. */
const FORMULA_BEHIND = /([;\t\r\n][\s\0]*)(?=[=+\-@＝＋－＠])/gu;

/** One record as RFC 4180 has it, its line end included. No cell is a formula where a spreadsheet opens it: an Event's text is anybody's. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cell).join(",")}\r\n`;
}

export function csvHead(): string {
  return csvLine(CSV_COLUMNS);
}

export function csvRow({ id, event, receivedAt, suppressed, deliveries }: EventRow): string {
  const { object, reporter } = event;
  return csvLine([
    event.lastSeen,
    event.firstSeen,
    new Date(receivedAt).toISOString(),
    event.count,
    event.type,
    event.reason,
    event.cluster,
    object.namespace,
    object.kind,
    object.name,
    reporter.component,
    event.message,
    deliveries.map(({ sink, state }) => `${sink}: ${state}`).join("; "),
    suppressed,
    id,
  ]);
}

/** The last line of what ended before everything was told. @param how it goes on */
export function csvCut(how: string): string {
  const message = `not all: there are older events; go on with ${how}`;
  return csvLine(CSV_COLUMNS.map((column) => (column === "message" ? message : null)));
}

function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const inner = value.replaceAll(FORMULA_BEHIND, "$1'");
  const text = FORMULA.test(value) ? `'${inner}` : inner;
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
