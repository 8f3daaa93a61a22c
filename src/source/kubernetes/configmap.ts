import { ApiError } from "./errors.ts";
import type { KubeClient } from "./transport.ts";

/**
 * The `data` of a ConfigMap; binaryData is not text and left out. Throws an Error whose message says what to do
 * where it is missing or forbidden; ConnectionError and CredentialsError otherwise.
 */
export async function readConfigMap(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(name)}`;
  let object: unknown;
  try {
    object = await client.get(path, {}, signal);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404)
      throw new Error(
        `there is no ConfigMap ${name} in namespace ${namespace}; see \`kubectl -n ${namespace} get configmaps\``,
        { cause: error },
      );
    if (error.status === 403)
      throw new Error(
        `ConfigMap ${namespace}/${name} may not be read: ${error.message}; allow verb "get" on resource "configmaps"`,
        { cause: error },
      );
    throw error;
  }
  const data = (object as { data?: unknown } | null)?.data;
  if (typeof data !== "object" || data === null) return new Map();
  return new Map(
    Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
