import type { Clock } from "../clock.ts";
import type { Observer } from "../observe/observer.ts";
import { NOTHING_LATELY } from "../observe/lately.ts";
import type { Calls } from "./calls.ts";
import type { Live } from "./desk.ts";
import type { Recall } from "./recall.ts";
import type { Texts } from "./texts.ts";
import type { DeliveringSide, State } from "./web-wire.ts";

/** Asked for so often at most: however many read, the thread that delivers answers ten times a second. */
const EVERY_MS = 100;

const NOTHING: State = {
  isChangeable: false,
  sinks: new Map(),
  standby: null,
  waitingFor: [],
  canaries: [],
  troubles: [],
  since: null,
  namespaces: [],
  texts: null,
};

/** What runs in the other thread, as it was when it was asked last. */
export interface Mirror {
  readonly recall: Recall;
  readonly live: Live;
  readonly texts: () => Texts | null;
  readonly observer: Pick<Observer, "notice" | "warning" | "error">;
  /** Resolves when what is told is a tenth of a second old at most; never rejects. */
  readonly fresh: () => Promise<void>;
}

export function mirrorOf(
  calls: Pick<Calls<DeliveringSide>, "ask">,
  arrivals: Uint32Array<SharedArrayBuffer>,
  clock: Pick<Clock, "now">,
): Mirror {
  const namespaces = new Set<string>();
  const known = { state: NOTHING, texts: null as Texts | null, textsNumber: 0 };
  const asked = {
    at: Number.NEGATIVE_INFINITY,
    answer: null as Promise<void> | null,
    failed: false,
  };

  const say: (...said: Parameters<DeliveringSide["say"]>) => void = (...said) =>
    void calls.ask("say", ...said).catch(() => undefined);
  const refresh = async () => {
    try {
      const state = await calls.ask("state", {
        namespaces: namespaces.size,
        texts: known.textsNumber,
      });
      asked.failed = false;
      known.state = state;
      for (const one of state.namespaces) namespaces.add(one);
      if (state.texts !== null) {
        known.texts = state.texts.texts;
        known.textsNumber = state.texts.number;
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!asked.failed)
        say("error", `the page does not know what runs: ${why}; it shows what it knew`);
      asked.failed = true;
    }
  };
  const change = async (...given: Parameters<DeliveringSide["settleDead"]>): Promise<number> => {
    try {
      return await calls.ask("settleDead", ...given);
    } finally {
      // Whoever looks after that is to see it.
      asked.at = Number.NEGATIVE_INFINITY;
      asked.answer = null;
    }
  };
  const history: ReturnType<Live["history"]> = {
    retry: (ids, sink, _now, visible) => change("retry", ids, sink, visible),
    discard: (ids, sink, visible) => change("discard", ids, sink, visible),
  };

  return {
    live: {
      history: () => (known.state.isChangeable ? history : null),
      lane: (sink) => known.state.sinks.get(sink)?.lane ?? null,
      standby: () => known.state.standby,
      waitingFor: () => known.state.waitingFor,
      canaries: () => known.state.canaries,
    },
    recall: {
      lately: (sink) => known.state.sinks.get(sink)?.lately ?? NOTHING_LATELY,
      troubles: () => known.state.troubles,
      since: () => known.state.since,
      namespaces,
      memory: {
        events: (...given) => calls.ask("newest", ...given),
        event: (...given) => calls.ask("newestEvent", ...given),
      },
      arrived: () => Atomics.load(arrivals, 0),
    },
    texts: () => known.texts,
    observer: {
      notice: (...said) => say("notice", ...said),
      warning: (...said) => say("warning", ...said),
      error: (...said) => say("error", ...said),
    },
    fresh: () => {
      if (asked.answer !== null) return asked.answer;
      const now = clock.now();
      // Before that moment: the clock was set back.
      if (now >= asked.at && now - asked.at < EVERY_MS) return Promise.resolve();
      asked.at = now;
      const answer = refresh().finally(() => {
        if (asked.answer === answer) asked.answer = null;
      });
      asked.answer = answer;
      return answer;
    },
  };
}
