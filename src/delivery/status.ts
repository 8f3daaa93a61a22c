import type { Rate } from "../sink/define.ts";

export type LaneState = "open" | "paused" | "broken";

/** What a lane is doing at a moment. */
export interface LaneStatus {
  readonly state: LaneState;
  /** When it goes on, or tries again, in milliseconds since the epoch; `null`: it is open. */
  readonly until: number | null;
  readonly inFlight: number;
  /** What the narrowest of the platform's rates still allows; `null`: there is none. */
  readonly budget: (Rate & { readonly left: number }) | null;
}
