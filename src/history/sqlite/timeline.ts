import type { Budget, Steps } from "../budget.ts";
import type { Dimension, Filter, Refine, Timeline, TimelineQuery, Visible } from "../history.ts";
import type { Traits } from "../match.ts";
import { indexing, tooWide } from "./page.ts";
import { type Packed, type Span, unpack } from "./counts.ts";
import { plan, type Plan } from "./plan.ts";
import { HOUR_MS, MINUTE_MS, MOMENT, SECOND, timeOf } from "./schema.ts";
import { tallyWords, search } from "./search.ts";
import type { Tables } from "./tables.ts";

const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
/** Bars that fit a page's width, where none are asked for; and the most there can be. */
const BARS = 120;
const BARS_MAX = 2_000;
/** Bars counted between two looks at the clock. */
const SLICE_MS = 6 * HOUR_MS;

interface Counted {
  /** Value → bar → count. */
  readonly counts: Map<string, Map<number, number>>;
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
  const from = filter.from ?? timeOf(first);
  const to = Math.max(filter.to ?? timeOf(end) + 1, from);
  const step = stepOf(query.step, to - from);
  const frame = { from: Math.floor(from / step) * step, to: Math.ceil(to / step) * step, step };
  const counted: Counted = { counts: new Map(), exact: true, refine: null };
  if (planned.way !== "nothing") {
    const kept = planned.way === "classes" && !planned.byThing && filter.words.length === 0;
    if (kept && filter.states.length === 0)
      yield* fromCounts(tables, planned, query.by, frame, counted, budget);
    else if (planned.way === "words" && !planned.byThing && filter.states.length === 0)
      yield* fromWords(tables, planned, query.by, frame, counted, budget);
    else yield* fromRows(tables, filter, planned, query.by, frame, counted, visible, budget);
  }
  counted.refine ??= indexing(tables);
  return shaped(counted, frame, query.top);
}

interface Frame {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** The length that was asked for, or the shortest that makes no more bars than fit; never more than can be drawn. */
function stepOf(asked: number | null, range: number): number {
  const most = asked === null ? BARS : BARS_MAX;
  if (asked !== null && range / asked <= most) return asked;
  const minutes = MINUTES.find((step) => range / (step * MINUTE_MS) <= most);
  return minutes === undefined
    ? Math.ceil(range / most / (24 * HOUR_MS)) * 24 * HOUR_MS
    : minutes * MINUTE_MS;
}

function* fromCounts(
  tables: Tables,
  { classes }: Plan,
  by: Dimension,
  { from, to, step }: Frame,
  counted: Counted,
  budget: Budget,
): Steps<void> {
  const { values, valueOfClass } = numbered(tables, classes, by);
  const span: Span = step % HOUR_MS === 0 ? "hour" : "minute";
  const unit = span === "hour" ? HOUR_MS : MINUTE_MS;
  const buckets = tables.index.prepare(
    `SELECT bucket, counts FROM ${span} WHERE bucket >= ? AND bucket < ? ORDER BY bucket`,
  );
  const sums = new Float64Array(values.length);
  const close = (bar: number) => {
    for (const [index, n] of sums.entries()) if (n > 0) count(counted, values[index] ?? "", bar, n);
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
  const valueOfClass = new Int32Array(Math.max(...classes, 0) + 1).fill(-1);
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
  { step }: Frame,
  counted: Counted,
  budget: Budget,
): Steps<void> {
  const unit = step % MINUTE_MS === 0 ? MOMENT : SECOND;
  counted.exact = false;
  for (const { tallies, down } of tallyWords(tables, planned, unit)) {
    for (const { span, class: of, n } of tallies) {
      const at = Math.floor(timeOf(span * unit) / step) * step;
      count(counted, valueOf(tables.indexer.classes.get(of), by), at, n);
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
  { step }: Frame,
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
      const at = Math.floor(timeOf(id) / step) * step;
      count(counted, valueOf(tables.indexer.classes.get(of), by), at, 1);
    }
    if (budget.over()) {
      counted.refine = tooWide(down);
      return;
    }
    yield;
  }
}

function valueOf(traits: Traits | undefined, by: Dimension): string {
  return traits?.[by] ?? "-";
}

function count({ counts }: Counted, value: string, at: number, n: number): void {
  const of = counts.get(value) ?? new Map<number, number>();
  of.set(at, (of.get(at) ?? 0) + n);
  counts.set(value, of);
}

function shaped(
  { counts, exact, refine }: Counted,
  { from, to, step }: Frame,
  top: number,
): Timeline {
  const bars = Math.round((to - from) / step);
  const series = [...counts]
    .map(([value, of]) => seriesOf(value, [of], from, step, bars))
    .toSorted((a, b) => b.total - a.total || (a.value ?? "").localeCompare(b.value ?? ""));
  const rest = series.slice(top).map(({ value }) => counts.get(value ?? "") ?? new Map());
  const other = rest.length === 0 ? [] : [seriesOf(null, rest, from, step, bars)];
  return {
    from,
    to,
    step,
    total: series.reduce((sum, { total }) => sum + total, 0),
    series: [...series.slice(0, top), ...other],
    exact,
    refine,
  };
}

function seriesOf(
  value: string | null,
  all: readonly ReadonlyMap<number, number>[],
  from: number,
  step: number,
  bars: number,
): Timeline["series"][number] {
  const counts = Array.from({ length: bars }, () => 0);
  for (const of of all)
    for (const [at, n] of of) {
      const bar = (at - from) / step;
      if (bar >= 0 && bar < bars) counts[bar] = (counts[bar] ?? 0) + n;
    }
  return { value, total: counts.reduce((sum, n) => sum + n, 0), counts };
}
