import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { FLAGS } from "../../../src/config/options.ts";
import { load } from "../../support/config.ts";
import {
  dataOf,
  deploymentOf,
  find,
  manifests,
  type Manifest,
  ROOT,
  VARIANTS,
} from "../../support/manifests.ts";

const LABEL = { "app.kubernetes.io/name": "kube-crier" };
const EVENTS = {
  apiGroups: ["", "events.k8s.io"],
  resources: ["events"],
  verbs: ["get", "list", "watch"],
};
const CONFIG_MAPS = {
  apiGroups: [""],
  resources: ["configmaps"],
  resourceNames: ["kube-crier-templates", "kube-crier-webhook-body"],
  verbs: ["get"],
};

const packageJson = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
  version: string;
  optionalDependencies: Record<string, string>;
};

/** Every rule that a role of that kind grants, by the role's name. */
const granted = (objects: readonly Manifest[], kind: string) =>
  Object.fromEntries(
    objects
      .filter((object) => object.kind === kind)
      .map((object) => [object.metadata.name, object["rules"]]),
  );

describe("deploy/ha", () => {
  it("grants the one Lease, and to create Leases, in one namespace", () => {
    const objects = manifests("ha/lease.yaml");
    const leases = { apiGroups: ["coordination.k8s.io"], resources: ["leases"] };
    expect(granted(objects, "Role")).toEqual({
      "kube-crier-lease": [
        { ...leases, resourceNames: ["kube-crier"], verbs: ["get", "update"] },
        { ...leases, verbs: ["create"] },
      ],
    });
    expect(objects.map(({ kind }) => kind)).toEqual(["Role", "RoleBinding"]);
    expect(find(objects, "RoleBinding", "kube-crier-lease")["subjects"]).toEqual([
      { kind: "ServiceAccount", name: "kube-crier" },
    ]);
  });

  it("keeps one replica while nodes are drained", () => {
    expect(find(manifests("ha/disruption.yaml"), "PodDisruptionBudget")["spec"]).toEqual({
      minAvailable: 1,
      selector: { matchLabels: LABEL },
    });
  });

  it("starts what kube-crier.yaml starts, but with an election and a ledger that is shared", () => {
    const { container: alone } = deploymentOf(manifests("kube-crier.yaml"));
    const { spec } = find(manifests("ha/deployment.yaml"), "Deployment") as unknown as {
      spec: {
        replicas: number;
        strategy: { type: string };
        template: { spec: { containers: { args: string[] }[]; volumes: unknown } };
      };
    };
    expect([spec.replicas, spec.strategy.type]).toEqual([2, "RollingUpdate"]);
    const args = spec.template.spec.containers[0]?.args ?? [];
    expect(args.filter((arg) => !alone.args.includes(arg))).toEqual([
      "--ledger=${LEDGER_URL}",
      "--leader-elect",
    ]);
    expect(alone.args.filter((arg) => !args.includes(arg))).toEqual([
      "--data-dir=/var/lib/kube-crier",
    ]);
    expect(spec.template.spec.volumes).toEqual([{ name: "ledger", $patch: "delete" }]);
  });
});

describe("the page", () => {
  const service = find(manifests("kube-crier-web.yaml"), "Service", "kube-crier-web");
  const spec = service["spec"] as {
    selector: Readonly<Record<string, string>>;
    sessionAffinity: string;
    ports: readonly { port: number; targetPort: number }[];
  };

  it("has a Service of its own, which finds the Pod, and keeps a reader at the replica of the session", () => {
    const { template } = deploymentOf(manifests("kube-crier.yaml")).spec;
    expect(template.metadata.labels).toMatchObject(spec.selector);
    expect(spec.sessionAffinity).toBe("ClientIP");
    const { namespace } = find(manifests("kube-crier.yaml"), "Deployment").metadata;
    expect(service.metadata.namespace).toBe(namespace);
  });

  it("is served on that port once the line is taken in that the ConfigMap has ready", () => {
    const [config = ""] = Object.values(dataOf(find(manifests("kube-crier.yaml"), "ConfigMap")));
    const ready = config.replace("# webListen:", "webListen:");
    expect(ready).not.toBe(config);
    const env = { POD_NAMESPACE: "kube-crier" };
    expect(load({ env }, ready).config.web.listen).toEqual({ host: "", port: 8081 });
    expect(load({ env }, ready).config.web.asksCluster).toBe(true);
    expect(load({ env }, config).config.web.listen).toBeNull();
    expect(spec.ports).toMatchObject([{ port: 8081, targetPort: 8081 }]);
  });
});

