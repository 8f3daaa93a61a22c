import { readEvent } from "../../ledger/readable.ts";
import type { Steps } from "../budget.ts";
import {
  type EventBrief,
  type EventRow,
  type EventStory,
  EVERYTHING,
  type Filter,
  type Tail,
  type Visible,
} from "../history.ts";
import { fits, isVisible, says, toldSo, traitsOf, withinTime } from "../match.ts";
import { momentOf } from "./indexer.ts";
import type { Tables } from "./tables.ts";

/** Of each kind, the newest. */
const BRIEFS = 50;
const LOOKED_AT = 500;

/** One event with its other counts and with what else befell its object; `null`: there is none, or not for this asker. */
export function* storyOf(tables: Tables, id: string, visible: Visible): Steps<EventStory | null> {
  const found = tables.ledger.prepare("SELECT seq FROM occurrence WHERE key = ?").get(id);
  const row = found === undefined ? null : tables.read(Number(found["seq"]), EVERYTHING, visible);
  if (row === null) return null;
  yield;
  return {
    row,
    occurrences: occurrencesOf(tables, row, visible),
    object: ofObject(tables, row, visible),
  };
}

function occurrencesOf(tables: Tables, { id }: EventRow, visible: Visible): readonly EventBrief[] {
  return tables.ledger
    .prepare(
      `SELECT seq, key, received_at, event FROM occurrence
       WHERE key >= ?1 || '@' AND key < ?1 || 'A' ORDER BY seq DESC LIMIT ${LOOKED_AT}`,
    )
    .all(id.slice(0, id.lastIndexOf("@")))
    .flatMap((row) => brief(row, visible))
    .filter((other) => other.id !== id)
    .toSorted((a, b) => b.event.count - a.event.count)
    .slice(0, BRIEFS);
}

function ofObject(tables: Tables, { event }: EventRow, visible: Visible): readonly EventBrief[] {
  const { kind, name, namespace } = event.object;
  const entries = tables.index
    .prepare(
      `SELECT e.seq FROM object o JOIN entry e INDEXED BY entry_object ON e.object = o.id
       WHERE o.name = ? AND o.kind = ? AND o.namespace = ? ORDER BY e.id DESC LIMIT ${LOOKED_AT}`,
    )
    .all(name, kind, namespace ?? "");
  const read = tables.ledger.prepare(
    "SELECT key, received_at, event FROM occurrence WHERE seq = ?",
  );
  const briefs: EventBrief[] = [];
  for (const { seq } of entries) {
    const row = read.get(seq ?? null);
    if (row === undefined || briefs.length === BRIEFS) continue;
    const other = readEvent(row["event"], 0);
    // Names are given again in other clusters.
    if (other.uid !== event.uid && other.cluster === event.cluster)
      briefs.push(...brief(row, visible));
  }
  return briefs;
}

export function brief(row: Record<string, unknown>, visible: Visible): readonly EventBrief[] {
  const event = readEvent(row["event"], Number(row["received_at"]));
  if (!isVisible(event.eventNamespace, visible)) return [];
  const { type, reason, message, count, firstSeen, lastSeen, eventNamespace } = event;
  const at = momentOf(lastSeen, Number(row["received_at"]));
  return [
    {
      id: String(row["key"]),
      at,
      event: { type, reason, message, count, firstSeen, lastSeen, eventNamespace },
    },
  ];
}

/** Where Events are stored, by what the index has seen; what the house itself tells of is stored nowhere. */
export function* homesOf({ indexer }: Tables, visible: Visible): Steps<readonly string[]> {
  yield;
  return indexer.classes.homes().filter((home) => home !== "" && isVisible(home, visible));
}

/** What arrived after `mark`, straight from the ledger: as it comes, whatever the index is at. */
export function* tailOf(
  tables: Tables,
  filter: Filter,
  mark: number | null,
  limit: number,
  visible: Visible,
): Steps<Tail> {
  const row = tables.ledger.prepare("SELECT MAX(seq) AS seq FROM occurrence").get();
  const newest = Number(row?.["seq"] ?? 0);
  if (mark === null) return { rows: [], mark: newest };
  const rows: EventRow[] = [];
  // Another ledger has taken the place of that one, and counts from the beginning.
  let last = newest < mark ? 0 : mark;
  yield;
  for (const { seq, row } of tables.later(last, limit)) {
    last = seq;
    const sinks = row.deliveries.map(({ sink }) => sink);
    const fit =
      fits(traitsOf(row.event, row.suppressed, sinks), filter, visible) &&
      says(row.event, filter) &&
      withinTime(filter, row.at) &&
      toldSo(filter, row.deliveries);
    if (fit) rows.push(row);
  }
  return { rows, mark: last };
}
