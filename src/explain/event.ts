import type { Config } from "../config/config.ts";
import { concernsCanary } from "../event/canary.ts";
import type { KubeEvent } from "../event/event.ts";
import { type Allowance, allowanceOf } from "./allowance.ts";
import { explainFilter, type FilterTest } from "./filter.ts";

/** What a configuration decides about one event, and why. */
export interface Explanation {
  /** Filters are not asked about the Event of a canary: it is owed to where its own canary is followed to, and else dropped. */
  readonly canary: boolean;
  /** The tests of the global filter; empty: it has none. */
  readonly global: readonly FilterTest[];
  /** Whether the global filter lets it pass. */
  readonly passed: boolean;
  readonly sinks: readonly SinkExplanation[];
}

export interface SinkExplanation {
  readonly sink: string;
  readonly type: string;
  readonly tests: readonly FilterTest[];
  /** The sink's own filter lets it pass. */
  readonly passed: boolean;
  /** It is owed to this sink: the global filter and the sink's own let it pass. */
  readonly owed: boolean;
  /** How often it may be told, and what becomes of the rest. */
  readonly allowance: Allowance;
}

/** The decisions of `createRouter` for this configuration, with their reasons. */
export function explainEvent(
  config: Pick<Config, "filter" | "sinks">,
  event: KubeEvent,
): Explanation {
  const canary = concernsCanary(event);
  const global = explainFilter(config.filter, event);
  const passed = global.every((test) => test.passed);
  const sinks = config.sinks.map((sink) => {
    const { name, definition, filter } = sink;
    const tests = explainFilter(filter, event);
    const own = tests.every((test) => test.passed);
    return {
      sink: name,
      type: definition.type,
      tests,
      passed: own,
      owed: own && passed && !canary,
      allowance: allowanceOf(sink),
    };
  });
  return { canary, global, passed, sinks };
}
