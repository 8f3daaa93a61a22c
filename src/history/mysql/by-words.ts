import { number } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import { END } from "../numbers.ts";
import { unpacked } from "../varints.ts";
import { bytesOf, hex, inBoth, unpackedRising } from "./packed.ts";
import type { Looking, Plan } from "./plan.ts";
import type { Found, Purpose, Step } from "./search.ts";

/** Segments looked at together: few at first, for a page may be full with them, then ever more. */
const FIRST = 4;
const MOST = 512;
/** Rows looked up at once. */
const LOOKED_UP = 250;
/** Hits held at once, and at most those of one segment more: a word may be in millions of events. */
const HELD = 16_384;

interface Hit {
  readonly id: number;
  readonly class: number;
  /** Known of what has no segment yet. */
  readonly seq?: number;
}

/**
 * By the trigrams of the words: of each segment, the places where all of them are. Segments follow each other in the order of
 * arrival, and may overlap: what lies below the next one's end is kept until that has been looked at.
 */
export async function* byWords(
  looking: Looking,
  plan: Plan,
  purpose: Purpose,
): AsyncGenerator<Step> {
  const { session } = looking;
  let kept = await inRecent(looking, plan);
  let grams = plan.grams;
  let end = END;
  let chunk = FIRST;
  for (let isLast = false; !isLast; chunk = Math.min(MOST, chunk * 4)) {
    const segments = await segmentsBelow(session, plan, end, chunk + 1);
    isLast = segments.length <= chunk;
    const some = segments.slice(0, chunk);
    const found = await inSegments(session, some, grams);
    grams = found.grams;
    for (const { of, until } of groups(some, found.places)) {
      const next = segments[until];
      const bound = next === undefined ? plan.low : Math.max(plan.low, next + 1);
      const hits = await hitsOf(session, of, found.places);
      kept = [...kept, ...hits.filter(({ id }) => id >= plan.low && id < plan.high)];
      kept.sort((a, b) => b.id - a.id);
      const ready = kept.filter(({ id, class: of }) => id >= bound && plan.classes.has(of));
      kept = kept.filter(({ id }) => id < bound);
      const down = Math.min(bound, plan.high);
      if (purpose === "count" && plan.things === null)
        yield { found: ready.map((hit) => ({ seq: 0, ...hit })), down };
      else yield* lookedUp(session, plan, ready, down);
    }
    end = some.at(-1) ?? 0;
  }
}

/** Of what has no segment yet the texts are in memory. */
async function inRecent({ session, indexer, filter }: Looking, plan: Plan): Promise<Hit[]> {
  await indexer.recent.catchUp(session, indexer.classes, await indexer.covered(session));
  return indexer.recent
    .all()
    .filter(
      ({ id, text }) =>
        id >= plan.low && id < plan.high && filter.words.every((word) => text.includes(word)),
    )
    .map(({ id, seq, class: of }) => ({ id, seq, class: of }));
}

/** Those whose end lies below `end`, newest first. */
async function segmentsBelow(
  session: Session,
  { low, high }: Plan,
  end: number,
  limit: number,
): Promise<readonly number[]> {
  const rows = await session.query(
    `SELECT id FROM kube_crier_history_segment
     WHERE id >= ${number(low)} AND id < ${number(end)} AND low < ${number(high)} ORDER BY id DESC LIMIT ${limit}`,
  );
  return rows.map(([id]) => Number(id));
}

/** Where in each segment, as places in its list, something is. */
type Places = ReadonlyMap<number, readonly number[]>;

/** What has all the trigrams; and these, the rarest first: what it leaves nothing of need not be asked for the others. */
async function inSegments(
  session: Session,
  segments: readonly number[],
  grams: readonly string[],
): Promise<{ readonly places: Places; readonly grams: readonly string[] }> {
  const last = segments.at(0);
  const first = segments.at(-1);
  if (last === undefined || first === undefined) return { places: new Map(), grams };
  let places: Map<number, number[]> | null = null;
  const weights = new Map<string, number>();
  for (const gram of grams) {
    if (places?.size === 0) break;
    const [low, high] = places === null ? [first, last] : spanOf(places);
    const rows = await session.query(
      `SELECT segment, places FROM kube_crier_history_word
       WHERE gram = ${hex(Buffer.from(gram, "utf8"))} AND segment >= ${number(low)} AND segment <= ${number(high)}`,
    );
    let weight = 0;
    const both = new Map<number, number[]>();
    for (const [segment, cell] of rows) {
      const bytes = bytesOf(cell);
      weight += bytes.length;
      const before: number[] | null | undefined =
        places === null ? null : places.get(Number(segment));
      if (before === undefined) continue;
      const here = unpackedRising(bytes);
      const left = before === null ? here : inBoth(before, here);
      if (left.length > 0) both.set(Number(segment), left);
    }
    weights.set(gram, weight);
    places = both;
  }
  const rarest = grams.toSorted(
    (a, b) => (weights.get(a) ?? Infinity) - (weights.get(b) ?? Infinity),
  );
  return { places: places ?? new Map(), grams: rarest };
}

/** Segments that are looked at together, newest first, and how many of all have been by then. */
function* groups(
  segments: readonly number[],
  places: Places,
): Generator<{ readonly of: readonly number[]; readonly until: number }> {
  let of: number[] = [];
  let held = 0;
  for (const [index, segment] of segments.entries()) {
    const here = places.get(segment)?.length ?? 0;
    if (here === 0) continue;
    if (held > 0 && held + here > HELD) {
      yield { of, until: index };
      [of, held] = [[], 0];
    }
    of.push(segment);
    held += here;
  }
  yield { of, until: segments.length };
}

async function hitsOf(
  session: Session,
  segments: readonly number[],
  places: Places,
): Promise<readonly Hit[]> {
  if (segments.length === 0) return [];
  const rows = await session.query(
    `SELECT id, low, ids, classes FROM kube_crier_history_segment WHERE id IN (${segments.map(number).join(", ")})`,
  );
  return rows.flatMap(([segment, low, ids, classes]) => {
    const all = unpackedRising(bytesOf(ids));
    const of = unpacked(bytesOf(classes));
    return (places.get(Number(segment)) ?? []).map((place) => ({
      id: Number(low) + (all[place] ?? 0),
      class: of[place] ?? 0,
    }));
  });
}

/** Their rows of the index: a few at a time, for a page needs no more. */
async function* lookedUp(
  session: Session,
  plan: Plan,
  hits: readonly Hit[],
  down: number,
): AsyncGenerator<Step> {
  for (let at = 0; at < hits.length; at += LOOKED_UP) {
    const some = hits.slice(at, at + LOOKED_UP);
    const rows = await session.query(
      `SELECT id, seq, class, object FROM kube_crier_history_entry WHERE id IN (${some.map(({ id }) => number(id)).join(", ")})`,
    );
    const found: Found[] = rows
      .filter(([, , , object]) => plan.things?.has(Number(object)) ?? true)
      .map(([id, seq, of]) => ({ id: Number(id), seq: Number(seq), class: Number(of) }))
      .toSorted((a, b) => b.id - a.id);
    const isLast = at + LOOKED_UP >= hits.length;
    yield { found, down: isLast ? down : (some.at(-1)?.id ?? down) };
  }
  if (hits.length === 0) yield { found: [], down };
}

function spanOf(places: Places): [number, number] {
  let [low, high] = [Infinity, 0];
  for (const id of places.keys()) {
    low = Math.min(low, id);
    high = Math.max(high, id);
  }
  return [low, high];
}
