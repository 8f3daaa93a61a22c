import type { Books, Created, Death, LedgerDelivery, LedgerEvent, SinkFacts } from "./books.ts";
import { twice } from "./duplicates.ts";
import { DEPOSED, reigns, wasDisturbed } from "./reigns.ts";

/** How long an event may take from the API server to the ledger of a program that has little of a processor: a watch that ends sooner may not have told it. */
const IN_FLIGHT_MS = 3_000;
/** A gap's times are those of the program, which read them before or after ours. */
const CLOCKS_MS = 500;

/** The ledger, as one asks it. */
export class Index {
  readonly books: Books;
  readonly events: ReadonlyMap<string, LedgerEvent>;
  readonly deliveries: ReadonlyMap<string, LedgerDelivery>;
  /** `SINK KEY` of each delivery of one event. */
  readonly #owed: ReadonlyMap<string, LedgerDelivery>;
  readonly #accepted: ReadonlySet<string>;

  constructor(books: Books) {
    this.books = books;
    this.events = new Map(books.events.map((event) => [event.key, event]));
    this.deliveries = new Map(books.deliveries.map((delivery) => [delivery.id, delivery]));
    this.#owed = new Map(
      books.deliveries.map((delivery) => [`${delivery.sink} ${delivery.event}`, delivery]),
    );
    this.#accepted = new Set(
      books.accepted.flatMap(({ sink, id, occurrence }) => [
        `${sink} ${id}`,
        `${sink} ${occurrence}`,
      ]),
    );
  }

  owed(sink: SinkFacts, key: string): LedgerDelivery | undefined {
    return this.#owed.get(`${sink.name} ${key}`);
  }

  /** By idempotency key, or by occurrence. */
  accepted(sink: SinkFacts, what: string): boolean {
    return this.#accepted.has(`${sink.name} ${what}`);
  }
}

/**
 * Compares what was created, what each sink accepted and what the ledger says; answers what does not add up, a line each.
 * Every occurrence is delivered, dead with a reason, in a digest that was delivered, or in a gap that was told; an earlier state of an
 * event that changed again may be missing where nobody watched and a list brought the later one.
 */
export function audit(books: Books): readonly string[] {
  const index = new Index(books);
  return [
    ...books.created.flatMap((one) => lost(one, index)),
    ...books.deliveries.flatMap((delivery) => unpaid(delivery, index)),
    ...books.sinks.flatMap((sink) => notOwed(sink, index)),
    ...strangers(index),
    ...unknownToLedger(index),
    ...twice(index),
    ...endings(books),
    ...reigns(books),
  ];
}

export const keyOf = ({ uid, count }: Pick<Created, "uid" | "count">) => `${uid}@${count}`;

const wants = (sink: SinkFacts, { type }: { readonly type: string }) =>
  sink.wants === "all" || type === sink.wants;

function describe(one: Created): string {
  return `${one.namespace}/${one.name} ${keyOf(one)} (acknowledged ${new Date(one.acked).toISOString()})`;
}

function lost(one: Created, index: Index): readonly string[] {
  if (index.events.has(keyOf(one))) return [];
  if (inGap(one, index.books) || overtaken(one, index) || onlyInMemory(one, index)) return [];
  return [`lost: the ledger does not know ${describe(one)}`];
}

/** In a time the program said it was blind in. */
function inGap({ acked, began }: Created, { events }: Books): boolean {
  return events.some(
    ({ reason, firstSeen, lastSeen }) =>
      reason === "HistoryGap" &&
      Date.parse(firstSeen) - CLOCKS_MS <= acked &&
      began <= Date.parse(lastSeen) + CLOCKS_MS,
  );
}

/**
 * The ledger knows a later state of the same event, and nobody watched from when this one was there until a list that brought the later:
 * then no list and no watch could have shown this one.
 */
