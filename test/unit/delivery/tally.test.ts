import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../../src/delivery/digest.ts";
import { Tally } from "../../../src/delivery/tally.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import { anEvent } from "../../support/events.ts";

const tallied = (events: Iterable<KubeEvent>) => {
  const tally = new Tally();
  for (const event of events) tally.add(event);
  return tally.digest();
};

const event = fc
  .record({
    reason: fc.constantFrom("BackOff", "Unhealthy", "FailedMount"),
    type: fc.constantFrom("Normal", "Warning"),
    lastSeen: fc.constantFrom(
      "2026-11-20T08:00:00Z",
      "2026-11-20T07:00:00.5Z",
      "2026-11-20T09:00:00Z",
    ),
    name: fc.constantFrom("web-7d4b9c6f5d-x2x9z", "web-7d4b9c6f5d-k8s7q", "cart-0", "cart-1"),
    namespace: fc.constantFrom("shop", "pay", null),
  })
  .map(({ name, namespace, ...rest }) => anEvent({ ...rest, object: { name, namespace } }));

describe("a digest that is made one occurrence at a time", () => {
  it("is the one that is made of all of them together, and says that they are old", () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 60 }), (events) => {
        const deliveries = events.map((one) => ({
          id: "d",
          sink: "ops",
          alert: { kind: "event", event: one } as const,
          attempts: 0,
          owedAt: 0,
          notBefore: 0,
        }));
        expect(tallied(events)).toEqual({ ...digestOf(deliveries), tooOld: true });
      }),
    );
  });

  it("names no cluster where they are of several", () => {
    const clusters = ["a", "b"].map((cluster) => anEvent({ cluster }));
    expect(tallied(clusters).cluster).toBe("");
    expect(tallied(clusters.slice(0, 1)).cluster).toBe("a");
  });

  it("counts 120,000 of as many objects, each once, and keeps ten lines of them", () => {
    function* many() {
      for (let n = 0; n < 120_000; n += 1)
        yield anEvent({
          uid: `u${n}`,
          reason: "BackOff",
          object: { name: `job-${n}`, kind: "Thing" },
        });
    }
    const digest = tallied(many());
    expect(digest.total).toBe(120_000);
    expect(digest.lines).toHaveLength(10);
    // Every one is a kind of its own: those that were not kept apart are counted all the same.
    expect(digest.lines.length + digest.moreKinds).toBe(120_000);
  });

  it("counts 120,000 occurrences on one workload exactly", () => {
    function* many() {
      for (let n = 0; n < 120_000; n += 1) yield anEvent({ object: { name: `web-${n % 300}` } });
    }
    expect(tallied(many())).toMatchObject({
      total: 120_000,
      lines: [{ count: 120_000, workload: "web", objects: 300 }],
      moreKinds: 0,
    });
  });
});
