import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type RunningSimulator } from "../../src/simulate/index.ts";
import {
  clusterControl,
  coreEvent,
  evgen,
  haveCluster,
  haveControl,
  kubeconfig,
  kubectl,
  untilAllowed,
} from "../support/cluster.ts";
import { Crier, until } from "../support/crier.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";

/**
 * kube-crier as a process, a real API server, and receivers that play the platforms. Needs KUBECONFIG of a cluster one may write Events to
 * (`export KUBECONFIG=…`); what restarts the API server also needs E2E_CLUSTER, see test/support/cluster.ts.
 */
const started: { destroy(): Promise<void> }[] = [];
let inbox: Inbox;
let simulator: RunningSimulator;
let dataDir: string;
let run = "";

beforeEach(async () => {
  inbox = await startInbox();
  simulator = await startSimulator();
  dataDir = mkdtempSync(path.join(tmpdir(), "kube-crier-e2e-"));
  run = `e${Date.now().toString(36)}`;
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.destroy()));
  await Promise.all([inbox.close(), simulator.close()]);
  rmSync(dataDir, { recursive: true, force: true });
});

function start(...args: string[]): Crier {
  const process = new Crier(
    [
      "run",
      `--source=kubernetes:?kubeconfig=${kubeconfig}`,
      `--data-dir=${dataDir}`,
      "--listen=127.0.0.1:0",
      ...args,
    ],
    { env: { KUBECONFIG: "" } },
  );
  started.push(process);
  return process;
}

const hook = (query = "level=Normal") => `--sink=webhook:${inbox.url}/hook?${query}`;

/** `seq/count` of each request of this run, in order of arrival. */
function arrivals(): string[] {
  return inbox.requests.flatMap((request) => {
    const event = (JSON.parse(request.body) as { event?: { message: string; count: number } })
      .event;
    const match = /^seq=(\d+) t=\d+ p=(\S+)/.exec(event?.message ?? "");
    return match?.[2] === run ? [`${match[1]}/${event?.count}`] : [];
  });
}

