import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { until } from "./crier.ts";
import { type Addition, manifests, type Variant } from "./manifests.ts";

const run = promisify(execFile);

/**
 * The cluster that the end-to-end tests use: any whose KUBECONFIG is set, as any user's would be.
 * E2E_CLUSTER names the command that can restart it and make it forget (`up`, `down apiserver`, `force-410 stale|open`, `evgen …`); tests that need it are skipped without.
 */
export const kubeconfig = process.env["KUBECONFIG"] ?? "";
export const haveCluster = kubeconfig !== "";
const control = process.env["E2E_CLUSTER"] ?? "";
export const haveControl = haveCluster && control !== "";

export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const promise = run("kubectl", ["--kubeconfig", kubeconfig, ...args], {
    maxBuffer: 64 * 1024 * 1024,
  });
  if (input !== undefined) promise.child.stdin?.end(input);
  return (await promise).stdout;
}

export async function clusterControl(...args: string[]): Promise<string> {
  const { stdout } = await run("sh", ["-c", `${control} "$@"`, "cluster", ...args], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** Makes events and answers the sequence numbers that were created; each message starts with `seq=N t=MS p=PREFIX`. */
export async function evgen(options: {
  readonly n: number;
  readonly rate: number;
  readonly prefix: string;
  readonly namespaces?: string;
  readonly api?: string;
  readonly updateRatio?: number;
  readonly warningRatio?: number;
}): Promise<{ created: number; updated: number }> {
  const flags = {
    kubeconfig,
    n: options.n,
    rate: options.rate,
    prefix: options.prefix,
    namespaces: options.namespaces ?? "default,shop",
    api: options.api ?? "both",
    "update-ratio": options.updateRatio ?? 0,
    "warning-ratio": options.warningRatio ?? 0.3,
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`-${name}`, String(value)]);
  const out = await clusterControl("evgen", ...args);
  const answer = JSON.parse(out) as { created: number; updated: number };
  return answer;
}

/** What of these shipped files gives rights, applied or taken away as a user would. */
export async function changeRights(
  verb: "apply" | "delete",
  namespace: string,
  ...files: readonly (Variant | Addition)[]
): Promise<void> {
  const items = files
    .flatMap((file) => manifests(file))
    .filter(({ kind }) => ["ServiceAccount", "Role", "RoleBinding"].includes(kind));
  const how =
    verb === "apply"
      ? ["apply", "--server-side", "--force-conflicts"]
      : ["delete", "--ignore-not-found"];
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await kubectl(["-n", namespace, ...how, "-f", "-"], list);
}

export interface AccountOptions {
  readonly account?: string;
  /** Its way to the API server. */
  readonly proxy?: string;
}

/**
 * Writes a kubeconfig that holds nothing but a token of a service account.
 * @returns the file
 */
export async function accountKubeconfig(
  file: string,
  namespace: string,
  { account = "kube-crier", proxy }: AccountOptions = {},
): Promise<string> {
  const token = await kubectl(["-n", namespace, "create", "token", account]);
  const view = ["config", "view", "--raw", "--minify", "-o", "json"];
  const admin = JSON.parse(await kubectl(view)) as {
    readonly clusters: readonly { readonly cluster: Readonly<Record<string, unknown>> }[];
    readonly users: readonly { readonly name: string }[];
  };
  const clusters = admin.clusters.map((one) =>
    proxy === undefined ? one : { ...one, cluster: { ...one.cluster, "proxy-url": proxy } },
  );
  const users = admin.users.map(({ name }) => ({ name, user: { token: token.trim() } }));
  writeFileSync(file, JSON.stringify({ ...admin, clusters, users }));
  return file;
}

/** The API server learns of a new Role a moment after it was made; waits until it answers so to whoever this kubeconfig holds. */
export async function untilAllowed(
  file: string,
  verb: string,
  resource: string,
  namespace: string,
): Promise<void> {
  const ask = ["--kubeconfig", file, "-n", namespace, "auth", "can-i", verb, resource];
  await until(
    // It says no with exit code 1.
    () =>
      run("kubectl", ask).then(
        ({ stdout }) => (stdout.trim() === "yes" ? true : undefined),
        () => undefined,
      ),
    `the API server to allow ${verb} ${resource} in ${namespace}`,
  );
}

/** A core/v1 Event as kubectl would create it. */
export function coreEvent(
  name: string,
  fields: Readonly<Record<string, unknown>> = {},
  namespace = "shop",
): string {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace },
    involvedObject: { apiVersion: "v1", kind: "Pod", namespace, name: "web-7d4b9c" },
    type: "Warning",
    reason: "BackOff",
    message: `Back-off restarting failed container web in pod web-7d4b9c (${name})`,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component: "kubelet", host: "node-1" },
    reportingComponent: "kubelet",
    reportingInstance: "node-1",
    ...fields,
  });
}
