import type { DeliveryState } from "../event/delivery.ts";
import type { KubeEvent } from "../event/event.ts";
import type { DropReason } from "../event/reason.ts";
import type { DeliveryRow, HistoryRow, Visible } from "../ledger/ledger.ts";

export type { Visible };

/** What is looked for. Lists: any of them; empty: everything. Times are milliseconds since the epoch, of when it was last seen. */
export interface Filter {
  readonly from: number | null;
  /** Exclusive. */
  readonly to: number | null;
  readonly clusters: readonly string[];
  /** Of the object; `-` for objects that have none. */
  readonly namespaces: readonly string[];
  readonly kinds: readonly string[];
  /** Exact, or the beginning of it with `*` behind. */
  readonly names: readonly string[];
  readonly reasons: readonly string[];
  readonly types: readonly string[];
  /** Who reported it. */
  readonly components: readonly string[];
  readonly sinks: readonly string[];
  readonly states: readonly DeliveryState[];
  /** Owed to a sink, or kept for history alone (and why). */
  readonly kept: "all" | "owed" | "suppressed";
  readonly suppressed: readonly DropReason[];
  /** Each has to be in the message, the reason or the object's name; upper and lower case are one. */
  readonly words: readonly string[];
}

/** A place between two rows, newest first: stays one whatever is inserted meanwhile. */
export interface Cursor {
  readonly at: number;
  /** Tells rows of one moment apart. */
  readonly tie: number;
}

/** Who asks, and how long they wait. */
export interface Ask {
  readonly visible: Visible;
  /** An answer comes within this time: a part of it, where all of it takes longer. */
  readonly deadlineMs: number;
  /** Whose question it is: one person's questions wait for each other before those of anybody else do. */
  readonly asker?: string;
  readonly signal: AbortSignal;
}

export interface EventRow extends HistoryRow {
  /** Names it for good in this ledger: `storedKey`. */
  readonly id: string;
  /** When it was last seen, as far as that lies before its arrival. */
  readonly at: number;
}

/** Why an answer is a part, and what to do. */
export interface Refine {
  /** `deadline`: not looked further for want of time. `indexing`: what is older is still being indexed. */
  readonly cause: "deadline" | "indexing";
  /** Nothing older than this was looked at; `null`: not known. */
  readonly since: number | null;
}

export interface EventPage {
  readonly rows: readonly EventRow[];
  /** Where the next page begins; `null`: there is none. With `refine`, where to look on. */
  readonly next: Cursor | null;
  readonly refine: Refine | null;
}

export const DIMENSIONS = ["reason", "type", "namespace", "kind", "component"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export interface TimelineQuery {
  readonly by: Dimension;
  /** Milliseconds of a bar; `null`: what fits the range. */
  readonly step: number | null;
  /** How many values stand for themselves; the rest are `other`. */
  readonly top: number;
}

export interface Timeline {
  /** Of the first bar, and the end of the last; whole bars. */
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly total: number;
  /** Largest first. `counts` begins at `from`, one for each bar. */
  readonly series: readonly {
    /** `null`: all the others. */
    readonly value: string | null;
    readonly total: number;
    readonly counts: readonly number[];
  }[];
  /** False where words were counted by the index alone. */
  readonly exact: boolean;
  readonly refine: Refine | null;
}

/** One event with everything told of it. */
export interface EventStory {
  readonly row: EventRow;
  /** Other counts of the same Event, newest first. */
  readonly occurrences: readonly EventBrief[];
  /** Other events of the same object, newest first. */
  readonly object: readonly EventBrief[];
}

export interface EventBrief {
  readonly id: string;
  readonly at: number;
  readonly event: Pick<
    KubeEvent,
    "type" | "reason" | "message" | "count" | "firstSeen" | "lastSeen" | "eventNamespace"
  >;
}

/** One delivery, and what it tells of. */
export interface DeliveryStory {
  readonly row: DeliveryRow;
  /** The id of the event; `null`: it tells of several, or of none. */
  readonly event: string | null;
  /** What was folded into it, newest first, as far as it was found in time. */
  readonly folded: readonly EventBrief[];
}

export interface DeliveryPage {
  readonly rows: readonly DeliveryRow[];
  /** Where the next page begins; `null`: there is none. */
  readonly next: number | null;
}

export interface SinkCounts {
  readonly sink: string;
  readonly pending: number;
  readonly dead: number;
  /** More than this were not counted. */
  readonly capped: boolean;
  readonly oldestOwedAt: number | null;
}

/** What came after `mark`, in the order of arrival. */
export interface Tail {
  readonly rows: readonly EventRow[];
  readonly mark: number;
}

/** The read side for people. Whatever keeps the ledger implements it; one suite runs over all that do. Nothing here holds up delivery. */
export interface HistoryReader {
  events(filter: Filter, limit: number, before: Cursor | null, ask: Ask): Promise<EventPage>;
  timeline(filter: Filter, query: TimelineQuery, ask: Ask): Promise<Timeline>;
  /** `null`: there is none, or none for this asker. */
  event(id: string, ask: Ask): Promise<EventStory | null>;
  /** `null`: there is none, or none for this asker. What tells of several events is for who may see all of them. */
  delivery(id: string, ask: Ask): Promise<DeliveryStory | null>;
  /** Deliveries of one state, newest first. */
  deliveries(
    query: {
      readonly state: "pending" | "dead";
      readonly sink: string | null;
      readonly limit: number;
    },
    before: number | null,
    ask: Ask,
  ): Promise<DeliveryPage>;
  sinks(ask: Ask): Promise<readonly SinkCounts[]>;
  /** Namespaces that Events of the history are, or lately were, stored in; in the order of their names. */
  namespaces(ask: Ask): Promise<readonly string[]>;
  /** `mark` null: nothing yet, only where now is. */
  tail(filter: Filter, mark: number | null, limit: number, ask: Ask): Promise<Tail>;
  close(): Promise<void>;
}

/** Too many wait already; whoever asks may ask again. */
export class BusyError extends Error {
  /** Most of those that wait are their own. */
  readonly own: boolean;
  readonly retryAfterS: number;

  constructor(waiting: number, own = false, retryAfterS = 1) {
    const seconds = Math.min(30, Math.max(1, retryAfterS));
    super(
      `${waiting} questions to the history wait already${own ? ", most of them your own" : ""}; ask again in ${seconds} s`,
    );
    this.name = "BusyError";
    this.own = own;
    this.retryAfterS = seconds;
  }
}

/** The store cannot be read. */
export class UnreadableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UnreadableError";
  }
}

export const EVERYTHING: Filter = {
  from: null,
  to: null,
  clusters: [],
  namespaces: [],
  kinds: [],
  names: [],
  reasons: [],
  types: [],
  components: [],
  sinks: [],
  states: [],
  kept: "all",
  suppressed: [],
  words: [],
};
