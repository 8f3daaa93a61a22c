import { number } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import type { EventRow } from "../history.ts";
import { readCounts, sumOf } from "./counts.ts";
import { DAY_MS } from "../numbers.ts";
import { highestId, idOf, numberAt, timeOf } from "./ids.ts";
import type { Looking, Plan } from "./plan.ts";
import { readRows } from "./rows.ts";
import { byWords } from "./by-words.ts";

/** A row of the index. */
export interface Found {
  readonly id: number;
  readonly seq: number;
  /** `null`: not known without its row. */
  readonly class: number | null;
  /** Where it had to be read anyway. */
  readonly row?: EventRow;
}

/** A step of a search: what it found, newest first, and how far down everything has been looked at. */
export interface Step {
  readonly found: readonly Found[];
  readonly down: number;
}

/** To fill a page, to read every row, or to count by what the index knows of them: what is only counted need not have its number. */
export type Purpose = "page" | "read" | "count";

/** Rows of one step. */
const CHUNKS = { page: 250, read: 5_000, count: 5_000 } as const;
/** So few are found class by class. */
const SPARSE = 5_000;
/** So many classes can be asked one by one. */
const APART = 64;
/** One in so many of all rows: they are found by looking at all of them. */
const DENSE = 8;

/** Everything that may fit, in short steps, newest first. Words and states are still to be looked at. */
export async function* search(
  looking: Looking,
  plan: Plan,
  purpose: Purpose,
): AsyncGenerator<Step> {
  const chunk = CHUNKS[purpose];
  switch (plan.way) {
    case "nothing":
      return;
    case "classes":
      yield* byClasses(looking, plan, chunk);
      return;
    case "things":
      yield* byThings(looking, plan, chunk);
      return;
    case "owed":
      yield* byOwed(looking, plan);
      return;
    case "words":
      yield* byWords(looking, plan, purpose);
      return;
  }
}

/** By the counts first: only days in which there is something are looked at. */
async function* byClasses(looking: Looking, plan: Plan, chunk: number): AsyncGenerator<Step> {
  const { session } = looking;
  const from = Math.floor(timeOf(plan.low) / DAY_MS) * DAY_MS;
  const days = (await readCounts(session, "day", from, timeOf(plan.high) + 1_000))
    .map((day) => ({ at: day.at, ...sumOf(day, plan.classes) }))
    .filter(({ wanted }) => wanted > 0);
  let { high } = plan;
  let [wanted, all] = [0, 0];
  for (const [index, day] of days.entries()) {
    wanted += day.wanted;
    all += day.all;
    if (wanted < chunk && index < days.length - 1) continue;
    const low = Math.max(plan.low, numberAt(day.at));
    while (high > low) {
      const few = wanted <= SPARSE;
      const rows = await read(looking, plan, low, high, chunk, few, wanted * DENSE >= all);
      const last = few || rows.length < chunk ? low : (rows.at(-1)?.id ?? low);
      yield { found: ofThings(plan, rows), down: last };
      high = last;
    }
    [wanted, all] = [0, 0];
  }
  yield { found: [], down: plan.low };
}

type Row = Found & { readonly object: number };

async function read(
  { session }: Looking,
  plan: Plan,
  low: number,
  high: number,
  chunk: number,
  few: boolean,
  dense: boolean,
): Promise<readonly Row[]> {
  const columns = "SELECT id, seq, class, object FROM kube_crier_history_entry";
  const range = `id >= ${number(low)} AND id < ${number(high)}`;
  const list = [...plan.classes].map(number).join(", ");
  const of = plan.allClasses ? "" : ` AND class IN (${list})`;
  const ordered = `ORDER BY id DESC LIMIT ${chunk}`;
  if (few && !dense) {
    const rows = await session.query(
      `${columns} FORCE INDEX (by_class) WHERE class IN (${list}) AND ${range}`,
    );
    return rows.map(toFound).toSorted((a, b) => b.id - a.id);
  }
  if (!dense && plan.classes.size <= APART) {
    const each = [...plan.classes].map(
      (one) =>
        `(${columns} FORCE INDEX (by_class) WHERE class = ${number(one)} AND ${range} ${ordered})`,
    );
    return (await session.query(`${each.join(" UNION ALL ")} ${ordered}`)).map(toFound);
  }
  const rows = await session.query(
    `${columns} FORCE INDEX (PRIMARY) WHERE ${range}${of} ORDER BY id DESC LIMIT ${few ? SPARSE : chunk}`,
  );
  return rows.map(toFound);
}

async function* byThings({ session }: Looking, plan: Plan, chunk: number): AsyncGenerator<Step> {
  const objects = [...(plan.things ?? [])].map(number).join(", ");
  let { high } = plan;
  while (high > plan.low) {
    const rows = (
      await session.query(
        `SELECT id, seq, class, object FROM kube_crier_history_entry FORCE INDEX (by_object)
         WHERE object IN (${objects}) AND id >= ${number(plan.low)} AND id < ${number(high)} ORDER BY id DESC LIMIT ${chunk}`,
      )
    ).map(toFound);
    high = rows.length < chunk ? plan.low : (rows.at(-1)?.id ?? plan.low);
    yield { found: rows.filter((one) => plan.classes.has(one.class ?? 0)), down: high };
  }
}

/**
 * In the order of arrival, which is nearly that of the page: what is left happened no later than it arrived. Those of one second stand
 * in the order of their numbers; and a clock that was put back has what is left arrive after what was read.
 */
async function* byOwed({ session }: Looking, plan: Plan): AsyncGenerator<Step> {
  const { owed } = plan;
  const latest = owed.length > CHUNKS.page ? await latestOfRest(session, owed) : [];
  let kept: Found[] = [];
  for (let at = 0; at < owed.length; at += CHUNKS.page) {
    const seqs = owed.slice(at, at + CHUNKS.page);
    const rows = await readRows(session, `o.seq IN (${seqs.map(number).join(", ")})`);
    const [next, last] = [owed[at + CHUNKS.page], owed.at(-1)];
    const above =
      next === undefined ? 0 : highestId(latest[at + CHUNKS.page] ?? 0, next, last ?? next) + 1;
    const down = Math.max(plan.low, Math.min(plan.high, above));
    kept = [
      ...kept,
      ...rows
        .map(({ seq, row }) => ({ id: idOf(row.at, seq), seq, class: null, row }))
        .filter(({ id }) => id >= plan.low && id < plan.high),
    ].toSorted((a, b) => b.id - a.id);
    yield { found: kept.filter(({ id }) => id >= down), down };
    kept = kept.filter(({ id }) => id < down);
  }
}

/** For each place in the list, when the latest of it and of those behind it arrived. */
async function latestOfRest(session: Session, seqs: readonly number[]): Promise<readonly number[]> {
  const rows = await session.query(
    `SELECT seq, received_at FROM kube_crier_occurrence WHERE seq IN (${seqs.map(number).join(", ")})`,
  );
  const received = new Map(rows.map(([seq, at]) => [Number(seq), Number(at)]));
  const latest: number[] = [];
  for (let at = seqs.length - 1; at >= 0; at -= 1)
    latest[at] = Math.max(latest[at + 1] ?? 0, received.get(seqs[at] ?? 0) ?? 0);
  return latest;
}

function ofThings({ things }: Plan, rows: readonly Row[]): readonly Found[] {
  return things === null ? rows : rows.filter(({ object }) => things.has(object));
}

function toFound([id, seq, of, object]: readonly unknown[]): Row {
  return { id: Number(id), seq: Number(seq), class: Number(of), object: Number(object) };
}
