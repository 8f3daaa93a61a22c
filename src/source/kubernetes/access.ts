import type { ConfigIssue, KubernetesSourceConfig } from "../../config/config.ts";
import { ApiError, ConnectionError, CredentialsError, ForbiddenError } from "./errors.ts";
import { currentVersion } from "./list.ts";
import { API_GROUPS, type ApiGroup, eventsPath } from "./resource.ts";
import type { KubeClient } from "./transport.ts";

/** The group to watch in one namespace (`null`: all), and the version it is at. */
export interface Chosen {
  readonly group: ApiGroup;
  readonly resourceVersion: string;
}

/** By asking for one Event. Throws ForbiddenError, or what the client throws. */
export async function chooseGroup(
  client: KubeClient,
  api: KubernetesSourceConfig["api"],
  namespace: string | null,
  signal: AbortSignal,
): Promise<Chosen> {
  const candidates: readonly ApiGroup[] = api === "auto" ? ["core", "events.k8s.io"] : [api];
  const refusals: string[] = [];
  for (const group of candidates) {
    try {
      const path = eventsPath(group, namespace);
      return { group, resourceVersion: await currentVersion(client, path, signal) };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      refusals.push(error.message);
    }
  }
  throw forbidden(refusals, candidates, namespace);
}

/** One issue for each thing that waiting cannot cure; a server that is down or busy is no issue. */
export async function probe(
  client: KubeClient,
  config: KubernetesSourceConfig,
  signal: AbortSignal,
): Promise<readonly ConfigIssue[]> {
  const issues: ConfigIssue[] = [];
  for (const namespace of scopesOf(config)) {
    try {
      await tryWatch(client, config.api, namespace, signal);
    } catch (error) {
      if (signal.aborted) return issues;
      const where = `source kubernetes (${client.origin})`;
      if (error instanceof ForbiddenError)
        issues.push({ where, message: error.message, hint: error.hint });
      else if (
        (error instanceof ConnectionError || error instanceof CredentialsError) &&
        error.permanent
      )
        return [{ where, message: error.message, hint: null }];
      // Unreachable, unauthorized for now, overloaded: the watch itself will go on asking.
      else return issues;
    }
  }
  return issues;
}

/** Namespaces to watch one by one; `null`: all of them at once. */
export function scopesOf(config: KubernetesSourceConfig): readonly (string | null)[] {
  return config.namespaces.length === 0 ? [null] : [...new Set(config.namespaces)];
}

async function tryWatch(
  client: KubeClient,
  api: KubernetesSourceConfig["api"],
  namespace: string | null,
  signal: AbortSignal,
): Promise<void> {
  const { group, resourceVersion } = await chooseGroup(client, api, namespace, signal);
  const query = { watch: "true", resourceVersion, timeoutSeconds: "1" };
  try {
    (await client.stream(eventsPath(group, namespace), query, signal)).destroy();
  } catch (error) {
    if (error instanceof ApiError && error.status === 403)
      throw forbidden([error.message], [group], namespace);
    throw error;
  }
}

function forbidden(
  refusals: readonly string[],
  groups: readonly ApiGroup[],
  namespace: string | null,
): ForbiddenError {
  const apiGroups = groups.map((group) => JSON.stringify(API_GROUPS[group].apiGroup)).join(", ");
  const role =
    namespace === null ? "a ClusterRole" : `a Role in namespace ${namespace}, or a ClusterRole,`;
  return new ForbiddenError(
    `events ${namespace === null ? "of all namespaces" : `of namespace ${namespace}`} may not be read: ${refusals.join("; ")}`,
    `bind ${role} with {apiGroups: [${apiGroups}], resources: ["events"], verbs: ["get", "list", "watch"]}${namespace === null ? ", or name the namespaces to watch" : ""}`,
  );
}
