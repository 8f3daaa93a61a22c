import { spawn, type SpawnOptions } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import type { RequestOptions } from "node:https";
import path from "node:path";
import { KubeConfig, type User } from "@kubernetes/client-node";
import { ConfigError } from "../../config/config.ts";
import { processEnv } from "../../config/secrets.ts";
import { parseYaml } from "../../config/yaml.ts";
import { redact } from "../../observe/redact.ts";

export interface KubeClientOptions {
  /** `null`: KUBECONFIG, then ~/.kube/config, then the service account of the pod. */
  readonly kubeconfig: string | null;
  /** `null`: the kubeconfig's current one. */
  readonly context: string | null;
  /** An address in place of the one the kubeconfig names, as kube-eventer takes it; where there is none at all, without credentials. */
  readonly server?: string;
}

/** A user without credentials; no kubeconfig has one of this name. */
const ANONYMOUS = "\0anonymous";

/** There is no TLS to verify on plain http, but client-node asks for the word. */
function withoutTls(config: Kubeconfig): Kubeconfig {
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith("http:") ? { ...cluster, skipTLSVerify: true } : cluster,
  );
  return config;
}

/**
 * What kubectl would use: contexts, certificates, tokens, exec plugins, proxies, as client-node's KubeConfig, of which this is the one door.
 * Throws ConfigError where it cannot be used; makes no connection.
 */
export function loadKubeconfig(options: KubeClientOptions): Kubeconfig {
  const config = new Kubeconfig();
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
      `the server of cluster ${cluster.name} is no http or https URL: ${JSON.stringify(redact(cluster.server))}`,
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

/** client-node's, with what it leaves out. */
export class Kubeconfig extends KubeConfig {
  /** Of the plugin that is being started. */
  #until: AbortSignal | null = null;

  constructor() {
    super();
    const plugins = this["authenticators"] as readonly { execFn?: typeof spawn }[];
    for (const plugin of plugins)
      if (plugin.execFn !== undefined)
        plugin.execFn = ((command: string, args: readonly string[], options: SpawnOptions) =>
          spawn(command, args, { ...options, ...this.#end() })) as typeof spawn;
  }

  /**
   * What a request needs to be let in. The plugin that is run for it ends with `signal`: one that hangs would be left behind by each try,
   * and hold up the end of the process.
   */
  async applyUntil(signal: AbortSignal, request: RequestOptions): Promise<void> {
    this.#until = signal;
    // It is started before the first thing that is waited for.
    const applied = this.applyToHTTPSOptions(request);
    this.#until = null;
    await applied;
  }

  #end(): SpawnOptions {
    return this.#until === null ? {} : { signal: this.#until, killSignal: "SIGKILL" };
  }

  /** As kubectl, it passes over a file of KUBECONFIG that is not there, as long as one is; client-node would also read all but the first by its own lights. */
  override loadFromDefault(...args: Parameters<KubeConfig["loadFromDefault"]>): void {
    const { KUBECONFIG = "" } = processEnv();
    if (KUBECONFIG === "") {
      super.loadFromDefault(...args);
      return;
    }
    const listed = KUBECONFIG.split(path.delimiter).filter((file) => file !== "");
    if (listed.length === 0) throw new Error("KUBECONFIG names no file");
    const there = listed.filter((file) => statSync(file, { throwIfNoEntry: false }) !== undefined);
    // Where none is, the first is named.
    const [first = "", ...others] = there.length === 0 ? listed : there;
    this.loadFromFile(first, args[0]);
    for (const file of others) {
      const other = new Kubeconfig();
      other.loadFromFile(file, args[0]);
      this.mergeConfig(other);
    }
  }

  /** Several files of KUBECONFIG, as kubectl reads them: who says something first has said it, while client-node lets the last choose the context. */
  override mergeConfig(later: KubeConfig): void {
    this.currentContext ||= later.currentContext;
    this.clusters = firstOfName([...this.clusters, ...later.clusters]);
    this.users = firstOfName([...this.users, ...later.users]);
    this.contexts = firstOfName([...this.contexts, ...later.contexts]);
  }

  /** client-node overlooks the key `tokenFile` of a user, which kubectl knows. */
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

function firstOfName<T extends { readonly name: string }>(all: readonly T[]): T[] {
  const byName = new Map<string, T>();
  for (const one of all) if (!byName.has(one.name)) byName.set(one.name, one);
  return [...byName.values()];
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

/** Of the current context, which a loaded one has. */
export function currentCluster(
  config: Kubeconfig,
): NonNullable<ReturnType<Kubeconfig["getCurrentCluster"]>> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("a loaded kubeconfig has a cluster");
  return cluster;
}

/** For messages: which context of which file. */
export function describe(options: KubeClientOptions, config: Kubeconfig): string {
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
