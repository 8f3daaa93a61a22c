import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Leadership } from "../../../src/election/leadership.ts";
import type { Request } from "../../support/apiserver.ts";
import { recordingObserver } from "../../support/observer.ts";
import { KEY, now, polls, TIMES } from "./support.ts";

/** How one replica gets a Lease, keeps it, loses it and gives it back; on a real connection, in time of the test's. */

let vote: Awaited<ReturnType<typeof polls>>;

beforeEach(async () => {
  vote = await polls();
});

afterEach(async () => {
  await vote.close();
});

const writes = ({ method }: Request) => method !== "GET";
const reads = ({ method }: Request) => method === "GET";
const status = (code: number, message = "made up") => ({
  status: code,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ kind: "Status", status: "Failure", code, message }),
});

/** It leads, or the test fails. */
async function leading(identity = "one") {
  const replica = vote.stand(identity);
  await vote.pass(0);
  const leadership = await now(replica.leads);
  if (leadership === undefined || leadership === null) throw new Error(`${identity} leads not`);
  return { ...replica, leadership };
}

/** As client-go writes it (k8s.io/client-go/tools/leaderelection/resourcelock/leaselock.go). */
function heldBy(holder: string, renewTime = "2026-11-20T07:59:59.123456Z", transitions = 3) {
  vote.api.leases.put(KEY, {
    holderIdentity: holder,
    leaseDurationSeconds: 15,
    acquireTime: "2026-11-20T07:00:00.000001Z",
    renewTime,
    leaseTransitions: transitions,
  });
}

describe("a candidate", () => {
  it("makes the Lease where there is none, and leads at once", async () => {
    const { leadership, observed } = await leading();
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
    heldBy("old", "2031-01-01T00:00:00.000000Z");
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
    heldBy("old", "2026-11-20T08:00:00.000001Z");
    const { leads } = vote.stand("new");
    await vote.pass(10);
    heldBy("old", "2026-11-20T08:00:00.000002Z");
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
    heldBy("old");
    const { leads } = vote.stand("new");
    await vote.pass(10);
    vote.api.leases.put(KEY, { ...vote.spec(), ...change });
    await vote.pass(13);
    expect(await now(leads)).toBeUndefined();
    await vote.pass(5);
    expect((await leads)?.holds()).toBe(true);
  });

  it("takes a label for no sign of life", async () => {
    heldBy("old");
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
    const { leadership } = await leading();
    expect(leadership.term).toBe(term);
  });

  it("keeps what others wrote into the object", async () => {
    const labels = { "app.kubernetes.io/name": "kube-crier" };
    vote.api.leases.put(KEY, { preferredHolder: "x", leaseTransitions: 1 }, { labels });
    await leading();
    await vote.pass(2);
    expect(vote.api.leases.get(KEY)?.metadata).toMatchObject({ labels });
    expect(vote.spec()).toMatchObject({ preferredHolder: "x", holderIdentity: "one" });
  });

  it("takes over within 20 seconds of the leader's death, and no sooner than 15", async () => {
    const { leadership } = await leading("old");
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
    heldBy("");
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
    heldBy("");
    vote.api.leases.loseAnswers(1);
    const { leads } = vote.stand("one");
    await vote.pass(2.1);
    expect((await leads)?.term).toBe(5);
  });

  it("does not lead a moment too early where the Lease was deleted under its holder", async () => {
    heldBy("old");
    const { leads } = vote.stand("new");
    await vote.pass(5);
    vote.api.leases.remove(KEY);
    await vote.pass(9);
    expect(await now(leads)).toBeUndefined();
    await vote.pass(2);
    expect((await leads)?.holds()).toBe(true);
  });

  it("begins the terms of a new Lease above all that an old one can have counted", async () => {
    heldBy("", undefined, 9_000);
    const first = await leading("one");
    expect(first.leadership.term).toBe(9_001);
    await first.leadership.release();
    vote.api.leases.remove(KEY);
    const second = await leading("two");
    expect(second.leadership.term).toBeGreaterThan(9_001);
    await second.leadership.release();
    vote.api.leases.remove(KEY);
    await vote.pass(1);
    const third = await leading("three");
    expect(third.leadership.term).toBeGreaterThan(second.leadership.term);
  });

  it("begins them above those that it saw, however many an old one had counted", async () => {
    // More than there are seconds since the beginning of 2026.
    heldBy("old", undefined, 900_000_000);
    const { leads } = vote.stand("new");
    await vote.pass(5);
    vote.api.leases.remove(KEY);
    await vote.pass(15);
    expect((await leads)?.term).toBe(900_000_001);
  });

  it("that is told to stop while its write is under way still knows that it won", async () => {
    heldBy("");
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
    heldBy("old");
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
    heldBy("old");
    vote.stand("new");
    await vote.pass(12);
    // At 0, 2.4, 4.8 …
    expect(vote.api.requests.filter(reads)).toHaveLength(6);
  });
});

