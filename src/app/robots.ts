import type { SinkConfig } from "../config/config.ts";
import { Budget } from "../delivery/budget.ts";

/**
 * By the sink's name: what a robot's platform allows all sinks together that speak by that robot. Only for those that share one. Where each
 * of them has a rate of its own, whoever configured it has divided the robot's among them.
 */
export function sharedBudgets(sinks: readonly SinkConfig[]): ReadonlyMap<string, Budget> {
  const byRobot = Map.groupBy(sinks, robotOf);
  const budgets = new Map<string, Budget>();
  for (const [robot, [first, ...others]] of byRobot) {
    if (robot === null || first === undefined || others.length === 0) continue;
    const all = [first, ...others];
    if (all.every(({ ratePerMinute }) => ratePerMinute !== null)) continue;
    const budget = new Budget(first.definition.limits(first.options).rates);
    for (const { name } of all) budgets.set(name, budget);
  }
  return budgets;
}

/** A secret; never to be printed. */
function robotOf({ definition, options }: SinkConfig): string | null {
  const robot = definition.robot?.(options) ?? null;
  return robot === null ? null : JSON.stringify([definition.robotOf ?? definition.type, robot]);
}
