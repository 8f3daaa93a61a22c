import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ServerProcess } from "./server-process.ts";

const run = promisify(execFile);
const SOURCES = path.join(import.meta.dirname, "opensearch");
const CACHE = path.join(
  process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"),
  "kube-crier-tests",
);
/** As pom.xml has it. */
const KEPT = path.join(CACHE, "opensearch-2.19.3");
/** Of a first run, when Maven has nothing of it yet (130 MB). */
const FETCH_MS = 5 * 60_000;

/**
 * The server's jars, fetched by Maven the first time and kept in the user's cache; or why there are none.
 * A JDK it is that is needed, 11 or newer: `apt-get install default-jdk-headless maven openssl`.
 */
export async function opensearchJars(): Promise<
  { readonly jars: string } | { readonly missing: string }
> {
  for (const tool of ["javac", "openssl", ...(existsSync(KEPT) ? [] : ["mvn"])])
    if (!isThere(tool))
      return { missing: `no ${tool}: apt-get install default-jdk-headless maven openssl` };
  if (existsSync(KEPT)) return { jars: KEPT };
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(path.join(CACHE, "opensearch-"));
  const jars = path.join(work, "jars");
  try {
    copyFileSync(path.join(SOURCES, "pom.xml"), path.join(work, "pom.xml"));
    const maven = (goal: string, type: string) =>
      run(
        "mvn",
        ["-q", "-B", `dependency:${goal}`, `-DincludeTypes=${type}`, `-DoutputDirectory=${jars}`],
        { cwd: work, timeout: FETCH_MS },
      );
    await maven("copy-dependencies", "jar");
    await maven("unpack-dependencies", "zip");
    // Whoever else fetched it meanwhile has the same.
    if (!existsSync(KEPT)) renameSync(jars, KEPT);
    return { jars: KEPT };
  } catch (error) {
    const [why = ""] = (error instanceof Error ? error.message : "").split("\n");
    return { missing: `Maven could not fetch it: ${why.slice(0, 200)}` };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function isThere(tool: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(":");
  return folders.some((folder) => existsSync(path.join(folder, tool)));
}

export const ADMIN = { user: "admin", password: "admin-0123" };
/** May write to `heapster*`, `mapped*` and `logs-k8s*`, and no more. */
export const WRITER = { user: "crier", password: "crier-0123" };

/** An OpenSearch of the test's own, which asks for a user: in a temporary directory, on a loopback port. */
export class OpenSearch {
  readonly #home: string;
  readonly #jars: string;
  readonly #process = new ServerProcess("OpenSearch");
  #port = "0";

  private constructor(home: string, jars: string) {
    this.#home = home;
    this.#jars = jars;
  }

  static async start(jars: string): Promise<OpenSearch> {
    const server = new OpenSearch(mkdtempSync(path.join(tmpdir(), "kube-crier-opensearch-")), jars);
    await server.#configure();
    await server.up();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves when it lets the administrator in. On the port it had before, if it had one. */
  async up(): Promise<void> {
    const config = path.join(this.#home, "config");
    writeFileSync(path.join(config, "opensearch.yml"), settings(this.#port));
    await this.#process.up({
      command: "java",
      args: [
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        `${this.#jars}/*`,
        path.join(SOURCES, "Server.java"),
        this.#home,
      ],
      cwd: this.#home,
      ready: async (said) => {
        const port = /^listens on (\d+)$/m.exec(said)?.[1];
        if (port === undefined) return undefined;
        this.#port = port;
        const isIn = await this.ask("GET", "/").then(
          ({ status }) => status === 200,
          () => false,
        );
        return isIn ? true : undefined;
      },
    });
  }

  /** As a machine that dies. */
  kill(): Promise<void> {
    return this.#process.end("SIGKILL");
  }

  async destroy(): Promise<void> {
    await this.kill();
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** As the administrator. */
  async ask(
    method: string,
    place: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly json: unknown }> {
    const answer = await fetch(`${this.url}${place}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${ADMIN.user}:${ADMIN.password}`).toString("base64")}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: await answer.json() };
  }

  /** What must work. */
  async make(method: string, place: string, body?: unknown): Promise<void> {
    const { status, json } = await this.ask(method, place, body);
    if (status >= 300) throw new Error(`${method} ${place}: ${JSON.stringify(json)}`);
  }

  /** All documents of an index, an alias or a data stream, by their names. */
  async documents(name: string): Promise<readonly Found[]> {
    await this.make("POST", `/${name}/_refresh`);
    const { status, json } = await this.ask("GET", `/${name}/_search?size=1000`);
    if (status !== 200) throw new Error(`search ${name}: ${JSON.stringify(json)}`);
    const { hits } = (json as { readonly hits: { readonly hits: readonly Found[] } }).hits;
    return hits.toSorted((one, other) => one._id.localeCompare(other._id));
  }

  async #configure(): Promise<void> {
    const config = path.join(this.#home, "config");
    const security = path.join(config, "opensearch-security");
    mkdirSync(security, { recursive: true });
    for (const [name, text] of Object.entries(SECURITY))
      writeFileSync(path.join(security, `${name}.yml`), text);
    const made = ["-keyout", `${config}/node.key`, "-out", `${config}/node.crt`];
    const about = ["-subj", "/CN=node", "-days", "2"];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...made, ...about]);
  }
}

export interface Found {
  readonly _index: string;
  readonly _id: string;
  readonly _source: Readonly<Record<string, unknown>>;
}

/** The plugin insists on TLS between nodes, of which there is one. */
function settings(port: string): string {
  return `cluster.name: test
node.name: one
discovery.type: single-node
network.host: 127.0.0.1
http.port: ${port}
transport.port: 0
cluster.routing.allocation.disk.threshold_enabled: false
plugins.security.allow_default_init_securityindex: true
plugins.security.ssl.http.enabled: false
plugins.security.ssl.transport.pemcert_filepath: node.crt
plugins.security.ssl.transport.pemkey_filepath: node.key
plugins.security.ssl.transport.pemtrustedcas_filepath: node.crt
plugins.security.ssl.transport.enforce_hostname_verification: false
plugins.security.nodes_dn: ["CN=node"]
`;
}

/** Basic authentication, two users. The hashes are bcrypt's of their passwords. */
const SECURITY = {
  config: `_meta: {type: config, config_version: 2}
config:
  dynamic:
    authc:
      basic:
        http_enabled: true
        order: 0
        http_authenticator: {type: basic, challenge: true}
        authentication_backend: {type: intern}
    authz: {}
`,
  internal_users: `_meta: {type: internalusers, config_version: 2}
${ADMIN.user}: {hash: "$2y$06$.OGB/.SE/ueHAeqKBO2NC.Il7BxFe/esyFPLl0zbDVLs6OGYZpT.u"}
${WRITER.user}: {hash: "$2y$06$.OGB/.SE/ueHAeqKBO2NC.EZe3dkjl8dx1154is0h3bHl94kt1Jli"}
`,
  roles: `_meta: {type: roles, config_version: 2}
writer:
  cluster_permissions: [cluster_composite_ops]
  index_permissions:
    - index_patterns: ["heapster*", "mapped*", "logs-k8s*"]
      allowed_actions: [write, create_index, manage_aliases]
`,
  roles_mapping: `_meta: {type: rolesmapping, config_version: 2}
all_access: {users: [${ADMIN.user}]}
writer: {users: [${WRITER.user}]}
`,
  action_groups: "_meta: {type: actiongroups, config_version: 2}\n",
  tenants: "_meta: {type: tenants, config_version: 2}\n",
  nodes_dn: "_meta: {type: nodesdn, config_version: 2}\n",
  audit: "_meta: {type: audit, config_version: 2}\nconfig: {enabled: false}\n",
  allowlist: "_meta: {type: allowlist, config_version: 2}\nconfig: {enabled: false}\n",
  whitelist: "_meta: {type: whitelist, config_version: 2}\nconfig: {enabled: false}\n",
};
