import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type mysql from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { type RunningSimulator, startSimulator } from "../../src/simulate/index.ts";
import { HOSTILE } from "../fixtures/hostile.ts";
import {
  accountKubeconfig,
  coreEvent,
  haveCluster,
  kubeconfig,
  kubectl,
  untilAllowed,
} from "../support/cluster.ts";
import { Crier, PROGRAM, until } from "../support/crier.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";
import { cli } from "../support/io.ts";
import { haveMariadb, Mariadb } from "../support/mariadb.ts";
import { manifests, ROOT } from "../support/manifests.ts";
import { snippetsOf } from "../support/snippets.ts";

/**
 * docs/migrating.md, executed: kube-eventer's own manifests on a real API server (`export KUBECONFIG=…`), each command as a reader would type it,
 * the chats played by the simulator and MySQL by a MariaDB of the test's own (apt-get install mariadb-server).
 */
const SNIPPETS = snippetsOf("migrating.md");
const MANIFEST = path.join(ROOT, "test/fixtures/kube-eventer/deployment.yaml");
const SYSTEM = "kube-system";
const OURS = "kube-crier-e2e=yes";
const NO_HISTORY = "no rollout history found for deployment";

interface Pod {
  readonly spec: {
    readonly strategy: { readonly type: string };
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly name: string;
          readonly image: string;
          readonly command?: readonly string[];
          readonly args?: readonly string[];
          readonly env?: readonly { readonly name: string; readonly value: string }[];
        }[];
      };
    };
  };
}

interface StoredEvent {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly message: string;
}

interface Card {
  readonly card: { readonly elements: readonly { readonly text: { readonly content: string } }[] };
}

const CORPUS: readonly string[] = [
  ...HOSTILE.map(({ text }) => text),
  'line "x"\n\t\\ 内存 '.repeat(600).slice(0, 10_240),
  '{{ .Type }} {{ end }} }} {{/* x */}} {{ printf "%s" . }} {{message}}',
];

let folder: string;
let simulator: RunningSimulator;
let inbox: Inbox;
let mariadb: Mariadb;
let account: string;
let run = "";
let touched = false;
const started: Crier[] = [];

/** What an interrupted run left is ours; anything else is somebody's installation, which these tests would replace. */
async function refuseAnothers(name: string, namespace: string): Promise<void> {
  const get = ["-n", namespace, "get", "deployment", name, "--ignore-not-found", "-o", "json"];
  const found = await kubectl(get);
  if (found === "") return;
  const { metadata } = JSON.parse(found) as { metadata: { labels?: Record<string, string> } };
  const [label = ""] = OURS.split("=");
  if (metadata.labels?.[label] === undefined)
    throw new Error(`${name} is installed in ${namespace}; these tests would replace it`);
}

/** The blocks of a language under a heading; there must be some. */
function blocks(heading: string, language: string): readonly string[] {
  const found = SNIPPETS.filter((one) => one.heading === heading && one.language === language);
  expect(found, `${language} under "${heading}"`).not.toEqual([]);
  return found.map(({ text }) => text);
}

