import type { FilterSpec } from "../config/config.ts";
import type { KubeEvent } from "../event/event.ts";
import { DIMENSIONS, type Dimension, textOf } from "../pipeline/filter.ts";
import { compilePattern } from "../pipeline/matcher.ts";

/** One test of a filter, and how it went for one event. */
export interface FilterTest {
  /** `level`, or the list it comes from: `namespaces`, `exclude.reasons`. */
  readonly list: "level" | Dimension | `exclude.${Dimension}`;
  /** What the event says there. */
  readonly found: string;
  /** What was asked for: the patterns of the list, or the least level. */
  readonly wanted: readonly string[];
  /** The pattern that matched; `null`: none did. */
  readonly matched: string | null;
  readonly passed: boolean;
}

/** Every test that a filter makes, in its order, also after the first that failed: who mends a filter wants to see all of them. */
export function explainFilter(spec: FilterSpec, event: KubeEvent): readonly FilterTest[] {
  const tests: FilterTest[] = [];
  if (spec.level === "Warning")
    tests.push({
      list: "level",
      found: event.type,
      wanted: [spec.level],
      matched: event.type === "Normal" ? null : spec.level,
      passed: event.type !== "Normal",
    });
  for (const dimension of DIMENSIONS) {
    const found = textOf(dimension, event);
    const test = (list: FilterTest["list"], wanted: readonly string[], isWanted: boolean) => {
      if (wanted.length === 0) return;
      const matched = wanted.find((pattern) => compilePattern(pattern)(found)) ?? null;
      tests.push({ list, found, wanted, matched, passed: (matched !== null) === isWanted });
    };
    test(dimension, spec[dimension], true);
    test(`exclude.${dimension}`, spec.exclude[dimension], false);
  }
  return tests;
}
