import { Budget } from "./budget.ts";
import type { LaneOptions, LanePorts } from "./lane.ts";

/** The budget of a lane, less what was spent before a restart. */
export function openBudget(
  { name, rates, timeoutMs }: Pick<LaneOptions, "name" | "rates" | "timeoutMs">,
  { outbox, clock, shared = null }: Pick<LanePorts, "outbox" | "clock" | "shared">,
): Budget {
  const now = clock.now();
  const longest = Math.max(0, ...rates.map((rate) => rate.perMs));
  // When they ended was not written; no later than their timeout, and not after the restart.
  const ended = outbox
    .recentAttempts(name, now - longest - timeoutMs)
    .map((at) => Math.min(at + timeoutMs, now));
  return new Budget(rates, ended, shared);
}
