import type { Budget } from "../budget.ts";
import type { Dimension, Filter, Refine, Timeline, TimelineQuery } from "../history.ts";
import { traitsOf } from "../match.ts";
import { Bars, frameOf, valueOf } from "../bars.ts";
import { DAY_MS, END, HOUR_MS } from "../numbers.ts";
import { type Level, readCounts } from "./counts.ts";
import { timeOf } from "./ids.ts";
import { indexing, tooWide } from "./page.ts";
import { type Looking, type Plan, plan } from "./plan.ts";
import { readFitting } from "./rows.ts";
import { type Found, search } from "./search.ts";

/** Counts of one step, between two looks at the clock. */
const SLICE: Readonly<Record<Level, number>> = {
  minute: 12 * HOUR_MS,
  hour: 10 * DAY_MS,
  day: 365 * DAY_MS,
};
/** Rows read together. */
const READ = 250;

/** How often what happened, in bars of one length, by one dimension: from the counts that are kept, where they say it. */
export async function timelineOf(
  looking: Looking,
  query: TimelineQuery,
  budget: Budget,
): Promise<Timeline> {
  const { session, indexer, filter } = looking;
  const planned = await plan(looking, null);
  const bars = new Bars(await frame(looking, planned, query.step));
  let refine: Refine | null = null;
  let exact = true;
  if (planned.way !== "nothing") {
    const { names, words, states } = filter;
    if (names.length === 0 && words.length === 0 && states.length === 0)
      refine = await fromCounts(looking, planned, query.by, bars, budget);
    else {
      const isRead = mustRead(filter, planned);
      exact = isRead || words.length === 0;
      refine = await fromRows(looking, planned, query.by, bars, isRead, budget);
    }
  }
  refine ??= await indexing(looking, await indexer.covered(session));
  return { ...bars.shaped(query.top), exact, refine };
}

async function frame({ session, filter }: Looking, planned: Plan, step: number | null) {
  const [[least, most] = []] = await session.query(
    `SELECT (SELECT MIN(id) FROM kube_crier_history_entry), (SELECT MAX(id) FROM kube_crier_history_entry)`,
  );
  const first = Math.max(planned.low, least === null ? planned.low : Number(least));
  const end = Math.min(planned.high, most === null ? first + 1 : Number(most) + 1);
  const from = filter.from ?? Math.min(timeOf(first), filter.to ?? Infinity);
  const to = Math.max(filter.to ?? (end >= END ? from : timeOf(end)) + 1, from);
  return frameOf(step, from, to);
}

async function fromCounts(
  { session, indexer }: Looking,
  { classes }: Plan,
  by: Dimension,
  bars: Bars,
  budget: Budget,
): Promise<Refine | null> {
  const { from, to, step } = bars.frame;
  const level: Level =
    step % DAY_MS === 0 ? "day" : step % HOUR_MS === 0 ? "hour" : ("minute" as const);
  const values: (string | undefined)[] = [];
  for (const id of classes) values[id] = valueOf(indexer.classes.get(id), by);
  const slice = Math.max(step, Math.floor(SLICE[level] / step) * step);
  // The newest first: what is left out for want of time is the oldest.
  for (let end = to; end > from; end -= slice) {
    const start = Math.max(from, end - slice);
    for (const { at, pairs } of await readCounts(session, level, start, end)) {
      for (let pair = 0; pair + 1 < pairs.length; pair += 2) {
        const value = values[pairs[pair] ?? 0];
        if (value !== undefined) bars.add(value, at, pairs[pair + 1] ?? 0);
      }
    }
    if (start > from && budget.over()) return { cause: "deadline", since: start };
  }
  return null;
}

/** Whether the index alone does not know what fits. */
function mustRead({ names, words, states }: Filter, { way, things }: Plan): boolean {
  return (
    way === "owed" ||
    states.length > 0 ||
    (words.length > 0 && way !== "words") ||
    (names.length > 0 && things === null)
  );
}

async function fromRows(
  looking: Looking,
  planned: Plan,
  by: Dimension,
  bars: Bars,
  isRead: boolean,
  budget: Budget,
): Promise<Refine | null> {
  const { indexer } = looking;
  for await (const { found, down } of search(looking, planned, isRead ? "read" : "count")) {
    if (!isRead)
      for (const { id, class: of } of found)
        bars.add(valueOf(indexer.classes.get(of ?? 0), by), timeOf(id), 1);
    else
      for (let at = 0; at < found.length; at += READ) {
        const some = found.slice(at, at + READ);
        await countRead(looking, some, by, bars);
        if (budget.over() && at + READ < found.length) return tooWide(some.at(-1)?.id ?? down);
      }
    if (budget.over() && down > planned.low) return tooWide(down);
  }
  return null;
}

async function countRead(
  { session, filter, visible }: Looking,
  some: readonly Found[],
  by: Dimension,
  bars: Bars,
): Promise<void> {
  const seqs = some.map(({ seq }) => seq);
  const fit = await readFitting(session, seqs, filter, visible);
  for (const { id, seq } of some) {
    const row = fit.get(seq);
    if (row === undefined) continue;
    const { event, suppressed } = row;
    bars.add(valueOf(traitsOf(event, suppressed, []), by), timeOf(id), 1);
  }
}
