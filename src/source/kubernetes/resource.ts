import type { Query } from "./transport.ts";

/** The two API groups that serve the same Events; exactly one is watched. */
export const API_GROUPS = {
  core: { path: "/api/v1", label: "core/v1", apiGroup: "" },
  "events.k8s.io": {
    path: "/apis/events.k8s.io/v1",
    label: "events.k8s.io/v1",
    apiGroup: "events.k8s.io",
  },
} as const;

export type ApiGroup = keyof typeof API_GROUPS;

/** `null`: all namespaces. */
export function eventsPath(group: ApiGroup, namespace: string | null): string {
  const { path } = API_GROUPS[group];
  return namespace === null
    ? `${path}/events`
    : `${path}/namespaces/${encodeURIComponent(namespace)}/events`;
}

/**
 * A type that is neither Normal nor Warning counts as a warning, so `type!=Normal` is the one selector on type that loses nothing.
 */
export function selector(onlyNotNormal: boolean): Query {
  return onlyNotNormal ? { fieldSelector: "type!=Normal" } : {};
}
