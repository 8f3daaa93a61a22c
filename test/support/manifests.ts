import { readFileSync } from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";

export const ROOT = path.resolve(import.meta.dirname, "../..");

/** As much of a Kubernetes object as the tests look at. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export const VARIANTS = ["kube-crier.yaml", "kube-crier-namespaced.yaml"] as const;
export type Variant = (typeof VARIANTS)[number];

/** What may be applied besides. */
export type Addition =
  | "kube-crier-canary.yaml"
  | "ha/lease.yaml"
  | "ha/disruption.yaml"
  | "ha/deployment.yaml"
  | "kube-crier-web.yaml";

/** The objects of deploy/NAME, in order. */
export function manifests(name: Variant | Addition): readonly Manifest[] {
  return parseAllDocuments(readFileSync(path.join(ROOT, "deploy", name), "utf8")).map(
    (document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS() as Manifest;
    },
  );
}

/** The one object of that kind and name. */
export function find(objects: readonly Manifest[], kind: string, name = "kube-crier"): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  const [object] = found;
  if (object === undefined || found.length > 1)
    throw new Error(`${found.length} objects are ${kind} ${name}`);
  return object;
}

/** The `data` of a ConfigMap, or what a Secret is written with. */
export function dataOf(object: Manifest): Readonly<Record<string, string>> {
  return (object["data"] ?? object["stringData"] ?? {}) as Readonly<Record<string, string>>;
}

export interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly envFrom: readonly { readonly secretRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
  readonly [field: string]: unknown;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly [source: string]: unknown }[];
  readonly terminationGracePeriodSeconds: number;
  readonly [field: string]: unknown;
}

export interface DeploymentSpec {
  readonly replicas: number;
  readonly strategy: unknown;
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: PodSpec;
  };
}

export function deploymentOf(objects: readonly Manifest[]): {
  readonly spec: DeploymentSpec;
  readonly pod: PodSpec;
  readonly container: Container;
} {
  const spec = find(objects, "Deployment")["spec"] as DeploymentSpec;
  const pod = spec.template.spec;
  const [container] = pod.containers;
  if (container === undefined) throw new Error("the Deployment has no container");
  return { spec, pod, container };
}

/** The Pod that the tests stand for. */
export const POD = "kube-crier-7d4b9c6f5d-x2x9z";

/** The environment that the Deployment gives its container, in namespace `namespace`. */
export function environmentOf(
  objects: readonly Manifest[],
  namespace: string,
): Readonly<Record<string, string>> {
  const { container } = deploymentOf(objects);
  return {
    ...Object.assign(
      {},
      ...container.envFrom.map(({ secretRef }) => dataOf(find(objects, "Secret", secretRef.name))),
    ),
    ...Object.fromEntries(
      container.env.map(({ name, value, valueFrom }) => [
        name,
        value ?? (valueFrom?.fieldRef.fieldPath === "metadata.name" ? POD : namespace),
      ]),
    ),
    // `check` knocks at each address: no test knocks at a platform's door.
    HTTPS_PROXY: "http://127.0.0.1:9",
    MYSQL_DSN: "mysql://crier:REPLACE-ME@127.0.0.1:9/kube_crier",
  };
}
