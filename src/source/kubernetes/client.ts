import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { Clock } from "../../clock.ts";
import { redact } from "../../observe/redact.ts";
import { CredentialsError } from "./errors.ts";
import { currentCluster, describe, type KubeClientOptions, loadKubeconfig } from "./kubeconfig.ts";
import { type Access, createTransport, type KubeClient } from "./transport.ts";

/** A client of the cluster that the kubeconfig names. Throws ConfigError where that cannot be used; makes no connection. */
export function createKubeClient(options: KubeClientOptions, ports: { clock: Clock }): KubeClient {
  let config = loadKubeconfig(options);
  const cluster = currentCluster(config);
  const server = new URL(cluster.server);
  // For messages: some write a password into the address.
  const shown = redact(cluster.server);
  const agents = new Map<string, http.Agent>();

  async function access(signal: AbortSignal): Promise<Access> {
    const request: https.RequestOptions = {};
    try {
      await config.applyUntil(signal, request);
    } catch (error) {
      throw credentialsError(error);
    }
    const proxied = currentCluster(config).proxyUrl !== undefined;
    return {
      server,
      agent: proxied ? (request.agent as http.Agent) : agentFor(request),
      headers: trimmed(request.headers as Readonly<Record<string, string>> | undefined),
      auth: request.auth ?? null,
    };
  }

  /**
   * Reads the kubeconfig anew, and asks its plugin again; keeps what it has where that fails. Whoever has chosen another context meanwhile, or
   * given this one another server, has not asked that ours is shown the credentials of that one.
   */
  function reload(): void {
    try {
      const { currentContext } = config;
      const context =
        options.context ?? (config.getContextObject(currentContext) && currentContext);
      const anew = loadKubeconfig({ ...options, context });
      if (currentCluster(anew).server === cluster.server) config = anew;
    } catch {
      // Half-written by whoever rotates it: the next refusal reads it again.
    }
  }

  /** Connections are kept for as long as the certificates stay the same. */
  function agentFor(request: https.RequestOptions): http.Agent {
    const { ca, cert, key, rejectUnauthorized, servername } = request;
    const hash = createHash("sha256");
    for (const part of [ca, cert, key, servername, String(rejectUnauthorized)])
      hash.update(Buffer.isBuffer(part) || typeof part === "string" ? part : "").update("\0");
    const id = hash.digest("hex");
    const known = agents.get(id);
    if (known !== undefined) return known;
    const agent =
      server.protocol === "https:"
        ? new https.Agent({
            keepAlive: true,
            ca,
            cert,
            key,
            ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
            ...(servername === undefined ? {} : { servername }),
          })
        : new http.Agent({ keepAlive: true });
    // Old agents are not destroyed: a watch may still run on one, and idle sockets keep nothing alive.
    agents.clear();
    agents.set(id, agent);
    return agent;
  }

  const transport = createTransport({
    clock: ports.clock,
    access,
    outdated: reload,
    server: shown,
    userAgent: "kube-crier",
  });
  return {
    server: shown,
    origin: describe(options, config),
    namespace: config.getContextObject(config.currentContext)?.namespace ?? null,
    fingerprint: createHash("sha256")
      .update(`${cluster.server}\0${authority(cluster)}`)
      .digest("hex")
      .slice(0, 16),
    get: transport.get,
    post: transport.post,
    put: transport.put,
    patch: transport.patch,
    stream: transport.stream,
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** A token's file may end with a line break, which no header may hold. */
function trimmed(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
}

/** Every pod knows its API server by the same address: only the CA tells such clusters apart. */
function authority(cluster: { readonly caData?: string; readonly caFile?: string }): string {
  if (cluster.caFile === undefined) return cluster.caData ?? "";
  try {
    return readFileSync(cluster.caFile).toString("base64");
  } catch {
    return cluster.caFile;
  }
}

function credentialsError(error: unknown): CredentialsError {
  const { code } = (error ?? {}) as { code?: unknown };
  const missing = code === "ENOENT" || code === "EACCES";
  return new CredentialsError(
    `no credentials: ${reasonOf(error, code)}${missing ? "; is the plugin or file that the kubeconfig names installed here?" : ""}`,
    missing,
  );
}

/** What a plugin prints is a secret, also where it is not what was expected: V8 quotes the text that is no JSON. */
function reasonOf(error: unknown, code: unknown): string {
  if (error instanceof SyntaxError) return "what the plugin printed is not JSON";
  if (error instanceof TypeError && code === undefined)
    return "what the plugin printed is no ExecCredential with a status";
  const message = String((error as { message?: unknown } | null)?.message).trim();
  return message === "" ? "the plugin failed without a word" : redact(message);
}
