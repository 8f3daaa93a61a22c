import type { Index } from "./accountant.ts";
import type { Acceptance, Death } from "./books.ts";
import { DEPOSED } from "./reigns.ts";

/** Told twice: only where an answer was lost or a process killed before it had settled, and with the same key. */
export function twice(index: Index): readonly string[] {
  return [...again(index), ...otherKey(index), ...tooMany(index)];
}

/** Acceptances of one message after the first, each with the one before it. */
function repeats({ books }: Index): readonly (readonly [Acceptance, Acceptance])[] {
  const last = new Map<string, Acceptance>();
  const found: (readonly [Acceptance, Acceptance])[] = [];
  for (const one of books.accepted.toSorted((a, b) => a.at - b.at)) {
    const key = `${one.sink} ${one.id}`;
    const before = last.get(key);
    if (before !== undefined) found.push([before, one]);
    last.set(key, one);
  }
  return found;
}

/** The kill between the two, or the loss of a Lease, which leaves no more time; `null` where none can be the reason. */
function killBetween(before: Acceptance, one: Acceptance, deaths: readonly Death[]): Death | null {
  const death = deaths.find(({ life }) => life === before.life);
  if (death === undefined || one.life === before.life) return null;
  return death.asked === "SIGKILL" || death.code === DEPOSED ? death : null;
}

/** How long an answer may be on its way into the ledger of a program that has little of a processor. */
const SETTLING_MS = 1_000;

function unwritten({ at, life }: Acceptance, deaths: readonly Death[]): boolean {
  return deaths.some(
    (death) =>
      death.life === life &&
      death.unwrittenSince !== null &&
      at >= death.unwrittenSince - SETTLING_MS,
  );
}

function again(index: Index): readonly string[] {
  const { deaths } = index.books;
  return repeats(index)
    .filter(
      ([before, one]) =>
        !before.doubtful && killBetween(before, one, deaths) === null && !unwritten(before, deaths),
    )
    .map(
      ([before, one]) =>
        `twice: ${one.sink} accepted ${one.id} (${one.occurrence}) at ${iso(before)} by process ${before.life} and at ${iso(one)} by process ${one.life}, and nothing had happened to the answer`,
    );
}

/** At most what was under way at each kill. */
function tooMany(index: Index): readonly string[] {
  const { deaths, sinks } = index.books;
  return sinks.flatMap((sink) =>
    deaths.flatMap((death) => {
      const caused = repeats(index).filter(
        ([before, one]) =>
          one.sink === sink.name &&
          !before.doubtful &&
          !unwritten(before, deaths) &&
          killBetween(before, one, deaths) === death,
      );
      return caused.length <= sink.concurrency
        ? []
        : [
            `too many twice: ${sink.name} accepted ${caused.length} again after process ${death.life} was killed, and ${sink.concurrency} can be under way`,
          ];
    }),
  );
}

/** One occurrence told to one sink under two keys: nobody can tell that it is one. */
function otherKey(index: Index): readonly string[] {
  const { accepted, deaths } = index.books;
  const keys = new Map<string, Acceptance>();
  return accepted
    .toSorted((a, b) => a.at - b.at)
    .flatMap((one) => {
      const occurrence = one.occurrence ?? index.deliveries.get(one.id)?.event ?? null;
      if (occurrence === null) return [];
      const key = `${one.sink} ${occurrence}`;
      const before = keys.get(key);
      keys.set(key, one);
      if (before === undefined || before.id === one.id || unwritten(before, deaths)) return [];
      return [`other key: ${one.sink} accepted ${occurrence} as ${before.id} and as ${one.id}`];
    });
}

function iso({ at }: Acceptance): string {
  return new Date(at).toISOString();
}
