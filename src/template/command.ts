import type { ObjectRef } from "../event/event.ts";

/** Groups whose kinds kubectl knows by their short name alone. */
const BUILT_IN: ReadonlySet<string> = new Set([
  "apps",
  "autoscaling",
  "batch",
  "policy",
  "networking.k8s.io",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "scheduling.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "admissionregistration.k8s.io",
  "certificates.k8s.io",
]);

/**
 * The command to look at the object: `kubectl -n shop describe pod web-7d4b9c`, `kubectl describe node node-3`,
 * `kubectl -n data describe rollout.argoproj.io web`. Names come from whoever wrote the Event: what is odd is quoted for a POSIX shell; where
 * kubectl could take a name for an option, or a name was too long to be one, there is no command.
 * @param object with its texts on one line
 */
export function describeCommand(
  object: Pick<ObjectRef, "kind" | "apiVersion" | "namespace" | "name">,
): string {
  const { kind, namespace, name } = object;
  if (kind === "" || name === "") return "";
  if ([kind, namespace ?? "", name].some((word) => word.startsWith("-") || word.includes("…")))
    return "";
  const group = groupOf(object.apiVersion);
  const resource = kind.toLowerCase() + (group === "" || BUILT_IN.has(group) ? "" : `.${group}`);
  const scope = namespace === null ? [] : ["-n", namespace];
  return ["kubectl", ...scope, "describe", resource, name].map(shellWord).join(" ");
}

/**
 * The command to look at what happened in one namespace, or in all.
 * @param namespace on one line
 */
export function eventsCommand(namespace: string | null): string {
  const scope = namespace === null ? ["get", "events", "-A"] : ["-n", namespace, "get", "events"];
  if (namespace?.startsWith("-") === true || namespace?.includes("…") === true) return "";
  return ["kubectl", ...scope, "--sort-by=.lastTimestamp"].map(shellWord).join(" ");
}

function groupOf(apiVersion: string | null): string {
  const slash = apiVersion?.indexOf("/") ?? -1;
  if (apiVersion === null || slash === -1) return "";
  const group = apiVersion.slice(0, slash);
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(group) ? group : "";
}

function shellWord(word: string): string {
  if (/^[A-Za-z0-9_./:=@%+-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
