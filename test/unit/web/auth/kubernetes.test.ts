import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVERYWHERE, type Proven } from "../../../../src/web/auth/identity.ts";
import { MOST_NAMESPACES } from "../../../../src/web/auth/kubernetes.ts";
import { FakeApiServer } from "../../../support/apiserver.ts";
import { FakeClock } from "../../../support/clock.ts";
import { kubernetesProver } from "../../../support/guarded.ts";

const isReview = ({ path }: { readonly path: string }) => path.endsWith("reviews");
const isAccess = ({ path }: { readonly path: string }) => path.endsWith("subjectaccessreviews");

let server: FakeApiServer;
let clock: FakeClock;
let prover: ReturnType<typeof kubernetesProver>["prover"];

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  prover = kubernetesProver(server, clock).prover;
  server.reviews.tokens.set("alices", {
    user: {
      username: "alice",
      uid: "u-1",
      groups: ["shop-team", "system:authenticated"],
      extra: { "example.org/from": ["ldap"] },
    },
  });
});

afterEach(() => server.close());

async function proven(token: string): Promise<Proven> {
  const answer = await prover.prove(token);
  if (!answer.ok || answer.value === null) throw new Error("not proven");
  return answer.value;
}

async function seen(who: Proven, purpose: "read" | "change", ...namespaces: string[]) {
  const answer = await who.access(purpose, namespaces);
  if (!answer.ok) return answer.detail;
  return answer.value.namespaces === "all" ? "all" : [...answer.value.namespaces];
}

describe("a bearer token", () => {
  it("is whose the API server says it is", async () => {
    expect((await proven("alices")).identity).toEqual({
      name: "alice",
      groups: ["shop-team", "system:authenticated"],
      email: null,
      by: "kubernetes",
    });
    expect(server.requests.at(-1)).toMatchObject({
      method: "POST",
      path: "/apis/authentication.k8s.io/v1/tokenreviews",
    });
    expect(server.reviews.asked[0]?.spec).toEqual({ token: "alices" });
  });

  it("is nobody's where the API server does not know it", async () => {
    expect(await prover.prove("another")).toEqual({ ok: true, value: null });
  });

  it.each(["", "two words", "line\nbreak", "naïve", "x".repeat(12_001), "tab\there"])(
    "that can be none is asked about nowhere: %j",
    async (text) => {
      expect(await prover.prove(text)).toEqual({ ok: true, value: null });
      expect(server.requests).toEqual([]);
    },
  );

  it("is asked about once a minute, however often it comes", async () => {
    await Promise.all([proven("alices"), proven("alices"), proven("alices")]);
    await clock.advance(59_000);
    await proven("alices");
    expect(server.reviews.count("TokenReview")).toBe(1);
    await clock.advance(1_000);
    await proven("alices");
    expect(server.reviews.count("TokenReview")).toBe(2);
  });

  it("that was taken away is nobody's a minute later", async () => {
    await proven("alices");
    expect(prover.knows("alices")).toBe(true);
    server.reviews.tokens.delete("alices");
    await clock.advance(60_000);
    expect(await prover.prove("alices")).toEqual({ ok: true, value: null });
    expect(prover.knows("alices")).toBe(false);
  });

  it("that was refused is asked about again ten seconds later", async () => {
    await prover.prove("bobs");
    await prover.prove("bobs");
    expect(server.reviews.count("TokenReview")).toBe(1);
    server.reviews.tokens.set("bobs", { user: { username: "bob" } });
    await clock.advance(10_000);
    expect((await proven("bobs")).identity.name).toBe("bob");
  });

  it("does not have to leave room for wrong ones: two thousand guesses push nobody out", async () => {
    await proven("alices");
    await Promise.all(Array.from({ length: 2_100 }, (_, n) => prover.prove(`guess-${n}`)));
    const before = server.reviews.count("TokenReview");
    await proven("alices");
    expect(server.reviews.count("TokenReview")).toBe(before);
  });

  it("has to be meant for one of the audiences", async () => {
    prover = kubernetesProver(server, clock, { audiences: ["kube-crier", "other"] }).prover;
    server.reviews.tokens.set("meant", {
      user: { username: "carol" },
      audiences: ["kube-crier"],
    });
    expect((await proven("meant")).identity.name).toBe("carol");
    expect(server.reviews.asked[0]?.spec).toEqual({
      token: "meant",
      audiences: ["kube-crier", "other"],
    });
    expect(await prover.prove("alices")).toEqual({ ok: true, value: null });
  });

  it("is refused where the API server says nothing of the audiences it was asked for", async () => {
    prover = kubernetesProver(server, clock, { audiences: ["kube-crier"] }).prover;
    server.reviews.ignoresAudiences = true;
    expect(await prover.prove("alices")).toEqual({ ok: true, value: null });
  });

  it.each([
    ["no user", { authenticated: true }],
    ["a user without a name", { authenticated: true, user: { username: "" } }],
    ["yes as a text", { authenticated: "true", user: { username: "eve" } }],
    ["nothing", undefined],
    ["a list", []],
  ])("is nobody's where the API server answers %s", async (_, status) => {
    const answer = { kind: "TokenReview", status };
    server.answer({ status: 201, headers: {}, body: JSON.stringify(answer) }, isReview);
    expect(await prover.prove("alices")).toEqual({ ok: true, value: null });
  });
});

