import { attemptsOf, keptAttempts, type Delivery, type Outcome } from "../event/delivery.ts";
import type { Entry, DeliveryRow } from "../ledger/ledger.ts";
import { storedKey } from "../ledger/key.ts";
import type {
  Cursor,
  EventBrief,
  EventPage,
  EventRow,
  EventStory,
  Filter,
  Visible,
} from "./history.ts";
import { fits, isVisible, says, toldSo, traitsOf, withinTime } from "./match.ts";

/** Some three megabytes; of an outage of hours it is the end that is asked about. */
const KEPT = 2_000;

interface Kept {
  readonly row: Omit<EventRow, "deliveries">;
  /** Tells those of one moment apart, by their arrival. */
  readonly tie: number;
  readonly deliveries: Map<string, DeliveryRow>;
}

/** The newest events and what became of them, for as long as the store cannot be asked. */
export class Memory {
  readonly #kept = new Map<string, Kept>();
  readonly #byDelivery = new Map<string, Kept>();
  readonly #max: number;
  #tie = 0;

  constructor(max = KEPT) {
    this.#max = max;
  }

  take({ event, suppressed }: Entry, now: number): void {
    if (event === null || this.#kept.has(event.key)) return;
    const at = Date.parse(event.lastSeen);
    const row = {
      id: storedKey(event),
      at: Number.isNaN(at) ? now : Math.max(0, Math.min(at, now)),
      event,
      receivedAt: now,
      suppressed: suppressed ?? null,
    };
    this.#tie += 1;
    this.#kept.set(event.key, { row, tie: this.#tie, deliveries: new Map() });
    if (this.#kept.size <= this.#max) return;
    const [[key, oldest]] = this.#kept as unknown as readonly [readonly [string, Kept]];
    this.#kept.delete(key);
    for (const id of oldest.deliveries.keys()) this.#byDelivery.delete(id);
  }

  /** What is owed is known by its id once it is due. */
  due({ id, sink, alert, attempts, owedAt, notBefore }: Delivery): void {
    if (alert.kind !== "event" || this.#byDelivery.has(id)) return;
    const kept = this.#kept.get(alert.event.key);
    if (kept === undefined) return;
    this.#byDelivery.set(id, kept);
    kept.deliveries.set(id, {
      id,
      sink,
      alert,
      attempts,
      owedAt,
      notBefore,
      state: "pending",
      settledAt: null,
      reason: null,
      detail: null,
      sent: null,
      answer: null,
      foldedInto: null,
      tookMs: null,
      tries: [],
    });
  }

  settle(id: string, outcome: Outcome): void {
    const row = this.#byDelivery.get(id)?.deliveries.get(id);
    if (row === undefined) return;
    const { at, tookMs = null } = outcome;
    if (outcome.kind === "delivered") {
      const { sent, answer } = outcome;
      const well = { reason: null, detail: null, sent, answer, tookMs };
      this.#change(row, { ...well, state: "delivered", settledAt: at });
      return;
    }
    const { reason, detail, counted } = outcome;
    const tries = keptAttempts([...row.tries, ...attemptsOf(outcome)]);
    const failed = { reason, detail, tries, attempts: row.attempts + (counted ? 1 : 0) };
    if (outcome.kind === "retry") this.#change(row, { ...failed, notBefore: outcome.notBefore });
    else this.#change(row, { ...failed, state: "dead", settledAt: at });
  }

  fold(ids: readonly string[], into: string, now: number): void {
    for (const id of ids) {
      const row = this.#byDelivery.get(id)?.deliveries.get(id);
      if (row !== undefined)
        this.#change(row, { state: "folded", settledAt: now, foldedInto: into });
    }
  }

  /** @param since what arrived from then on */
  events(
    filter: Filter,
    limit: number,
    before: Cursor | null,
    visible: Visible,
    since = Number.NEGATIVE_INFINITY,
  ): EventPage {
    const found = [...this.#kept.values()]
      .filter(({ row, tie }) => row.receivedAt >= since && isBefore(row.at, tie, before))
      .filter((one) => isFor(one, filter, visible))
      .toSorted((a, b) => b.row.at - a.row.at || b.tie - a.tie);
    const last = found[limit - 1];
    return {
      rows: found.slice(0, limit).map(toRow),
      next: last === undefined || found.length <= limit ? null : { at: last.row.at, tie: last.tie },
      refine: null,
    };
  }

  event(id: string, visible: Visible): EventStory | null {
    const all = [...this.#kept.values()].filter(({ row }) =>
      isVisible(row.event.eventNamespace, visible),
    );
    const found = all.find(({ row }) => row.id === id);
    if (found === undefined) return null;
    const { uid, cluster, object } = found.row.event;
    const others = all.filter((one) => one !== found).toSorted((a, b) => b.row.at - a.row.at);
    return {
      row: toRow(found),
      occurrences: others.filter(({ row }) => row.event.uid === uid).map(toBrief),
      object: others
        .filter(({ row: { event } }) => event.uid !== uid && event.cluster === cluster)
        .filter(({ row: { event } }) => isSame(event.object, object))
        .map(toBrief),
    };
  }

  #change(row: DeliveryRow, changes: Partial<DeliveryRow>): void {
    this.#byDelivery.get(row.id)?.deliveries.set(row.id, { ...row, ...changes });
  }
}

function isBefore(at: number, tie: number, before: Cursor | null): boolean {
  return before === null || at < before.at || (at === before.at && tie < before.tie);
}

function isFor({ row, deliveries }: Kept, filter: Filter, visible: Visible): boolean {
  const told = [...deliveries.values()];
  const sinks = told.map(({ sink }) => sink);
  return (
    fits(traitsOf(row.event, row.suppressed, sinks), filter, visible) &&
    toldSo(filter, told) &&
    says(row.event, filter) &&
    withinTime(filter, row.at)
  );
}

function toRow({ row, deliveries }: Kept): EventRow {
  return { ...row, deliveries: [...deliveries.values()] };
}

function toBrief({ row: { id, at, event } }: Kept): EventBrief {
  const { type, reason, message, count, firstSeen, lastSeen, eventNamespace } = event;
  return { id, at, event: { type, reason, message, count, firstSeen, lastSeen, eventNamespace } };
}

type Named = EventRow["event"]["object"];

function isSame(a: Named, b: Named): boolean {
  return a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;
}
