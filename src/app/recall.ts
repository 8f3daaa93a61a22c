import type { Cursor, EventPage, EventStory, Filter, Visible } from "../history/history.ts";
import { Memory } from "../history/memory.ts";
import type { Awaitable } from "../ledger/ledger.ts";
import { type Lately, rememberLately } from "../observe/lately.ts";
import type { Observer } from "../observe/observer.ts";
import { rememberTroubles, type Trouble } from "../observe/troubles.ts";

/** Names of namespaces that are remembered; a cluster has hundreds. */
const NAMES_MAX = 10_000;

/** What the page tells that no ledger holds. */
export interface Recall {
  readonly lately: (sink: string) => Lately;
  readonly troubles: () => readonly Trouble[];
  /** Namespaces of Events that came since the start, whatever became of them. */
  readonly namespaces: ReadonlySet<string>;
  /** What came last, and what became of it. */
  readonly memory: Newest;
  /** When the program began, in milliseconds since the epoch; `null`: not known yet. */
  readonly since: () => number | null;
  /** Grows with what comes. */
  readonly arrived: () => number;
}

/** The memory as it is asked. */
export interface Newest {
  events(
    filter: Filter,
    limit: number,
    before: Cursor | null,
    visible: Visible,
    since?: number,
  ): Awaitable<EventPage>;
  event(id: string, visible: Visible): Awaitable<EventStory | null>;
}

/** What is remembered, where it happens. */
export interface Remembering extends Recall {
  readonly memory: Memory;
  /** Where `arrived` is counted: another thread reads it without asking. */
  readonly arrivals: Uint32Array<SharedArrayBuffer>;
}

/** Kept for a page that is served, and for nobody else: the observer does all it did. */
export function remember(
  observer: Observer,
  now: () => number,
): { readonly observer: Observer; readonly recall: Remembering } {
  const lately = rememberLately(observer, now);
  const troubles = rememberTroubles(lately.observer, now);
  const namespaces = new Set<string>();
  const begun = now();
  const arrivals = new Uint32Array(new SharedArrayBuffer(4));
  return {
    observer: {
      ...troubles.observer,
      eventReceived(source, event) {
        Atomics.add(arrivals, 0, 1);
        if (namespaces.size < NAMES_MAX) namespaces.add(event.eventNamespace);
        troubles.observer.eventReceived(source, event);
      },
    },
    recall: {
      lately: lately.of,
      troubles: troubles.current,
      namespaces,
      memory: new Memory(),
      since: () => begun,
      arrivals,
      arrived: () => Atomics.load(arrivals, 0),
    },
  };
}
