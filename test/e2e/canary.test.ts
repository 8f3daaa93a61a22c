import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  accountKubeconfig,
  changeRights,
  haveCluster,
  kubectl,
  untilAllowed,
} from "../support/cluster.ts";
import { Crier, crier, until } from "../support/crier.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";
import { find, manifests, POD, ROOT } from "../support/manifests.ts";

/**
 * `--canary` on a real API server under exactly the rights that deploy/ ships: Roles in one namespace, and the one more that
 * kube-crier-canary.yaml is. The namespace is left behind: a cluster without controllers cannot delete any.
 */
const NAMESPACE = "kube-crier-canary";
const SOURCE = `--source=kubernetes:?namespaces=${NAMESPACE}`;

let folder: string;
let file: string;
let inbox: Inbox;
const started: Crier[] = [];

/** The API server forgets a Role a moment after it was deleted. */
function untilForbidden(verb: string): Promise<true> {
  const account = `--as=system:serviceaccount:${NAMESPACE}:kube-crier`;
  return until(
    () =>
      kubectl(["-n", NAMESPACE, "auth", "can-i", verb, "events", account]).then(
        () => undefined,
        () => true,
      ),
    `the API server to forbid ${verb} events`,
  );
}

const ENV = () => ({
  KUBECONFIG: file,
  HOME: folder,
  POD_NAMESPACE: NAMESPACE,
  POD_NAME: POD,
});

function args(...more: readonly string[]): readonly string[] {
  return [
    ...(more.some((one) => one.startsWith("--source=")) ? [] : [SOURCE]),
    `--sink=webhook:${inbox.url}/ops?name=ops&level=Warning`,
    `--sink=webhook:${inbox.url}/pager?name=pager&level=Warning&lang=zh`,
    `--data-dir=${path.join(folder, "ledger")}`,
    "--canary=10s",
    "--canary-sink=ops",
    "--canary-tell=pager",
    ...more,
  ];
}

function start(...more: readonly string[]): Crier {
  const process = new Crier(
    ["run", ...args(...more), "--listen=127.0.0.1:0", "--log-level=debug"],
    {
      env: ENV(),
    },
  );
  started.push(process);
  return process;
}

const to = (where: string) => inbox.requests.filter(({ url }) => url.startsWith(`/${where}`));

async function series(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, "m").exec(text)?.[1]);
}

