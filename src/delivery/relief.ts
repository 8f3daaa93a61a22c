import type { Delivery } from "../event/delivery.ts";
import type { Budget } from "./budget.ts";
import { type Plan, planOverload } from "./plan.ts";

/** What becomes of more than can be told one by one, over time: when it was folded last, and until when a plan for it holds. */
export class Relief {
  readonly #everyMs: number;
  #foldedAt = Number.NEGATIVE_INFINITY;
  /** Whatever comes in between, only the end of an attempt can change it. */
  #planned = { from: 0, until: 0 };

  /** @param everyMs the least time between two digests */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Until when there is nothing new to plan; `null`: there may be. */
  plannedUntil(now: number): number | null {
    const { from, until } = this.#planned;
    // Before that moment: the clock was set back.
    return now >= from && now < until ? until : null;
  }

  plan(due: readonly Delivery[], budget: Budget, now: number): Plan {
    // The clock may have been set back since.
    this.#foldedAt = Math.min(this.#foldedAt, now);
    return planOverload(due, budget, this.#foldedAt, this.#everyMs, now);
  }

  /** The plan holds until then. */
  waits(from: number, until: number): void {
    this.#planned = { from, until };
  }

  attemptEnded(): void {
    this.#planned.until = 0;
  }

  folded(now: number): void {
    this.#foldedAt = now;
  }
}