function overtaken(one: Created, { books }: Index): boolean {
  const of = (namespace: string | null) => namespace === null || namespace === one.namespace;
  const lists = books.listed.filter(({ namespace }) => of(namespace));
  const watched = durable(books).filter(({ namespace }) => of(namespace));
  return books.events
    .filter(({ uid, count }) => uid === one.uid && count > one.count)
    .some((later) =>
      lists.some(
        (list) =>
          list.to >= beganAt(later, books) &&
          !watched.some(
            ({ from, to }) => from < list.from && to > Math.max(from, one.acked) + IN_FLIGHT_MS,
          ),
      ),
    );
}

/** When this state of an event was asked for. */
function beganAt({ key, eventName, count }: LedgerEvent, { created, attempted }: Books): number {
  return (
    created.find((one) => keyOf(one) === key)?.began ??
    attempted.get(`${eventName}@${count}`) ??
    Number.POSITIVE_INFINITY
  );
}

/** What was watched, less what was forgotten because it was never written. */
function durable({ watched, deaths }: Books): Books["watched"] {
  return watched.map((span) => {
    const forgotten = deaths.find(
      ({ unwrittenSince, at }) =>
        unwrittenSince !== null && unwrittenSince < span.to && span.from < at,
    );
    if (forgotten?.unwrittenSince == null) return span;
    return { ...span, to: Math.max(span.from, forgotten.unwrittenSince) };
  });
}

/**
 * Every sink has it that wants it, and the process died that could not write so. Of a sink whose messages do not say which occurrence
 * they tell it is enough that it has one that the ledger does not know.
 */
function onlyInMemory(one: Created, index: Index): boolean {
  const { accepted, deaths, sinks } = index.books;
  const died = deaths.some(
    ({ unwrittenSince, at }) =>
      unwrittenSince !== null && unwrittenSince <= one.acked + IN_FLIGHT_MS && one.began <= at,
  );
  const has = (sink: SinkFacts): boolean => {
    if (sink.rows !== null) return (sink.rows.get(one.uid) ?? 0) >= one.count;
    const unknown = accepted.filter(
      ({ sink: name, id }) => name === sink.name && !index.deliveries.has(id),
    );
    return (
      index.accepted(sink, keyOf(one)) || unknown.some(({ occurrence }) => occurrence === null)
    );
  };
  return died && sinks.filter((sink) => wants(sink, one)).every(has);
}

/** What the ledger owes, or says is paid, and is not. */
function unpaid(delivery: LedgerDelivery, index: Index): readonly string[] {
  const { id, sink: name, state, reason, detail, event } = delivery;
  const what = `${name} ${id} (${event ?? delivery.alert?.kind})`;
  const sink = index.books.sinks.find((one) => one.name === name);
  if (sink === undefined) return [`unknown sink: ${what}`];
  switch (state) {
    case "pending":
      return [`pending: ${what} was never settled`];
    case "delivered":
      if (sink.rows === null)
        return index.accepted(sink, id)
          ? []
          : [`not told: ${what} is delivered, and was never accepted`];
      return hasRow(delivery, sink, index)
        ? []
        : [`not told: ${what} is delivered, and no row says so`];
    case "dead":
      if (reason === null || detail === null) return [`no reason: ${what} is dead`];
      return (reason === "rejected" || reason === "auth") && sink.refused.has(id)
        ? []
        : [`dead: ${what} was never refused, and is dead: ${reason}, ${detail}`];
    case "folded":
      return unfolded(delivery, what, index);
  }
}

function hasRow({ id, event }: LedgerDelivery, { rows }: SinkFacts, { events }: Index): boolean {
  const found = event === null ? undefined : events.get(event);
  // The row of a gap goes by its delivery: the sink knows no other name.
  const uid = found?.reason === "HistoryGap" ? id : found?.uid;
  return uid === undefined || (rows?.get(uid) ?? 0) >= (found?.count ?? 1);
}

function unfolded(delivery: LedgerDelivery, what: string, index: Index): readonly string[] {
  const digest = index.deliveries.get(delivery.foldedInto ?? "");
  if (digest === undefined || digest.alert?.kind !== "digest")
    return [`no digest: ${what} is folded into nothing that is there`];
  return digest.sink === delivery.sink
    ? []
    : [`no digest: ${what} is folded into one of ${digest.sink}`];
}

