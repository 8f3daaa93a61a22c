import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Budget } from "../../../src/delivery/budget.ts";
import { digestOf, foldable, rankOf } from "../../../src/delivery/digest.ts";
import { overloaded, planOverload } from "../../../src/delivery/plan.ts";
import type { Alert } from "../../../src/event/alert.ts";
import type { Delivery } from "../../../src/event/delivery.ts";
import { anEvent } from "../../support/events.ts";

const NOW = 1_000_000;
const eventAlert: Alert = { kind: "event", event: anEvent() };

/** A warning, something worse, something harmless, a canary, a gap, an earlier digest. */
const alert: fc.Arbitrary<Alert> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({
        reason: fc.constantFrom("BackOff", "OOMKilling", "Unhealthy"),
        type: fc.constantFrom("Warning", "Normal"),
      })
      .map((changes) => ({ kind: "event" as const, event: anEvent(changes) })),
  },
  {
    weight: 1,
    arbitrary: fc.constant({
      kind: "event" as const,
      event: anEvent({
        reason: "KubeCrierCanary",
        type: "Normal",
        reporter: { component: "kube-crier" },
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant({
      kind: "gap" as const,
      cluster: "prod-a",
      since: "2026-11-20T07:00:00Z",
      until: "2026-11-20T08:00:00Z",
      cause: "downtime" as const,
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 2, max: 30 })
      .map((count) => digestOf(Array.from({ length: count }, (_, n) => owed(n, 0, eventAlert)))),
  },
);

function owed(n: number, ageMs: number, what: Alert): Delivery {
  const at = NOW - ageMs;
  return { id: `d${n}`, sink: "chat", alert: what, attempts: 0, owedAt: at, notBefore: at };
}

const world = fc
  .record({
    due: fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), alert, fc.nat(9)), {
      minLength: 1,
      maxLength: 80,
    }),
    rates: fc.array(
      fc.record({
        count: fc.integer({ min: 1, max: 20 }),
        perMs: fc.integer({ min: 100, max: 60_000 }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    ended: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 30 }),
    underWay: fc.nat(4),
    foldedAgo: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 60_000 })),
    everyMs: fc.constantFrom(0, 5_000, 30_000),
  })
  .map(({ due, rates, ended, underWay, foldedAgo, everyMs }) => {
    const budget = new Budget(
      rates,
      ended.map((ago) => NOW - ago),
    );
    for (let request = 0; request < underWay; request += 1) budget.start();
    const oldestFirst = due.toSorted(([a], [b]) => b - a);
    return {
      // Some of them a process before this one had begun to send.
      due: oldestFirst.map(([age, what, chance], n) => ({
        ...owed(n, age, what),
        ...(chance === 0 ? { begun: true as const } : {}),
      })),
      budget,
      underWay,
      foldedAt: NOW - foldedAgo,
      everyMs,
    };
  })
  .filter(({ due, budget }) => overloaded(due.length, budget, NOW));

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const planned = ({ due, budget, underWay, foldedAt, everyMs }: World) => ({
  due,
  budget,
  underWay,
  ...planOverload(due, budget, foldedAt, everyMs, NOW),
});
const ids = (all: readonly Delivery[]) => all.map(({ id }) => id);

describe("what is done while more is due than may be told one by one", () => {
  test("nothing vanishes and nothing is told twice: each is sent, folded, or waits", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { due, send, fold } = planned(one);
        const told = [...ids(send), ...ids(fold)];
        expect(new Set(told).size, "once").toBe(told.length);
        expect(
          told.filter((id) => !ids(due).includes(id)),
          "nothing else",
        ).toEqual([]);
        const later = ids(due).filter((id) => !told.includes(id));
        expect([...told, ...later].toSorted()).toEqual(ids(due).toSorted());
        expect(fold.length).not.toBe(1);
      }),
    );
  });

  test("what may not be told in a digest is never folded, and a digest's number is that of its occurrences", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { fold } = planned(one);
        expect(fold.filter(({ alert: what }) => !foldable(what))).toEqual([]);
        const occurrences = fold.reduce(
          (sum, { alert: what }) => sum + (what.kind === "digest" ? what.total : 1),
          0,
        );
        const { total, lines, moreKinds } = digestOf(fold);
        const shown = lines.reduce((sum, { count }) => sum + count, 0);
        expect(total).toBe(occurrences);
        // Ten lines; what they leave out is said to be left out.
        expect(shown === occurrences || (shown < occurrences && moreKinds > 0)).toBe(true);
      }),
    );
  });

  test("what may have arrived already is in no digest", () => {
    fc.assert(
      fc.property(world, (one) => {
        expect(planned(one).fold.filter(({ begun }) => begun === true)).toEqual([]);
      }),
    );
  });

  test("an earlier digest that may have arrived is told again as it is, beside the one that is made", () => {
    const digest = digestOf([owed(1, 0, eventAlert), owed(2, 0, eventAlert)]);
    const begun: Delivery = { ...owed(3, 60_000, digest), begun: true };
    const waiting = Array.from({ length: 40 }, (_, n) => owed(10 + n, 60_000, eventAlert));
    const budget = new Budget([{ count: 2, perMs: 60_000 }]);
    const { fold } = planOverload([begun, ...waiting], budget, 0, 0, NOW);
    expect(fold.length).toBeGreaterThan(30);
    expect(fold).not.toContain(begun);
  });

  test("never more than the rates allow, and a slot is there when the digest's time comes", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { budget, underWay, send, fold, wakeAt } = planned(one);
        const available = budget.available(NOW);
        expect(send.length).toBeLessThanOrEqual(available);
        // A digest that is made goes at once.
        expect(fold.length === 0 || available > 0).toBe(true);
        for (let request = 0; request < send.length; request += 1) budget.start();
        for (let request = 0; request < send.length + underWay; request += 1) budget.end(NOW);
        const gathers = fold.length === 0 && available > 0 && wakeAt > NOW;
        expect(!gathers || budget.available(wakeAt) > 0, "at its time").toBe(true);
      }),
    );
  });

  test("the worst goes first, of those the oldest", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { due, send } = planned(one);
        const inOrder = due.toSorted(
          (a, b) => rankOf(a.alert) - rankOf(b.alert) || a.owedAt - b.owedAt,
        );
        const place = ({ alert: what, owedAt }: Delivery) => [rankOf(what), owedAt];
        expect(send.map(place)).toEqual(inOrder.slice(0, send.length).map(place));
      }),
    );
  });

  test("there is always a next step: something is done now, or there is a time to look again", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { send, fold, wakeAt, budget } = planned(one);
        // One under way is looked after by its own end.
        const busy = budget.available(NOW) === 0;
        expect(send.length + fold.length > 0 || wakeAt > NOW || busy).toBe(true);
        expect(wakeAt).toBeGreaterThanOrEqual(NOW);
        expect(Number.isFinite(wakeAt)).toBe(true);
      }),
    );
  });
});
