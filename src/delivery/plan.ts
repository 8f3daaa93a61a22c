import type { Delivery } from "../event/delivery.ts";
import type { Budget } from "./budget.ts";
import { foldable, rankOf } from "./digest.ts";

/** What the budget does not allow within this time is too much to be told one by one. */
export const HORIZON_MS = 30_000;
/** How long more is awaited before a digest is made. */
const GATHER_MS = 5_000;

export interface Plan {
  /** To be sent now, in this order. */
  readonly send: readonly Delivery[];
  /** To be told in one digest, which then goes at once; empty, or at least two. */
  readonly fold: readonly Delivery[];
  /** When to look again, if nothing happens before. */
  readonly wakeAt: number;
}

/** More is due than can be told one by one in time. */
export function overloaded(due: number, budget: Budget, now: number): boolean {
  return budget.slotsWithin(now, HORIZON_MS, due) < due;
}

/**
 * What to do while overloaded: one slot is kept for a digest, the worst and oldest go singly into what is left, and after a short
 * time of gathering the rest is folded.
 * @param due everything due and not under way, oldest first
 * @param foldedAt when the last digest was made
 * @param everyMs the least time between two digests
 */
export function planOverload(
  due: readonly Delivery[],
  budget: Budget,
  foldedAt: number,
  everyMs: number,
  now: number,
): Plan {
  const available = budget.available(now);
  if (available === 0) return { send: [], fold: [], wakeAt: budget.nextSlotAt(now) };
  const ranked = due
    .map((delivery) => ({ delivery, rank: rankOf(delivery.alert) }))
    .toSorted((a, b) => a.rank - b.rank || a.delivery.owedAt - b.delivery.owedAt)
    .map(({ delivery }) => delivery);
  const oldest = due.reduce((least, { owedAt }) => Math.min(least, owedAt), now);
  const gatherUntil = Math.max(oldest + GATHER_MS, foldedAt + everyMs);
  if (now < gatherUntil) {
    // Whatever goes singly until then must leave a slot for the digest at that moment.
    const until = budget.slotsWithin(now, gatherUntil - now, available + 1);
    const send = ranked.slice(0, Math.min(available, until - 1));
    return { send, fold: [], wakeAt: Math.min(gatherUntil, now + HORIZON_MS) };
  }
  const slots = budget.slotsWithin(now, HORIZON_MS, due.length);
  const isDigest = ({ alert, begun }: Delivery) => alert.kind === "digest" && begun !== true;
  const digests = ranked.filter(isDigest);
  const singles = ranked.filter((one) => !isDigest(one));
  const rest = singles
    .slice(slots - 1)
    .filter(({ alert, begun }) => foldable(alert) && begun !== true);
  const fold = [...digests, ...rest];
  return fold.length > 1
    ? { send: [], fold, wakeAt: now }
    : { send: ranked.slice(0, available), fold: [], wakeAt: budget.nextSlotAt(now) };
}