interface CoreEvent {
  readonly metadata: { readonly name: string };
  readonly count?: number;
  readonly series?: { readonly count: number };
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

async function canaries(): Promise<readonly CoreEvent[]> {
  const select = "--field-selector=reason=KubeCrierCanary";
  const get = ["-n", NAMESPACE, "get", "events", select, "-o", "json"];
  return (JSON.parse(await kubectl(get)) as { items: CoreEvent[] }).items;
}

describe.skipIf(!haveCluster)("--canary on a real API server", () => {
  beforeAll(async () => {
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
    await kubectl(["apply", "-f", "-"], JSON.stringify(object));
  });

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "kube-crier-canary-"));
    inbox = await startInbox();
    await changeRights("apply", NAMESPACE, "kube-crier-namespaced.yaml");
    await changeRights("apply", NAMESPACE, "kube-crier-canary.yaml");
    file = await accountKubeconfig(path.join(folder, "kubeconfig"), NAMESPACE);
    for (const verb of ["watch", "create", "patch"])
      await untilAllowed(file, verb, "events", NAMESPACE);
    await kubectl(["-n", NAMESPACE, "delete", "events", "--all"]);
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((process) => process.destroy()));
    await inbox.close();
    rmSync(folder, { recursive: true, force: true });
  });

  afterAll(async () => {
    await changeRights("delete", NAMESPACE, "kube-crier-canary.yaml");
    await changeRights("delete", NAMESPACE, "kube-crier-namespaced.yaml");
  });

  it("is the one right more that is shipped, in one namespace", async () => {
    const may = (verb: string, where: readonly string[]) =>
      kubectl([
        "auth",
        "can-i",
        verb,
        "events",
        `--as=system:serviceaccount:${NAMESPACE}:kube-crier`,
        ...where,
      ])
        // It says no with exit code 1.
        .catch((error: { stdout?: string }) => error.stdout ?? "")
        .then((answer) => answer.trim());
    for (const verb of ["create", "patch"]) {
      expect(await may(verb, ["-n", NAMESPACE]), verb).toBe("yes");
      expect(await may(verb, ["-n", "default"]), verb).toBe("no");
    }
    for (const verb of ["update", "delete", "deletecollection"])
      expect(await may(verb, ["-n", NAMESPACE]), verb).toBe("no");
    expect(find(manifests("kube-crier-canary.yaml"), "Role", "kube-crier-canary")["rules"]).toEqual(
      [{ apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] }],
    );
  });

  it.each(["core", "events.k8s.io"])(
    "arrives again and again by %s, as one object, at the one sink",
    async (api) => {
      const process = start(`${SOURCE}&api=${api}`);
      const url = await process.ready();
      await until(() => (to("ops").length >= 3 ? true : undefined), "three canaries");
      expect(to("pager")).toEqual([]);
      expect(await series(url, "kube_crier_canary_ok")).toBe(1);
      expect(await series(url, "kube_crier_canary_missed_total")).toBe(0);
      expect(await series(url, "kube_crier_canary_seconds_count")).toBeGreaterThanOrEqual(3);
      expect(await series(url, "kube_crier_canary_seconds_sum")).toBeLessThan(10);
      const [object, ...more] = await canaries();
      expect(more).toEqual([]);
      expect(object?.series?.count ?? object?.count).toBeGreaterThanOrEqual(3);
      expect(object?.involvedObject).toMatchObject({ kind: "Pod", name: POD });
      process.kill("SIGTERM");
      expect(await process.ended()).toBe(0);
      expect(process.log.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
    },
  );

  it("is made anew where somebody deleted it", async () => {
    const process = start();
    await process.ready();
    await until(() => (to("ops").length >= 1 ? true : undefined), "a canary");
    await kubectl(["-n", NAMESPACE, "delete", "events", "--all"]);
    await until(() => (to("ops").length >= 2 ? true : undefined), "the next one");
    expect(await canaries()).toHaveLength(1);
  });

  it("without the right is refused at the start and by check, with the rule that is missing", async () => {
    await changeRights("delete", NAMESPACE, "kube-crier-canary.yaml");
    await untilForbidden("create");
    for (const command of ["run", "check"]) {
      const { code, stderr } = await crier([command, ...args()], { env: ENV() });
      expect(code, command).toBe(2);
      expect(stderr).toContain(
        `events of namespace ${NAMESPACE} may not be written: create events`,
      );
      expect(stderr).toContain(
        `bind a Role in namespace ${NAMESPACE} with {apiGroups: [""], resources: ["events"], verbs: ["create", "patch"]}`,
      );
    }
  });

  it("whose right is taken away: counted, said, told once, and well when it is given back", async () => {
    const process = start("--canary-deadline=2s");
    const url = await process.ready();
    await until(() => (to("ops").length >= 1 ? true : undefined), "a canary");
    await changeRights("delete", NAMESPACE, "kube-crier-canary.yaml");
    await until(() => (to("pager").length >= 1 ? true : undefined), "the second sink to be told");
    expect(to("pager")[0]?.body).toContain("API server 没有接受它");
    const unready = await fetch(`${url}/readyz`);
    expect([unready.status, await unready.text()]).toEqual([
      503,
      expect.stringMatching(
        /did not arrive: the API server did not take it: .*403 Forbidden.*bind a Role/,
      ),
    ]);
    expect(await series(url, "kube_crier_canary_ok")).toBe(0);
    expect(await series(url, "kube_crier_canary_writes_failed_total")).toBeGreaterThan(0);
    await changeRights("apply", NAMESPACE, "kube-crier-canary.yaml");
    await until(
      () => (to("pager").length >= 2 ? true : undefined),
      "it to be told that all is well",
    );
    expect(to("pager")[1]?.body).toContain("又能按时到达了");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(to("pager")).toHaveLength(2);
  });

  it("is applied as docs/operating.md says", async () => {
    const docs = readFileSync(path.join(ROOT, "docs/operating.md"), "utf8");
    expect(docs).toContain("kubectl -n kube-crier apply -f kube-crier-canary.yaml");
    const how = ["apply", "--dry-run=server", "--validate=strict"];
    const applied = await kubectl([
      "-n",
      NAMESPACE,
      ...how,
      "-f",
      path.join(ROOT, "deploy/kube-crier-canary.yaml"),
    ]);
    expect(applied.trim().split("\n")).toHaveLength(2);
  });
});