describe("a leader", () => {
  it("renews every two seconds, each time another record", async () => {
    const { leadership } = await leading();
    await vote.pass(60);
    expect(leadership.holds()).toBe(true);
    const puts = vote.api.requests.filter(({ method }) => method === "PUT");
    expect(puts).toHaveLength(30);
    expect(vote.spec()).toMatchObject({
      acquireTime: "2026-11-20T08:00:00.000001Z",
      renewTime: "2026-11-20T08:01:00.000030Z",
      leaseTransitions: leadership.term,
    });
  });

  it("goes on through a short outage", async () => {
    const { leadership, observed } = await leading();
    vote.api.answer(status(503), writes, 3);
    await vote.pass(8);
    expect(leadership.holds()).toBe(true);
    expect(observed.of("leaseFailed")).toHaveLength(3);
    await vote.pass(60);
    expect(leadership.holds()).toBe(true);
  });

  it("that cannot renew is over ten seconds after the last renewal, before anybody may take the Lease", async () => {
    const { leadership, observed } = await leading();
    await vote.pass(4);
    vote.api.answer(status(500, "etcd is down"), writes, 1e6);
    await vote.pass(9.9);
    expect(leadership.lost.aborted).toBe(false);
    await vote.pass(0.2);
    expect(leadership.lost.aborted).toBe(true);
    expect(leadership.holds()).toBe(false);
    expect(observed.of("leadershipLost")).toEqual([
      [expect.stringMatching(/could not be renewed within 10 s: .*etcd is down/)],
    ]);
    expect(vote.api.requests.at(-1)?.method).toBe("PUT");
    const before = vote.api.requests.length;
    await vote.pass(60);
    expect(vote.api.requests).toHaveLength(before);
  });

  it("counts from when a renewal was sent, not from its answer", async () => {
    const { leadership } = await leading();
    // The renewals at 2, 7 and 12 s hang; each is given up after 5 s.
    vote.api.answer(null, writes, 1e6);
    await vote.pass(9.9);
    expect(leadership.lost.aborted).toBe(false);
    await vote.pass(0.1);
    expect(leadership.lost.aborted).toBe(true);
  });

  it("learns that its time is over when it is asked, before any timer told it", async () => {
    await leading();
    // SIGSTOP, and SIGCONT 20 s later: time has passed, and no timer has run.
    let late = 0;
    const record = await vote.lease.read(new AbortController().signal);
    if (record === null) throw new Error("no Lease");
    const observed = recordingObserver();
    const frozen = {
      now: () => vote.clock.now() + late,
      sleep: () => new Promise<void>(() => undefined),
    };
    const stopped = new Leadership("one", record, 0, TIMES, {
      store: vote.lease,
      clock: frozen,
      monotonic: () => late,
      observer: observed.observer,
    });
    expect(stopped.holds()).toBe(true);
    let heard = false;
    stopped.lost.addEventListener("abort", () => (heard = true));
    late = 20_000;
    expect(stopped.holds()).toBe(false);
    expect(heard).toBe(true);
    expect(observed.of("leadershipLost")).toHaveLength(1);
  });

  it("whose Lease another one holds is over at once", async () => {
    const { leadership, observed } = await leading();
    heldBy("two", undefined, leadership.term + 1);
    await vote.pass(2);
    expect(leadership.lost.aborted).toBe(true);
    expect(observed.of("leadershipLost")).toEqual([["two took the Lease"]]);
  });

  it("whose Lease was emptied by hand is over at once", async () => {
    const { leadership, observed } = await leading();
    vote.api.leases.put(KEY, { holderIdentity: "" });
    await vote.pass(2);
    expect(leadership.lost.aborted).toBe(true);
    expect(observed.of("leadershipLost")).toEqual([["somebody emptied the Lease"]]);
  });

  it("renews on over a change of somebody else's, and over an answer that was lost", async () => {
    const { leadership } = await leading();
    vote.api.leases.put(KEY, vote.spec() ?? {}, { annotations: { seen: "yes" } });
    await vote.pass(2);
    vote.api.leases.loseAnswers(1);
    await vote.pass(20);
    expect(leadership.holds()).toBe(true);
    expect(vote.api.leases.get(KEY)?.metadata).toMatchObject({ annotations: { seen: "yes" } });
  });

  it("makes a deleted Lease again, in the same term", async () => {
    const { leadership } = await leading();
    vote.api.leases.remove(KEY);
    await vote.pass(2);
    expect(vote.spec()).toMatchObject({ holderIdentity: "one", leaseTransitions: leadership.term });
    await vote.pass(30);
    expect(leadership.holds()).toBe(true);
  });

  it("is over where somebody else made a deleted Lease first", async () => {
    const { leadership, observed } = await leading();
    vote.api.leases.remove(KEY);
    vote.api.answer(status(404), ({ method }) => method === "PUT");
    heldBy("two");
    await vote.pass(2);
    expect(leadership.lost.aborted).toBe(true);
    expect(observed.of("leadershipLost")).toEqual([["two took the Lease"]]);
  });

  it("reads its token anew after a 401", async () => {
    const { leadership } = await leading();
    vote.api.answer(status(401), writes);
    await vote.pass(30);
    expect(leadership.holds()).toBe(true);
  });

  it("gives the Lease back, and the next one has it with its next look", async () => {
    const { leadership, observed } = await leading("one");
    const next = vote.stand("two");
    await vote.pass(5);
    await leadership.release();
    expect(vote.spec()).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
    expect(observed.of("leaseReleased")).toEqual([[null]]);
    expect(leadership.holds()).toBe(false);
    expect(leadership.lost.aborted).toBe(false);
    await vote.pass(2);
    expect((await next.leads)?.term).toBe(leadership.term + 1);
  });

  it("gives it back although it was written meanwhile, unless by the next holder", async () => {
    const { leadership } = await leading("one");
    vote.api.leases.put(KEY, vote.spec() ?? {}, { labels: { a: "b" } });
    await leadership.release();
    expect(vote.spec()).toMatchObject({ holderIdentity: "" });
    const again = await leading("two");
    heldBy("three");
    await again.leadership.release();
    expect(vote.spec()).toMatchObject({ holderIdentity: "three" });
  });

  it("ends within seconds although the API server does not answer, and says what that means", async () => {
    const { leadership, observed } = await leading("one");
    vote.api.answer(null, writes, 1e6);
    await vote.pass(2);
    const released = leadership.release();
    await vote.pass(1);
    await released;
    expect(observed.of("leaseReleased")).toEqual([["no answer within 1 s"]]);
  });

  it("gives nothing back that it has lost", async () => {
    const { leadership, observed } = await leading("one");
    heldBy("two");
    await vote.pass(2);
    await leadership.release();
    expect(vote.spec()).toMatchObject({ holderIdentity: "two" });
    expect(observed.of("leaseReleased")).toEqual([]);
  });

  it("can be told that it is over, once", async () => {
    const { leadership, observed } = await leading("one");
    leadership.lose("the ledger belongs to a later leader");
    leadership.lose("again");
    expect(leadership.holds()).toBe(false);
    expect((leadership.lost.reason as Error).message).toBe("the ledger belongs to a later leader");
    expect(observed.of("leadershipLost")).toHaveLength(1);
  });
});
