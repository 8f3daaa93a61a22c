import type { ConfigIssue } from "../config/config.ts";
import type { Origin } from "../config/origin.ts";
import type { LaneStatus } from "../delivery/status.ts";
import type { Cursor, EventPage, EventStory, Filter, Visible } from "../history/history.ts";
import type { Lately } from "../observe/lately.ts";
import type { Trouble } from "../observe/troubles.ts";
import type { Texts } from "./texts.ts";

/** What the thread that delivers and the one that serves the page say to each other. */

/** What the page's thread begins with. */
export interface Beginning {
  readonly origin: Origin;
  readonly version: string;
  /** The port it had before, which people know; `null`: the configured one. */
  readonly port: number | null;
  readonly arrivals: Uint32Array<SharedArrayBuffer>;
}

/** What is known already and need not be said again. */
export interface Known {
  /** How many of the namespaces, in the order of their arrival. */
  readonly namespaces: number;
  /** Which texts; 0: none. */
  readonly texts: number;
}

/** What runs, at a moment. */
export interface State {
  readonly isChangeable: boolean;
  readonly sinks: ReadonlyMap<
    string,
    { readonly lane: LaneStatus | null; readonly lately: Lately }
  >;
  readonly standby: { readonly leader: string | null } | null;
  readonly waitingFor: readonly string[];
  readonly canaries: readonly string[];
  readonly troubles: readonly Trouble[];
  readonly since: number | null;
  /** Those that are not known yet. */
  readonly namespaces: readonly string[];
  /** `null`: as they were. */
  readonly texts: { readonly number: number; readonly texts: Texts | null } | null;
}

/** What the thread that delivers answers. */
export type DeliveringSide = {
  readonly state: (known: Known) => State;
  readonly settleDead: (
    act: "retry" | "discard",
    ids: readonly string[],
    sink: string | null,
    visible?: Visible,
  ) => Promise<number>;
  readonly newest: (
    filter: Filter,
    limit: number,
    before: Cursor | null,
    visible: Visible,
    since?: number,
  ) => EventPage;
  readonly newestEvent: (id: string, visible: Visible) => EventStory | null;
  readonly say: (
    level: "notice" | "warning" | "error",
    message: string,
    details?: Readonly<Record<string, unknown>>,
  ) => void;
};

/** What the page's thread answers. */
export type PageSide = {
  readonly problems: () => Promise<readonly ConfigIssue[]>;
  readonly open: () => Promise<{ readonly url: string; readonly port: number }>;
  readonly close: () => Promise<void>;
  /** A sign of life. */
  readonly alive: () => void;
};