describe("permissions", () => {
  it("for the whole cluster are events, and nothing else", () => {
    const objects = manifests("kube-crier.yaml");
    expect(granted(objects, "ClusterRole")).toEqual({ "kube-crier": [EVENTS] });
    expect(granted(objects, "Role")).toEqual({ "kube-crier": [CONFIG_MAPS] });
  });

  it("for the page are two questions to the API server, and nobody but kube-crier may ask them", () => {
    const objects = manifests("kube-crier-web.yaml");
    const roles = granted(objects, "ClusterRole");
    // What the API server itself gives to system:auth-delegator.
    expect(roles["kube-crier-web"]).toEqual([
      {
        apiGroups: ["authentication.k8s.io"],
        resources: ["tokenreviews"],
        verbs: ["create"],
      },
      {
        apiGroups: ["authorization.k8s.io"],
        resources: ["subjectaccessreviews"],
        verbs: ["create"],
      },
    ]);
    const [binding, ...more] = objects.filter(({ kind }) => kind.endsWith("Binding"));
    expect(more).toEqual([]);
    expect(binding?.["roleRef"]).toMatchObject({ name: "kube-crier-web" });
    const account = find(manifests("kube-crier.yaml"), "ServiceAccount").metadata;
    expect(binding?.["subjects"]).toEqual([
      { kind: "ServiceAccount", name: account.name, namespace: account.namespace },
    ]);
    expect(Object.keys(roles)).toEqual([
      "kube-crier-web",
      "kube-crier-reader",
      "kube-crier-operator",
    ]);
  });

  it("need no right to the cluster where only namespaces are watched", () => {
    const objects = manifests("kube-crier-namespaced.yaml");
    expect(granted(objects, "ClusterRole")).toEqual({});
    expect(granted(objects, "Role")).toEqual({
      "kube-crier": [CONFIG_MAPS],
      "kube-crier-events": [EVENTS],
    });
    const NAMESPACED = [
      "ServiceAccount",
      "Role",
      "RoleBinding",
      "ConfigMap",
      "Secret",
      "PersistentVolumeClaim",
      "Service",
      "Deployment",
    ];
    expect(new Set(objects.map(({ kind }) => kind))).toEqual(new Set(NAMESPACED));
  });

  it.each(VARIANTS)("are bound to the one service account the Pod uses (%s)", (file) => {
    const objects = manifests(file);
    find(objects, "ServiceAccount");
    const roles = objects.filter(({ kind }) => kind.endsWith("Role"));
    for (const role of roles) {
      const binding = find(objects, `${role.kind}Binding`, role.metadata.name);
      expect(binding["roleRef"]).toMatchObject({ kind: role.kind, name: role.metadata.name });
      expect(binding["subjects"]).toMatchObject([{ kind: "ServiceAccount", name: "kube-crier" }]);
    }
    expect(objects.filter(({ kind }) => kind.endsWith("Binding"))).toHaveLength(roles.length);
    expect(deploymentOf(objects).pod["serviceAccountName"]).toBe("kube-crier");
  });
});