/** Made-up and documented addresses → those of this test. */
function here(text: string): string {
  return text
    .replaceAll(/https:\/\/oapi\.dingtalk\.com(?=\/)/g, simulator.url)
    .replaceAll(/https:\/\/open\.feishu\.cn(?=\/)/g, inbox.url)
    .replaceAll("http://127.0.0.1:8900", simulator.url)
    .replaceAll(/(audit|root):[^@\s']*@tcp\(mysql:3306\)/g, `root:@tcp(127.0.0.1:${mariadb.port})`)
    .replaceAll("access_token=…", "access_token=direct")
    .replaceAll("hook/…", "hook/direct");
}

/** As a reader types it: kubectl and kube-crier on the PATH, the cluster of KUBECONFIG. */
async function shell(script: string): Promise<string> {
  const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", here(script)], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: `${path.join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
      KUBECONFIG: kubeconfig,
      TZ: "Asia/Shanghai",
    },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

async function deployment(name: string): Promise<Pod> {
  const get = ["-n", SYSTEM, "get", "deployment", name, "-o", "json"];
  return JSON.parse(await kubectl(get)) as Pod;
}

/** The container as the kubelet would start it, under the service account's token. */
function start(pod: Pod, name: string, more: readonly string[] = []): Crier {
  const container = pod.spec.template.spec.containers.find((one) => one.name === name);
  const words = [...(container?.command ?? []), ...(container?.args ?? [])];
  // The image's /kube-eventer is this program.
  const argv = words[0] === "/kube-eventer" ? words.slice(1) : words;
  const env = Object.fromEntries((container?.env ?? []).map((one) => [one.name, here(one.value)]));
  const child = new Crier(
    [
      ...argv.map((word) =>
        here(word)
          .replace("/etc/kube-crier", folder)
          .replace("/var/lib/kube-crier", path.join(folder, name)),
      ),
      ...more,
    ],
    { env: { ...env, KUBECONFIG: account, HOME: folder } },
  );
  started.push(child);
  return child;
}

async function sql<T>(text: string, database = ""): Promise<T[]> {
  const connection = await mariadb.root(database);
  try {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(text);
    return rows as unknown as T[];
  } finally {
    await connection.end();
  }
}

describe.skipIf(!haveCluster || !haveMariadb)("docs/migrating.md", () => {
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "kube-crier-migrating-"));
    run = `m${Date.now().toString(36)}`;
    [simulator, inbox, mariadb] = await Promise.all([
      startSimulator(),
      startInbox(),
      Mariadb.start(),
    ]);
    await sql(
      "CREATE DATABASE kube_eventer; CREATE DATABASE kube_crier_shadow; CREATE TABLE kube_eventer.kube_event (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, namespace varchar(64) NOT NULL DEFAULT '', kind varchar(64) NOT NULL DEFAULT '', name varchar(255) NOT NULL DEFAULT '', type varchar(64) NOT NULL DEFAULT '', reason varchar(128) NOT NULL DEFAULT '', message varchar(255) NOT NULL DEFAULT '', event_id varchar(128) NOT NULL DEFAULT '', first_occurrence_time varchar(255) NOT NULL DEFAULT '', last_occurrence_time varchar(255) NOT NULL DEFAULT '', update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    );
    await promisify(execFile)("mkdir", [path.join(folder, "bin")]);
    const shim = path.join(folder, "bin/kube-crier");
    writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
    chmodSync(shim, 0o755);
    copyFileSync(path.join(ROOT, "deploy/kube-crier.yaml"), path.join(folder, "kube-crier.yaml"));
    const shop = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
    await kubectl(["apply", "-f", "-"], JSON.stringify(shop));
    await refuseAnothers("kube-eventer", SYSTEM);
    await refuseAnothers("kube-crier", "kube-crier");
    touched = true;
    await kubectl(["apply", "-f", MANIFEST]);
    await kubectl(["-n", SYSTEM, "label", "--overwrite", "deployment", "kube-eventer", OURS]);
    account = await accountKubeconfig(path.join(folder, "kubeconfig"), SYSTEM, {
      account: "kube-eventer",
    });
    await untilAllowed(account, "watch", "events", "shop");
    await untilAllowed(account, "get", "configmaps", SYSTEM);
    await kubectl(["create", "-f", "-"], coreEvent(`${run}-before`));
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((process) => process.destroy()));
  });

  afterAll(async () => {
    const gone = ["delete", "--ignore-not-found", "--wait=false"];
    if (touched) {
      await kubectl([...gone, "-f", MANIFEST]);
      await kubectl([...gone, "-f", path.join(folder, "rbac.yaml")]).catch(() => "");
      await kubectl(["-n", SYSTEM, ...gone, "deployment,configmap", "kube-crier-shadow"]);
      // The namespace stays: a cluster without controllers cannot delete any.
      const items = manifests("kube-crier.yaml").filter(({ kind }) => kind !== "Namespace");
      await kubectl(
        [...gone, "-f", "-"],
        JSON.stringify({ apiVersion: "v1", kind: "List", items }),
      );
    }
    await Promise.all([simulator.close(), inbox.close(), mariadb.destroy()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("looks first: the differences of exactly these sinks, and the body as it would be sent", async () => {
    const [look = "", render = ""] = blocks("Look first", "sh");
    const said = await shell(look);
    for (const sink of ["dingtalk", "webhook", "mysql"]) expect(said).toContain(`the sink ${sink}`);
    expect(said).not.toContain("the sink kafka");
    const rendered = await shell(render);
    expect(rendered).toContain('{"msg_type":"interactive"');
    expect(rendered).toContain(`(${run}-before)`);
  });

  it("the short way: the patched Deployment runs as it is, under kube-eventer's own ClusterRole, and tells everybody", async () => {
    const [patch = "", undo = ""] = blocks("The short way: another image", "sh");
    const before = await deployment("kube-eventer");
    await shell(patch);
    const pod = await deployment("kube-eventer");
    expect(pod.spec.strategy.type).toBe("Recreate");
    const words = (one: Pod) => one.spec.template.spec.containers[0]?.command;
    expect(words(pod)).toEqual(words(before));
    expect(pod.spec.template.spec.containers[0]?.image).toMatch(/^kube-crier:/);

    const crier = start(pod, "kube-eventer", ["--listen=127.0.0.1:0", `--data-dir=${folder}/led`]);
    const url = await crier.ready();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(crier.stderr).toContain("other than kube-eventer, dingtalk: ");

    for (const [index, text] of CORPUS.entries())
      await kubectl(["create", "-f", "-"], coreEvent(`${run}-c${index}`, { message: text }));
    await until(
      () => (inbox.requests.length >= CORPUS.length ? true : undefined),
      `${CORPUS.length} cards`,
    );
    // As the API server has them: what is no Unicode it has replaced.
    const list = await kubectl(["-n", "shop", "get", "events", "-o", "json"]);
    const stored = (JSON.parse(list) as { items: StoredEvent[] }).items.filter(({ metadata }) =>
      metadata.name.startsWith(`${run}-c`),
    );
    expect(stored).toHaveLength(CORPUS.length);
    const cards = inbox.requests.map(({ method, headers, body }) => {
      expect(method).toBe("POST");
      expect(headers["content-type"]).toBe("application/json");
      const { card } = JSON.parse(body) as Card;
      return card.elements[0]?.text.content.split("**EventMessage:**  ").slice(1).join("") ?? "";
    });
    for (const { message, metadata } of stored) expect(cards, metadata.name).toContain(message);

    const uids = new Set(stored.map(({ metadata }) => metadata.uid));
    await until(async () => {
      const rows = await sql<{ id: string }>(
        "SELECT event_id AS id FROM kube_event",
        "kube_eventer",
      );
      const ours = rows.filter(({ id }) => uids.has(id));
      expect(new Set(ours.map(({ id }) => id)).size, "no second row for any").toBe(ours.length);
      return ours.length === uids.size ? true : undefined;
    }, "a row for each in kube-eventer's own table");
    // DingTalk hears of them within its budget, the rest as one digest: nobody is muted.
    const messages = await simulator.shown(1);
    expect(messages.every(({ robot }) => robot.startsWith("dingtalk/"))).toBe(true);
    // Where no controller has made a ReplicaSet there is nothing to go back to: the command is known all the same.
    await expect(shell(undo)).rejects.toThrow(NO_HISTORY);
  });

  it("a changed ConfigMap counts without a restart, and a deleted one leaves the last good body in use", async () => {
    const pod = await deployment("kube-eventer");
    const crier = start(pod, "kube-eventer", ["--listen=127.0.0.1:0", `--data-dir=${folder}/map`]);
    const url = await crier.ready();
    const patch = (content: string) =>
      kubectl([
        "-n",
        SYSTEM,
        "patch",
        "configmap",
        "custom-body",
        "--type=merge",
        "-p",
        JSON.stringify({ data: { content } }),
      ]);
    const stale = async () =>
      /^kube_crier_templates_stale (\d)/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1];
    await patch('{"changed":"{{ .Message }}"}');
    await crier.says("the templates have changed; the new ones are in use");
    const told = async (name: string) => {
      await kubectl(["create", "-f", "-"], coreEvent(`${run}-${name}`));
      return until(
        () => inbox.requests.find(({ body }) => body.includes(`(${run}-${name})`))?.body,
        `the message of ${name}`,
      );
    };
    expect(JSON.parse(await told("changed"))).toMatchObject({ changed: expect.any(String) });
    expect(await stale()).toBe("0");
    await kubectl(["-n", SYSTEM, "delete", "configmap", "custom-body"]);
    await crier.says("the last good ones stay in use");
    expect(JSON.parse(await told("deleted"))).toMatchObject({ changed: expect.any(String) });
    expect(await stale()).toBe("1");
    crier.kill("SIGTERM");
    await crier.ended();

    const again = start(pod, "kube-eventer", ["--listen=127.0.0.1:0", `--data-dir=${folder}/map`]);
    expect(await again.ended()).toBe(2);
    expect(again.stderr).toContain("there is no ConfigMap custom-body in namespace kube-system");
    await kubectl(["apply", "-f", MANIFEST]);
  });

  it("--compat=strict is taken beside what stands there already", async () => {
    const [text = ""] = blocks("The short way: another image", "yaml");
    const { args } = parse(text) as { args: string[] };
    const { stdout } = await cli(["check", "--sink=stdout:", "--frequency=30s", ...args]);
    expect(stdout).toContain("strict");
  });

  it("the whole way: a configuration that check takes, and the RBAC it needs", async () => {
    const [migrate = "", check = ""] = blocks("The whole way: a configuration of its own", "sh");
    await shell(migrate);
    expect(await shell(check)).toContain("all is well: run would start");
    const kinds = parseAllDocuments(readFileSync(path.join(folder, "rbac.yaml"), "utf8")).map(
      (one) => (one.toJS() as { kind: string }).kind,
    );
    expect(kinds).toEqual(expect.arrayContaining(["ClusterRole", "ClusterRoleBinding", "Role"]));
  });

  it("a day side by side: nobody is told, the chats are seen, and the tables are compared", async () => {
    const heading = "A day side by side";
    const [apply = "", over = ""] = blocks(heading, "sh");
    const [manifest = ""] = blocks(heading, "yaml");
    writeFileSync(path.join(folder, "shadow.yaml"), manifest);
    await shell(apply);
    const pod = await deployment("kube-crier-shadow");
    const chats = pod.spec.template.spec.containers.find(({ name }) => name === "chats");
    expect(chats?.args).toEqual(["simulate", "--listen=127.0.0.1:8900"]);
    const crier = start(pod, "kube-crier", ["--listen=127.0.0.1:0"]);
    await crier.ready();
    const inReality = inbox.requests.length;

    // Both see two events, but kube-eventer loses the second.
    const uids: string[] = [];
    for (const name of ["both", "lost"]) {
      const made = await kubectl(["create", "-o", "json", "-f", "-"], coreEvent(`${run}-${name}`));
      uids.push((JSON.parse(made) as StoredEvent).metadata.uid);
    }
    const [both = "", lost = ""] = uids;
    await sql(
      `DELETE FROM kube_event; INSERT INTO kube_event (reason, event_id, update_time) VALUES ('BackOff', '${both}', NOW() - INTERVAL 5 MINUTE)`,
      "kube_eventer",
    );
    await until(async () => {
      const found = await sql<{ id: string }>(
        "SELECT event_id AS id FROM kube_event",
        "kube_crier_shadow",
      );
      return found.some(({ id }) => id === lost) ? true : undefined;
    }, "both rows of the shadow");
    const [missing = "", reverse = ""] = blocks(heading, "sql");
    expect(await sql(missing)).toEqual([{ reason: "BackOff", lost: 1 }]);
    expect(await sql(reverse)).toEqual([]);
    await sql(
      "INSERT INTO kube_event (reason, event_id, update_time) VALUES ('Unseen', 'nobody', NOW() + INTERVAL 1 HOUR)",
      "kube_eventer",
    );
    expect(await sql(reverse), "the question can be answered with yes").toMatchObject([
      { reason: "Unseen" },
    ]);
    expect((await simulator.shown(1)).some(({ robot }) => robot === "dingtalk/shadow")).toBe(true);
    expect(inbox.requests, "the real receiver heard nothing").toHaveLength(inReality);

    await shell(over);
    await kubectl(["-n", "kube-crier", "label", "deployment", "kube-crier", OURS]);
    const left = await kubectl(["-n", SYSTEM, "get", "deployment", "kube-eventer", "-o", "json"]);
    expect((JSON.parse(left) as { spec: { replicas: number } }).spec.replicas).toBe(0);
  });
});
