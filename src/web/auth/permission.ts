import type { Permission } from "../../config/web-grammar.ts";

/** Either lets one read Events, for both groups serve the same ones. */
export const READ_EVENTS: readonly Permission[] = [
  { verb: "list", group: "", resource: "events" },
  { verb: "list", group: "events.k8s.io", resource: "events" },
];

/** `update deliveries.kube-crier.io`. */
export function permissionText({ verb, resource, group, subresource }: Permission): string {
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}${subresource === undefined ? "" : `/${subresource}`}`;
}

/** The rule that grants it, as it stands in a Role. */
export function ruleText({ verb, resource, group, subresource }: Permission): string {
  const name = subresource === undefined ? resource : `${resource}/${subresource}`;
  return `{apiGroups: [${JSON.stringify(group)}], resources: [${JSON.stringify(name)}], verbs: [${JSON.stringify(verb)}]}`;
}
