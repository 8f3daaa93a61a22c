import type { Alert } from "../../event/alert.ts";
import type { Decision } from "../../explain/decision.ts";
import { HOME_OF_CLUSTER_SCOPED } from "../auth/identity.ts";

/** The namespace whose Events one must be allowed to list to read it; what is about the cluster itself is where its nodes are. */
export function homeOf({ eventNamespace }: { readonly eventNamespace: string }): string {
  return eventNamespace === "" ? HOME_OF_CLUSTER_SCOPED : eventNamespace;
}

/** Where the Events are stored that an alert tells of. Empty: it cannot be known, so it is for those who may see all. */
export function homesOf(alert: Alert): readonly string[] {
  switch (alert.kind) {
    case "event":
      return [homeOf(alert.event)];
    case "digest":
      // Beyond its lines it may tell of any namespace.
      return alert.moreKinds > 0
        ? []
        : alert.lines.map(({ namespace }) => homeOf({ eventNamespace: namespace ?? "" }));
    case "gap":
      return [];
  }
}

/** For `mustBeAllowed`; `null`: there is nothing. */
export function homesOfDecision(decision: Decision | null): readonly string[] | null {
  if (decision === null) return null;
  if (decision.kind === "event") return [homeOf(decision.story.row.event)];
  const { row, folded } = decision.delivery;
  const homes = homesOf(row.alert);
  // Lines name the namespace of an object, which is not always that of its Events; none: it is for those who may see all.
  return homes.length === 0 ? [] : [...homes, ...folded.map(({ event }) => homeOf(event))];
}
