import type { DeliveryState } from "../../event/delivery.ts";
import type { Lang } from "../auth/lang.ts";
import { EN } from "./words-en.ts";
import { ZH } from "./words-zh.ts";

/** What the page says to people, in one language. Names of Kubernetes (reasons, kinds, fields) are never translated. */
export interface Words {
  readonly htmlLang: string;
  readonly nav: Readonly<Record<"events" | "sinks" | "templates" | "configuration", string>>;
  readonly otherLanguage: string;
  readonly theme: string;
  readonly logOut: string;
  readonly skip: string;
  readonly skipStrip: string;
  readonly fields: Readonly<
    Record<"since" | "ns" | "kind" | "name" | "reason" | "type" | "sink" | "state" | "q", string>
  >;
  readonly anyTime: string;
  readonly last: (duration: string) => string;
  readonly apply: string;
  readonly reset: string;
  readonly live: string;
  readonly pause: string;
  /** @param count a number, or the place for one */
  readonly waiting: (count: string) => string;
  /** What stands between the rows of what is followed. */
  readonly tail: Readonly<Record<"gap" | "end", string>>;
  readonly flat: string;
  readonly grouped: string;
  readonly by: string;
  readonly dimensions: Readonly<
    Record<"reason" | "type" | "namespace" | "kind" | "component", string>
  >;
  readonly columns: Readonly<
    Record<"last" | "count" | "reason" | "object" | "message" | "told", string>
  >;
  readonly other: string;
  readonly total: (count: string) => string;
  readonly perBar: (length: string) => string;
  readonly older: string;
  readonly newest: string;
  readonly exportCsv: string;
  readonly exportReport: string;
  readonly refine: (until: string | null) => string;
  readonly indexing: (until: string | null) => string;
  readonly empty: Readonly<
    Record<"title" | "filtered" | "quiet" | "none" | "newest" | "permissions" | "widen", string>
  > & {
    /** @param time since when all that happens arrives */
    readonly watching: (time: string) => string;
  };
  /** What stands for the message of an event that has none. */
  readonly noMessage: string;
  readonly states: Readonly<Record<DeliveryState, string>>;
  readonly notRouted: string;
  readonly event: string;
  readonly delivery: string;
  readonly occurrences: string;
  readonly sameObject: string;
  readonly raw: string;
  readonly seen: string;
  readonly filters: string;
  readonly attempt: (count: number) => string;
  readonly attempts: string;
  readonly accepted: string;
  readonly nextTry: (time: string) => string;
  readonly foldedInto: string;
  readonly message: string;
  readonly answer: string;
  readonly workload: (name: string) => string;
  readonly withMade: (kinds: readonly string[]) => string;
  readonly back: string;
  readonly problems: string;
  readonly expected: (expected: string, example: string | null) => string;
  readonly suppressed: Readonly<Record<string, string>>;
  /** @param count how many there are in it */
  readonly reportCut: (count: string) => string;
  /** Before the time at which it was. */
  readonly reportWritten: string;
  readonly example: string;
  readonly asConfigMap: string;
  readonly templateText: string;
  readonly request: string;
  readonly sinkColumns: readonly string[];
  readonly deadColumns: readonly string[];
  readonly sinkStates: Readonly<Record<"open" | "paused" | "broken", string>>;
  readonly inFlight: string;
  readonly deadLetters: string;
  readonly noDeadLetters: string;
  readonly deadLettersCut: (count: string) => string;
  readonly mayNotChange: string;
  /** There are more namespaces than could be asked about. */
  readonly partial: string;
  readonly retry: string;
  readonly discard: string;
  readonly keys: readonly (readonly [key: string, what: string])[];
  readonly help: string;
}

export const WORDS: Readonly<Record<Lang, Words>> = { en: EN, zh: ZH };
