import type { Delivery } from "../../event/delivery.ts";
import { Listeners } from "../listeners.ts";
import type { Pending } from "../store.ts";
import type { SinkStart } from "./load.ts";
import type { Job } from "./jobs.ts";
import type { PendingRead } from "./read.ts";
import type { Owed } from "./script.ts";
import { Window } from "./window.ts";

const RETRY_MS = 1_000;
/** Who asks for as many wants all there is, to fold it into one. */
const ALL = 1_000;
/** More attempts than any rate counts. */
const ATTEMPTS_KEPT = 1_000;

/** What is known of one sink without asking. */
interface Lane {
  readonly window: Window;
  /** About how much is pending. */
  total: number;
  oldestOwedAt: number | null;
  throttledUntil: number | null;
  attempts: number[];
}

/** The answers to what lanes ask at every turn, kept as what is written and read goes by. */
export class Memory {
  readonly #lanes = new Map<string, Lane>();
  readonly #known = new Map<string, Owed>();
  readonly #listeners = new Listeners();

  constructor(sinks: ReadonlyMap<string, SinkStart>) {
    for (const [sink, start] of sinks) {
      const lane = Object.assign(this.#lane(sink), start);
      if (start.total > 0) lane.window.doubt();
    }
  }

  /** A pending delivery that is here; others are in the database alone. */
  get(id: string): Owed | undefined {
    return this.#known.get(id);
  }

  /** A sink of which more should be read, and how. */
  short(): { readonly sink: string; readonly window: Window } | null {
    for (const [sink, { window }] of this.#lanes) if (window.isShort) return { sink, window };
    return null;
  }

  /** @param whole whether the rest can be read; then a digest waits until it is */
  due(
    sink: string,
    now: number,
    max: number,
    except: ReadonlySet<string>,
    whole: boolean,
  ): readonly Delivery[] {
    const { window } = this.#lane(sink);
    const found = window.due(now, max, except);
    // Of half of it no digest is made.
    if (whole && found.length < max && max >= ALL && window.horizon !== null) return [];
    return found.map(({ delivery }) => delivery);
  }

  pending(sink: string, now: number): Pending {
    const lane = this.#lane(sink);
    const { horizon, size } = lane.window;
    const total = horizon === null ? size : Math.max(lane.total, size);
    const beyond = horizon !== null && horizon.notBefore <= now ? total - size : 0;
    const here = lane.window.oldestOwedAt();
    const oldest = horizon === null ? here : least(here, lane.oldestOwedAt);
    return {
      due: lane.window.dueBy(now) + beyond,
      total,
      nextAt: lane.window.nextAt(now),
      oldestOwedAt: total === 0 ? null : oldest,
    };
  }

  nextAt(sink: string, now: number): number | null {
    const { window } = this.#lane(sink);
    const here = window.nextAt(now);
    if (here !== null || window.horizon === null || window.size > 0) return here;
    // It is being read.
    return now + RETRY_MS;
  }

  /** @param always though it stands behind the window: it cannot be read later */
  offer(owed: Owed, always: boolean): void {
    const lane = this.#lane(owed.delivery.sink);
    lane.window.offer(owed, always);
    lane.total += 1;
  }

  /** Not pending any more, or not so. */
  remove(owed: Owed): void {
    const lane = this.#lane(owed.delivery.sink);
    if (lane.window.remove(owed)) lane.total -= 1;
  }

  /** What was read of a sink; what is to be written of it by then is not in the database yet, which says it is pending as it was. */
  extend(sink: string, read: PendingRead, unwritten: readonly Job[]): void {
    const { window } = this.#lane(sink);
    const hidden = new Map<string, Owed | null>();
    for (const job of unwritten) {
      if (job.kind === "settle") hidden.set(job.settle.id, job.after);
      if (job.kind !== "fold") continue;
      for (const id of job.fold.ids) hidden.set(id, null);
      hidden.set(job.after.delivery.id, job.after);
    }
    const pending = read.owed.filter(({ delivery }) => !hidden.has(delivery.id));
    window.extend(pending, read.horizon);
    for (const after of hidden.values())
      if (after?.delivery.sink === sink && !this.#known.has(after.delivery.id)) window.offer(after);
    this.tell([sink]);
  }

  throttle(sink: string, until: number): void {
    const lane = this.#lane(sink);
    // Several were under way: the platform means the longest.
    lane.throttledUntil = Math.max(lane.throttledUntil ?? until, until);
  }

  throttledUntil(sink: string, now: number): number | null {
    const { throttledUntil: until } = this.#lane(sink);
    return until !== null && until > now ? until : null;
  }

  attempting(sink: string, at: number): void {
    const lane = this.#lane(sink);
    lane.attempts.push(at);
    if (lane.attempts.length > 2 * ATTEMPTS_KEPT)
      lane.attempts = lane.attempts.slice(-ATTEMPTS_KEPT);
  }

  recentAttempts(sink: string, since: number): readonly number[] {
    return this.#lane(sink).attempts.filter((at) => at >= since);
  }

  /** What was counted in the database; sinks that are not in it owe nothing. */
  counted(sinks: ReadonlyMap<string, Pick<SinkStart, "total" | "oldestOwedAt">>): void {
    for (const [sink, lane] of this.#lanes) {
      lane.total = sinks.get(sink)?.total ?? 0;
      lane.oldestOwedAt = sinks.get(sink)?.oldestOwedAt ?? null;
    }
  }

  /** Somebody else has changed what is pending, of sinks that are not even here. */
  doubt(): void {
    for (const { window } of this.#lanes.values()) window.doubt();
  }

  setBack(now: number, ms: number): void {
    for (const lane of this.#lanes.values()) {
      lane.window.setBack(now, ms);
      if (lane.throttledUntil !== null) lane.throttledUntil -= ms;
    }
    this.tellAll();
  }

  clear(): void {
    for (const { window } of this.#lanes.values()) window.clear();
  }

  onAdded(sink: string, callback: () => void): () => void {
    // From now on it is one of those that are looked after.
    this.#lane(sink);
    return this.#listeners.add(sink, callback);
  }

  tell(sinks: Iterable<string>): void {
    this.#listeners.tell(sinks);
  }

  tellAll(): void {
    this.#listeners.tellAll();
  }

  #lane(sink: string): Lane {
    const found = this.#lanes.get(sink);
    if (found !== undefined) return found;
    const lane: Lane = {
      window: new Window(this.#known),
      total: 0,
      oldestOwedAt: null,
      throttledUntil: null,
      attempts: [],
    };
    this.#lanes.set(sink, lane);
    return lane;
  }
}

function least(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