describe("the namespaces one sees", () => {
  it("are all of them for who may list events everywhere, with one question", async () => {
    server.reviews.grant("alice", "list events");
    expect(await seen(await proven("alices"), "read", "shop", "pay")).toBe("all");
    expect(server.reviews.asked.at(-1)?.spec).toEqual({
      user: "alice",
      uid: "u-1",
      groups: ["shop-team", "system:authenticated"],
      extra: { "example.org/from": ["ldap"] },
      resourceAttributes: { verb: "list", group: "", resource: "events" },
    });
    expect(server.reviews.count("SubjectAccessReview")).toBe(1);
  });

  it("are those in which they may list events, by either group", async () => {
    server.reviews.grant("shop-team", "list events", "shop");
    server.reviews.grant("alice", "list events.events.k8s.io", "data");
    expect(await seen(await proven("alices"), "read", "shop", "pay", "data")).toEqual([
      "shop",
      "data",
    ]);
  });

  it("hold those only that were asked about", async () => {
    server.reviews.grant("alice", "list events", "shop");
    server.reviews.grant("alice", "list events", "pay");
    expect(await seen(await proven("alices"), "read", "shop")).toEqual(["shop"]);
  });

  it("are none for who may do nothing, which names the missing permission and the rule", async () => {
    const alice = await proven("alices");
    expect(await seen(alice, "read", "shop")).toEqual([]);
    expect(alice.lacks("read", "shop")).toBe(
      'alice may not list events in namespace shop; bind a Role in namespace shop, or a ClusterRole, with {apiGroups: [""], resources: ["events"], verbs: ["list"]}',
    );
    expect(alice.lacks("read", EVERYWHERE)).toBe(
      'alice may not list events in all namespaces; bind a ClusterRole by a ClusterRoleBinding, with {apiGroups: [""], resources: ["events"], verbs: ["list"]}',
    );
    expect(alice.lacks("change", null)).toBe(
      'alice may not update deliveries.kube-crier.io in any namespace; bind a Role in each namespace concerned, or a ClusterRole, with {apiGroups: ["kube-crier.io"], resources: ["deliveries"], verbs: ["update"]}',
    );
  });

  it("are remembered: yes for a minute, no for ten seconds", async () => {
    server.reviews.grant("alice", "list events", "shop");
    const alice = await proven("alices");
    await seen(alice, "read", "shop", "pay");
    const first = server.reviews.count("SubjectAccessReview");
    await seen(alice, "read", "shop", "pay");
    expect(server.reviews.count("SubjectAccessReview")).toBe(first);

    server.reviews.grants = [];
    server.reviews.grant("alice", "list events", "pay");
    await clock.advance(10_000);
    expect(await seen(alice, "read", "shop", "pay")).toEqual(["shop", "pay"]);
    await clock.advance(50_000);
    expect(await seen(alice, "read", "shop", "pay")).toEqual(["pay"]);
  });

  it("that were taken away are gone within a minute, though the clock was set back by a day", async () => {
    server.reviews.grant("alice", "list events", "shop");
    const alice = await proven("alices");
    expect(await seen(alice, "read", "shop")).toEqual(["shop"]);
    server.reviews.grants = [];
    server.reviews.tokens.clear();
    clock.setBack(86_400_000);
    await clock.advance(60_000);
    expect(await seen(alice, "read", "shop")).toEqual([]);
    expect(await prover.prove("alices"), "nor is the token anybody's").toEqual({
      ok: true,
      value: null,
    });
  });

  it("are not mixed up between people of the same name with other groups", async () => {
    server.reviews.grant("shop-team", "list events");
    expect(await seen(await proven("alices"), "read", "shop")).toBe("all");
    server.reviews.tokens.set("other", { user: { username: "alice", groups: [] } });
    expect(await seen(await proven("other"), "read", "shop")).toEqual([]);
  });

  it(`are asked about up to ${MOST_NAMESPACES} at a time, and say that they are not all`, async () => {
    server.reviews.grant("alice", "list events", "ns-7");
    server.reviews.grant("alice", "list events", "ns-1500");
    const many = Array.from({ length: MOST_NAMESPACES + 600 }, (_, n) => `ns-${n}`);
    const alice = await proven("alices");
    const answer = await alice.access("read", many);
    expect(answer).toEqual({ ok: true, value: { namespaces: new Set(["ns-7"]), complete: false } });
    expect(await alice.access("read", ["ns-1500"])).toEqual({
      ok: true,
      value: { namespaces: new Set(["ns-1500"]), complete: true },
    });
  });

  it("are asked about sixteen at once, whoever asks", async () => {
    const alice = await proven("alices");
    server.answer(null, isAccess, 16);
    void alice.access("read", []);
    const all = Array.from({ length: 40 }, (_, n) => `ns-${n}`);
    const people = Array.from({ length: 40 }, (_, n) =>
      prover.vouchedFor({ name: `p-${n}`, groups: [], email: null, by: "proxy" }),
    );
    const waiting = people.map((one) => one.access("read", all));
    await server.until(() => server.requests.filter(isAccess).length === 16);
    expect(server.requests.filter(isAccess)).toHaveLength(16);
    await clock.advance(10_000);
    for (const answer of await Promise.all(waiting))
      expect(answer).toEqual({ ok: false, detail: "no answer from the API server within 10 s" });
  });
});

