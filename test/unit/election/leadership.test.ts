import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Leadership } from "../../../src/election/leadership.ts";
import { recordingObserver } from "../../support/observer.ts";
import { heldBy, KEY, leading, polls, reads, status, TIMES, writes, type Vote } from "./support.ts";

/** How one replica keeps a Lease and loses it; on a real connection, in time of the test's. */

let vote: Vote;

beforeEach(async () => {
  vote = await polls();
});

afterEach(async () => {
  await vote.close();
});

describe("a leader", () => {
  it("renews every two seconds, each time another record", async () => {
    const { leadership } = await leading(vote);
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
    const { leadership, observed } = await leading(vote);
    vote.api.answer(status(503), writes, 3);
    await vote.pass(8);
    expect(leadership.holds()).toBe(true);
    expect(observed.of("leaseFailed")).toHaveLength(3);
    await vote.pass(60);
    expect(leadership.holds()).toBe(true);
  });

  it("that cannot renew is over ten seconds after the last renewal, before anybody may take the Lease", async () => {
    const { leadership, observed } = await leading(vote);
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
    const { leadership } = await leading(vote);
    // The renewals at 2, 7 and 12 s hang; each is given up after 5 s.
    vote.api.answer(null, writes, 1e6);
    await vote.pass(9.9);
    expect(leadership.lost.aborted).toBe(false);
    await vote.pass(0.1);
    expect(leadership.lost.aborted).toBe(true);
  });

  it("learns that its time is over when it is asked, before any timer told it", async () => {
    await leading(vote);
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
    const { leadership, observed } = await leading(vote);
    heldBy(vote, "two", undefined, leadership.term + 1);
    await vote.pass(2);
    expect(leadership.lost.aborted).toBe(true);
    expect(observed.of("leadershipLost")).toEqual([["two took the Lease"]]);
  });

  it("whose Lease was emptied by hand is over at once", async () => {
    const { leadership, observed } = await leading(vote);
    vote.api.leases.put(KEY, { holderIdentity: "" });
    await vote.pass(2);
    expect(leadership.lost.aborted).toBe(true);
    expect(observed.of("leadershipLost")).toEqual([["somebody emptied the Lease"]]);
  });

  it("renews on over a change of somebody else's, and over an answer that was lost", async () => {
    const { leadership } = await leading(vote);
    vote.api.leases.put(KEY, vote.spec() ?? {}, { annotations: { seen: "yes" } });
    await vote.pass(2);
    vote.api.leases.loseAnswers(1);
    await vote.pass(20);
    expect(leadership.holds()).toBe(true);
    expect(vote.api.leases.get(KEY)?.metadata).toMatchObject({ annotations: { seen: "yes" } });
  });

  it("makes a deleted Lease again, in the same term", async () => {
    const { leadership } = await leading(vote);
    vote.api.leases.remove(KEY);
    await vote.pass(2);
    expect(vote.spec()).toMatchObject({ holderIdentity: "one", leaseTransitions: leadership.term });
    await vote.pass(30);
    expect(leadership.holds()).toBe(true);
  });

  it("is over where somebody else made a deleted Lease first", async () => {
    const { leadership, observed } = await leading(vote);
    vote.api.leases.remove(KEY);
    vote.api.answer(status(404), ({ method }) => method === "PUT");
    heldBy(vote, "two");
    await vote.pass(2);
    expect(leadership.lost.aborted).toBe(true);
    expect(observed.of("leadershipLost")).toEqual([["two took the Lease"]]);
  });

  it("reads its token anew after a 401", async () => {
    const { leadership } = await leading(vote);
    vote.api.answer(status(401), writes);
    await vote.pass(30);
    expect(leadership.holds()).toBe(true);
  });

  it("can be told that it is over, once", async () => {
    const { leadership, observed } = await leading(vote, "one");
    leadership.lose("the ledger belongs to a later leader");
    leadership.lose("again");
    expect(leadership.holds()).toBe(false);
    expect((leadership.lost.reason as Error).message).toBe("the ledger belongs to a later leader");
    expect(observed.of("leadershipLost")).toHaveLength(1);
  });

  it("that a controller writes over each time renews as fast as ever, and not without a pause", async () => {
    const { leadership, observed } = await leading(vote);
    const before = vote.api.requests.length;
    vote.api.answer(status(409), ({ method }) => method === "PUT", 1e6);
    await vote.pass(10);
    expect(leadership.lost.aborted).toBe(true);
    expect(observed.of("leadershipLost")).toEqual([
      [expect.stringContaining("within 10 s: somebody else writes it as well")],
    ]);
    // At 2, 4, 6 and 8 s, every other time twice, and each asks whose it is.
    expect(vote.api.requests.length - before).toBeLessThanOrEqual(4 * 2 * 2);
  });

  it("renews at once what somebody else wrote over, time after time", async () => {
    const { leadership } = await leading(vote);
    for (let time = 0; time < 5; time += 1) {
      vote.api.leases.put(KEY, vote.spec() ?? {}, { annotations: { time: String(time) } });
      await vote.pass(2);
      expect(vote.spec()?.["renewTime"]).toContain(
        `08:00:${String(2 + 2 * time).padStart(2, "0")}`,
      );
    }
    expect(leadership.holds()).toBe(true);
  });

  it("puts its term back where somebody set it to less: a ledger would take nothing of the next leader", async () => {
    const { leadership, observed } = await leading(vote);
    const { term } = leadership;
    vote.api.leases.put(KEY, { ...vote.spec(), leaseTransitions: 0 });
    await vote.pass(2);
    expect(vote.spec()).toMatchObject({ holderIdentity: "one", leaseTransitions: term });
    expect(observed.of("leadershipLost")).toEqual([]);
    const next = vote.stand("two");
    await leadership.release();
    await vote.pass(2);
    expect((await next.leads)?.term).toBe(term + 1);
  });

  it("counts on from a term that somebody set higher", async () => {
    const { leadership } = await leading(vote);
    const higher = leadership.term + 1_000;
    vote.api.leases.put(KEY, { ...vote.spec(), leaseTransitions: higher });
    await vote.pass(2);
    expect(vote.spec()).toMatchObject({ leaseTransitions: higher });
    expect(leadership.holds()).toBe(true);
  });

  it("whose right to renew is taken away ends in time, and names the rule", async () => {
    const { leadership, observed } = await leading(vote);
    vote.api.answer(status(403, "leases is forbidden"), writes, 1e6);
    await vote.pass(10);
    expect(leadership.lost.aborted).toBe(true);
    expect(observed.of("leaseFailed").every(([failure]) => failure === "forbidden")).toBe(true);
    expect(observed.of("leadershipLost")[0]?.[0]).toMatch(
      /leases is forbidden; bind a Role in namespace crier .*resourceNames: \["kube-crier"\]/,
    );
  });

  it("whose right to look is taken away as well, after somebody wrote, ends in time", async () => {
    const { leadership, observed } = await leading(vote);
    vote.api.leases.put(KEY, vote.spec() ?? {}, { labels: { a: "b" } });
    vote.api.answer(status(403, "leases is forbidden"), reads, 1e6);
    await vote.pass(9.9);
    expect(leadership.lost.aborted).toBe(false);
    await vote.pass(0.1);
    expect(observed.of("leadershipLost")[0]?.[0]).toContain("leases is forbidden");
  });

  it("whose namespace is deleted with the Lease ends in time: nobody can make it again there", async () => {
    const { leadership, observed } = await leading(vote);
    vote.api.leases.remove(KEY);
    vote.api.answer(
      status(404, 'namespaces "crier" not found'),
      ({ method }) => method === "POST",
      1e6,
    );
    await vote.pass(9.9);
    expect(leadership.lost.aborted).toBe(false);
    await vote.pass(0.1);
    expect(observed.of("leadershipLost")[0]?.[0]).toContain('namespaces "crier" not found');
  });

  it("whose Lease is deleted between a conflict and the look at it makes it again", async () => {
    const { leadership } = await leading(vote);
    vote.api.answer(status(409), ({ method }) => method === "PUT");
    vote.api.leases.remove(KEY);
    await vote.pass(2);
    expect(vote.spec()).toMatchObject({ holderIdentity: "one", leaseTransitions: leadership.term });
    expect(leadership.holds()).toBe(true);
  });

  it("knows for its own the Lease that it made again, though the answer was lost", async () => {
    const { leadership } = await leading(vote);
    vote.api.leases.remove(KEY);
    vote.api.leases.loseAnswers(1);
    await vote.pass(6);
    expect(leadership.holds()).toBe(true);
    expect(vote.spec()).toMatchObject({ holderIdentity: "one", leaseTransitions: leadership.term });
    await vote.pass(60);
    expect(leadership.holds()).toBe(true);
  });

  it("whose answer comes after its time is over does not lead again by it", async () => {
    const { leadership, observed } = await leading(vote);
    vote.api.answer(null, writes, 1e6);
    await vote.pass(10);
    expect(leadership.lost.aborted).toBe(true);
    vote.api.takeEverything();
    await vote.pass(120);
    expect(leadership.holds()).toBe(false);
    expect(observed.of("leadershipLost")).toHaveLength(1);
    expect(vote.spec()?.["renewTime"]).toBe("2026-11-20T08:00:00.000001Z");
  });
});
