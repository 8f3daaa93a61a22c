import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { accountKubeconfig, coreEvent, haveCluster, kubectl } from "../support/cluster.ts";
import { Crier, crier, until } from "../support/crier.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";
import {
  dataOf,
  deploymentOf,
  environmentOf,
  find,
  manifests,
  ROOT,
  type Variant,
} from "../support/manifests.ts";

/**
 * The shipped manifests on a real API server, applied as a user would, and the program under exactly the service account they make.
 * Namespaces are left behind: a cluster without controllers cannot delete any.
 */
interface Case {
  readonly variant: Variant;
  /** Where it is installed. */
  readonly namespace: string;
  /** A namespace it is to watch. */
  readonly watched: string;
  /** What the API server says about events of other namespaces, and of all at once. */
  readonly elsewhere: "yes" | "no";
}

const CASES: readonly Case[] = [
  { variant: "kube-crier.yaml", namespace: "kube-crier", watched: "shop", elsewhere: "yes" },
  {
    variant: "kube-crier-namespaced.yaml",
    namespace: "kube-crier-team",
    watched: "kube-crier-team",
    elsewhere: "no",
  },
];

let folder: string;
let inbox: Inbox;
const started: Crier[] = [];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kube-crier-deploy-"));
  inbox = await startInbox();
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.destroy()));
  await inbox.close();
  rmSync(folder, { recursive: true, force: true });
});

function apply({ variant, namespace }: Case): Promise<string> {
  const file = path.join(ROOT, "deploy", variant);
  const how = ["apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", file];
  return kubectl(["-n", namespace, ...how]);
}

/** What the API server would say to the shipped service account. */
async function may(
  { namespace }: Case,
  verb: string,
  resource: string,
  where: readonly string[],
): Promise<string> {
  const account = `--as=system:serviceaccount:${namespace}:kube-crier`;
  const answer = await kubectl(["auth", "can-i", verb, resource, account, ...where])
    // It says no with exit code 1.
    .catch((error: { stdout?: string }) => error.stdout ?? "");
  return answer.trim();
}

/** What the Pod is given, in this test's folder: the ConfigMap as the cluster has it, the Secret, the token. */
async function podEnvironment({ variant, namespace }: Case): Promise<Record<string, string>> {
  const get = ["-n", namespace, "get", "configmap", "kube-crier", "-o", "json"];
  const { data } = JSON.parse(await kubectl(get)) as { data: Record<string, string> };
  for (const [name, text] of Object.entries(data)) writeFileSync(path.join(folder, name), text);
  const KUBECONFIG = await accountKubeconfig(path.join(folder, "kubeconfig"), namespace);
  return { ...environmentOf(manifests(variant), namespace), KUBECONFIG, HOME: folder };
}

/** The Deployment's own arguments, on files and a port of this test; starts it as the Pod would. */
function startPod(
  { variant }: Case,
  env: Record<string, string>,
  ...more: readonly string[]
): Crier {
  const args = deploymentOf(manifests(variant)).container.args.map((argument) =>
    argument
      .replace("/etc/kube-crier", folder)
      .replace("/var/lib/kube-crier", path.join(folder, "ledger"))
      .replace(/^--listen=.*/, "--listen=127.0.0.1:0"),
  );
  const process = new Crier([...args, ...more], { env });
  started.push(process);
  return process;
}

/** The example `pager` alone, with the templates: the other robots' placeholders are not ours to call. */
function onlyPager({ variant }: Case): string {
  const examples = dataOf(find(manifests(variant), "ConfigMap"))["examples.yaml"] ?? "";
  const [head = ""] = examples.split(/^ {2}oncall:/m);
  const file = path.join(folder, "pager.yaml");
  writeFileSync(file, head + examples.slice(examples.indexOf("  pager:")));
  return file;
}

