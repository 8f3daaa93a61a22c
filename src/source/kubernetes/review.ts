import type { KubernetesSourceConfig } from "../../config/config.ts";
import { scopesOf } from "./access.ts";
import { API_GROUPS, type ApiGroup } from "./resource.ts";
import type { KubeClient } from "./transport.ts";

const PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const VERBS = ["list", "watch"] as const;

/** What one may want to do with Events. */
export type Verb = (typeof VERBS)[number] | "create" | "patch";

/** What the API server says we may do, before anything is read. */
export interface Permission {
  readonly verb: Verb;
  readonly group: ApiGroup;
  /** `null`: all namespaces. */
  readonly namespace: string | null;
  readonly allowed: boolean;
  /** The authorizer's reason, where it gives one. */
  readonly reason: string;
}

/** A SelfSubjectAccessReview for each verb and scope a source needs; of the groups it may use, all. Throws what the client throws. */
export async function reviewAccess(
  client: KubeClient,
  config: KubernetesSourceConfig,
  signal: AbortSignal,
): Promise<readonly Permission[]> {
  const groups: readonly ApiGroup[] =
    config.api === "auto" ? ["core", "events.k8s.io"] : [config.api];
  const permissions: Permission[] = [];
  for (const namespace of scopesOf(config)) {
    for (const group of groups) {
      for (const verb of VERBS)
        permissions.push(await review(client, verb, group, namespace, signal));
    }
  }
  return permissions;
}

/** Throws what the client throws. */
export async function review(
  client: KubeClient,
  verb: Verb,
  group: ApiGroup,
  namespace: string | null,
  signal: AbortSignal,
): Promise<Permission> {
  const attributes = {
    group: API_GROUPS[group].apiGroup,
    resource: "events",
    verb,
    ...(namespace === null ? {} : { namespace }),
  };
  const { allowed, reason } = await mayI(client, attributes, signal);
  return { verb, group, namespace, allowed, reason };
}

/** What one may want to do with any object. */
export interface ResourceAttributes {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** The API server's answer to one question. */
export interface Access {
  readonly verb: string;
  readonly allowed: boolean;
  /** The authorizer's reason, where it gives one. */
  readonly reason: string;
}

/** Throws what the client throws. */
export async function mayI(
  client: KubeClient,
  resourceAttributes: ResourceAttributes,
  signal: AbortSignal,
): Promise<Access> {
  const answer = (await client.post(
    PATH,
    {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    },
    signal,
  )) as {
    readonly status?: { readonly allowed?: unknown; readonly reason?: unknown };
  } | null;
  return {
    verb: resourceAttributes.verb,
    allowed: answer?.status?.allowed === true,
    reason: typeof answer?.status?.reason === "string" ? answer.status.reason : "",
  };
}
