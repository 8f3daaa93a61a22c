import type { SQLInputValue } from "node:sqlite";
import { matching } from "../words.ts";
import { holds, type Packed, type Span } from "./counts.ts";
import type { Plan } from "./plan.ts";
import { HOUR_MS, MINUTE_MS } from "../numbers.ts";
import { numberAt, timeOf } from "./schema.ts";
import type { Found, Tables } from "./tables.ts";

/** Rows of one step, where a page is to be filled, and where rows are counted. */
const CHUNKS = { page: 250, count: 5_000 } as const;

/** More than there will ever be classes: numbers are not given twice, and a namespace that comes and goes needs new ones. */
const CLASSES = 2 ** 30;
/** Hits counted in one go: a quarter of a second of the thread's time. */
const HITS = 250_000;

/** A step of a search: what it found, newest first, and how far down everything has been looked at; `null`: in no order. */
export interface Step {
  readonly found: readonly Found[];
  readonly down: number | null;
}

/** Everything that may fit, in steps that are short: to fill a page, the newest first. Words and states are still to be looked at. */
export function* search(tables: Tables, plan: Plan, purpose: "page" | "count"): Generator<Step> {
  const chunk = CHUNKS[purpose];
  if (!plan.allClasses && plan.way !== "nothing" && plan.way !== "words")
    tables.fill("wanted", plan.classes);
  switch (plan.way) {
    case "nothing":
      return;
    case "classes":
      yield* byClasses(tables, plan, chunk);
      return;
    case "things":
    case "owed":
      yield* purpose === "page" ? inOrder(tables, plan, chunk) : inNoOrder(tables, plan, chunk);
      return;
    case "words":
      yield* byWords(tables, plan, chunk);
      return;
  }
}

function listed(plan: Plan): string {
  const from =
    plan.way === "things"
      ? "temp.thing t CROSS JOIN entry e INDEXED BY entry_object ON e.object = t.id"
      : "temp.owed t CROSS JOIN entry e INDEXED BY entry_seq ON e.seq = t.seq";
  return `SELECT e.id, e.seq, e.class FROM ${from} WHERE e.id >= ? AND e.id < ? ${restOf(plan)}`;
}

function* inOrder(tables: Tables, plan: Plan, chunk: number): Generator<Step> {
  const next = tables.index.prepare(`${listed(plan)} ORDER BY e.id DESC LIMIT ${chunk}`);
  let { high } = plan;
  for (;;) {
    const found = next.all(plan.low, high).map(toFound);
    high = found.length < chunk ? plan.low : (found.at(-1)?.id ?? plan.low);
    yield { found, down: high };
    if (found.length < chunk) return;
  }
}

function* inNoOrder(tables: Tables, plan: Plan, chunk: number): Generator<Step> {
  for (const rows of parts(tables.index.prepare(listed(plan)).iterate(plan.low, plan.high), chunk))
    yield { found: rows.map(toFound), down: null };
}

