import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildView } from "../../../src/template/build-view.ts";
import { describeCommand, eventsCommand } from "../../../src/template/command.ts";
import type { ViewOptions } from "../../../src/template/view-options.ts";
import { HOSTILE } from "../../fixtures/hostile.ts";
import { aDigest } from "../../support/alerts.ts";
import { anEvent } from "../../support/events.ts";

const pod = { kind: "Pod", apiVersion: "v1", namespace: "shop", name: "web-7d4b9c" };

describe("the command to look at an object", () => {
  it.each([
    [pod, "kubectl -n shop describe pod web-7d4b9c"],
    [
      { kind: "Node", apiVersion: "v1", namespace: null, name: "node-3" },
      "kubectl describe node node-3",
    ],
    [
      { kind: "Deployment", apiVersion: "apps/v1", namespace: "shop", name: "web" },
      "kubectl -n shop describe deployment web",
    ],
    [
      { kind: "Ingress", apiVersion: "networking.k8s.io/v1", namespace: "shop", name: "web" },
      "kubectl -n shop describe ingress web",
    ],
    [
      { kind: "Rollout", apiVersion: "argoproj.io/v1alpha1", namespace: "shop", name: "web" },
      "kubectl -n shop describe rollout.argoproj.io web",
    ],
    [
      { kind: "Gateway", apiVersion: "gateway.networking.k8s.io/v1", namespace: "x", name: "g" },
      "kubectl -n x describe gateway.gateway.networking.k8s.io g",
    ],
    [{ ...pod, apiVersion: null }, "kubectl -n shop describe pod web-7d4b9c"],
    [
      {
        kind: "ClusterRole",
        apiVersion: "rbac.authorization.k8s.io/v1",
        namespace: null,
        name: "system:node",
      },
      "kubectl describe clusterrole system:node",
    ],
  ])("%j: %s", (object, expected) => {
    expect(describeCommand(object)).toBe(expected);
  });

  it.each([
    ["no name", { ...pod, name: "" }],
    ["no kind", { ...pod, kind: "" }],
    ["a name that is an option", { ...pod, name: "--all" }],
    ["a namespace that is an option", { ...pod, namespace: "--kubeconfig=/tmp/x" }],
    ["a kind that is an option", { ...pod, kind: "-f" }],
    ["a name too long to be one", { ...pod, name: "abc…xyz" }],
  ])("there is none for %s", (_, object) => {
    expect(describeCommand(object)).toBe("");
  });

  it("quotes what a shell would read", () => {
    expect(describeCommand({ ...pod, name: "web; rm -rf /" })).toBe(
      "kubectl -n shop describe pod 'web; rm -rf /'",
    );
    expect(describeCommand({ ...pod, name: "it's $(id) `id`" })).toBe(
      String.raw`kubectl -n shop describe pod 'it'\''s $(id) ${"`id`"}'`,
    );
    expect(describeCommand({ ...pod, namespace: "" })).toBe(
      "kubectl -n '' describe pod web-7d4b9c",
    );
  });

  it("takes no group that is none", () => {
    expect(describeCommand({ ...pod, apiVersion: "$(id)/v1" })).toBe(
      "kubectl -n shop describe pod web-7d4b9c",
    );
  });

  it("is five or six words to a shell, whatever the names", () => {
    const word = fc
      .string({ unit: "binary-ascii", minLength: 1, maxLength: 20 })
      .filter((text) => !/\p{Cc}/u.test(text) && !text.startsWith("-"));
    fc.assert(
      fc.property(word, word, (namespace, name) => {
        const command = describeCommand({ ...pod, namespace, name });
        const words = execFileSync(
          "/bin/sh",
          ["-c", `kubectl() { printf '%s\\n' "$@"; }; ${command}`],
          { encoding: "utf8" },
        );
        expect(words).toBe(["-n", namespace, "describe", "pod", name, ""].join("\n"));
      }),
      { numRuns: 50 },
    );
  });
});

describe("the command to look at what happened", () => {
  it("in one namespace or in all", () => {
    expect(eventsCommand("shop")).toBe("kubectl -n shop get events --sort-by=.lastTimestamp");
    expect(eventsCommand(null)).toBe("kubectl get events -A --sort-by=.lastTimestamp");
    expect(eventsCommand("--x")).toBe("");
  });
});

