import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import type { Observer } from "../observe/observer.ts";
import type { Live } from "./desk.ts";
import type { Remembering } from "./recall.ts";
import type { Texts } from "./texts.ts";
import type { DeliveringSide } from "./web-wire.ts";

export interface StatePorts {
  readonly clock: Clock;
  readonly observer: Pick<Observer, "notice" | "warning" | "error">;
  readonly recall: Remembering;
  /** The user's own templates; `null`: not read yet. */
  readonly texts: () => Texts | null;
}

/** What the thread that delivers says of itself to the page's, and does for it. */
export function deliveringSide(
  config: Pick<Config, "sinks">,
  { clock, observer, recall, texts }: StatePorts,
  live: () => Live,
): DeliveringSide {
  const told = { number: 0, texts: null as Texts | null };
  const textsSince = (known: number) => {
    const now = texts();
    if (now !== told.texts) {
      told.number += 1;
      told.texts = now;
    }
    return known === told.number ? null : { ...told };
  };
  return {
    state: (known) => {
      const { history, lane, standby, waitingFor, canaries } = live();
      const now = clock.now();
      return {
        isChangeable: history() !== null,
        sinks: new Map(
          config.sinks.map(({ name }) => [
            name,
            { lane: lane(name, now), lately: recall.lately(name) },
          ]),
        ),
        standby: standby(),
        waitingFor: waitingFor(),
        canaries: canaries(),
        troubles: recall.troubles(),
        since: recall.since(),
        namespaces:
          recall.namespaces.size > known.namespaces
            ? [...recall.namespaces].slice(known.namespaces)
            : [],
        texts: textsSince(known.texts),
      };
    },
    async settleDead(act, ids, sink, visible) {
      const history = live().history();
      // It was there when the page was made; this is what a ledger says that cannot be written.
      if (history === null)
        throw Object.assign(new Error("the ledger is not open"), { name: "StorageError" });
      return act === "retry"
        ? history.retry(ids, sink, clock.now(), visible)
        : history.discard(ids, sink, visible);
    },
    newest: (...asked) => recall.memory.events(...asked),
    newestEvent: (...asked) => recall.memory.event(...asked),
    say: (level, message, details) => observer[level](message, details),
  };
}