/** As many at a time; whoever ends early ends the statement too, which would keep its snapshot. */
function* parts<T>(all: Iterable<T>, chunk: number): Generator<readonly T[]> {
  let part: T[] = [];
  for (const one of all) {
    part.push(one);
    if (part.length < chunk) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

/** By the counts first: only minutes in which there is something are looked at. */
function* byClasses(tables: Tables, plan: Plan, chunk: number): Generator<Step> {
  const wanted = plan.allClasses ? null : plan.classes;
  const spans = (span: Span) =>
    tables.index.prepare(
      `SELECT bucket, counts FROM ${span} WHERE bucket >= ? AND bucket < ? ORDER BY bucket DESC LIMIT 100`,
    );
  const [hours, minutes] = [spans("hour"), spans("minute")];
  const rows = tables.index.prepare(
    `SELECT id, seq, class FROM entry e WHERE id >= ? AND id < ? ${restOf(plan)} ORDER BY id DESC LIMIT ${chunk}`,
  );
  const span = tables.span();
  if (span === null) return;
  const low = Math.max(plan.low, span.first);
  let high = Math.min(plan.high, span.last + 1);
  const bottom = Math.floor(timeOf(low) / HOUR_MS);
  let top = Math.floor(timeOf(high - 1) / HOUR_MS) + 1;
  while (high > low) {
    const some = hours.all(bottom, top);
    for (const { bucket, counts } of some) {
      const hour = Number(bucket);
      const first = hour * (HOUR_MS / MINUTE_MS);
      const there = holds(counts as Packed, wanted)
        ? minutes.all(first, first + HOUR_MS / MINUTE_MS)
        : [];
      for (const minute of there) {
        if (!holds(minute["counts"] as Packed, wanted)) continue;
        const start = Math.max(low, numberAt(Number(minute["bucket"]) * MINUTE_MS));
        let end = Math.min(high, numberAt((Number(minute["bucket"]) + 1) * MINUTE_MS));
        while (end > start) {
          const found = rows.all(start, end).map(toFound);
          end = found.length < chunk ? start : (found.at(-1)?.id ?? start);
          yield { found, down: end };
        }
      }
      high = Math.min(high, numberAt(hour * HOUR_MS));
      top = hour;
    }
    if (some.length < 100) break;
    yield { found: [], down: high };
  }
  yield { found: [], down: plan.low };
}

/** In one go: where the index begins to look for words makes no difference to it, for it reads its lists from their end. */
function* byWords(tables: Tables, plan: Plan, chunk: number): Generator<Step> {
  const rows = tables.index.prepare(
    `SELECT e.id, e.seq, e.class, e.object FROM word w CROSS JOIN entry e ON e.id = w.rowid
     WHERE w.word MATCH ? AND w.rowid >= ? AND w.rowid < ? ORDER BY w.rowid DESC`,
  );
  const isThing = tables.index.prepare("SELECT 1 FROM temp.thing WHERE id = ?");
  const { low, high } = plan;
  for (const all of parts(rows.iterate(matching(plan.grams), low, high), chunk)) {
    const found = all
      .filter((row) => plan.classes.has(Number(row["class"])))
      .filter((row) => !plan.byThing || isThing.get(row["object"] as SQLInputValue) !== undefined)
      .map(toFound);
    yield { found, down: Number(all.at(-1)?.["id"]) };
  }
  yield { found: [], down: low };
}

export interface Tally {
  /** Of the index's numbers, in units. */
  readonly span: number;
  readonly class: number;
  readonly n: number;
}

/** How many rows hold the words, by time and class, counted where they are found: the newest first, so many at a time. */
export function* tallyWords(
  tables: Tables,
  plan: Plan,
  unit: number,
): Generator<{ readonly tallies: readonly Tally[]; readonly down: number }> {
  // One number to group by sorts faster than two. A parameter would be a number with a fraction.
  const rows = tables.index.prepare(
    `SELECT e.class AS class, COUNT(*) AS n, MIN(e.id) AS least
     FROM (SELECT rowid AS id FROM word WHERE word MATCH ? AND rowid >= ? AND rowid < ?
           ORDER BY rowid DESC LIMIT ${HITS}) w CROSS JOIN entry e ON e.id = w.id
     GROUP BY (e.id / ${unit}) * ${CLASSES} + e.class`,
  );
  let { high } = plan;
  for (;;) {
    const found = rows.all(matching(plan.grams), plan.low, high);
    const hits = found.reduce((sum, row) => sum + Number(row["n"]), 0);
    const tallies = found.map((row) => ({
      span: Math.floor(Number(row["least"]) / unit),
      class: Number(row["class"]),
      n: Number(row["n"]),
    }));
    high = found.reduce((least, row) => Math.min(least, Number(row["least"])), high);
    yield { tallies: tallies.filter((one) => plan.classes.has(one.class)), down: high };
    if (hits < HITS) return;
  }
}

function restOf(plan: Plan): string {
  const classes = plan.allClasses ? "" : "AND e.class IN (SELECT id FROM temp.wanted)";
  return plan.byThing && plan.way === "classes"
    ? `${classes} AND e.object IN (SELECT id FROM temp.thing)`
    : classes;
}

function toFound(row: Record<string, unknown>): Found {
  return { id: Number(row["id"]), seq: Number(row["seq"]), class: Number(row["class"]) };
}