describe("to retry and discard", () => {
  it("takes the given permission, where one may read as well", async () => {
    server.reviews.grant("alice", "list events", "shop");
    server.reviews.grant("alice", "update deliveries.kube-crier.io", "shop");
    server.reviews.grant("alice", "update deliveries.kube-crier.io", "pay");
    expect(await seen(await proven("alices"), "change", "shop", "pay")).toEqual(["shop"]);
  });

  it("given everywhere holds for what may be read, and no further", async () => {
    server.reviews.grant("alice", "list events", "shop");
    server.reviews.grant("alice", "update deliveries.kube-crier.io");
    expect(await seen(await proven("alices"), "change", "shop", "pay")).toEqual(["shop"]);
    server.reviews.grant("alice", "list events");
    await clock.advance(10_000);
    expect(await seen(await proven("alices"), "change", "shop", "pay")).toBe("all");
  });

  it("given somewhere holds there for who may read everything", async () => {
    server.reviews.grant("alice", "list events");
    server.reviews.grant("alice", "update deliveries.kube-crier.io", "pay");
    expect(await seen(await proven("alices"), "change", "shop", "pay")).toEqual(["pay"]);
  });

  it("may be another permission", async () => {
    prover = kubernetesProver(server, clock, { change: "delete events" }).prover;
    server.reviews.grant("alice", "list events");
    server.reviews.grant("alice", "delete events");
    expect(await seen(await proven("alices"), "change", "shop")).toBe("all");
  });
});

