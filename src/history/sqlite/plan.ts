import type { Filter, Visible } from "../history.ts";
import { fits } from "../match.ts";
import { grams } from "../words.ts";
import { type Packed, unpack } from "./counts.ts";
import { HOUR_MS } from "../numbers.ts";
import { rangeOf, timeOf } from "./schema.ts";
import type { Tables } from "./tables.ts";

/** Objects beyond which it is cheaper to look at every row of the time than at each object. */
const THINGS_MAX = 20_000;
/** The same for deliveries in a state. */
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
  /** The objects asked for are in the temporary table `thing`. */
  readonly byThing: boolean;
  readonly grams: readonly string[];
}

/** Decides where to look, and fills the temporary tables for it. */
export function plan(
  tables: Tables,
  filter: Filter,
  before: number | null,
  visible: Visible,
): Plan {
  const { classes } = tables.indexer;
  classes.load();
  const some = classes.where((traits) => fits(traits, filter, visible));
  const { low, high } = rangeOf(filter, before);
  const begun = {
    low,
    high,
    classes: some,
    allClasses: some.size === classes.size,
    byThing: filter.names.length > 0,
    grams: grams(filter.words),
  };
  if (some.size === 0 || low >= high) return { ...begun, way: "nothing" };
  if (filter.names.length > 0) {
    const things = thingsOf(tables, filter.names);
    if (things.length === 0) return { ...begun, way: "nothing" };
    tables.fill("thing", things);
    if (things.length <= THINGS_MAX) return { ...begun, way: "things" };
  }
  const owed = owedIn(tables, filter);
  if (owed !== null) {
    tables.fill("owed", owed);
    return { ...begun, way: owed.length === 0 ? "nothing" : "owed" };
  }
  if (begun.grams.length > 0 && !isAtMost(tables, begun, READ_MAX))
    return { ...begun, way: "words" };
  return { ...begun, way: "classes" };
}

function thingsOf(tables: Tables, names: readonly string[]): readonly number[] {
  const exact = tables.index.prepare("SELECT id FROM object WHERE name = ?");
  const begin = tables.index.prepare("SELECT id FROM object WHERE name >= ? AND name < ?");
  return names.flatMap((name) =>
    (name.endsWith("*")
      ? begin.all(name.slice(0, -1), `${name.slice(0, -1)}\u{10ffff}`)
      : exact.all(name)
    ).map((row) => Number(row["id"])),
  );
}

/** What is pending or dead has an index in the ledger. `null`: it is not asked for, or there is too much of it. */
function owedIn(tables: Tables, { states, sinks }: Filter): readonly number[] | null {
  if (states.length === 0) return null;
  if (!states.every((state) => state === "pending" || state === "dead")) return null;
  const seqs: number[] = [];
  for (const state of new Set(states)) {
    const rows = tables.ledger
      .prepare(
        `SELECT occurrence AS seq FROM delivery INDEXED BY delivery_${state}
         WHERE state = '${state}' AND occurrence IS NOT NULL
           AND (?1 = '[]' OR sink IN (SELECT value FROM json_each(?1))) LIMIT ?2`,
      )
      .all(JSON.stringify(sinks), OWED_MAX + 1 - seqs.length);
    for (const row of rows) seqs.push(Number(row["seq"]));
    if (seqs.length > OWED_MAX) return null;
  }
  return seqs;
}

/** Whether so many rows, or fewer, are of the wanted classes and the time; whole hours are counted. */
function isAtMost(
  tables: Tables,
  { classes, low, high }: Pick<Plan, "classes" | "low" | "high">,
  most: number,
): boolean {
  const hours = tables.index
    .prepare("SELECT counts FROM hour WHERE bucket >= ? AND bucket <= ? ORDER BY bucket DESC")
    .iterate(Math.floor(timeOf(low) / HOUR_MS), Math.floor(timeOf(high) / HOUR_MS));
  let sum = 0;
  for (const { counts } of hours) {
    unpack(counts as Packed, (of, n) => {
      if (classes.has(of)) sum += n;
    });
    if (sum > most) return false;
  }
  return true;
}