describe.each(VARIANTS)("%s", (file) => {
  const objects = manifests(file);
  const { spec, pod, container } = deploymentOf(objects);

  it("says of every object whose it is, and puts it into the right namespace", () => {
    const CLUSTER_WIDE = ["Namespace", "PriorityClass", "ClusterRole", "ClusterRoleBinding"];
    for (const { kind, metadata } of objects) {
      expect(metadata.labels, `${kind} ${metadata.name}`).toMatchObject(LABEL);
      const expected =
        file === "kube-crier.yaml" && !CLUSTER_WIDE.includes(kind) ? "kube-crier" : undefined;
      expect(metadata.namespace, `${kind} ${metadata.name}`).toBe(expected);
    }
  });

  it("runs one, never two at once, and grants it the time it needs to stop", () => {
    expect(spec.replicas).toBe(1);
    expect(spec.strategy).toEqual({ type: "Recreate" });
    expect(pod.terminationGracePeriodSeconds).toBe(45);
  });

  it("gives the container nothing it does not need", () => {
    expect(pod["securityContext"]).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(container["securityContext"]).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(find(objects, "ServiceAccount")["automountServiceAccountToken"]).toBe(false);
    expect(pod["automountServiceAccountToken"]).toBe(true);
    for (const field of ["hostNetwork", "hostPID", "hostIPC"])
      expect(pod).not.toHaveProperty(field);
    expect(pod.volumes.map(({ name }) => name)).toEqual(["config", "ledger"]);
  });

  it("stays small", () => {
    expect(container["resources"]).toEqual({
      requests: { cpu: "50m", memory: "128Mi" },
      limits: { cpu: "500m", memory: "250Mi" },
    });
  });

  it("runs the image of this version", () => {
    expect(container.image).toBe(`kube-crier:${packageJson.version}`);
  });

  it("starts the program with flags it has, on what is mounted", () => {
    const [command, ...flags] = container.args;
    expect(command).toBe("run");
    const known = FLAGS.map(({ flag }) => flag.split(" ")[0]);
    for (const flag of flags) expect(known).toContain(flag.split("=")[0]);
    const mounted = new Map(container.volumeMounts.map(({ mountPath, name }) => [mountPath, name]));
    expect(container.args).toContain("--config=/etc/kube-crier/config.yaml");
    expect(mounted.get("/etc/kube-crier")).toBe("config");
    expect(container.args).toContain("--data-dir=/var/lib/kube-crier");
    expect(mounted.get("/var/lib/kube-crier")).toBe("ledger");
    expect(pod.volumes).toMatchObject([
      { name: "config", configMap: { name: "kube-crier" } },
      { name: "ledger", persistentVolumeClaim: { claimName: "kube-crier" } },
    ]);
    find(objects, "PersistentVolumeClaim");
  });

  it("asks the port it listens on, and shows it to Prometheus even before it is ready", () => {
    expect(container.args).toContain("--listen=:8080");
    expect(container.ports).toEqual([{ name: "http", containerPort: 8080 }]);
    const probe = (path: string) => ({ httpGet: { path, port: "http" } });
    expect(container).toMatchObject({
      startupProbe: probe("/livez"),
      livenessProbe: probe("/livez"),
      readinessProbe: probe("/readyz"),
    });
    const service = find(objects, "Service");
    expect(service.metadata.annotations).toEqual({
      "prometheus.io/scrape": "true",
      "prometheus.io/port": "8080",
      "prometheus.io/path": "/metrics",
    });
    expect(service["spec"]).toMatchObject({
      selector: LABEL,
      publishNotReadyAddresses: true,
      ports: [{ name: "metrics", port: 8080, targetPort: "http" }],
    });
    expect(spec.selector.matchLabels).toEqual(LABEL);
    expect(spec.template.metadata.labels).toMatchObject(LABEL);
  });
});

it("is the same program in both variants", () => {
  const whole = deploymentOf(manifests("kube-crier.yaml"));
  const namespaced = deploymentOf(manifests("kube-crier-namespaced.yaml"));
  expect(namespaced.container).toEqual(whole.container);
  // A priority class is the cluster's.
  expect({ ...namespaced.pod, priorityClassName: "kube-crier" }).toEqual(whole.pod);
});
