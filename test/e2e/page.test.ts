import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { coreEvent, haveCluster, kubectl } from "../support/cluster.ts";
import { Crier, until } from "../support/crier.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";
import { manifests } from "../support/manifests.ts";

/**
 * "What happened, and who was told?" on a real API server: real Events, people with tokens of their ServiceAccounts and the roles that
 * deploy/kube-crier-web.yaml ships, and the program with nothing but its own.
 */
const HOME = "kube-crier";
const PEOPLE = "kube-crier-page-people";
const [SHOP, PAY] = ["page-shop", "page-pay"] as const;
const RBAC = "rbac.authorization.k8s.io";

type Fields = Readonly<Record<string, unknown>>;

const apply = (...items: readonly Fields[]) =>
  kubectl(
    ["apply", "--server-side", "--force-conflicts", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );

const named = (kind: string, name: string, namespace?: string) => ({
  apiVersion: ["Namespace", "ServiceAccount"].includes(kind) ? "v1" : `${RBAC}/v1`,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

/** Binds a ClusterRole to an account, in one namespace or everywhere. */
const bind = (role: string, account: string, of: string, namespace?: string) => ({
  ...named(
    namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
    `page-test-${role}-${account}`,
    namespace,
  ),
  roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role },
  subjects: [{ kind: "ServiceAccount", name: account, namespace: of }],
});

const token = async (name: string, namespace = PEOPLE) =>
  (await kubectl(["-n", namespace, "create", "token", name])).trim();

interface Row {
  readonly id: string;
  readonly event: { readonly eventNamespace: string; readonly eventName: string };
  readonly deliveries: readonly { readonly id: string; readonly state: string }[];
}

describe.skipIf(!haveCluster)("the page, on a real API server", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-page-"));
  const name = (what: string) => `${what}.${Date.now().toString(36)}`;
  const tokens = new Map<string, string>();
  let inbox: Inbox;
  let process: Crier | null = null;

  async function start(): Promise<{ crier: Crier; page: string }> {
    const flags = [
      `--source=kubernetes:?namespaces=${SHOP},${PAY}`,
      `--sink=webhook:${inbox.url}/?name=ops`,
      `--data-dir=${path.join(folder, "data")}`,
      "--listen=127.0.0.1:0",
      "--web-listen=0.0.0.0:0",
    ];
    const env = { KUBECONFIG: path.join(folder, "kubeconfig"), HOME: folder };
    const crier = new Crier(["run", ...flags], { env });
    process = crier;
    await crier.ready();
    const page = await crier.page();
    return { crier, page };
  }

  const as = (who: string, accept = "application/json") => ({
    headers: { authorization: `Bearer ${tokens.get(who)}`, accept },
  });

  async function rows(page: string, who: string, query = ""): Promise<readonly Row[]> {
    const answer = await fetch(`${page}/api/v1/events?reason=BackOff${query}`, as(who));
    expect(answer.status, await answer.clone().text()).toBe(200);
    return ((await answer.json()) as { events: readonly Row[] }).events;
  }

  const told = (page: string, event: string, state: string) =>
    until(async () => {
      const found = (await rows(page, "operator")).find((row) => row.event.eventName === event);
      return found?.deliveries[0]?.state === state ? found : undefined;
    }, `${event} to be ${state}`);

  beforeAll(async () => {
    inbox = await startInbox();
    await apply(...[SHOP, PAY, HOME, PEOPLE].map((one) => named("Namespace", one)));
    const watcher = named("ClusterRole", "page-test-watcher");
    await apply(
      ...manifests("kube-crier-web.yaml"),
      named("ServiceAccount", "kube-crier", HOME),
      ...["reader", "operator"].map((one) => named("ServiceAccount", one, PEOPLE)),
      {
        ...watcher,
        rules: [{ apiGroups: [""], resources: ["events"], verbs: ["get", "list", "watch"] }],
      },
      bind("page-test-watcher", "kube-crier", HOME, SHOP),
      bind("page-test-watcher", "kube-crier", HOME, PAY),
      bind("kube-crier-reader", "reader", PEOPLE, SHOP),
      bind("kube-crier-reader", "operator", PEOPLE, SHOP),
      bind("kube-crier-operator", "operator", PEOPLE, PAY),
    );
    const view = await kubectl(["config", "view", "--raw", "--minify", "-o", "json"]);
    const admin = JSON.parse(view) as { users: { name: string }[] };
    const ours = await token("kube-crier", HOME);
    const users = admin.users.map((user) => ({ name: user.name, user: { token: ours } }));
    writeFileSync(path.join(folder, "kubeconfig"), JSON.stringify({ ...admin, users }));
    for (const who of ["reader", "operator"]) tokens.set(who, await token(who));
    // The API server learns of each role a moment later.
    const may = (account: string, ...args: readonly string[]) =>
      until(
        () =>
          kubectl(["auth", "can-i", ...args, `--as=system:serviceaccount:${account}`]).then(
            () => true as const,
            () => undefined,
          ),
        `the API server to allow ${account} ${args.join(" ")}`,
      );
    await may(`${HOME}:kube-crier`, "create", `tokenreviews.authentication.k8s.io`);
    await may(`${HOME}:kube-crier`, "create", `subjectaccessreviews.authorization.k8s.io`);
    for (const namespace of [SHOP, PAY]) {
      await may(`${HOME}:kube-crier`, "watch", "events", "-n", namespace);
      await may(`${PEOPLE}:operator`, "list", "events", "-n", namespace);
    }
    await may(`${PEOPLE}:reader`, "list", "events", "-n", SHOP);
  });

  afterAll(async () => {
    await process?.destroy();
    await inbox.close();
    rmSync(folder, { recursive: true, force: true });
    const gone = ["--ignore-not-found"];
    await kubectl(["delete", "clusterrolebinding", ...gone, "kube-crier-web"]);
    for (const namespace of [SHOP, PAY])
      await kubectl(["-n", namespace, "delete", "rolebinding", "--all"]);
    const roles = ["kube-crier-web", "kube-crier-reader", "kube-crier-operator"];
    await kubectl(["delete", "clusterrole", ...gone, ...roles, "page-test-watcher"]);
    await kubectl(["-n", PEOPLE, "delete", "serviceaccount", ...gone, "reader", "operator"]);
    await kubectl(["-n", HOME, "delete", "service", ...gone, "kube-crier-web"]);
  });

  it("a real event is there, with who was told, for exactly those who may list it; also after kill -9", async () => {
    inbox.reply(({ body }) => (body.includes(PAY) ? { status: 400 } : { status: 200 }));
    const { crier, page } = await start();
    const [shop, pay] = [name("web"), name("db")];
    await kubectl(["create", "-f", "-"], coreEvent(shop, {}, SHOP));
    await kubectl(["create", "-f", "-"], coreEvent(pay, {}, PAY));
    const ofShop = await told(page, shop, "delivered");
    const ofPay = await told(page, pay, "dead");

    // The list and the page, in one namespace and in both.
    const seen = async (who: string) =>
      new Set((await rows(page, who)).map(({ event }) => event.eventNamespace));
    expect(await seen("reader")).toEqual(new Set([SHOP]));
    expect(await seen("operator")).toEqual(new Set([SHOP, PAY]));
    const html = async (place: string, who: string) =>
      (await fetch(page + place, as(who, "text/html"))).text();
    expect(await html("/?since=24h", "reader")).toContain(shop);
    expect(await html("/?since=24h", "reader")).not.toContain(pay);
    expect(await html("/?since=24h", "operator")).toContain(pay);

    // By id, and by name: hidden and absent are one answer, a missing permission is named.
    const status = async (place: string, who: string, method = "GET") =>
      (await fetch(page + place, { method, ...as(who) })).status;
    const id = (row: Row) => encodeURIComponent(row.id);
    for (const place of ["/api/v1/events/", "/events/"]) {
      expect(await status(place + id(ofShop), "reader")).toBe(200);
      expect(await status(place + id(ofPay), "reader")).toBe(404);
      expect(await status(`${place}none@1`, "reader")).toBe(404);
      expect(await status(place + id(ofPay), "operator")).toBe(200);
    }
    const refused = await fetch(`${page}/api/v1/events?ns=${PAY}`, as("reader"));
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain(`may not list events in namespace ${PAY}`);

    // A retry takes the verb where the event is.
    const [dead] = ofPay.deliveries;
    const [fine] = ofShop.deliveries;
    const retry = (delivery: { readonly id: string } | undefined) =>
      `/api/v1/deliveries/${delivery?.id}/retry`;
    expect(await status(retry(dead), "reader", "POST")).toBe(404);
    expect(await status(retry(fine), "operator", "POST"), "reads there, and no more").toBe(403);
    inbox.reply({ status: 200 });
    expect(await status(retry(dead), "operator", "POST")).toBe(204);
    await told(page, pay, "delivered");
    const audit = readFileSync(path.join(folder, "data/audit.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(audit).toContainEqual(
      expect.objectContaining({
        who: `system:serviceaccount:${PEOPLE}:operator`,
        by: "kubernetes",
        action: "retry",
        target: dead?.id,
        outcome: "done",
      }),
    );
    expect(audit.filter(({ who }) => who?.endsWith(":reader"))).toMatchObject([
      { action: "retry", target: dead?.id, outcome: "refused" },
    ]);

    // Whoever comes after a crash finds it all.
    crier.kill("SIGKILL");
    await crier.ended();
    const { crier: second, page: again } = await start();
    expect((await told(again, pay, "delivered")).id).toBe(ofPay.id);
    expect((await rows(again, "reader")).map(({ id: one }) => one)).toEqual([ofShop.id]);
    second.kill("SIGTERM");
    expect(await second.ended()).toBe(0);
    for (const secret of tokens.values())
      expect(`${crier.stderr}${second.stderr}`).not.toContain(secret);
  });
});
