import { concernsCanary } from "../event/canary.ts";
import type { KubeEvent } from "../event/event.ts";
import type { DropReason } from "../event/reason.ts";

export type Matches = (event: KubeEvent) => boolean;

export type Routed =
  | { readonly kind: "drop"; readonly reason: DropReason }
  | { readonly kind: "owed"; readonly sinks: readonly string[] };

/** First the global filter, then each sink's own: an event is owed to every sink whose filter matches. */
export function createRouter(
  global: Matches,
  sinks: readonly { readonly name: string; readonly matches: Matches }[],
): (event: KubeEvent) => Routed {
  return (event) => {
    if (!global(event)) return { kind: "drop", reason: "globalFilter" };
    const owed = sinks.filter((sink) => sink.matches(event)).map((sink) => sink.name);
    return owed.length === 0 ? { kind: "drop", reason: "noSink" } : { kind: "owed", sinks: owed };
  };
}

/**
 * A canary goes past every filter to where it is followed to, and nowhere else. What looks like one and is not ours is dropped: the canary of
 * another kube-crier, or a forgery that would be told before everything else.
 * @param ours where our canary under way is owed to; `null`: the event is not it
 */
export function besideCanaries(
  route: (event: KubeEvent) => Routed,
  ours: (event: KubeEvent) => readonly string[] | null,
): (event: KubeEvent) => Routed {
  return (event) => {
    if (!concernsCanary(event)) return route(event);
    const sinks = ours(event);
    return sinks === null ? { kind: "drop", reason: "canary" } : { kind: "owed", sinks };
  };
}