describe("the command for each kind of object that events are about", () => {
  const GROUPS: Readonly<Record<string, readonly string[]>> = {
    "": ["Pod", "Service", "PersistentVolumeClaim", "ReplicationController", "Endpoints", "Secret"],
    apps: ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"],
    batch: ["Job", "CronJob"],
    autoscaling: ["HorizontalPodAutoscaler"],
    policy: ["PodDisruptionBudget"],
    "networking.k8s.io": ["Ingress", "NetworkPolicy"],
    "rbac.authorization.k8s.io": ["Role", "RoleBinding"],
    "storage.k8s.io": ["CSIStorageCapacity"],
    "coordination.k8s.io": ["Lease"],
    "discovery.k8s.io": ["EndpointSlice"],
  };
  const namespaced = Object.entries(GROUPS).flatMap(([group, kinds]) =>
    kinds.map((kind) => [kind, group === "" ? "v1" : `${group}/v1`] as const),
  );

  it.each(namespaced)("a %s of %s needs no group: kubectl knows it", (kind, apiVersion) => {
    expect(describeCommand({ kind, apiVersion, namespace: "shop", name: "web" })).toBe(
      `kubectl -n shop describe ${kind.toLowerCase()} web`,
    );
  });

  it.each([
    ["Node", "v1"],
    ["PersistentVolume", "v1"],
    ["Namespace", "v1"],
    ["ClusterRole", "rbac.authorization.k8s.io/v1"],
    ["StorageClass", "storage.k8s.io/v1"],
    ["PriorityClass", "scheduling.k8s.io/v1"],
    ["CustomResourceDefinition", "apiextensions.k8s.io/v1"],
    ["APIService", "apiregistration.k8s.io/v1"],
    ["ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"],
    ["CertificateSigningRequest", "certificates.k8s.io/v1"],
  ])("a %s of %s has no namespace", (kind, apiVersion) => {
    expect(describeCommand({ kind, apiVersion, namespace: null, name: "x" })).toBe(
      `kubectl describe ${kind.toLowerCase()} x`,
    );
  });

  it.each([
    ["Certificate", "cert-manager.io/v1", "certificate.cert-manager.io"],
    ["Application", "argoproj.io/v1alpha1", "application.argoproj.io"],
    ["HelmRelease", "helm.toolkit.fluxcd.io/v2", "helmrelease.helm.toolkit.fluxcd.io"],
    ["Service", "serving.knative.dev/v1", "service.serving.knative.dev"],
    ["Cluster", "postgresql.cnpg.io/v1", "cluster.postgresql.cnpg.io"],
    ["Widget", "x/v1", "widget.x"],
  ])(
    "a %s of %s is named with its group, which another may share the kind with",
    (kind, apiVersion, resource) => {
      expect(describeCommand({ kind, apiVersion, namespace: "shop", name: "web" })).toBe(
        `kubectl -n shop describe ${resource} web`,
      );
    },
  );

  it.each(["apps", "", "/v1", "-x/v1", "a b/v1", "a.b./v1", "UPPER/v1", "a;id/v1", "../v1"])(
    "the version %j names no group",
    (apiVersion) => {
      expect(describeCommand({ ...pod, apiVersion })).toBe(
        "kubectl -n shop describe pod web-7d4b9c",
      );
    },
  );

  it.each([
    ["web", "web"],
    ["system:node", "system:node"],
    ["a_b.c-d", "a_b.c-d"],
    ["a=b@c+d%e,f", "'a=b@c+d%e,f'"],
    ["a b", "'a b'"],
    ["a'b", String.raw`'a'\''b'`],
    ['a"b', "'a\"b'"],
    ["$HOME", "'$HOME'"],
    ["a*b", "'a*b'"],
    ["~root", "'~root'"],
    ["容器", "'容器'"],
    ["a\\b", "'a\\b'"],
    ["a|b&c", "'a|b&c'"],
    ["#a", "'#a'"],
  ])("the name %s is the word %s to a shell", (name, word) => {
    expect(describeCommand({ ...pod, name })).toBe(`kubectl -n shop describe pod ${word}`);
  });

  it.each([
    ["shop", "kubectl -n shop get events --sort-by=.lastTimestamp"],
    ["a b", "kubectl -n 'a b' get events --sort-by=.lastTimestamp"],
    ["", "kubectl -n '' get events --sort-by=.lastTimestamp"],
  ])("what happened in the namespace %j: %s", (namespace, command) => {
    expect(eventsCommand(namespace)).toBe(command);
  });
});

describe("the command of an alert", () => {
  const options: ViewOptions = {
    id: "0d9f6f0e-5a5f-4f0c-9a43-3a1c2f7b9d10",
    lang: "en",
    timezone: "UTC",
    now: Date.parse("2026-11-20T08:06:00Z"),
    labels: [],
    cluster: "",
  };
  /** A digest of nothing but this namespace. */
  const digestIn = (namespace: string | null) => {
    const lines = aDigest().lines.map((line) => ({ ...line, namespace }));
    return buildView({ ...aDigest(), lines, moreKinds: 0 }, options).command;
  };

  it.each(HOSTILE)("is one line that steers no terminal: $name", ({ text }) => {
    const object = { kind: text, namespace: text, name: text };
    const alert = { kind: "event", event: anEvent({ object }) } as const;
    for (const command of [buildView(alert, options).command, digestIn(text)]) {
      expect(command).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      expect(command === "" || command.startsWith("kubectl ")).toBe(true);
    }
  });

  it.each([
    // Names that Kubernetes allows (RFC 1123 labels), however they look.
    ["shop", "kubectl -n shop get events --sort-by=.lastTimestamp"],
    ["0".repeat(63), `kubectl -n ${"0".repeat(63)} get events --sort-by=.lastTimestamp`],
    [
      "9f86d081884c7d659a2feaa0c55ad015",
      "kubectl -n 9f86d081884c7d659a2feaa0c55ad015 get events --sort-by=.lastTimestamp",
    ],
    [null, "kubectl get events -A --sort-by=.lastTimestamp"],
    // And such as it does not.
    ["--all-namespaces", ""],
    ["n".repeat(64), ""],
    ["a\nb", "kubectl -n 'a b' get events --sort-by=.lastTimestamp"],
  ])("of a digest of the namespace %j is %s", (namespace, command) => {
    expect(digestIn(namespace)).toBe(command);
  });
});
