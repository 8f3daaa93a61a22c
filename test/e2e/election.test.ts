import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  accountKubeconfig,
  changeRights,
  coreEvent,
  haveCluster,
  kubectl,
  untilAllowed,
} from "../support/cluster.ts";
import { Crier, crier, until } from "../support/crier.ts";
import { CuttableProxy } from "../support/cuttable-proxy.ts";
import { type Inbox, type Received, startInbox } from "../support/inbox.ts";
import { ROOT } from "../support/manifests.ts";
import { haveMariadb, Mariadb } from "../support/mariadb.ts";

/**
 * Two replicas as processes of their own, on a real API server under exactly the rights that deploy/ ships, and on one MySQL ledger.
 * Each has its own way to the API server, which can be cut. The namespace is left behind: a cluster without controllers cannot delete any.
 */
const NAMESPACE = "kube-crier-ha";
const CONCURRENCY = 4;
const RIGHTS = ["kube-crier-namespaced.yaml", "ha/lease.yaml"] as const;
/** What a busy machine may add to a failover: starting kubectl, writing an Event, opening a ledger. */
const SLACK_MS = 4_000;

interface Replica {
  readonly pod: string;
  readonly way: CuttableProxy;
  readonly kubeconfig: string;
  process: Crier;
}

let folder: string;
let inbox: Inbox;
let mariadb: Mariadb;
let databases = 0;
let database = "";
let created = 0;
const replicas: Replica[] = [];

/** Nothing but a token of the shipped service account, by a way of its own to the one address: a cluster is known by that. */
async function ownWay(pod: string): Promise<{ file: string; way: CuttableProxy }> {
  const way = await CuttableProxy.start();
  const made = path.join(folder, `${pod}.kubeconfig`);
  return { file: await accountKubeconfig(made, NAMESPACE, { proxy: way.url }), way };
}

function run(pod: string, kubeconfig: string, more: readonly string[]): Crier {
  const args = [
    "run",
    `--source=kubernetes:?namespaces=${NAMESPACE}`,
    `--sink=webhook:${inbox.url}/?name=ops&label=${pod}&concurrency=${CONCURRENCY}`,
    ...(more.some((one) => one.startsWith("--ledger="))
      ? []
      : [`--ledger=mysql://root@127.0.0.1:${mariadb.port}/${database}`]),
    "--leader-elect",
    "--listen=127.0.0.1:0",
    ...more,
  ];
  const env = { KUBECONFIG: kubeconfig, HOME: folder, POD_NAME: pod, POD_NAMESPACE: NAMESPACE };
  return new Crier(args, { env });
}

async function start(pod: string, ...more: readonly string[]): Promise<Replica> {
  const { file, way } = await ownWay(pod);
  const replica = { pod, way, kubeconfig: file, process: run(pod, file, more) };
  replicas.push(replica);
  return replica;
}

/** The first leads, the second stands by. */
async function pair(...more: readonly string[]): Promise<readonly [Replica, Replica]> {
  const one = await start("crier-1", ...more);
  await one.process.says("kubernetes: watching");
  const two = await start("crier-2", ...more);
  await two.process.says("standby: crier-1");
  return [one, two];
}

/** Makes so many events at once, and answers their names. */
async function happen(count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, () => `e-${(created += 1)}`);
  const items = names.map((name) => JSON.parse(coreEvent(name, {}, NAMESPACE)) as unknown);
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await kubectl(["create", "-f", "-"], list);
  return names;
}

const nameIn = ({ body }: Received) => /\((e-\d+)\)/.exec(body)?.[1] ?? "";
const podIn = ({ body }: Received) => /crier-\d/.exec(body)?.[0] ?? "";
const toldOf = (name: string) => inbox.requests.filter((request) => nameIn(request) === name);

async function told(names: readonly string[]): Promise<void> {
  await until(
    () => (names.every((name) => toldOf(name).length > 0) ? true : undefined),
    `all of ${names.length} to be told`,
  );
}

