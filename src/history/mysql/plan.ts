import { number, text } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import type { Filter, Visible } from "../history.ts";
import { fits } from "../match.ts";
import { grams } from "../words.ts";
import { readCounts, sumOf } from "./counts.ts";
import { DAY_MS } from "../numbers.ts";
import { numberAt, rangeOf, timeOf } from "./ids.ts";
import type { Indexer } from "./indexer.ts";
import { storedName } from "./taken.ts";

/** Objects beyond which every row of the time is looked at, instead of each object. */
const THINGS_MAX = 1_000;
/** Names beyond these are not told apart in memory. */
const NAMED_MAX = 200_000;
/** Deliveries in a state beyond which each row is asked. */
const OWED_MAX = 20_000;
/** Fewer rows than this are read one by one; more are found by their words. */
const READ_MAX = 2_000;

/** Where a search begins to look. */
export interface Plan {
  readonly way: "nothing" | "classes" | "things" | "owed" | "words";
  readonly low: number;
  readonly high: number;
  /** Every class of the index fits: no row need be asked. */
  readonly allClasses: boolean;
  readonly classes: ReadonlySet<number>;
  /** The objects asked for; `null`: any, or more than can be told apart. */
  readonly things: ReadonlySet<number> | null;
  /** Occurrences of which something is owed in the states asked for, newest first. */
  readonly owed: readonly number[];
  readonly grams: readonly string[];
}

/** What a search works with. */
export interface Looking {
  readonly session: Session;
  readonly indexer: Indexer;
  readonly filter: Filter;
  readonly visible: Visible;
  /** Everything that was there when the question came is in the index, or in what is still being indexed. */
  readonly isThere: boolean;
}

export async function plan(looking: Looking, before: number | null): Promise<Plan> {
  const { session, indexer, filter, visible } = looking;
  await indexer.classes.load(session);
  const classes = indexer.classes.where((traits) => fits(traits, filter, visible));
  const { low, high } = rangeOf(filter, before);
  const begun = {
    low,
    high,
    classes,
    allClasses: classes.size === indexer.classes.size,
    things: null,
    owed: [],
    grams: grams(filter.words),
  };
  if (classes.size === 0 || low >= high) return { ...begun, way: "nothing" };
  const things = await thingsOf(session, filter.names, low, high);
  if (things?.size === 0) return { ...begun, way: "nothing" };
  const some = { ...begun, things };
  if (things !== null && things.size <= THINGS_MAX) return { ...some, way: "things" };
  const owed = await owedIn(session, filter);
  if (owed !== null) return { ...some, owed, way: owed.length === 0 ? "nothing" : "owed" };
  if (some.grams.length > 0 && !(await isFew(session, classes, low, high)))
    return { ...some, way: "words" };
  return { ...some, way: "classes" };
}

async function thingsOf(
  session: Session,
  names: readonly string[],
  low: number,
  high: number,
): Promise<ReadonlySet<number> | null> {
  if (names.length === 0) return null;
  const day = numberAt(Math.floor(timeOf(low) / DAY_MS) * DAY_MS);
  const things = new Set<number>();
  for (const name of names) {
    const begin = storedName(name.endsWith("*") ? name.slice(0, -1) : name);
    const which = name.endsWith("*")
      ? `name >= ${text(begin)} AND name < ${text(`${begin}\u{10ffff}`)}`
      : `name = ${text(begin)}`;
    const rows = await session.query(
      `SELECT id FROM kube_crier_history_object WHERE ${which} AND day >= ${number(day)} AND day < ${number(high)} LIMIT ${NAMED_MAX}`,
    );
    for (const [id] of rows) things.add(Number(id));
    if (rows.length === NAMED_MAX) return null;
  }
  return things;
}

/** What is pending or dead has an index in the ledger. `null`: it is not asked for, or there is too much of it. */
async function owedIn(
  session: Session,
  { states, sinks }: Filter,
): Promise<readonly number[] | null> {
  if (states.length === 0 || !states.every((one) => one === "pending" || one === "dead"))
    return null;
  const ofSink = sinks.length === 0 ? "" : ` AND sink IN (${sinks.map(text).join(", ")})`;
  const rows = await session.query(
    `SELECT occurrence FROM kube_crier_delivery FORCE INDEX (by_state)
     WHERE state IN (${states.map(text).join(", ")})${ofSink} LIMIT ${OWED_MAX + 1}`,
  );
  if (rows.length > OWED_MAX) return null;
  const seqs = new Set(rows.flatMap(([seq]) => (seq === null ? [] : Number(seq))));
  return [...seqs].toSorted((a, b) => b - a);
}

async function isFew(
  session: Session,
  classes: ReadonlySet<number>,
  low: number,
  high: number,
): Promise<boolean> {
  const level = timeOf(high) - timeOf(low) > 3 * DAY_MS ? "day" : "hour";
  const from = Math.floor(timeOf(low) / DAY_MS) * DAY_MS;
  const buckets = await readCounts(session, level, from, timeOf(high) + 1_000);
  return buckets.reduce((sum, bucket) => sum + sumOf(bucket, classes).wanted, 0) <= READ_MAX;
}
