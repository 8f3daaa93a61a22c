import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCanarySites } from "../../../src/app/canaries.ts";
import { createClients } from "../../../src/app/clients.ts";
import type { Env } from "../../../src/config/secrets.ts";
import { FakeClock } from "../../support/clock.ts";
import { load } from "../../support/config.ts";
import { countingIds, temporaryDirectory } from "../../support/ledger.ts";

/** A kubeconfig with two contexts, of which one names a namespace. */
function aKubeconfig(): string {
  const file = path.join(temporaryDirectory(), "kubeconfig");
  const context = (more: object) => ({ cluster: "test", user: "tester", ...more });
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "plain",
      clusters: [{ name: "test", cluster: { server: "http://127.0.0.1:9" } }],
      users: [{ name: "tester", user: { token: "t" } }],
      contexts: [
        { name: "plain", context: context({}) },
        { name: "named", context: context({ namespace: "monitoring" }) },
      ],
    }),
  );
  return file;
}

function sitesOf(source: readonly string[], env: Env = {}, canary: string | null = "5m") {
  const flags = { source, ...(canary === null ? {} : { canary }) };
  const { config } = load({ flags });
  const clients = createClients(config.sources, new FakeClock());
  onTestFinished(() => clients.close());
  return createCanarySites(config, { clients, env, makeId: countingIds("id") });
}

const POD = { POD_NAMESPACE: "kube-crier", POD_NAME: "kube-crier-0" };

describe("where a canary sits", () => {
  it("in the namespace that the context names, else in default, about that namespace", () => {
    const file = aKubeconfig();
    const sites = sitesOf([
      `kubernetes:?kubeconfig=${file}`,
      `kubernetes:?kubeconfig=${file}&context=named`,
    ]);
    expect(sites.map(({ source, place }) => [source, place.namespace, place.object])).toEqual([
      ["kubernetes", "default", { kind: "Namespace", name: "default" }],
      ["kubernetes-2", "monitoring", { kind: "Namespace", name: "monitoring" }],
    ]);
    expect(sites.map(({ place }) => place.name)).toEqual([
      "kube-crier-canary.id1",
      "kube-crier-canary.id2",
    ]);
  });

  it("in the Pod's own namespace and about the Pod, where the Pod knows both", () => {
    const previous = process.env["KUBECONFIG"];
    process.env["KUBECONFIG"] = aKubeconfig();
    onTestFinished(() => {
      if (previous === undefined) delete process.env["KUBECONFIG"];
      else process.env["KUBECONFIG"] = previous;
    });
    const place = (env: Env) => sitesOf(["kubernetes:"], env)[0]?.place;
    expect(place(POD)).toMatchObject({
      namespace: "kube-crier",
      object: { kind: "Pod", name: "kube-crier-0" },
    });
    expect(place({ POD_NAMESPACE: "kube-crier" })).toMatchObject({
      namespace: "kube-crier",
      object: { kind: "Namespace", name: "kube-crier" },
    });
    expect(place({ POD_NAME: "kube-crier-0" }), "a Pod of which namespace?").toMatchObject({
      namespace: "default",
      object: { kind: "Namespace", name: "default" },
    });
  });

  it("never about our Pod in a cluster that a kubeconfig leads to", () => {
    const [site] = sitesOf([`kubernetes:?kubeconfig=${aKubeconfig()}&context=named`], POD);
    expect(site?.place).toMatchObject({
      namespace: "monitoring",
      object: { kind: "Namespace", name: "monitoring" },
    });
  });

  it("says in its message that nothing happened, and where it goes", () => {
    const [site] = sitesOf([`kubernetes:?kubeconfig=${aKubeconfig()}`]);
    expect(site?.place.message).toMatch(/^Nothing happened: .*its ledger, every 300 s/);
  });

  it("nowhere without --canary, in no file, and not behind a kubeconfig that its source refuses", () => {
    const file = aKubeconfig();
    expect(sitesOf([`kubernetes:?kubeconfig=${file}`], {}, null)).toEqual([]);
    const sites = sitesOf([
      "file:-",
      `kubernetes:?kubeconfig=${file}.gone`,
      `kubernetes:?kubeconfig=${file}`,
    ]);
    expect(sites.map(({ source }) => source)).toEqual(["kubernetes-2"]);
  });
});
