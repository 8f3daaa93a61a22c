import { csvCut, csvHead, csvRow } from "../../history/csv.ts";
import { printCursor } from "../../history/cursor.ts";
import type { Cursor, EventPage } from "../../history/history.ts";
import { refusalOf } from "./refusals.ts";

/** How much one export may take, of rows and of time. */
export interface CsvBounds {
  readonly rows: number;
  readonly ms: number;
}

/** Without it Excel takes the text for one of the machine's own code page, and Chinese for noise. */
const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Pages as one file, each asked for when whoever reads has taken the one before: a slow reader costs a page of memory, and nobody's time.
 * Where it ends before everything is told, its last line says so, and how to go on.
 * @param first asked already, so that what is wrong with the question is no part of a file
 */
export async function* csvParts(
  first: EventPage,
  ask: (before: Cursor, left: number) => Promise<EventPage>,
  bounds: CsvBounds,
  now: () => number,
): AsyncGenerator<string, void, undefined> {
  const until = now() + bounds.ms;
  let left = bounds.rows;
  let page = first;
  yield BYTE_ORDER_MARK + csvHead();
  for (;;) {
    yield page.rows.map(csvRow).join("");
    left -= page.rows.length;
    const { next, refine } = page;
    if (next === null) {
      if (refine !== null) yield csvCut("the same question in a minute: they are being indexed");
      return;
    }
    if (left <= 0 || now() >= until) {
      yield csvCut(`cursor=${printCursor(next)}, or narrow the filter`);
      return;
    }
    try {
      page = await ask(next, left);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      yield csvCut(`cursor=${printCursor(next)} later (${refusal.message})`);
      return;
    }
  }
}
