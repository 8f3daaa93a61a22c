import type { DeliveryState } from "../event/delivery.ts";
import type { KubeEvent } from "../event/event.ts";
import type { Filter, Visible } from "./history.ts";
import { containsAll } from "./words.ts";

/** What a filter asks of one event, without its words and times. */
export interface Traits {
  readonly cluster: string;
  /** The namespace that the Event itself is stored in: who may list Events there may see it. */
  readonly home: string;
  readonly namespace: string | null;
  readonly kind: string;
  readonly type: string;
  readonly reason: string;
  readonly component: string | null;
  readonly suppressed: string | null;
  readonly sinks: readonly string[];
}

/** What has few values is a word or two; whoever may create Events may write a book there, which an index must have room for. */
const TRAIT_MAX = 512;

export function traitsOf(
  event: KubeEvent,
  suppressed: string | null,
  sinks: readonly string[],
): Traits {
  const { namespace, kind } = event.object;
  const { component } = event.reporter;
  return {
    cluster: cut(event.cluster),
    home: cut(event.eventNamespace),
    namespace: namespace === null ? null : cut(namespace),
    kind: cut(kind),
    type: cut(event.type),
    reason: cut(event.reason),
    component: component === null ? null : cut(component),
    suppressed,
    sinks,
  };
}

function cut(value: string): string {
  return value.length <= TRAIT_MAX ? value : value.slice(0, TRAIT_MAX).toWellFormed();
}

export function isVisible(home: string, visible: Visible): boolean {
  return visible === "all" || visible.includes(home);
}

export function fits(traits: Traits, filter: Filter, visible: Visible): boolean {
  return (
    isVisible(traits.home, visible) &&
    oneOf(filter.clusters, traits.cluster) &&
    oneOf(filter.namespaces, traits.namespace ?? "-") &&
    oneOf(filter.kinds, traits.kind) &&
    oneOf(filter.types, traits.type) &&
    oneOf(filter.reasons, traits.reason) &&
    oneOf(filter.components, traits.component ?? "-") &&
    oneOf(filter.suppressed, traits.suppressed ?? "") &&
    (filter.sinks.length === 0 || filter.sinks.some((sink) => traits.sinks.includes(sink))) &&
    (filter.kept === "all" || (filter.kept === "suppressed") === (traits.suppressed !== null))
  );
}

export function namedBy(names: readonly string[], name: string): boolean {
  return (
    names.length === 0 ||
    names.some((wanted) =>
      wanted.endsWith("*") ? name.startsWith(wanted.slice(0, -1)) : name === wanted,
    )
  );
}

export function withinTime(filter: Filter, at: number): boolean {
  return at >= (filter.from ?? Number.NEGATIVE_INFINITY) && at < (filter.to ?? Infinity);
}

/** Both together: a delivery of one of the sinks is in one of the states. */
export function toldSo(
  filter: Filter,
  deliveries: readonly { readonly sink: string; readonly state: DeliveryState }[],
): boolean {
  if (filter.states.length === 0) return true;
  return deliveries.some(
    ({ sink, state }) => filter.states.includes(state) && oneOf(filter.sinks, sink),
  );
}

/** What the row itself has to say, once its traits are known to fit. */
export function says(event: KubeEvent, filter: Filter): boolean {
  return namedBy(filter.names, event.object.name) && containsAll(event, filter.words);
}

function oneOf(wanted: readonly string[], value: string): boolean {
  return wanted.length === 0 || wanted.some((one) => cut(one) === value);
}
