import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeCommand, eventsCommand } from "../../../src/template/command.ts";

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
