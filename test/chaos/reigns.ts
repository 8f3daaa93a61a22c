import type { Books, Death, Election, Reign, Span } from "./books.ts";

/** The exit code of a leader that lost its Lease. */
export const DEPOSED = 4;
/** What a machine that does much else adds until a process says that it leads. */
const SLACK_MS = 4_000;
/** From being started until it is a candidate. */
const START_MS = 5_000;

/** Of several replicas one leads and only that delivers, and another one goes on in time. */
export function reigns({ election, ...books }: Books): readonly string[] {
  return election === null
    ? []
    : [...twoAtOnce(books, election), ...terms(election), ...late(books, election)];
}

/** Something kept it from its Lease, and not longer ago than the Lease lasts. */
export function wasDisturbed({ at }: Death, { disturbed, unwell, failoverMs }: Election): boolean {
  return [...disturbed, ...unwell].some(
    ({ from, to }) => from <= at && to >= at - failoverMs - SLACK_MS,
  );
}

/** What one process still delivers when the next has begun can be no more than was under way. */
function twoAtOnce(
  { accepted, sinks }: Pick<Books, "accepted" | "sinks">,
  election: Election,
): readonly string[] {
  return inOrder(election).flatMap(({ life, from }, index, all) =>
    sinks.flatMap(({ name, concurrency }) => {
      const before = new Set(all.slice(0, index).map((one) => one.life));
      const begun = accepted
        .filter((one) => one.life === life)
        .reduce((least, { at }) => Math.min(least, at), from);
      const still = accepted.filter(
        (one) => one.sink === name && before.has(one.life) && one.at > begun,
      );
      return still.length <= concurrency
        ? []
        : [
            `two at once: ${name} accepted ${still.length} from those who led before process ${life} had begun at ${iso(begun)}, the last at ${iso(Math.max(...still.map(({ at }) => at)))}; ${concurrency} can be under way`,
          ];
    }),
  );
}

function terms(election: Election): readonly string[] {
  return inOrder(election).flatMap(({ life, term }, index, all) => {
    const before = all[index - 1];
    return before === undefined || before.term < term
      ? []
      : [`terms: process ${life} led in term ${term} after ${before.life} had in ${before.term}`];
  });
}

/** A leader that is gone is followed within the time that was configured, where somebody was there who could. */
function late({ deaths }: Pick<Books, "deaths">, election: Election): readonly string[] {
  const ended = new Map(deaths.map((death) => [death.life, death.at]));
  return inOrder(election).flatMap(({ life }, index, all) => {
    const gone = ended.get(life);
    if (gone === undefined) return [];
    const next = all[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    const could = [...election.starts].filter(([other]) => other !== life);
    return could.flatMap(([other, started]) => {
      const until = deadline(Math.max(gone, started + START_MS), election);
      if (next <= until || (ended.get(other) ?? 0) <= until) return [];
      return [
        `late: process ${life} was gone at ${iso(gone)}, and ${other} could have led by ${iso(until)}; ${next === Number.POSITIVE_INFINITY ? "nobody did" : `somebody did at ${iso(next)}`}`,
      ];
    });
  });
}

/** From then on, or from when nothing is wrong any more. */
function deadline(from: number, { disturbed, failoverMs }: Election): number {
  const limit = failoverMs + SLACK_MS;
  return disturbed
    .toSorted((one: Span, other: Span) => one.from - other.from)
    .reduce(
      (until, span) => (span.from <= until && span.to >= until - limit ? span.to + limit : until),
      from + limit,
    );
}

function inOrder({ reigns: all }: Election): readonly Reign[] {
  return all.toSorted((one, other) => one.from - other.from);
}

const iso = (at: number) => new Date(at).toISOString();
