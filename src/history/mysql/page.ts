import type { Budget } from "../budget.ts";
import type { Cursor, EventPage, EventRow, Refine } from "../history.ts";
import { cursorOf, numberOf, timeOf } from "./ids.ts";
import type { Covered } from "./covered.ts";
import { type Looking, plan } from "./plan.ts";
import { readFitting } from "./rows.ts";
import { type Found, search } from "./search.ts";

/** Rows read between two looks at the clock. */
const READ = 100;

export async function pageOf(
  looking: Looking,
  limit: number,
  before: Cursor | null,
  budget: Budget,
): Promise<EventPage> {
  const rows: EventRow[] = [];
  const from = before === null ? null : numberOf(before);
  let last = from;
  for await (const { found, down } of search(looking, await plan(looking, from), "page")) {
    for (let at = 0; at < found.length;) {
      // Where every one fits no more are read than are shown.
      const some = found.slice(at, at + Math.min(READ, Math.max(8, limit + 1 - rows.length)));
      const fit = await rowsOf(looking, some);
      for (const { id, seq } of some) {
        const row = fit.get(seq);
        if (row !== undefined && rows.length === limit)
          return { rows, next: cursorOf(last ?? id), refine: null };
        last = id;
        if (row !== undefined) rows.push(row);
      }
      at += some.length;
      if (budget.over() && last !== null && at < found.length)
        return { rows, next: cursorOf(last), refine: tooWide(last) };
    }
    last = down;
    if (down > 0 && budget.over()) return { rows, next: cursorOf(down), refine: tooWide(down) };
  }
  const { indexer, session } = looking;
  return { rows, next: null, refine: await indexing(looking, await indexer.covered(session)) };
}

async function rowsOf(
  { session, filter, visible }: Looking,
  found: readonly Found[],
): Promise<ReadonlyMap<number, EventRow>> {
  return readFitting(
    session,
    found.map(({ seq }) => seq),
    filter,
    visible,
  );
}

export function tooWide(id: number): Refine {
  return { cause: "deadline", since: timeOf(id) };
}

/** What the ledger held before it had an index is there when it has been indexed; and what has just arrived, the next time. */
export async function indexing(
  { session, isThere }: Pick<Looking, "session" | "isThere">,
  { low }: Covered,
): Promise<Refine | null> {
  if (low === 0) return isThere ? null : { cause: "indexing", since: null };
  const [row] = await session.query(
    `SELECT received_at FROM kube_crier_occurrence WHERE seq > ${low} ORDER BY seq LIMIT 1`,
  );
  return { cause: "indexing", since: row === undefined ? null : Number(row[0]) };
}
