import { Bars, frameOf, valueOf } from "../bars.ts";
import type { Budget, Steps } from "../budget.ts";
import type { Dimension, Filter, Refine, Timeline, TimelineQuery, Visible } from "../history.ts";
import { indexing, tooWide } from "./page.ts";
import { type Packed, type Span, unpack } from "./counts.ts";
import { plan, type Plan } from "./plan.ts";
import { HOUR_MS, MINUTE_MS } from "../numbers.ts";
import { MOMENT, timeOf } from "./schema.ts";
import { tallyWords, search } from "./search.ts";
import type { Tables } from "./tables.ts";

/** Bars counted between two looks at the clock. */
const SLICE_MS = 6 * HOUR_MS;

interface Counted {
  readonly bars: Bars;
  exact: boolean;
  refine: Refine | null;
}

/** How often what happened, in bars of one length, by one dimension: from the counts that are kept, where they say it. */
export function* timelineOf(
  tables: Tables,
  filter: Filter,
  query: TimelineQuery,
  visible: Visible,
  budget: Budget,
): Steps<Timeline> {
  const planned = plan(tables, filter, null, visible);
  const span = tables.span();
  const first = Math.max(planned.low, span?.first ?? planned.low);
  const end = Math.min(planned.high, (span?.last ?? first) + 1);
  const from = filter.from ?? Math.min(timeOf(first), filter.to ?? Infinity);
  const to = Math.max(filter.to ?? timeOf(end) + 1, from);
  const bars = new Bars(frameOf(query.step, from, to));
  const counted: Counted = { bars, exact: true, refine: null };
  if (planned.way !== "nothing") {
    const kept = planned.way === "classes" && !planned.byThing && filter.words.length === 0;
    if (kept && filter.states.length === 0)
      yield* fromCounts(tables, planned, query.by, counted, budget);
    else if (planned.way === "words" && !planned.byThing && filter.states.length === 0)
      yield* fromWords(tables, planned, query.by, counted, budget);
    else yield* fromRows(tables, filter, planned, query.by, counted, visible, budget);
  }
  const { exact, refine } = counted;
  return { ...bars.shaped(query.top), exact, refine: refine ?? indexing(tables) };
}

function* fromCounts(
  tables: Tables,
  { classes }: Plan,
  by: Dimension,
  counted: Counted,
  budget: Budget,
): Steps<void> {
  const { from, to, step } = counted.bars.frame;
  const { values, valueOfClass } = numbered(tables, classes, by);
  const span: Span = step % HOUR_MS === 0 ? "hour" : "minute";
  const unit = span === "hour" ? HOUR_MS : MINUTE_MS;
  const buckets = tables.index.prepare(
    `SELECT bucket, counts FROM ${span} WHERE bucket >= ? AND bucket < ? ORDER BY bucket`,
  );
  const sums = new Float64Array(values.length);
  const close = (bar: number) => {
    for (const [index, n] of sums.entries())
      if (n > 0) counted.bars.add(values[index] ?? "", bar, n);
    sums.fill(0);
  };
  const slice = Math.max(step, Math.floor(SLICE_MS / step) * step) * (span === "hour" ? 40 : 1);
  // The newest first: what is left out for want of time is the oldest.
  for (let end = to; end > from; end -= slice) {
    const start = Math.max(from, end - slice);
    let bar = start;
    for (const row of buckets.all(start / unit, end / unit)) {
      const at = Math.floor((Number(row["bucket"]) * unit) / step) * step;
      if (at !== bar) close(bar);
      bar = at;
      unpack(row["counts"] as Packed, (of, n) => {
        const value = valueOfClass[of] ?? -1;
        if (value >= 0) sums[value] = (sums[value] ?? 0) + n;
      });
    }
    close(bar);
    if (start > from && budget.over()) {
      counted.refine = { cause: "deadline", since: start };
      return;
    }
    yield;
  }
}

/** A number for each value of the dimension, and which of them each class has; -1: the class is not asked for. */
function numbered(tables: Tables, classes: ReadonlySet<number>, by: Dimension) {
  const values: string[] = [];
  const numbers = new Map<string, number>();
  const valueOfClass = new Int32Array(tables.indexer.classes.last + 1).fill(-1);
  for (const id of classes) {
    const value = valueOf(tables.indexer.classes.get(id), by);
    const number = numbers.get(value) ?? values.push(value) - 1;
    numbers.set(value, number);
    valueOfClass[id] = number;
  }
  return { values, valueOfClass };
}

/** Where the index of words answers alone. */
function* fromWords(
  tables: Tables,
  planned: Plan,
  by: Dimension,
  counted: Counted,
  budget: Budget,
): Steps<void> {
  counted.exact = false;
  // Bars are whole minutes.
  for (const { tallies, down } of tallyWords(tables, planned, MOMENT)) {
    for (const { span, class: of, n } of tallies) {
      counted.bars.add(valueOf(tables.indexer.classes.get(of), by), timeOf(span * MOMENT), n);
    }
    counted.refine = budget.over() ? tooWide(down) : null;
    if (counted.refine !== null) return;
    yield;
  }
}

function* fromRows(
  tables: Tables,
  filter: Filter,
  planned: Plan,
  by: Dimension,
  counted: Counted,
  visible: Visible,
  budget: Budget,
): Steps<void> {
  const read = filter.words.length > 0 && planned.way !== "words";
  counted.exact = filter.words.length === 0 || read;
  for (const { found, down } of search(tables, planned, "count")) {
    for (const [index, { id, seq, class: of }] of found.entries()) {
      if (index % 500 === 499 && budget.over()) {
        counted.refine = tooWide(down === null ? null : id);
        return;
      }
      if (read && tables.read(seq, filter, visible) === null) continue;
      if (!read && filter.states.length > 0 && !tables.isToldSo(seq, filter)) continue;
      counted.bars.add(valueOf(tables.indexer.classes.get(of), by), timeOf(id), 1);
    }
    if (budget.over()) {
      counted.refine = tooWide(down);
      return;
    }
    yield;
  }
}