/** What the ledger knows and does not owe a sink that wants it has to be in digests of what is too old; and a digest tells of as many as are in it. */
function notOwed(sink: SinkFacts, index: Index): readonly string[] {
  const { events, deliveries } = index.books;
  const missing = events.filter(
    (event) =>
      event.reason !== "HistoryGap" &&
      wants(sink, event) &&
      index.owed(sink, event.key) === undefined,
  );
  const digests = deliveries.filter(
    ({ sink: name, alert }) => name === sink.name && alert?.kind === "digest",
  );
  const parts = (id: string) => deliveries.filter(({ foldedInto }) => foldedInto === id);
  const told = (of: readonly LedgerDelivery[]) =>
    of.reduce((sum, { alert }) => sum + (alert?.total ?? 1), 0);
  const late = told(digests.filter(({ alert }) => alert?.tooOld === true));
  const wrong = digests.filter(
    ({ id, alert }) => alert?.tooOld !== true && told(parts(id)) !== alert?.total,
  );
  // A process that ended in the middle of a list had written them and told nobody; the next list brought what became of them.
  const later = (event: LedgerEvent) =>
    events.some(({ uid, count }) => uid === event.uid && count > event.count);
  const overtaken = index.books.deaths.length > 1 ? missing.filter(later).length : 0;
  return [
    ...(late <= missing.length && late >= missing.length - overtaken
      ? []
      : [
          `not owed: ${missing.length} are not owed to ${sink.name}, ${missing[0]?.key ?? "none"} among them, and its digests of what is too old tell of ${late}`,
        ]),
    ...wrong.map(
      ({ id, alert }) =>
        `wrong digest: ${sink.name} ${id} tells of ${alert?.total}, and ${told(parts(id))} are in it`,
    ),
  ];
}

/** What the ledger knows and nobody made. */
function strangers({ books }: Index): readonly string[] {
  const made = new Set(books.created.map(keyOf));
  return books.events
    .filter(({ reason }) => reason !== "HistoryGap")
    .filter(
      ({ key, eventName, count }) =>
        !made.has(key) && !books.attempted.has(`${eventName}@${count}`),
    )
    .map(({ key, eventName }) => `made up: nobody created ${eventName} ${key}`);
}

/** What was told and the ledger does not say so. */
function unknownToLedger({ books, deliveries }: Index): readonly string[] {
  return books.accepted
    .filter(({ id, life, at }) => {
      const delivery = deliveries.get(id);
      // Refused when it came again, because the answer to the first was lost.
      if (delivery?.state === "delivered" || delivery?.state === "dead") return false;
      const death = books.deaths.find((one) => one.life === life);
      return !(death?.unwrittenSince != null && at >= death.unwrittenSince);
    })
    .map(
      ({ sink, id, occurrence }) =>
        `not written: ${sink} accepted ${id} (${occurrence}), and the ledger says ${deliveries.get(id)?.state ?? "nothing"}`,
    );
}

/**
 * Told to end it says 0, or 3 where it has given something up; where nothing can be written it may lose what only memory knew, and cannot begin.
 * A leader may end where something kept it from its Lease.
 */
function endings({ deaths, election }: Books): readonly string[] {
  const asExpected = (death: Death): boolean => {
    const { asked, code, unwrittenSince, dead, lost } = death;
    if (code === DEPOSED) return election !== null && wasDisturbed(death, election);
    if (asked === "SIGKILL") return code === null;
    if (asked === null) return code === 2 && unwrittenSince !== null;
    if (lost > 0 && unwrittenSince === null) return false;
    return code === (dead + lost > 0 ? 3 : 0);
  };
  return deaths
    .filter((death) => !asExpected(death))
    .map(
      ({ life, asked, code, dead, lost }) =>
        `ending: process ${life} ended with ${code}, asked by ${asked ?? "nobody"}; ${dead} dead, ${lost} lost`,
    );
}
