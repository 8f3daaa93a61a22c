import type { FilterSpec } from "../config/config.ts";
import type { KubeEvent } from "../event/event.ts";
import { anyOf, type Matcher } from "./matcher.ts";

/**
 * What stands for the namespace of objects that have none (nodes, persistent volumes), so that patterns can select them.
 * No namespace can be called so: their names have no underscore.
 */
export const CLUSTER_SCOPED = "_cluster";

export type Filter = (event: KubeEvent) => boolean;

/** What lists of patterns are about. */
export type Dimension = keyof FilterSpec["exclude"];

const TEXT_OF: Readonly<Record<Dimension, (event: KubeEvent) => string>> = {
  namespaces: (event) => event.object.namespace ?? CLUSTER_SCOPED,
  kinds: (event) => event.object.kind,
  reasons: (event) => event.reason,
  names: (event) => event.object.name,
  messages: (event) => event.message,
};

/** From the cheapest to the dearest test. */
export const DIMENSIONS = ["kinds", "reasons", "namespaces", "names", "messages"] as const;

/**
 * An event passes when its level is high enough, each list that is not empty has a pattern that matches, and no pattern of `exclude` matches.
 * Namespace, kind and name are those of the object the event is about.
 * @throws Error on a pattern that does not compile; a loaded configuration has none
 */
export function compileFilter(spec: FilterSpec): Filter {
  const included: Filter[] = [];
  const excluded: Filter[] = [];
  for (const dimension of DIMENSIONS) {
    if (spec[dimension].length > 0) included.push(testOf(dimension, spec[dimension]));
    if (spec.exclude[dimension].length > 0)
      excluded.push(testOf(dimension, spec.exclude[dimension]));
  }
  const warningsOnly = spec.level === "Warning";
  return (event) =>
    !(warningsOnly && event.type === "Normal") &&
    included.every((matches) => matches(event)) &&
    !excluded.some((matches) => matches(event));
}

/** What the patterns of a list are held against. */
export function textOf(dimension: Dimension, event: KubeEvent): string {
  return TEXT_OF[dimension](event);
}

function testOf(dimension: Dimension, patterns: readonly string[]): Filter {
  const text = TEXT_OF[dimension];
  const matches: Matcher = anyOf(patterns);
  return (event) => matches(text(event));
}