const all = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}/1`);
const arrived = (count: number, timeoutMs = 60_000) =>
  until(
    () => (new Set(arrivals()).size >= count ? true : undefined),
    `${count} events of ${run} (${new Set(arrivals()).size} so far)`,
    timeoutMs,
  );

describe.skipIf(!haveCluster)("on a real cluster", () => {
  it("tells every kind of chat what kubectl created, with the right text, and nothing that came before", async () => {
    await kubectl(["create", "-f", "-"], coreEvent(`${run}-before`));
    const crier = start(
      `--sink=dingtalk:${simulator.webhook("dingtalk", "ops")}&level=Warning`,
      `--sink=lark:${simulator.webhook("lark", "ops")}?lang=zh`,
      `--sink=wecom:${simulator.webhook("wecom", "ops")}`,
      `--sink=slack:${simulator.webhook("slack", "T/B/ops")}`,
      hook(),
      "--cluster-name=prod-a",
    );
    await crier.ready();
    await kubectl(["create", "-f", "-"], coreEvent(`${run}-1`));
    const shown = await simulator.shown(4);
    for (const message of shown) {
      expect(message.text, message.platform).toContain("web-7d4b9c");
      expect(message.text, message.platform).toContain(
        `Back-off restarting failed container web in pod web-7d4b9c (${run}-1)`,
      );
      expect(message.text, message.platform).toContain("prod-a");
      expect(message.text, message.platform).toContain("kubectl -n shop describe pod web-7d4b9c");
    }
    expect(new Set(shown.map((message) => message.platform))).toEqual(
      new Set(["dingtalk", "lark", "wecom", "slack"]),
    );
    expect(shown.find((message) => message.platform === "lark")?.title).toContain("容器反复崩溃");
    await inbox.received(1);
    expect(inbox.requests.map((request) => request.body).join("\n")).not.toContain(`${run}-before`);
  });

  it("takes an Event of events.k8s.io/v1 and a growing count, but neither a label nor a deletion", async () => {
    const crier = start(hook());
    const url = await crier.ready();
    const micro = new Date().toISOString().replace("Z", "000Z");
    await kubectl(
      ["create", "-f", "-"],
      JSON.stringify({
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { name: `${run}-new`, namespace: "shop" },
        eventTime: micro,
        reportingController: "default-scheduler",
        reportingInstance: "default-scheduler-0",
        action: "Scheduling",
        reason: "FailedScheduling",
        type: "Warning",
        note: `seq=1 t=0 p=${run} 0/3 nodes are available`,
        regarding: { apiVersion: "v1", kind: "Pod", namespace: "shop", name: "web-0" },
      }),
    );
    await kubectl(
      ["create", "-f", "-"],
      coreEvent(`${run}-old`, { message: `seq=2 t=0 p=${run} back-off` }),
    );
    await arrived(2);
    await kubectl(["-n", "shop", "label", "event", `${run}-old`, "seen=yes"]);
    await kubectl([
      "-n",
      "shop",
      "patch",
      "event",
      `${run}-old`,
      "--type=merge",
      "-p",
      JSON.stringify({ count: 5 }),
    ]);
    await until(() => (arrivals().includes("2/5") ? true : undefined), "the count of 5");
    await kubectl(["-n", "shop", "delete", "event", `${run}-old`]);
    await kubectl(
      ["create", "-f", "-"],
      coreEvent(`${run}-last`, { message: `seq=3 t=0 p=${run} the end` }),
    );
    await arrived(4);
    expect(arrivals()).toEqual(["1/1", "2/1", "2/5", "3/1"]);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const sum = (name: string) =>
      metrics
        .split("\n")
        .reduce(
          (total, line) =>
            line.startsWith(`kube_crier_events_${name}_total`)
              ? total + Number(line.split(" ").at(-1))
              : total,
          0,
        );
    expect(sum("received")).toBe(sum("filtered") + sum("suppressed") + sum("enqueued"));
  });

  it.skipIf(!haveControl)("delivers 300 events at 50/s, each once", async () => {
    const crier = start(hook());
    await crier.ready();
    const { created } = await evgen({ n: 300, rate: 50, prefix: run });
    expect(created).toBe(300);
    await arrived(300);
    crier.kill("SIGTERM");
    expect(await crier.ended()).toBe(0);
    expect(arrivals().toSorted()).toEqual(all(300).toSorted());
  });

  it.skipIf(!haveControl)("loses nothing to kill -9 at random moments", async () => {
    let crier = start(hook());
    await crier.ready();
    const events = evgen({ n: 600, rate: 60, prefix: run, updateRatio: 0 });
    for (const after of [37, 181, 333, 490]) {
      await arrived(after);
      crier.kill("SIGKILL");
      await crier.ended();
      crier = start(hook());
    }
    await events;
    await arrived(600);
    // What was accepted in the very moment of the kill may come twice, with the same idempotency key.
    const keys = new Map<string, Set<string>>();
    for (const request of inbox.requests) {
      const { event } = JSON.parse(request.body) as { event: { key: string } };
      keys.set(
        event.key,
        (keys.get(event.key) ?? new Set()).add(String(request.headers["idempotency-key"])),
      );
    }
    expect([...keys.values()].filter((set) => set.size > 1)).toEqual([]);
    expect(arrivals().length - 600).toBeLessThanOrEqual(4 * 16);
  });

  it("loses nothing to a sink that is away, and recovers within seconds of its return", async () => {
    const crier = start(hook());
    await crier.ready();
    inbox.reply({ status: 503, body: "down" });
    for (let index = 1; index <= 12; index += 1)
      await kubectl(
        ["create", "-f", "-"],
        coreEvent(`${run}-${index}`, { message: `seq=${index} t=0 p=${run} x` }),
      );
    await inbox.received(2);
    inbox.reply({ status: 200, body: "ok" });
    await arrived(12, 20_000);
  });

  it.skipIf(!haveControl)("loses nothing to a restart of the API server", async () => {
    const crier = start(hook());
    const url = await crier.ready();
    await evgen({ n: 20, rate: 50, prefix: run });
    await arrived(20);
    await clusterControl("down", "apiserver");
    await until(
      async () =>
        (await fetch(`${url}/metrics`))
          .text()
          .then((text) =>
            text.includes('kube_crier_source_synced{source="kubernetes"} 0') ? true : undefined,
          ),
      "the outage to be noticed",
    );
    await clusterControl("up");
    const second = run;
    run = `${run}b`;
    await evgen({ n: 20, rate: 50, prefix: run });
    await arrived(20);
    expect(arrivals().toSorted()).toEqual(all(20).toSorted());
    run = second;
    expect(arrivals().toSorted(), "nothing told twice").toEqual(all(20).toSorted());
  });

  it.skipIf(!haveControl).each(["stale", "open"])(
    "delivers exactly what was not seen after a 410 (%s)",
    async (how) => {
      let crier = start(hook());
      await crier.ready();
      await evgen({ n: 30, rate: 100, prefix: run });
      await arrived(30);
      const first = run;
      if (how === "stale") {
        crier.kill("SIGTERM");
        await crier.ended();
      }
      run = `${first}b`;
      const meanwhile = evgen({ n: 30, rate: 200, prefix: run });
      if (how === "stale") await meanwhile;
      await clusterControl("force-410", how);
      if (how === "stale") {
        crier = start(hook());
        await crier.ready();
      }
      await meanwhile;
      await arrived(30);
      await kubectl(
        ["create", "-f", "-"],
        coreEvent(`${run}-end`, { message: `seq=31 t=0 p=${run} the watch goes on` }),
      );
      await arrived(31);
      expect(arrivals().toSorted()).toEqual(all(31).toSorted());
      run = first;
      expect(arrivals().toSorted(), "nothing told twice").toEqual(all(30).toSorted());
    },
  );
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

describe.skipIf(!haveCluster)("permissions on a real cluster", () => {
  /** A kubeconfig of a service account that holds just this role. */
  async function account(name: string, rules: readonly Rule[], namespace: string): Promise<string> {
    const meta = { name, namespace };
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: meta,
      rules,
    };
    const binding = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: meta,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    };
    await kubectl(
      ["apply", "-f", "-"],
      JSON.stringify({
        apiVersion: "v1",
        kind: "List",
        items: [{ apiVersion: "v1", kind: "ServiceAccount", metadata: meta }, role, binding],
      }),
    );
    const token = (await kubectl(["-n", namespace, "create", "token", name])).trim();
    const file = path.join(dataDir, `${name}.kubeconfig`);
    const { writeFileSync } = await import("node:fs");
    const config = JSON.parse(
      await kubectl(["config", "view", "--raw", "--minify", "-o", "json"]),
    ) as { users: unknown[] };
    writeFileSync(
      file,
      JSON.stringify({
        ...config,
        users: (config.users as { name: string }[]).map((user) => ({
          name: user.name,
          user: { token },
        })),
      }),
    );
    for (const { apiGroups, resources, verbs } of rules)
      for (const resource of resources)
        for (const verb of verbs)
          await untilAllowed(
            file,
            verb,
            [resource, ...apiGroups].join(".").replace(/\.$/, ""),
            namespace,
          );
    return file;
  }

  it("needs no more than a Role in the namespaces it watches", async () => {
    const file = await account(
      `${run}-reader`,
      [{ apiGroups: [""], resources: ["events"], verbs: ["get", "list", "watch"] }],
      "shop",
    );
    const crier = new Crier(
      [
        "run",
        `--source=kubernetes:?kubeconfig=${file}&namespaces=shop`,
        `--data-dir=${dataDir}`,
        "--listen=127.0.0.1:0",
        hook(),
      ],
      { env: { KUBECONFIG: "" } },
    );
    started.push(crier);
    await crier.ready();
    await kubectl(
      ["create", "-f", "-"],
      coreEvent(`${run}-1`, { message: `seq=1 t=0 p=${run} x` }),
    );
    await arrived(1);
  });

  it("reads events.k8s.io where core is forbidden", async () => {
    const file = await account(
      `${run}-newapi`,
      [{ apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["get", "list", "watch"] }],
      "shop",
    );
    const crier = new Crier(
      [
        "run",
        `--source=kubernetes:?kubeconfig=${file}&namespaces=shop`,
        `--data-dir=${dataDir}`,
        "--listen=127.0.0.1:0",
        hook(),
      ],
      { env: { KUBECONFIG: "" } },
    );
    started.push(crier);
    await crier.ready();
    await kubectl(
      ["create", "-f", "-"],
      coreEvent(`${run}-1`, { message: `seq=1 t=0 p=${run} x` }),
    );
    await arrived(1);
  });

  it("says at start which permission is missing, and ends with 2", async () => {
    const file = await account(`${run}-nobody`, [], "shop");
    const crier = new Crier(
      [
        "run",
        `--source=kubernetes:?kubeconfig=${file}&namespaces=shop`,
        `--data-dir=${dataDir}`,
        hook(),
      ],
      { env: { KUBECONFIG: "" } },
    );
    started.push(crier);
    expect(await crier.ended()).toBe(2);
    expect(crier.stderr).toMatch(/events/);
    expect(crier.stderr).toMatch(/list|watch/);
    expect(crier.stderr).toContain("shop");
  });
});
