import type { EventRow, Filter, Visible } from "../../history/history.ts";
import type { Refusal } from "../auth/refusal.ts";

/** One client's stream, with a bounded buffer. */
export interface Outlet {
  /** Whether the client has taken most of what was written before. */
  hasRoom(): boolean;
  write(chunk: Uint8Array): void;
  /** What was written still goes. */
  end(): void;
}

/** How rows are written down, as blocks of the stream; for all followers of one key alike, and once for all of them. */
export interface Writing {
  readonly key: string;
  row(row: EventRow): string;
  /** Not everything is here: the client is too slow, or was away for too long. */
  gap(cause: GapCause): string;
  /** Not allowed any more. */
  end(refusal: Refusal): string;
}

export type GapCause = "slow" | "missed";

/** What somebody may see, asked anew; `unknown`: nobody can say now. */
export type Sight =
  | { readonly kind: "sees"; readonly visible: Visible }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "unknown" };

/** Somebody who wants to follow. */
export interface Following {
  readonly asker: string;
  readonly filter: Filter;
  readonly visible: Visible;
  readonly writing: Writing;
  readonly outlet: Outlet;
  /** The id of the last block that the client has; `null`: from now on. */
  readonly after: number | null;
  readonly look: () => Promise<Sight>;
}

/** Followers who see the same and get it written alike. */
export interface Group {
  readonly filter: Filter;
  readonly visible: Visible;
  readonly writing: Writing;
  readonly members: Set<Member>;
}

/** Somebody who follows. */
export interface Member {
  readonly who: Following;
  visible: Visible;
  /** Up to where everything was given out; `null`: from the next look at the store on. */
  mark: number | null;
  /** `behind`: has to be given what came before; `blind`: nobody can say what they may see. */
  state: "live" | "behind" | "blind";
  /** Ids that were given out already though they are behind the hub's mark. */
  had: ReadonlySet<string>;
  writtenAt: number;
  lookAt: number;
}

export function groupKey({ who: { writing, filter }, visible }: Member): string {
  return JSON.stringify([writing.key, filter, visible]);
}
