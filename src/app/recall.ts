import { Memory } from "../history/memory.ts";
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
  readonly memory: Memory;
  /** Grows with what comes. */
  readonly arrived: () => number;
}

/** Kept for a page that is served, and for nobody else: the observer does all it did. */
export function remember(
  observer: Observer,
  now: () => number,
): { readonly observer: Observer; readonly recall: Recall } {
  const lately = rememberLately(observer, now);
  const troubles = rememberTroubles(lately.observer, now);
  const namespaces = new Set<string>();
  let arrived = 0;
  return {
    observer: {
      ...troubles.observer,
      eventReceived(source, event) {
        arrived += 1;
        if (namespaces.size < NAMES_MAX) namespaces.add(event.eventNamespace);
        troubles.observer.eventReceived(source, event);
      },
    },
    recall: {
      lately: lately.of,
      troubles: troubles.current,
      namespaces,
      memory: new Memory(),
      arrived: () => arrived,
    },
  };
}
