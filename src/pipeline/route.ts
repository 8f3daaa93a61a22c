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
