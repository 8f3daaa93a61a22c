import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  heldBy,
  KEY,
  leading,
  now,
  polls,
  reads,
  status,
  TIMES,
  type Vote,
  writes,
} from "./support.ts";

/** How one replica gets a Lease; on a real connection, in time of the test's. */

let vote: Vote;

beforeEach(async () => {
  vote = await polls();
});

afterEach(async () => {
  await vote.close();
});

describe("a candidate", () => {
  it("makes the Lease where there is none, and leads at once", async () => {
    const { leadership, observed } = await leading(vote);
    expect(leadership.holds()).toBe(true);
    expect(vote.spec()).toEqual({
      holderIdentity: "one",
      leaseDurationSeconds: 15,
      acquireTime: "2026-11-20T08:00:00.000001Z",
      renewTime: "2026-11-20T08:00:00.000001Z",
      leaseTransitions: leadership.term,
    });
    expect(observed.of("leadershipWon")).toEqual([["one", leadership.term]]);
  });

  it("waits for as long as the record says, from when it saw it change, whatever its times say", async () => {
    heldBy(vote, "old", "2031-01-01T00:00:00.000000Z");
    const { leads, elector, observed } = vote.stand("new");
    await vote.pass(14.9);
    expect(elector.holder).toBe("old");
    expect(await now(leads)).toBeUndefined();
    expect(observed.of("leaderSeen")).toEqual([["old", 3]]);
    await vote.pass(0.2);
    expect((await leads)?.term).toBe(4);
    expect(vote.spec()).toMatchObject({ holderIdentity: "new", leaseTransitions: 4 });
  });

  it("begins to wait anew with each renewal it sees, also one of the same millisecond", async () => {
    heldBy(vote, "old", "2026-11-20T08:00:00.000001Z");
    const { leads } = vote.stand("new");
    await vote.pass(10);
    heldBy(vote, "old", "2026-11-20T08:00:00.000002Z");
    await vote.pass(14);
    expect(await now(leads)).toBeUndefined();
    await vote.pass(4);
    expect((await leads)?.holds()).toBe(true);
  });

  it.each([
    ["a holder", { holderIdentity: "other" }],
    ["a duration", { leaseDurationSeconds: 14 }],
    ["a time of acquiring", { acquireTime: "2026-11-20T07:00:00.000002Z" }],
    ["a count of changes", { leaseTransitions: 4 }],
  ])("begins to wait anew when it sees %s that is another one", async (_, change) => {
    heldBy(vote, "old");
    const { leads } = vote.stand("new");
    await vote.pass(10);
    vote.api.leases.put(KEY, { ...vote.spec(), ...change });
    await vote.pass(13);
    expect(await now(leads)).toBeUndefined();
    await vote.pass(5);
    expect((await leads)?.holds()).toBe(true);
  });

  it("takes a label for no sign of life", async () => {
    heldBy(vote, "old");
    const { leads } = vote.stand("new");
    await vote.pass(10);
    vote.api.leases.put(KEY, vote.spec() ?? {}, { labels: { team: "ops" } });
    await vote.pass(5.1);
    expect((await leads)?.term).toBe(4);
  });

  it("goes by the duration that the record states, and by its own where it states none", async () => {
    vote.api.leases.put(KEY, { holderIdentity: "old", leaseDurationSeconds: 60 });
    const patient = vote.stand("new");
    await vote.pass(59);
    expect(await now(patient.leads)).toBeUndefined();
    vote.api.leases.put(KEY, { holderIdentity: "older" });
    await vote.pass(14);
    expect(await now(patient.leads)).toBeUndefined();
    await vote.pass(3.1);
    expect((await patient.leads)?.term).toBe(1);
  });

  it.each([
    ["an empty holder", { holderIdentity: "", leaseDurationSeconds: 1, leaseTransitions: 7 }, 8],
    ["no holder at all", { leaseTransitions: 7 }, 8],
    ["nothing in it, as a manifest makes it", {}, 1],
    ["nonsense in it", { holderIdentity: 5, leaseTransitions: "many", renewTime: [] }, 1],
  ])("takes a Lease with %s at once", async (_, spec, term) => {
    vote.api.leases.put(KEY, spec);
    const { leadership } = await leading(vote);
    expect(leadership.term).toBe(term);
  });

  it("keeps what others wrote into the object", async () => {
    const labels = { "app.kubernetes.io/name": "kube-crier" };
    vote.api.leases.put(KEY, { preferredHolder: "x", leaseTransitions: 1 }, { labels });
    await leading(vote);
    await vote.pass(2);
    expect(vote.api.leases.get(KEY)?.metadata).toMatchObject({ labels });
    expect(vote.spec()).toMatchObject({ preferredHolder: "x", holderIdentity: "one" });
  });

  it("takes over within 20 seconds of the leader's death, and no sooner than 15", async () => {
    const { leadership } = await leading(vote, "old");
    const { leads } = vote.stand("new");
    await vote.pass(7);
    // It dies without a word: nobody renews any more.
    vote.api.answer(status(503), (request) => request.method === "PUT", 1e6);
    await vote.pass(14);
    expect(await now(leads)).toBeUndefined();
    expect(leadership.holds()).toBe(false);
    vote.api.takeEverything();
    await vote.pass(4);
    expect((await leads)?.term).toBe(leadership.term + 1);
  });

  it("of two, one has it", async () => {
    heldBy(vote, "");
    const both = [vote.stand("one"), vote.stand("two")];
    await vote.pass(60);
    const led = await Promise.all(both.map(({ leads }) => now(leads)));
    expect(led.filter((one) => one?.holds() === true)).toHaveLength(1);
    expect(led.filter((one) => one === undefined)).toHaveLength(1);
  });

  it("waits for the API server, counts each failure, and leads when it is back", async () => {
    await vote.api.down();
    const { leads, observed } = vote.stand("one");
    await vote.pass(20);
    expect(await now(leads)).toBeUndefined();
    expect(observed.of("leaseFailed").length).toBe(11);
    expect(observed.of("leaseFailed")[0]).toEqual([
      "network",
      expect.stringContaining("no connection to http://127.0.0.1:"),
    ]);
    await vote.api.up();
    await vote.pass(2);
    expect((await leads)?.holds()).toBe(true);
  });

  it.each([
    [
      403,
      "forbidden",
      /403.*bind a Role in namespace crier with .*resourceNames: \["kube-crier"\]/,
    ],
    [429, "throttled", /429/],
    [500, "server", /500/],
  ] as const)("tells a %i as %s and asks again", async (code, failure, words) => {
    vote.api.answer(status(code), reads, 2);
    const { leads, observed } = vote.stand("one");
    await vote.pass(4);
    expect((await leads)?.holds()).toBe(true);
    expect(observed.of("leaseFailed")).toEqual([
      [failure, expect.stringMatching(words)],
      [failure, expect.stringMatching(words)],
    ]);
  });

  it("does not wait for an answer that does not come", async () => {
    vote.api.answer(null, reads);
    const { leads, observed } = vote.stand("one");
    await vote.pass(7);
    expect((await leads)?.holds()).toBe(true);
    expect(observed.of("leaseFailed")).toEqual([["network", "no answer within 5 s"]]);
  });

  it("knows its own name where the answer to the write that won was lost", async () => {
    heldBy(vote, "");
    vote.api.leases.loseAnswers(1);
    const { leads } = vote.stand("one");
    await vote.pass(2.1);
    expect((await leads)?.term).toBe(5);
  });

  it("does not lead a moment too early where the Lease was deleted under its holder", async () => {
    heldBy(vote, "old");
    const { leads } = vote.stand("new");
    await vote.pass(5);
    vote.api.leases.remove(KEY);
    await vote.pass(9);
    expect(await now(leads)).toBeUndefined();
    await vote.pass(2);
    expect((await leads)?.holds()).toBe(true);
  });

  it("begins the terms of a new Lease above all that an old one can have counted", async () => {
    heldBy(vote, "", undefined, 9_000);
    const first = await leading(vote, "one");
    expect(first.leadership.term).toBe(9_001);
    await first.leadership.release();
    vote.api.leases.remove(KEY);
    const second = await leading(vote, "two");
    expect(second.leadership.term).toBeGreaterThan(9_001);
    await second.leadership.release();
    vote.api.leases.remove(KEY);
    await vote.pass(1);
    const third = await leading(vote, "three");
    expect(third.leadership.term).toBeGreaterThan(second.leadership.term);
  });

  it("begins them above those that it saw, however many an old one had counted", async () => {
    // More than there are seconds since the beginning of 2026.
    heldBy(vote, "old", undefined, 900_000_000);
    const { leads } = vote.stand("new");
    await vote.pass(5);
    vote.api.leases.remove(KEY);
    await vote.pass(15);
    expect((await leads)?.term).toBe(900_000_001);
  });

  it("that is told to stop while its write is under way still knows that it won", async () => {
    heldBy(vote, "");
    const { leads, stop } = vote.stand("one", TIMES, {
      ...vote.lease,
      replace: async (...args) => {
        const written = await vote.lease.replace(...args);
        stop();
        return written;
      },
    });
    await vote.pass(0);
    expect((await leads)?.holds()).toBe(true);
  });

  it("that is told to stop while it waits is done at once, its question dropped", async () => {
    heldBy(vote, "old");
    const waiting = vote.stand("one");
    await vote.pass(1);
    waiting.stop();
    expect(await waiting.leads).toBeNull();
    vote.api.answer(null, reads);
    const asking = vote.stand("two");
    await vote.pass(0);
    asking.stop();
    expect(await asking.leads).toBeNull();
    expect(asking.observed.of("leaseFailed")).toEqual([]);
    expect(vote.spec()).toMatchObject({ holderIdentity: "old" });
  });

  it("looks no more often than every two seconds, and not in step with others", async () => {
    await vote.close();
    vote = await polls(() => 1);
    heldBy(vote, "old");
    vote.stand("new");
    await vote.pass(12);
    // At 0, 2.4, 4.8 …
    expect(vote.api.requests.filter(reads)).toHaveLength(6);
  });

  it.each([
    ["nothing in it, as somebody prepared it", {}],
    ["no spec that can be read", { holderIdentity: 7, leaseTransitions: "9", renewTime: null }],
    ["a duration that is none", { holderIdentity: "", leaseDurationSeconds: -3 }],
  ])("takes a Lease with %s for nobody's", async (_, spec) => {
    vote.api.leases.put(KEY, spec, { labels: { app: "kube-crier" } });
    const { leadership } = await leading(vote);
    expect(leadership.term).toBe(1);
    expect(vote.spec()).toMatchObject({ holderIdentity: "one", leaseDurationSeconds: 15 });
    expect(vote.api.leases.get(KEY)?.metadata).toMatchObject({ labels: { app: "kube-crier" } });
  });

  it("lets another one have the Lease that both would have made", async () => {
    vote.api.answer(status(404), reads);
    heldBy(vote, "other");
    const { leads, elector, observed } = vote.stand("new");
    await vote.pass(3);
    expect(await now(leads)).toBeUndefined();
    expect(elector.holder).toBe("other");
    expect(observed.of("leaseFailed"), "that is how it goes").toEqual([]);
  });

  it.each([
    ["401", status(401, "Unauthorized"), "server"],
    ["403", status(403, "leases is forbidden"), "forbidden"],
    ["429", status(429, "too many requests"), "throttled"],
    ["503", status(503, "etcd is away"), "server"],
    ["no JSON", { status: 200, headers: {}, body: "<html>" }, "network"],
  ])("that is answered %s goes on looking, and says what it was", async (_, answer, failure) => {
    vote.api.answer(answer, reads, 3);
    const { leads, observed } = vote.stand("new");
    await vote.pass(5);
    expect(await now(leads)).toBeUndefined();
    expect(observed.of("leaseFailed").map(([what]) => what)).toEqual([failure, failure, failure]);
    await vote.pass(1);
    expect((await leads)?.holds()).toBe(true);
    expect(observed.of("leaseAnswered").length).toBeGreaterThan(0);
  });

  it("of a namespace that is not there says so, and leads once it is", async () => {
    const made = ({ method }: { method: string }) => method === "POST";
    vote.api.answer(status(404, 'namespaces "crier" not found'), made, 2);
    const { leads, observed } = vote.stand("new");
    await vote.pass(3);
    expect(observed.of("leaseFailed").map(([, detail]) => detail)).toEqual([
      expect.stringContaining('namespaces "crier" not found'),
      expect.stringContaining('namespaces "crier" not found'),
    ]);
    await vote.pass(1);
    expect((await leads)?.holds()).toBe(true);
  });

  it("does not know a holder before it has looked, nor of a Lease that nobody has", async () => {
    vote.api.answer(null, reads);
    const { elector } = vote.stand("new");
    await vote.pass(1);
    expect(elector.holder).toBeNull();
    await vote.close();
    vote = await polls();
    vote.api.leases.put(KEY, { holderIdentity: "", leaseTransitions: 8 });
    vote.api.answer(status(500), writes, 1e6);
    const other = vote.stand("other");
    await vote.pass(1);
    expect(other.elector.holder).toBeNull();
    expect(other.observed.of("leaderSeen")).toEqual([[null, 8]]);
  });
});