describe("somebody whom the proxy vouches for", () => {
  it("is asked about by name and groups, as one of the authenticated", async () => {
    server.reviews.grant("sre", "list events");
    const identity = {
      name: "dora",
      groups: ["sre"],
      email: "d@example.org",
      by: "proxy",
    } as const;
    const dora = prover.vouchedFor(identity);
    expect(dora.identity).toEqual(identity);
    expect(await seen(dora, "read")).toBe("all");
    expect(server.reviews.asked.at(-1)?.spec).toMatchObject({
      user: "dora",
      groups: ["sre", "system:authenticated"],
    });
    expect(server.reviews.count("TokenReview")).toBe(0);
  });
});

describe("while nobody can be asked", () => {
  it.each([
    ["busy", { status: 429, headers: { "retry-after": "3" }, body: "{}" }, /429/],
    ["broken", { status: 500, headers: {}, body: "oops" }, /500/],
    ["talking nonsense", { status: 201, headers: {}, body: "<html>" }, /not JSON/],
  ])("as the API server is %s, nobody is let in", async (_, answer, words) => {
    server.answer(answer, isReview, 99);
    const told = await prover.prove("alices");
    expect(told).toMatchObject({ ok: false, detail: expect.stringMatching(words) as string });
  });

  it("as it is away, what was known a minute ago holds no longer", async () => {
    server.reviews.grant("alice", "list events");
    const alice = await proven("alices");
    expect(await seen(alice, "read", "shop")).toBe("all");
    await server.down();
    expect(await seen(alice, "read", "shop")).toBe("all");
    await clock.advance(60_000);
    expect(await seen(alice, "read", "shop")).toMatch(/^no connection to http/);
    expect(await prover.prove("alices")).toMatchObject({ ok: false });
    await server.up();
    expect(await seen(alice, "read", "shop")).toBe("all");
  });

  it("as it says nothing, one is told after ten seconds", async () => {
    server.answer(null, isReview);
    const told = prover.prove("alices");
    await server.until(() => server.requests.length === 1);
    await clock.advance(10_000);
    expect(await told).toEqual({ ok: false, detail: "no answer from the API server within 10 s" });
  });

  it("for want of a right of our own, which is said with what to apply", async () => {
    const forbidden = {
      kind: "Status",
      reason: "Forbidden",
      message:
        'tokenreviews.authentication.k8s.io is forbidden: User "system:serviceaccount:kube-crier:kube-crier" cannot create resource "tokenreviews" in API group "authentication.k8s.io" at the cluster scope',
    };
    server.answer({ status: 403, headers: {}, body: JSON.stringify(forbidden) }, isReview);
    expect(await prover.prove("alices")).toMatchObject({
      ok: false,
      detail: expect.stringMatching(
        /cannot create resource "tokenreviews".*apply deploy\/kube-crier-web\.yaml/,
      ) as string,
    });
  });

  it("with our own token of yesterday, the new one is read and the question asked again", async () => {
    const status = { kind: "Status", reason: "Unauthorized", message: "Unauthorized" };
    server.answer({ status: 401, headers: {}, body: JSON.stringify(status) }, isReview);
    expect((await proven("alices")).identity.name).toBe("alice");
  });

  it("never tells the token that was asked about, whatever quotes it", async () => {
    const quoting = 'proxy error: POST {"token":"alices-secret"} failed';
    server.answer({ status: 502, headers: {}, body: quoting }, isReview);
    const told = await prover.prove("alices-secret");
    expect(JSON.stringify(told)).not.toContain("alices-secret");
    expect(JSON.stringify(told)).toContain("<redacted>");
  });
});
