import { describe, expect, test } from "vitest";
import { ATTEMPTS_KEPT, type Outcome } from "../../../src/event/delivery.ts";
import { checkLedger } from "../../../src/ledger/check.ts";
import { anEvent } from "../../support/events.ts";
import { aLedger, anEntry, never, temporaryDirectory, tried } from "../../support/ledger.ts";
import { settle } from "../../support/clock.ts";

describe("each attempt is kept", () => {
  test("one that succeeds at once has its duration and the platform's answer", async () => {
    const { outbox, history } = aLedger();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    outbox.settle("d1", {
      kind: "delivered",
      at: 5,
      sent: "{}",
      answer: "HTTP 200: ok",
      tookMs: 31,
    });
    await settle();
    expect(history.deliveries({})).toMatchObject([
      { state: "delivered", tookMs: 31, answer: "HTTP 200: ok", tries: [] },
    ]);
  });

  test("those that failed before it stay, with time, duration and what the platform said", async () => {
    const { outbox, history } = aLedger();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    outbox.settle("d1", tried(10, 'HTTP 502: "bad" gateway 网关', 45));
    await settle();
    outbox.settle("d1", {
      ...tried(20, "130101 too fast"),
      reason: "throttled",
      counted: false,
    } as Outcome);
    await settle();
    outbox.settle("d1", { kind: "delivered", at: 30, sent: "{}", answer: "ok", tookMs: 7 });
    await settle();
    expect(history.deliveries({})).toMatchObject([
      {
        state: "delivered",
        attempts: 1,
        tookMs: 7,
        reason: null,
        tries: [
          { at: 10, tookMs: 45, reason: "server", detail: 'HTTP 502: "bad" gateway 网关' },
          { at: 20, tookMs: 20, reason: "throttled", detail: "130101 too fast" },
        ],
      },
    ]);
  });

  test("the last one of a dead letter too, but no attempt where none was made", async () => {
    const { outbox, history } = aLedger();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    outbox.settle("d1", {
      kind: "dead",
      at: 9,
      reason: "auth",
      detail: "310000",
      counted: true,
      tookMs: 3,
    });
    outbox.settle("d2", {
      kind: "dead",
      at: 9,
      reason: "expired",
      detail: "too old",
      counted: false,
    });
    await settle();
    expect(history.deliveries({}).map(({ tries }) => tries)).toEqual([
      [],
      [{ at: 9, tookMs: 3, reason: "auth", detail: "310000" }],
    ]);
  });

  test("of a delivery that fails for days the first and the last ones", async () => {
    const { outbox, history } = aLedger();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    for (let n = 1; n <= 40; n += 1) {
      outbox.settle("d1", tried(n, `try ${n}`));
      await settle();
    }
    const [row] = history.deliveries({});
    expect(row).toMatchObject({ attempts: 40 });
    expect(row?.tries).toHaveLength(ATTEMPTS_KEPT);
    expect(row?.tries.map(({ detail }) => detail)).toEqual([
      "try 1",
      ...Array.from({ length: 9 }, (_, n) => `try ${32 + n}`),
    ]);
  });

  test("also those made while the disk refused", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, history, clock, db } = aLedger({ dataDir });
    await outbox.add([anEntry(1, ["ops"])], [], never);
    const other = aLedger({ dataDir }).db;
    other.exec("BEGIN IMMEDIATE");
    for (let n = 1; n <= 3; n += 1) {
      outbox.settle("d1", tried(n, `try ${n}`));
      await settle();
    }
    outbox.settle("d1", { kind: "delivered", at: 4, sent: "", answer: "ok", tookMs: 1 });
    await settle();
    other.exec("ROLLBACK");
    await clock.advance(5_000);
    expect(db.isOpen).toBe(true);
    const [row] = history.deliveries({});
    expect(row).toMatchObject({ state: "delivered", attempts: 3 });
    expect(row?.tries.map(({ detail }) => detail)).toEqual(["try 1", "try 2", "try 3"]);
  });

  test("owing it again keeps what was tried", async () => {
    const { outbox, history } = aLedger();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    outbox.settle("d1", { kind: "dead", at: 9, reason: "auth", detail: "310000", counted: true });
    await settle();
    history.retry([], null, 20);
    expect(history.deliveries({})).toMatchObject([
      { state: "pending", attempts: 0, tries: [{ at: 9, tookMs: null, detail: "310000" }] },
    ]);
  });
});

describe("dead letters", () => {
  /** d1 of shop, d2 of data, d3 a gap: all dead. */
  async function threeDead() {
    const ledger = aLedger();
    const data = anEvent({ uid: "data", eventNamespace: "data", object: { namespace: "data" } });
    await ledger.outbox.add([anEntry(1, ["ops"])], [], never);
    await ledger.outbox.add(
      [{ event: data, alert: { kind: "event", event: data }, sinks: ["chat"] }],
      [],
      never,
    );
    const gap = { kind: "gap", cluster: "", since: "", until: "", cause: "downtime" } as const;
    await ledger.outbox.add([{ event: null, alert: gap, sinks: ["ops"] }], [], never);
    for (const id of ["d1", "d2", "d3"])
      ledger.outbox.settle(id, { kind: "dead", at: 1, reason: "auth", detail: "", counted: true });
    await settle();
    const states = () =>
      ledger.history
        .deliveries({})
        .map(({ state }) => state)
        .toReversed();
    return { ...ledger, states };
  }

  test("that nobody needs are discarded: no dead letters any more, and still in the history", async () => {
    const { history, states } = await threeDead();
    expect(history.discard(["d2", "unknown"], null)).toBe(1);
    expect(states()).toEqual(["dead", "discarded", "dead"]);
    expect(history.retry(["d2"], null, 5)).toBe(0);
    expect(history.discard([], "ops")).toBe(2);
    expect(history.counts().get("ops")).toMatchObject({ dead: 0, discarded: 2 });
  });

  test("that are discarded are nothing `ledger check` would complain of", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, history, db } = aLedger({ dataDir });
    await outbox.add([anEntry(1, ["ops"])], [], never);
    outbox.settle("d1", { kind: "dead", at: 1, reason: "auth", detail: "", counted: true });
    await settle();
    history.discard([], null);
    db.close();
    expect(checkLedger(dataDir).findings).toEqual([]);
  });

  test("are retried and discarded only by those who may see them", async () => {
    const { history, states } = await threeDead();
    expect(history.discard(["d1", "d3"], null, ["data"])).toBe(0);
    expect(history.retry(["d1"], null, 5, [])).toBe(0);
    expect(history.retry([], null, 5, ["data"])).toBe(1);
    expect(states()).toEqual(["dead", "pending", "dead"]);
    expect(history.discard([], null, ["shop", "data"])).toBe(1);
    expect(states()).toEqual(["discarded", "pending", "dead"]);
  });
});