describe.skipIf(!haveCluster).each(CASES)("deploy/$variant on a real API server", (shipped) => {
  const { variant, namespace, watched, elsewhere } = shipped;
  const objects = manifests(variant);
  let applied = "";

  beforeAll(async () => {
    // The namespaced variant goes where its team already is.
    for (const name of new Set([watched, namespace, "shop"])) {
      const object = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
      await kubectl(["apply", "-f", "-"], JSON.stringify(object));
    }
    // What an interrupted run left is ours; anything else is somebody's installation.
    const ours = await kubectl(["get", "namespaces", "-l", "kube-crier-e2e", "-o", "name"]);
    const get = ["get", "deployment", "kube-crier", "--ignore-not-found", "-o", "name"];
    const found = await kubectl(["-n", namespace, ...get]);
    if (found !== "" && !ours.split("\n").includes(`namespace/${namespace}`))
      throw new Error(`kube-crier is installed in ${namespace}; these tests would replace it`);
    await kubectl(["label", "--overwrite", "namespace", namespace, "kube-crier-e2e=yes"]);
    applied = await apply(shipped);
    await until(
      async () =>
        (await may(shipped, "watch", "events", ["-n", watched])) === "yes" ? true : undefined,
      "the API server to know the new role",
    );
  });

  afterAll(async () => {
    if (applied === "") return;
    const items = objects.filter(({ kind }) => kind !== "Namespace");
    const how = ["delete", "--ignore-not-found", "--wait=false", "-f", "-"];
    const list = { apiVersion: "v1", kind: "List", items };
    await kubectl(["-n", namespace, ...how], JSON.stringify(list));
  });

  it("is taken as it is, every field known, again and again", async () => {
    expect(applied.trim().split("\n")).toHaveLength(objects.length);
    expect(await apply(shipped)).toBe(applied);
  });

  it("is refused where a field is misspelt: the strictness is real", async () => {
    const deployment = find(objects, "Deployment");
    const spec = { ...(deployment["spec"] as object), replicsa: 1 };
    const how = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"];
    await expect(
      kubectl(["-n", namespace, ...how], JSON.stringify({ ...deployment, spec })),
    ).rejects.toThrow(/replicsa/);
  });

  it("makes a Pod that the restricted Pod Security Standard admits", async () => {
    const label = "pod-security.kubernetes.io/enforce=restricted";
    await kubectl(["label", "--overwrite", "namespace", namespace, label]);
    const { template } = deploymentOf(objects).spec;
    const metadata = { name: "kube-crier", ...template.metadata };
    const create = (spec: object) =>
      kubectl(
        ["-n", namespace, "create", "--dry-run=server", "--validate=strict", "-f", "-"],
        JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec }),
      );
    expect(await create(template.spec)).toContain("pod/kube-crier created");
    const lax = { ...template.spec, securityContext: {} };
    await expect(create(lax)).rejects.toThrow(/violates PodSecurity/);
  });

  it("admits the Pod by which docs/operating.md restores a backup", async () => {
    const docs = readFileSync(path.join(ROOT, "docs/operating.md"), "utf8");
    const pod = /```yaml\n(apiVersion: v1\nkind: Pod\n[^`]*)```/.exec(docs)?.[1];
    const how = ["create", "--dry-run=server", "--validate=strict", "-f", "-"];
    expect(await kubectl(["-n", namespace, ...how], pod)).toContain(
      "pod/kube-crier-restore created",
    );
  });

  it("may read the events it is for", async () => {
    for (const resource of ["events", "events.events.k8s.io"])
      for (const verb of ["get", "list", "watch"]) {
        const what = `${verb} ${resource}`;
        expect(await may(shipped, verb, resource, ["-n", watched]), what).toBe("yes");
        expect(await may(shipped, verb, resource, ["-n", "default"]), what).toBe(elsewhere);
        expect(await may(shipped, verb, resource, ["-A"]), what).toBe(elsewhere);
      }
  });

  it("may read its two ConfigMaps, and nothing else", async () => {
    const here = ["-n", namespace];
    for (const name of ["kube-crier-templates", "kube-crier-webhook-body"])
      expect(await may(shipped, "get", `configmaps/${name}`, here), name).toBe("yes");
    for (const [verb, resource] of [
      ["create", "events"],
      ["patch", "events"],
      ["delete", "events"],
      ["get", "secrets"],
      ["list", "secrets"],
      ["list", "configmaps"],
      ["watch", "configmaps"],
      ["get", "configmaps/kube-crier"],
      ["list", "pods"],
      ["get", "nodes"],
      ["get", "namespaces/kube-system"],
      ["create", "serviceaccounts/token"],
      ["impersonate", "users"],
    ] as const)
      expect(await may(shipped, verb, resource, here), `${verb} ${resource}`).toBe("no");
  });

  it("runs as it is: ready, and the log tells a warning", async () => {
    const process = startPod(shipped, await podEnvironment(shipped));
    await process.ready();
    const name = `deploy-${Date.now().toString(36)}`;
    await kubectl(["create", "-f", "-"], coreEvent(name, {}, watched));
    await until(() => (process.stdout.includes(name) ? true : undefined), "the warning's line");
    process.kill("SIGTERM");
    expect(await process.ended()).toBe(0);
    expect(process.log.filter(({ level }) => level !== "info")).toEqual([]);
  });

  it("delivers by the shipped webhook body, read with the shipped Role", async () => {
    const env = {
      ...(await podEnvironment(shipped)),
      PAGER_URL: `${inbox.url}/alerts`,
      PAGER_TOKEN: "token-of-the-pager",
    };
    const process = startPod(shipped, env, `--config=${onlyPager(shipped)}`);
    await process.ready();
    const name = `deploy-${Date.now().toString(36)}`;
    const message = `quotes " and \\ of ${name}`;
    await kubectl(["create", "-f", "-"], coreEvent(name, { message, count: 3 }, watched));
    const request = await inbox.received(1);
    expect(request.headers.authorization).toBe("Bearer token-of-the-pager");
    expect(JSON.parse(request.body)).toMatchObject({
      severity: "warning",
      summary: expect.stringContaining("web-7d4b9c") as string,
      source: expect.stringContaining(`my-cluster · ${watched}`) as string,
      details: { reason: "BackOff", count: 3, message },
    });
  });

  it("says where its Roles do not reach, and what to bind there", async () => {
    const env = await podEnvironment(shipped);
    const wider = path.join(folder, "wider.yaml");
    writeFileSync(wider, `sources: [{ kubernetes: { namespaces: [${watched}, default] } }]`);
    const args = ["check", `--config=${folder}/config.yaml`, `--config=${wider}`];
    const { code, stderr } = await crier(args, { env });
    const reach = { code, refused: /events of namespace (\S+) may not be read/.exec(stderr)?.[1] };
    expect(reach).toEqual(
      elsewhere === "yes" ? { code: 0, refused: undefined } : { code: 2, refused: "default" },
    );
    expect(stderr.includes("bind a Role in namespace default")).toBe(elsewhere === "no");
  });

  it("passes check with every example, and is told what to allow where the Role does not reach", async () => {
    const env = await podEnvironment(shipped);
    const args = ["check", `--config=${folder}/config.yaml`, `--config=${folder}/examples.yaml`];
    const good = await crier(args, { env });
    expect(good.stderr).toBe("");
    expect(good.code).toBe(0);
    expect(good.stdout).not.toContain("REPLACE");

    const astray = await crier(args, { env: { ...env, POD_NAMESPACE: "default" } });
    expect(astray.code).toBe(2);
    expect(astray.stderr).toContain('allow verb "get" on resource "configmaps"');
  });
});
