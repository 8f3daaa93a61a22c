import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CHANGE_DELIVERIES, parsePermission } from "../../src/config/web-grammar.ts";
import { createKubeClient } from "../../src/source/kubernetes/client.ts";
import { createReviews } from "../../src/source/kubernetes/delegate.ts";
import { createKubernetesProver } from "../../src/web/auth/kubernetes.ts";
import { FakeClock } from "../support/clock.ts";
import { haveCluster, kubectl } from "../support/cluster.ts";
import { Crier, until } from "../support/crier.ts";
import { bearer, proxyProver, Site } from "../support/guarded.ts";
import { manifests } from "../support/manifests.ts";

/**
 * Who may see what, decided by a real API server: ServiceAccount tokens, the roles that deploy/kube-crier-web.yaml ships, and kube-crier
 * itself with nothing but those. The site shows ev-shop, ev-pay and ev-node, which are stored in shop, pay and default.
 */
const HOME = "kube-crier";
const PEOPLE = "kube-crier-people";
const NAMES = ["reader", "operator", "lead", "stranger", "leaver"] as const;

const apply = (...items: readonly unknown[]) =>
  kubectl(
    ["apply", "--server-side", "--force-conflicts", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );

const named = (kind: string, name: string, namespace?: string) => ({
  apiVersion:
    kind === "Namespace" || kind === "ServiceAccount" ? "v1" : "rbac.authorization.k8s.io/v1",
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

/** Binds a role that is shipped, in one namespace or everywhere. */
function bind(role: string, subject: Readonly<Record<string, string>>, namespace?: string) {
  const kind = namespace === undefined ? "ClusterRoleBinding" : "RoleBinding";
  return {
    ...named(kind, `web-test-${role}-${subject["name"]}`, namespace),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [subject],
  };
}

const account = (name: string) => ({ kind: "ServiceAccount", name, namespace: PEOPLE });
const token = async (name: string, namespace = PEOPLE, ...more: string[]) =>
  (await kubectl(["-n", namespace, "create", "token", name, ...more])).trim();

describe.skipIf(!haveCluster)("who may see what, on a real API server", () => {
  let clock: FakeClock;
  let site: Site;
  const close: (() => void)[] = [];

  /** What the program itself has: a token of its ServiceAccount. */
  async function kubeconfigOf(name: string): Promise<string> {
    const view = await kubectl(["config", "view", "--raw", "--minify", "-o", "json"]);
    const admin = JSON.parse(view) as { users: { name: string }[] };
    const ours = await token(name, HOME);
    const users = admin.users.map((user) => ({ name: user.name, user: { token: ours } }));
    const file = path.join(mkdtempSync(path.join(tmpdir(), "kube-crier-web-")), "kubeconfig");
    writeFileSync(file, JSON.stringify({ ...admin, users }));
    return file;
  }

  async function proverAs(name: string, audiences: readonly string[] = []) {
    const file = await kubeconfigOf(name);
    const client = createKubeClient({ kubeconfig: file, context: null }, { clock });
    close.push(() => client.close());
    const change = parsePermission(CHANGE_DELIVERIES);
    if (change === null) throw new Error("no permission");
    return createKubernetesProver(
      { audiences, change },
      { reviews: createReviews(client), clock, signal: new AbortController().signal },
    );
  }

  beforeAll(async () => {
    await apply(...["shop", "pay", HOME, PEOPLE].map((name) => named("Namespace", name)));
    await apply(
      ...manifests("kube-crier-web.yaml"),
      named("ServiceAccount", "kube-crier", HOME),
      named("ServiceAccount", "powerless", HOME),
      ...NAMES.map((name) => named("ServiceAccount", name, PEOPLE)),
      {
        ...named("ClusterRole", "kube-crier-watcher"),
        rules: [{ apiGroups: [""], resources: ["events"], verbs: ["list", "watch"] }],
      },
      bind("kube-crier-reader", account("reader"), "shop"),
      bind("kube-crier-reader", account("leaver"), "shop"),
      bind("kube-crier-operator", account("operator")),
      bind("kube-crier-reader", account("lead")),
      bind("kube-crier-operator", account("lead"), "pay"),
      bind(
        "kube-crier-reader",
        { kind: "Group", name: "web-test-sre", apiGroup: "rbac.authorization.k8s.io" },
        "pay",
      ),
    );
    // The API server learns of each role a moment later; of the last that was made last.
    const may = (...args: string[]) =>
      until(
        () =>
          kubectl(["auth", "can-i", ...args]).then(
            () => true as const,
            () => undefined,
          ),
        `the API server to allow ${args.join(" ")}`,
      );
    const asAccount = (name: string) => `--as=system:serviceaccount:${PEOPLE}:${name}`;
    await may(
      "create",
      "tokenreviews.authentication.k8s.io",
      `--as=system:serviceaccount:${HOME}:kube-crier`,
    );
    await may(
      "create",
      "subjectaccessreviews.authorization.k8s.io",
      `--as=system:serviceaccount:${HOME}:kube-crier`,
    );
    await may("list", "events", "-n", "shop", asAccount("reader"));
    await may("list", "events", "-n", "shop", asAccount("leaver"));
    await may("list", "events", "-A", asAccount("operator"));
    await may("list", "events", "-A", asAccount("lead"));
    await may("list", "events", "-n", "pay", "--as=dora", "--as-group=web-test-sre");
  });

  beforeEach(async () => {
    clock = new FakeClock(new Date().toISOString());
    const prover = await proverAs("kube-crier");
    const proxy = proxyProver(["127.0.0.1"], (who) => prover.vouchedFor(who));
    site = await new Site({ tokens: [prover], proxy }, clock).start();
  });

  afterEach(async () => {
    await site.close();
    for (const one of close.splice(0)) one();
  });

  afterAll(async () => {
    await kubectl([
      "delete",
      "clusterrolebinding",
      "--ignore-not-found",
      "kube-crier-web",
      "web-test-kube-crier-operator-operator",
      "web-test-kube-crier-reader-lead",
    ]);
    for (const [namespace, names] of [
      [
        "shop",
        [
          "web-test-kube-crier-watcher-kube-crier",
          "web-test-kube-crier-watcher-powerless",
          "web-test-kube-crier-reader-reader",
          "web-test-kube-crier-reader-leaver",
        ],
      ],
      ["pay", ["web-test-kube-crier-operator-lead", "web-test-kube-crier-reader-web-test-sre"]],
    ] as const)
      await kubectl(["-n", namespace, "delete", "rolebinding", "--ignore-not-found", ...names]);
    await kubectl(["-n", PEOPLE, "delete", "serviceaccount", "--ignore-not-found", ...NAMES]);
    await kubectl([
      "delete",
      "clusterrole",
      "--ignore-not-found",
      "kube-crier-web",
      "kube-crier-reader",
      "kube-crier-operator",
      "kube-crier-watcher",
    ]);
  });

  const events = async (headers: Readonly<Record<string, string>>, query = "") => {
    const { status, text } = await site.request(`/api/v1/events${query}`, { headers });
    return [status, JSON.parse(text) as unknown];
  };

  it("a reader of one namespace sees that one, by its token and after a login", async () => {
    const hers = await token("reader");
    expect(await events(bearer(hers))).toEqual([200, ["ev-shop"]]);
    const cookie = await site.logIn(hers);
    expect(await events({ cookie })).toEqual([200, ["ev-shop"]]);
    expect(await site.whoami({ cookie })).toMatchObject({
      name: `system:serviceaccount:${PEOPLE}:reader`,
      by: "kubernetes",
    });
    for (const id of ["ev-pay", "ev-none"])
      expect((await site.request(`/api/v1/events/${id}`, { headers: { cookie } })).status).toBe(
        404,
      );
  });

  it("who may list events everywhere sees all, with those of nodes", async () => {
    expect(await events(bearer(await token("operator")))).toEqual([
      200,
      ["ev-shop", "ev-pay", "ev-node"],
    ]);
  });

  it("403 names the permission that is missing, and granting that rule is enough", async () => {
    const his = await token("stranger");
    const name = `system:serviceaccount:${PEOPLE}:stranger`;
    expect(await events(bearer(his), "?namespace=shop")).toEqual([
      403,
      {
        status: 403,
        error: `${name} may not list events in namespace shop; bind a Role in namespace shop, or a ClusterRole, with {apiGroups: [""], resources: ["events"], verbs: ["list"]}`,
      },
    ]);
    const role = {
      ...named("Role", "web-test-as-told", "shop"),
      rules: [{ apiGroups: [""], resources: ["events"], verbs: ["list"] }],
    };
    const roleRef = {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "Role",
      name: "web-test-as-told",
    };
    const binding = {
      ...named("RoleBinding", "web-test-as-told", "shop"),
      roleRef,
      subjects: [account("stranger")],
    };
    await apply(role, binding);
    try {
      const answer = await until(async () => {
        await clock.advance(10_000);
        const [status, body] = await events(bearer(his), "?namespace=shop");
        return status === 200 ? body : undefined;
      }, "the new rule to count");
      expect(answer).toEqual(["ev-shop"]);
    } finally {
      await kubectl(["-n", "shop", "delete", "role,rolebinding", "web-test-as-told"]);
    }
  });

  it("retry takes the shipped role: everywhere, in one namespace, or not at all", async () => {
    const retry = async (who: string, id: string) => {
      const headers = bearer(await token(who));
      const target = `/api/v1/deliveries/${id}/retry`;
      return (await site.request(target, { method: "POST", headers })).status;
    };
    expect(await retry("operator", "ev-shop")).toBe(200);
    expect(await retry("lead", "ev-pay")).toBe(200);
    expect(await retry("lead", "ev-shop")).toBe(403);
    expect(await retry("reader", "ev-shop")).toBe(403);
    expect(await retry("reader", "ev-pay")).toBe(404);
    expect(site.changed).toEqual(["ev-shop", "ev-pay"]);
    expect(site.audit.map(({ who, outcome }) => `${who.split(":").at(-1)} ${outcome}`)).toEqual([
      "operator done",
      "lead done",
      "lead refused",
      "reader refused",
      "reader refused",
    ]);
  });

  it("a token whose account is deleted ends the session within a minute", async () => {
    const theirs = await token("leaver");
    const cookie = await site.logIn(theirs);
    expect(await events({ cookie })).toEqual([200, ["ev-shop"]]);
    await kubectl(["-n", PEOPLE, "delete", "serviceaccount", "leaver"]);
    await until(async () => {
      await clock.advance(60_000);
      const [status] = await events({ cookie });
      return status === 401 ? true : undefined;
    }, "the session to end");
    expect((await site.request("/", { headers: { ...bearer(theirs) } })).status).toBe(401);
  });

  it("a token for another audience, and one that is none, let nobody in", async () => {
    const other = await token("operator", PEOPLE, "--audience=vault");
    expect((await events(bearer(other)))[0]).toBe(401);
    expect((await events(bearer(`${await token("operator")}x`)))[0]).toBe(401);
    const form = await site.form("/login", { token: other });
    expect(form.status).toBe(401);
    const prover = await proverAs("kube-crier", ["vault"]);
    expect(await prover.prove(other)).toMatchObject({ ok: true, value: { identity: {} } });
    expect(await prover.prove(await token("operator"))).toEqual({ ok: true, value: null });
  });

  it("a group that the proxy names counts as the cluster binds it", async () => {
    const dora = { "x-forwarded-user": "dora", "x-forwarded-groups": "web-test-sre" };
    expect(await events(dora)).toEqual([200, ["ev-pay"]]);
    expect((await events({ ...dora, "x-forwarded-groups": "system:masters" }))[0]).toBe(403);
  });

  it("without the rights of deploy/kube-crier-web.yaml nobody is let in, and it is said what to apply", async () => {
    const prover = await proverAs("powerless");
    const answer = await prover.prove(await token("operator"));
    expect(answer).toMatchObject({
      ok: false,
      detail: expect.stringMatching(
        /403 Forbidden.*cannot create resource "tokenreviews".*apply deploy\/kube-crier-web\.yaml/,
      ) as string,
    });
  });

  it("is served by the program under the rights that are shipped, and refused without them", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-web-"));
    const run = async (name: string) => {
      const env = { KUBECONFIG: await kubeconfigOf(name), HOME: folder };
      const flags = ["--sink=stdout:", `--data-dir=${folder}/${name}`, "--web-listen=:0"];
      return new Crier(["run", "--source=kubernetes:?namespaces=shop", ...flags], { env });
    };
    for (const name of ["kube-crier", "powerless"])
      await apply(
        bind("kube-crier-watcher", { kind: "ServiceAccount", name, namespace: HOME }, "shop"),
      );
    const refused = await run("powerless");
    expect(await refused.ended()).toBe(2);
    expect(refused.stderr).toMatch(
      /create is not allowed on tokenreviews\.authentication\.k8s\.io and subjectaccessreviews/,
    );
    const served = await run("kube-crier");
    try {
      const url = await served.url();
      const hers = await token("reader");
      const entered = await fetch(`${url}/login`, {
        method: "POST",
        body: new URLSearchParams({ token: hers }),
        redirect: "manual",
      });
      const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
      const account = await (await fetch(`${url}/account`, { headers: { cookie } })).text();
      expect(account).toContain(`system:serviceaccount:${PEOPLE}:reader`);
      expect(account).toContain("in the namespaces where that is granted");
      const lead = { authorization: `Bearer ${await token("lead")}` };
      const theirs = await (await fetch(`${url}/account`, { headers: lead })).text();
      expect(theirs).toContain("in all namespaces");
      served.kill("SIGTERM");
      expect(await served.ended()).toBe(0);
      expect(served.stderr).not.toContain(hers);
    } finally {
      await served.destroy();
      await refused.destroy();
    }
  });
});
