import type { Alert } from "./alert.ts";
import type { FailureReason } from "./reason.ts";

/** One alert owed to one sink instance. */
export interface Delivery {
  /** A UUID made once, when the delivery is owed: the idempotency key, stable over retries and restarts. */
  readonly id: string;
  /** The name of the sink instance. */
  readonly sink: string;
  readonly alert: Alert;
  /** Failed attempts so far. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly owedAt: number;
  readonly notBefore: number;
}

/**
 * pending → delivered | dead | folded (told in a digest). `dead` can be made pending again by hand.
 */
export type DeliveryState = "pending" | "delivered" | "dead" | "folded";

/** How an attempt, or a delivery without one, ended. */
export type Outcome =
  | {
      readonly kind: "delivered";
      readonly at: number;
      readonly sent: string;
      readonly answer: string;
    }
  | {
      readonly kind: "retry";
      readonly at: number;
      readonly notBefore: number;
      readonly reason: FailureReason;
      readonly detail: string;
      readonly counted: boolean;
    }
  | {
      readonly kind: "dead";
      readonly at: number;
      readonly reason: FailureReason;
      readonly detail: string;
      /** An attempt was made, as against one given up for its age or for want of space. */
      readonly counted: boolean;
    };