/** Each was told, and twice only what was being sent when a process died: with the same key. */
function expectOnce(names: readonly string[], twice: number): void {
  const repeated = names.filter((name) => toldOf(name).length > 1);
  expect(repeated.length, repeated.join()).toBeLessThanOrEqual(twice);
  for (const name of repeated) {
    const keys = toldOf(name).map(({ body }) => (JSON.parse(body) as { id: string }).id);
    expect(new Set(keys).size, name).toBe(1);
  }
}

async function series({ process }: Replica, name: string): Promise<number> {
  const text = await (await fetch(`${await process.url()}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

interface LeaseObject {
  readonly spec: {
    readonly holderIdentity?: string;
    readonly leaseTransitions: number;
    readonly renewTime: string;
  };
}

async function lease(): Promise<LeaseObject["spec"]> {
  const text = await kubectl(["-n", NAMESPACE, "get", "lease", "kube-crier", "-o", "json"]);
  return (JSON.parse(text) as LeaseObject).spec;
}

/** How long it takes until an event from after `now` is told. */
async function failover(): Promise<number> {
  const began = Date.now();
  await told(await happen(1));
  return Date.now() - began;
}

describe.skipIf(!haveCluster || !haveMariadb)("two replicas on a real API server", () => {
  beforeAll(async () => {
    mariadb = await Mariadb.start();
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
    await kubectl(["apply", "-f", "-"], JSON.stringify(object));
    await changeRights("apply", NAMESPACE, ...RIGHTS);
  });

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "kube-crier-ha-"));
    inbox = await startInbox();
    databases += 1;
    database = `ha${databases}`;
    await mariadb.sql(`CREATE DATABASE ${database}`);
    await kubectl(["-n", NAMESPACE, "delete", "lease", "--all"]);
    await kubectl(["-n", NAMESPACE, "delete", "events", "--all"]);
    const { file, way } = await ownWay("asking");
    await untilAllowed(file, "watch", "events", NAMESPACE);
    await untilAllowed(file, "update", "leases/kube-crier", NAMESPACE);
    await way.close();
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail")
      for (const { pod, process } of replicas)
        globalThis.process.stderr.write(`${pod}:\n${process.stderr}\n`);
    for (const { process, way } of replicas.splice(0)) {
      process.kill("SIGCONT");
      await process.destroy();
      await way.close();
    }
    await inbox.close();
    rmSync(folder, { recursive: true, force: true });
  });

  afterAll(async () => {
    await changeRights("delete", NAMESPACE, ...RIGHTS);
    await kubectl(["-n", NAMESPACE, "delete", "lease", "--all"]);
    await mariadb.destroy();
  });

  it("one watches and tells, the other is ready and does neither; kill -9: the other tells within 20 seconds", async () => {
    const [one, two] = await pair();
    await told(await happen(3));
    expect(inbox.requests.map(podIn)).toEqual(["crier-1", "crier-1", "crier-1"]);
    const ready = await fetch(`${await two.process.ready()}/readyz`);
    expect(await ready.text()).toMatch(/^ok: standby, crier-1_\S+ leads\n$/);
    expect([
      await series(one, "kube_crier_leader"),
      await series(two, "kube_crier_leader"),
    ]).toEqual([1, 0]);
    const before = await lease();
    expect(before).toMatchObject({
      holderIdentity: expect.stringMatching(/^crier-1_/) as string,
      renewTime: expect.stringMatching(/\.\d{6}Z$/) as string,
    });
    one.process.kill("SIGKILL");
    const took = await failover();
    expect(took).toBeLessThan(20_000);
    expect((await lease()).leaseTransitions).toBe(before.leaseTransitions + 1);
    expectOnce(["e-1", "e-2", "e-3"], 0);
    expect(two.process.stderr).not.toContain("may have happened unseen");
  });

  it("kill -9 in the midst of a burst, with the shortest Lease: within 5 seconds, nothing lost, twice only what was in flight", async () => {
    const [one, two] = await pair("--leader-elect-lease-duration=4s");
    const burst = happen(80);
    await until(() => (inbox.requests.length >= 20 ? true : undefined), "a part of the burst");
    one.process.kill("SIGKILL");
    const killed = Date.now();
    const names = await burst;
    await two.process.says("leading in term");
    expect(Date.now() - killed).toBeLessThan(5_000 + SLACK_MS);
    await told([...names, ...(await happen(10))]);
    expectOnce(names, CONCURRENCY);
    expect(inbox.requests.some((request) => podIn(request) === "crier-2")).toBe(true);
  });

  it("SIGTERM: the other goes on at once, nothing lost and nothing twice", async () => {
    const [one, two] = await pair();
    const burst = happen(60);
    await until(() => (inbox.requests.length >= 20 ? true : undefined), "a part of the burst");
    one.process.kill("SIGTERM");
    expect(await one.process.ended()).toBe(0);
    const ended = Date.now();
    await two.process.says("leading in term");
    expect(Date.now() - ended).toBeLessThan(2_500 + SLACK_MS);
    const names = await burst;
    await told([...names, ...(await happen(10))]);
    expectOnce(names, 0);
    two.process.kill("SIGTERM");
    expect(await two.process.ended()).toBe(0);
    expect((await lease()).holderIdentity ?? "").toBe("");
  });

  it("SIGSTOP for longer than the Lease: woken up it sends nothing, writes nothing, and ends with exit code 4", async () => {
    const [one, two] = await pair("--leader-elect-lease-duration=4s");
    await told(await happen(2));
    one.process.kill("SIGSTOP");
    // It has these in its sockets when it wakes.
    const names = [...(await happen(20))];
    await two.process.says("leading in term");
    await told(names);
    const before = inbox.requests.length;
    one.process.kill("SIGCONT");
    expect(await one.process.ended()).toBe(4);
    expect(one.process.stderr).toMatch(/leads no more: .*nothing is sent or written from now on/);
    names.push(...(await happen(3)));
    await told(names);
    expect(inbox.requests.slice(before).map(podIn)).toEqual(["crier-2", "crier-2", "crier-2"]);
    expectOnce(names, 0);
    // Started again it stands by.
    const again = await start("crier-3", "--leader-elect-lease-duration=4s");
    await again.process.says("standby: crier-2");
    expect(two.process.stderr).not.toContain('"level":"error"');
  });

  it("cut off from the API server alone, the leader ends before the other begins", async () => {
    const [one, two] = await pair("--leader-elect-lease-duration=4s");
    await told(await happen(2));
    one.way.cut();
    expect(await one.process.ended()).toBe(4);
    expect(two.process.stderr).not.toContain("leading in term");
    expect(one.process.stderr).toMatch(
      /leads no more: the Lease could not be renewed within 2\.667 s/,
    );
    expect(await failover()).toBeLessThan(5_000 + SLACK_MS);
    expectOnce(["e-1"], 0);
  });

  it("whose ledger a later leader has taken writes nothing more and ends with exit code 4", async () => {
    const one = await start("crier-1");
    await one.process.says("kubernetes: watching");
    await told(await happen(1));
    const term = (await lease()).leaseTransitions;
    const mine = "SELECT term FROM kube_crier_ledger";
    expect(Number((await mariadb.sql(mine, database))[0]?.["term"])).toBe(term);
    await mariadb.sql("UPDATE kube_crier_ledger SET term = term + 1, holder = 'later'", database);
    const [late = ""] = await happen(1);
    expect(await one.process.ended()).toBe(4);
    expect(one.process.stderr).toContain("leads no more: the ledger belongs to a later leader");
    const rows = "SELECT COUNT(*) AS n FROM kube_crier_occurrence WHERE event LIKE ";
    expect(Number((await mariadb.sql(`${rows}'%(${late})%'`, database))[0]?.["n"])).toBe(0);
    expect(toldOf(late)).toEqual([]);
  });

  it("a ledger that a standby could not use is refused before it is needed", async () => {
    const one = await start("crier-1");
    await one.process.says("kubernetes: watching");
    await mariadb.sql("CREATE USER IF NOT EXISTS reader IDENTIFIED BY 'made-up'");
    await mariadb.sql(`GRANT SELECT ON ${database}.* TO reader`);
    const { file, way } = await ownWay("crier-2");
    const two = run("crier-2", file, [
      `--ledger=mysql://reader:made-up@127.0.0.1:${mariadb.port}/${database}`,
    ]);
    expect(await two.ended()).toBe(2);
    expect(two.stderr).toContain("may not INSERT in the table kube_crier_delivery");
    expect(two.stderr).not.toContain("made-up");
    await way.close();
  });

  it("without the right is refused at the start and by check, with the Role that is missing", async () => {
    await kubectl(["-n", NAMESPACE, "delete", "rolebinding", "kube-crier-lease"]);
    try {
      const { file, way } = await ownWay("crier-1");
      await until(
        () =>
          kubectl(["--kubeconfig", file, "-n", NAMESPACE, "get", "lease", "kube-crier"]).then(
            () => undefined,
            (error: unknown) => (String(error).includes("orbidden") ? true : undefined),
          ),
        "the API server to forbid the Lease",
      );
      for (const command of ["run", "check"]) {
        const { code, stderr } = await crier(
          [
            command,
            `--source=kubernetes:?namespaces=${NAMESPACE}`,
            "--sink=stdout:",
            `--ledger=mysql://root@127.0.0.1:${mariadb.port}/${database}`,
            "--leader-elect",
          ],
          { env: { KUBECONFIG: file, HOME: folder, POD_NAMESPACE: NAMESPACE } },
        );
        expect(code, command).toBe(2);
        expect(stderr).toContain(`the Lease ${NAMESPACE}/kube-crier may not be held: get leases`);
        expect(stderr).toContain(
          `bind a Role in namespace ${NAMESPACE} with {apiGroups: ["coordination.k8s.io"], resources: ["leases"], resourceNames: ["kube-crier"], verbs: ["get", "update"]}`,
        );
      }
      await way.close();
    } finally {
      await changeRights("apply", NAMESPACE, ...RIGHTS);
    }
  });

  it("a SQLite ledger is refused, at the start and by check", async () => {
    for (const command of ["run", "check"]) {
      const args = [command, `--source=kubernetes:?namespaces=${NAMESPACE}`, "--leader-elect"];
      const env = { KUBECONFIG: process.env["KUBECONFIG"] ?? "", HOME: folder };
      const { code, stderr } = await crier([...args, `--data-dir=${folder}/ledger`], { env });
      expect(code, command).toBe(2);
      expect(stderr).toContain("a SQLite ledger belongs to one process");
      expect(stderr).toContain("use --ledger=mysql://");
    }
  });

  it("deploy/ha is accepted by the API server, with exactly the rights it says", async () => {
    const made = path.join(folder, "kustomize");
    const kustomization = {
      kind: "Kustomization",
      namespace: NAMESPACE,
      resources: ["kube-crier.yaml"],
      components: ["ha"],
    };
    mkdirSync(made);
    for (const name of ["kube-crier.yaml", "ha"])
      cpSync(path.join(ROOT, "deploy", name), path.join(made, name), { recursive: true });
    writeFileSync(path.join(made, "kustomization.yaml"), JSON.stringify(kustomization));
    const how = ["apply", "--dry-run=server", "--validate=strict", "-k", made];
    const applied = (await kubectl(how)).trim().split("\n");
    expect(applied.some((line) => line.startsWith("poddisruptionbudget.policy/kube-crier"))).toBe(
      true,
    );
    expect(applied.some((line) => line.startsWith("persistentvolumeclaim"))).toBe(false);
    const may = (verb: string, what: string, where = NAMESPACE) =>
      kubectl([
        "-n",
        where,
        "auth",
        "can-i",
        verb,
        what,
        `--as=system:serviceaccount:${NAMESPACE}:kube-crier`,
      ])
        // It says no with exit code 1.
        .catch((error: { stdout?: string }) => error.stdout ?? "")
        .then((answer) => answer.trim());
    expect(await may("update", "leases/kube-crier")).toBe("yes");
    expect(await may("get", "leases/kube-crier")).toBe("yes");
    expect(await may("create", "leases")).toBe("yes");
    for (const verb of ["get", "update"]) expect(await may(verb, "leases/other")).toBe("no");
    for (const verb of ["delete", "list", "watch", "patch"])
      expect(await may(verb, "leases/kube-crier"), verb).toBe("no");
    expect(await may("update", "leases/kube-crier", "default")).toBe("no");
  });
});
