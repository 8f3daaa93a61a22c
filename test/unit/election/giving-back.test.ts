import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { heldBy, KEY, leading, polls, reads, status, writes, type Vote } from "./support.ts";

/** How one replica gives a Lease back at its end; on a real connection, in time of the test's. */

let vote: Vote;

beforeEach(async () => {
  vote = await polls();
});

afterEach(async () => {
  await vote.close();
});

describe("a leader that ends", () => {
  it("gives the Lease back, and the next one has it with its next look", async () => {
    const { leadership, observed } = await leading(vote, "one");
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
    const { leadership } = await leading(vote, "one");
    vote.api.leases.put(KEY, vote.spec() ?? {}, { labels: { a: "b" } });
    await leadership.release();
    expect(vote.spec()).toMatchObject({ holderIdentity: "" });
    const again = await leading(vote, "two");
    heldBy(vote, "three");
    await again.leadership.release();
    expect(vote.spec()).toMatchObject({ holderIdentity: "three" });
  });

  it("ends within seconds although the API server does not answer, and says what that means", async () => {
    const { leadership, observed } = await leading(vote, "one");
    vote.api.answer(null, writes, 1e6);
    await vote.pass(2);
    const released = leadership.release();
    await vote.pass(1);
    await released;
    expect(observed.of("leaseReleased")).toEqual([["no answer within 1 s"]]);
  });

  it("gives nothing back that it has lost", async () => {
    const { leadership, observed } = await leading(vote, "one");
    heldBy(vote, "two");
    await vote.pass(2);
    await leadership.release();
    expect(vote.spec()).toMatchObject({ holderIdentity: "two" });
    expect(observed.of("leaseReleased")).toEqual([]);
  });

  it.each([
    ["nothing is left to give back", () => vote.api.leases.remove(KEY), [null]],
    [
      "the API server refuses it",
      () => vote.api.answer(status(500, "etcd is down"), writes, 1e6),
      [expect.stringContaining("etcd is down")],
    ],
    [
      "others write it again and again",
      () => vote.api.answer(status(409), writes, 1e6),
      ["it is written again and again"],
    ],
    [
      "it cannot be looked at after a conflict",
      () => {
        vote.api.answer(status(409), writes);
        vote.api.answer(status(503, "no leader"), reads);
      },
      [expect.stringContaining("no leader")],
    ],
  ])("ends all the same where %s, and says so", async (_, trouble, said) => {
    const { leadership, observed } = await leading(vote);
    trouble();
    await leadership.release();
    expect(observed.of("leaseReleased")).toEqual([said]);
    expect(leadership.holds()).toBe(false);
  });

  it("that gives back while a renewal is under way gives back what that renewal wrote", async () => {
    const { leadership, observed } = await leading(vote);
    vote.api.leases.loseAnswers(1);
    await vote.pass(2);
    await leadership.release();
    expect(observed.of("leaseReleased")).toEqual([[null]]);
    expect(vote.spec()).toMatchObject({ holderIdentity: "" });
  });
});
