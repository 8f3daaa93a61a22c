import type { Clock } from "../clock.ts";
import type { SourceConfig } from "../config/config.ts";
import { createKubeClient } from "../source/kubernetes/client.ts";
import type { KubeClientOptions } from "../source/kubernetes/kubeconfig.ts";
import type { KubeClient } from "../source/kubernetes/transport.ts";

/** API server clients, one for each kubeconfig and context, made when first asked for. */
export interface Clients {
  /** @throws ConfigError where the kubeconfig cannot be used */
  get(of: KubeClientOptions): KubeClient;
  /** For ConfigMaps: the client of the first kubernetes source, else what kubectl would use. */
  first(): KubeClient;
  close(): void;
}

export function createClients(sources: readonly SourceConfig[], clock: Clock): Clients {
  const clients = new Map<string, KubeClient>();
  const get: Clients["get"] = ({ kubeconfig, context, server }) => {
    const key = JSON.stringify([kubeconfig, context, server]);
    const known =
      clients.get(key) ??
      createKubeClient(
        { kubeconfig, context, ...(server === undefined ? {} : { server }) },
        { clock },
      );
    clients.set(key, known);
    return known;
  };
  return {
    get,
    first: () =>
      get(
        sources.find((source) => source.type === "kubernetes") ?? {
          kubeconfig: null,
          context: null,
        },
      ),
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}
