import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LeaseError } from "../../../src/election/lease.ts";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import { createLease } from "../../../src/source/kubernetes/lease.ts";
import type { KubeClient } from "../../../src/source/kubernetes/transport.ts";
import { FakeApiServer, recorded } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { never } from "../../support/ledger.ts";
import { kubeconfigFor } from "../../support/source.ts";

/** A Lease of the API server, and what is said where it may not be had. */

let api: FakeApiServer;
let client: KubeClient;

beforeEach(async () => {
  api = await FakeApiServer.start();
  client = createKubeClient(
    { kubeconfig: kubeconfigFor(api), context: null },
    { clock: new FakeClock() },
  );
});
afterEach(async () => {
  client.close();
  await api.close();
});

const isReview = ({ path }: { path: string }) => path.endsWith("/selfsubjectaccessreviews");
const answer = (status: number, body: unknown) => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const verdict = (allowed: boolean, reason = "") => answer(201, { status: { allowed, reason } });
const refusal = (code: number, message = "made up") =>
  answer(code, { kind: "Status", status: "Failure", code, message });
const lease = () => createLease(client, { namespace: "crier", name: "kube-crier" });
const CLAIM = {
  holder: "one",
  durationMs: 15_000,
  acquired: "2026-11-20T08:00:00.000001Z",
  renewed: "2026-11-20T08:00:00.000001Z",
  transitions: 7,
};

describe("the rights to a Lease", () => {
  it("are looked at one by one: to read it, to make it, to renew it", async () => {
    api.answer(verdict(true), isReview);
    api.answer(verdict(false, "no RBAC policy matched"), isReview);
    api.answer(verdict(true), isReview);
    expect(await lease().permissions(never)).toEqual([
      { verb: "get", allowed: true, reason: "" },
      { verb: "create", allowed: false, reason: "no RBAC policy matched" },
      { verb: "update", allowed: true, reason: "" },
    ]);
  });

  it("that are all there are no problem", async () => {
    api.answer(verdict(true), isReview, 3);
    expect(await lease().problems(never)).toEqual([]);
  });

  it("that are missing are named all at once, with the rule that gives them", async () => {
    api.answer(verdict(true), isReview);
    api.answer(verdict(false), isReview);
    api.answer(verdict(false, "no RBAC policy matched"), isReview);
    expect(await lease().problems(never)).toEqual([
      {
        where: `--leader-elect (${client.origin})`,
        message:
          "the Lease crier/kube-crier may not be held: create leases is not allowed; update leases is not allowed: no RBAC policy matched",
        hint: 'bind a Role in namespace crier with {apiGroups: ["coordination.k8s.io"], resources: ["leases"], resourceNames: ["kube-crier"], verbs: ["get", "update"]} and {apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"]}, as deploy/ha/lease.yaml does, or leave --leader-elect out',
      },
    ]);
  });

  it.each([
    ["does not answer such questions", 404],
    ["is busy", 429],
    ["is unwell", 500],
    ["does not know us yet", 401],
  ])("are no problem before the start where the API server %s (%i)", async (_, status) => {
    api.answer(refusal(status), isReview, 3);
    expect(await lease().problems(never)).toEqual([]);
  });

  it("are no problem before the start where it is down, or we are told to stop", async () => {
    expect(await lease().problems(AbortSignal.abort())).toEqual([]);
    await api.down();
    expect(await lease().problems(never)).toEqual([]);
  });
});

describe("a Lease", () => {
  it("that is not there is none; made, it is what was said, and cannot be made twice", async () => {
    expect(await lease().read(never)).toBeNull();
    const made = await lease().create(CLAIM, never);
    expect(made).toMatchObject(CLAIM);
    expect(await lease().read(never)).toEqual(made);
    expect(await lease().create(CLAIM, never)).toBeNull();
  });

  it("is replaced on the version that was read, and on no other", async () => {
    const made = await lease().create(CLAIM, never);
    if (made === null) throw new Error("it was not made");
    const renewed = { ...CLAIM, renewed: "2026-11-20T08:00:02.000002Z" };
    expect(await lease().replace(made, renewed, never)).toMatchObject(renewed);
    expect(await lease().replace(made, renewed, never)).toBe("changed");
    api.leases.remove("crier/kube-crier");
    expect(await lease().replace(made, renewed, never)).toBe("gone");
  });

  it("keeps whole seconds, one at least: the API server takes no others", async () => {
    await lease().create({ ...CLAIM, durationMs: 1 }, never);
    expect(await lease().read(never)).toMatchObject({ durationMs: 1_000 });
    api.leases.remove("crier/kube-crier");
    await lease().create({ ...CLAIM, durationMs: 15_001 }, never);
    expect(await lease().read(never)).toMatchObject({ durationMs: 16_000 });
  });

  it("keeps in its spec and its metadata what others wrote there", async () => {
    api.leases.put(
      "crier/kube-crier",
      { strategy: "OldestEmulationVersion", preferredHolder: "two" },
      { labels: { a: "b" }, ownerReferences: [{ name: "x" }] },
    );
    const before = await lease().read(never);
    if (before === null) throw new Error("there is none");
    await lease().replace(before, CLAIM, never);
    expect(api.leases.get("crier/kube-crier")).toMatchObject({
      metadata: { labels: { a: "b" }, ownerReferences: [{ name: "x" }] },
      spec: { strategy: "OldestEmulationVersion", preferredHolder: "two", holderIdentity: "one" },
    });
  });

  it.each([
    null,
    [],
    7,
    "Lease",
    {},
    { spec: null },
    { spec: [] },
    { spec: { holderIdentity: {} } },
  ])("that is %j is nobody's, for no time", async (body) => {
    api.answer(answer(200, body));
    expect(await lease().read(never)).toMatchObject({
      holder: "",
      durationMs: null,
      acquired: "",
      renewed: "",
      transitions: 0,
    });
  });

  it("is asked for under its own name and namespace, however odd they are", async () => {
    await createLease(client, { namespace: "a/b", name: "../c?d" })
      .read(never)
      .catch(() => null);
    expect(api.requests.at(-1)?.path).toBe(
      "/apis/coordination.k8s.io/v1/namespaces/a%2Fb/leases/..%2Fc%3Fd",
    );
  });

  it.each([
    [401, "server"],
    [403, "forbidden"],
    [422, "server"],
    [429, "throttled"],
    [500, "server"],
    [503, "server"],
  ] as const)("that is answered %i is an error of its kind (%s)", async (status, failure) => {
    for (const request of [() => lease().read(never), () => lease().create(CLAIM, never)]) {
      api.answer(refusal(status, "for a reason"));
      const error: unknown = await request().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(LeaseError);
      expect(error).toMatchObject({ failure, message: expect.stringContaining("for a reason") });
    }
  });

  it("that cannot be reached is a trouble of the network, and tells no token", async () => {
    api.answer({ ...recorded("list-401"), body: "no such token s3cret-token" });
    await expect(lease().read(never)).rejects.not.toThrow(/s3cret/);
    await api.down();
    await expect(lease().read(never)).rejects.toMatchObject({ failure: "network" });
  });
});
