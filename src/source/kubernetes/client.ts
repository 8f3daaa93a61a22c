import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { KubeConfig, type User } from "@kubernetes/client-node";
import type { Clock } from "../../clock.ts";
import { ConfigError } from "../../config/config.ts";
import { parseYaml } from "../../config/yaml.ts";
import { CredentialsError } from "./errors.ts";
import { type Access, createTransport, type KubeClient } from "./transport.ts";

export interface KubeClientOptions {
  /** `null`: KUBECONFIG, then ~/.kube/config, then the service account of the pod. */
  readonly kubeconfig: string | null;
  /** `null`: the kubeconfig's current one. */
  readonly context: string | null;
  /** An address in place of the one the kubeconfig names, as kube-eventer takes it; where there is none at all, without credentials. */
  readonly server?: string;
}

/**
 * The one door to @kubernetes/client-node, of which only KubeConfig is used: contexts, certificates, tokens, exec plugins, proxies.
 * Throws ConfigError where the kubeconfig cannot be used; makes no connection.
 */
export function createKubeClient(options: KubeClientOptions, ports: { clock: Clock }): KubeClient {
  let config = load(options);
  const cluster = currentCluster(config);
  const server = new URL(cluster.server);
  const agents = new Map<string, http.Agent>();

  async function access(): Promise<Access> {
    const request: https.RequestOptions = {};
    try {
      await config.applyToHTTPSOptions(request);
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

  /** Reads the kubeconfig anew, and asks its plugin again; keeps what it has where that fails. */
  function reload(): void {
    try {
      config = load(options);
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
    server: cluster.server,
    userAgent: "kube-crier",
  });
  return {
    server: cluster.server,
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

/** A user without credentials; no kubeconfig has one of this name. */
const ANONYMOUS = "\0anonymous";

/** There is no TLS to verify on plain http, but client-node asks for the word. */
function withoutTls(config: KubeConfig): KubeConfig {
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith("http:") ? { ...cluster, skipTLSVerify: true } : cluster,
  );
  return config;
}

function load(options: KubeClientOptions): KubeConfig {
  const config = new FullKubeConfig();
  const where = options.kubeconfig ?? "kubeconfig";
  try {
    if (options.kubeconfig === null) config.loadFromDefault();
    else config.loadFromFile(options.kubeconfig);
  } catch (error) {
    throw problem(
      where,
      unreadable(error),
      "give a file that `kubectl --kubeconfig FILE get events` accepts",
    );
  }
  const isNone = config.currentContext === "loaded-context";
  // As kube-eventer without a kubeconfig: `kubectl proxy`, or an API server that wants no credentials.
  if (isNone && options.server !== undefined) {
    const cluster = { name: options.server, server: options.server, skipTLSVerify: false };
    config.loadFromClusterAndUser(cluster, { name: ANONYMOUS });
    return withoutTls(config);
  }
  if (isNone)
    throw problem(
      where,
      "no cluster is configured: KUBECONFIG is not set, ~/.kube/config does not exist, and this is not a pod with a service account",
      "set KUBECONFIG or give kubeconfig",
    );
  if (options.server !== undefined) {
    const { server } = options;
    config.clusters = config.clusters.map((cluster) => ({ ...cluster, server }));
  }
  withoutTls(config);
  if (options.context !== null) config.setCurrentContext(options.context);

  const context = config.getContextObject(config.currentContext);
  const names = config.contexts.map((one) => one.name).join(", ") || "none";
  if (context === null)
    throw problem(
      where,
      config.currentContext
        ? `there is no context ${JSON.stringify(config.currentContext)}`
        : "no current-context is set",
      `its contexts: ${names}`,
    );
  const cluster = config.getCluster(context.cluster);
  if (cluster === null)
    throw problem(
      where,
      `context ${context.name} names the cluster ${JSON.stringify(context.cluster)}, which is not there`,
      null,
    );
  if (!URL.canParse(cluster.server) || !/^https?:/.test(cluster.server))
    throw problem(
      where,
      `the server of cluster ${cluster.name} is no http or https URL: ${JSON.stringify(cluster.server)}`,
      null,
    );
  if (context.user !== undefined && config.getUser(context.user) === null)
    throw problem(
      where,
      `context ${context.name} names the user ${JSON.stringify(context.user)}, which is not there`,
      null,
    );
  if (context.user === undefined) {
    // client-node leaves out the CA as well where a context has no user.
    const anonymous = { name: ANONYMOUS };
    config.users = [...config.users, anonymous];
    config.contexts = config.contexts.map((one) =>
      one.name === context.name ? { ...one, user: anonymous.name } : one,
    );
  }
  return config;
}

/** client-node overlooks the key `tokenFile` of a kubeconfig's user, which kubectl knows. */
class FullKubeConfig extends KubeConfig {
  override loadFromFile(...args: Parameters<KubeConfig["loadFromFile"]>): void {
    super.loadFromFile(...args);
    const [file] = args;
    const tokenFiles = tokenFilesOf(file, readFileSync(file, "utf8"));
    this.users = this.users.map((user): User => {
      const tokenFile = tokenFiles.get(user.name);
      if (tokenFile === undefined) return user;
      // As for kubectl, the file goes before a token beside it.
      const { token: _, ...rest } = user;
      const config = { tokenFile: path.resolve(path.dirname(file), tokenFile) };
      return { ...rest, authProvider: { name: "tokenFile", config } };
    });
  }
}

function tokenFilesOf(file: string, text: string): ReadonlyMap<string, string> {
  const { users } = (parseYaml(file, text).yaml?.value ?? {}) as { users?: unknown };
  const found = new Map<string, string>();
  for (const entry of Array.isArray(users) ? (users as readonly unknown[]) : []) {
    const { name, user } = (entry ?? {}) as {
      name?: unknown;
      user?: { tokenFile?: unknown } | null;
    };
    const tokenFile = user?.tokenFile;
    if (typeof name === "string" && typeof tokenFile === "string" && tokenFile !== "")
      found.set(name, tokenFile);
  }
  return found;
}

/** A token's file may end with a line break, which no header may hold. */
function trimmed(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
}

function currentCluster(
  config: KubeConfig,
): NonNullable<ReturnType<KubeConfig["getCurrentCluster"]>> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("a loaded kubeconfig has a cluster");
  return cluster;
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

function describe(options: KubeClientOptions, config: KubeConfig): string {
  if (config.currentContext === "inClusterContext") return "the pod's service account";
  if (config.getCurrentUser()?.name === ANONYMOUS && options.kubeconfig === null)
    return "no credentials";
  return `context ${config.currentContext}${options.kubeconfig === null ? "" : ` of ${options.kubeconfig}`}`;
}

function problem(where: string, message: string, hint: string | null): ConfigError {
  return new ConfigError([{ where, message, hint }]);
}

/** The YAML parser's own message quotes the file, and a kubeconfig is full of keys: only its reason is told. */
function unreadable(error: unknown): string {
  const { code, name, reason, mark, message } = (error ?? {}) as {
    code?: unknown;
    name?: unknown;
    reason?: unknown;
    mark?: { line?: unknown };
    message?: unknown;
  };
  if (typeof code === "string") return `cannot be read: ${String(message)}`;
  if (name === "YAMLException")
    return `is not valid YAML: ${String(reason)}${typeof mark?.line === "number" ? ` (line ${mark.line + 1})` : ""}`;
  if (name === "TypeError") return "is not a kubeconfig: it holds no clusters, users and contexts";
  return `is not usable: ${String(message)}`;
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
  return message === "" ? "the plugin failed without a word" : message;
}
