import type { Budget, Steps } from "../budget.ts";
import type { Cursor, EventPage, EventRow, Filter, Refine, Visible } from "../history.ts";
import { plan } from "./plan.ts";
import { cursorOf, numberOf, timeOf } from "./schema.ts";
import { search } from "./search.ts";
import type { Tables } from "./tables.ts";

/** What arrives while a question is answered is no matter of time. */
const BEHIND = 1_000;
/** Rows read between two looks at the clock. */
const READ = 50;

export function* pageOf(
  tables: Tables,
  filter: Filter,
  limit: number,
  before: Cursor | null,
  visible: Visible,
  budget: Budget,
): Steps<EventPage> {
  const rows: EventRow[] = [];
  const from = before === null ? null : numberOf(before);
  let last = from;
  for (const { found, down } of search(tables, plan(tables, filter, from, visible), "page")) {
    for (const [index, { id, seq }] of found.entries()) {
      const row = tables.read(seq, filter, visible);
      if (row !== null && rows.length === limit)
        return { rows, next: cursorOf(last ?? id), refine: null };
      last = id;
      if (row !== null) rows.push(row);
      if (index % READ !== READ - 1) continue;
      if (budget.over()) return { rows, next: cursorOf(id), refine: tooWide(id) };
      yield;
    }
    last = down ?? last;
    if (last !== null && budget.over())
      return { rows, next: cursorOf(last), refine: tooWide(last) };
    yield;
  }
  return { rows, next: null, refine: indexing(tables) };
}

export function tooWide(id: number | null): Refine {
  return { cause: "deadline", since: id === null ? null : timeOf(id) };
}

/** What the ledger held before it had an index is there when it has been indexed. */
export function indexing(tables: Tables): Refine | null {
  const { low } = tables.indexer.covered();
  const { failed } = tables.indexer;
  if (low === 0 && !failed && tables.indexer.behind() <= BEHIND) return null;
  const row = tables.ledger
    .prepare("SELECT received_at FROM occurrence WHERE seq > ? ORDER BY seq LIMIT 1")
    .get(low);
  const since = row?.["received_at"] ?? null;
  return { cause: "indexing", since: since === null ? null : Number(since) };
}
