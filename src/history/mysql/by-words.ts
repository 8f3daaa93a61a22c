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
    const bound = isLast ? plan.low : Math.max(plan.low, (segments[chunk] ?? 0) + 1);
    const found = await inSegments(session, some, grams);
    grams = found.grams;
    kept = [...kept, ...found.hits.filter((hit) => hit.id >= plan.low && hit.id < plan.high)];
    kept.sort((a, b) => b.id - a.id);
    const ready = kept.filter(({ id, class: of }) => id >= bound && plan.classes.has(of));
    kept = kept.filter(({ id }) => id < bound);
    if (purpose === "count" && plan.things === null)
      yield { found: ready.map((hit) => ({ seq: 0, ...hit })), down: Math.min(bound, plan.high) };
    else yield* lookedUp(session, plan, ready, Math.min(bound, plan.high));
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

/** What has all the trigrams; and these, the rarest first: what it leaves nothing of need not be asked for the others. */
async function inSegments(
  session: Session,
  segments: readonly number[],
  grams: readonly string[],
): Promise<{ readonly hits: readonly Hit[]; readonly grams: readonly string[] }> {
  const last = segments.at(0);
  const first = segments.at(-1);
  if (last === undefined || first === undefined) return { hits: [], grams };
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
  return { hits: places === null ? [] : await hitsOf(session, places), grams: rarest };
}

async function hitsOf(
  session: Session,
  places: ReadonlyMap<number, readonly number[]>,
): Promise<readonly Hit[]> {
  if (places.size === 0) return [];
  const rows = await session.query(
    `SELECT id, low, ids, classes FROM kube_crier_history_segment WHERE id IN (${[...places.keys()].map(number).join(", ")})`,
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

function spanOf(places: ReadonlyMap<number, unknown>): [number, number] {
  let [low, high] = [Infinity, 0];
  for (const id of places.keys()) {
    low = Math.min(low, id);
    high = Math.max(high, id);
  }
  return [low, high];
}
