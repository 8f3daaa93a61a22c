import { isCanary } from "../event/canary.ts";
import type { EventRow } from "../history/history.ts";
import type { DeliveryRow } from "../ledger/ledger.ts";
import { plain } from "./history.ts";
import { shorten, table } from "./table.ts";

const MARKS = { delivered: "✓", pending: "…", dead: "✗", folded: "≡", discarded: "∅" } as const;
const HEAD = ["last seen", "n", "type", "reason", "object", "told", "message"];
/** What the other columns take. */
const BESIDE = 84;

/** Rows as people read them, under a head or going on below one. */
export function eventsTable(rows: readonly EventRow[], head: boolean, columns: number): string {
  const room = Math.max(20, columns - BESIDE);
  const cells = rows.map((row) => [
    row.event.lastSeen.slice(0, 19).replace("T", " "),
    String(row.event.count),
    row.event.type,
    shorten(row.event.reason, 24),
    shorten(objectOf(row), 40),
    toldTo(row),
    shorten(row.event.message, room),
  ]);
  const [first = [], ...rest] = head ? [HEAD, ...cells] : cells;
  return table(first, rest);
}

/** For programs: times as ISO-8601. */
export function jsonLine(row: EventRow): string {
  const iso = (at: number) => new Date(at).toISOString();
  return `${JSON.stringify({ ...row, at: iso(row.at), receivedAt: iso(row.receivedAt), deliveries: row.deliveries.map(plain) })}\n`;
}

function objectOf({ event }: EventRow): string {
  const { kind, name, namespace } = event.object;
  return namespace === null ? `${kind} ${name}` : `${namespace}/${kind} ${name}`;
}

/** A canary that was followed to the ledger alone is owed to nobody. */
function toldTo({ event, suppressed, deliveries }: EventRow): string {
  if (suppressed !== null) return `–${suppressed}`;
  if (deliveries.length === 0 && isCanary(event)) return "(canary)";
  return deliveries.map(told).join(" ");
}

function told(row: DeliveryRow): string {
  return `${MARKS[row.state]}${row.sink}`;
}
