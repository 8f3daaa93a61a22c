import { describe, expect, it } from "vitest";
import { occurrenceOf, TOLD_ALREADY } from "../../../src/sink/index.ts";
import { aDigest, aGap } from "../../support/alerts.ts";
import { anEvent } from "../../support/events.ts";
import { aMessage } from "../../support/messages.ts";

describe("what a record keeps of an alert", () => {
  it("is the event itself", () => {
    const event = anEvent({ count: 3 });
    expect(occurrenceOf(aMessage({ event }))).toEqual(event);
  });

  it("is a gap in the form of an event: between which times, and why, under the delivery's own id", () => {
    const message = aMessage({ event: null, alert: aGap() });
    const found = occurrenceOf(message);
    expect(Object.keys(found ?? {}).toSorted()).toEqual(Object.keys(anEvent()).toSorted());
    expect(found).toMatchObject({
      uid: message.id,
      key: `${message.id}@1`,
      cluster: "prod-a",
      type: "Warning",
      reason: "HistoryGap",
      firstSeen: "2026-11-20T02:02:00Z",
      lastSeen: "2026-11-20T02:09:00Z",
      object: { kind: "Cluster", name: "prod-a", namespace: null },
    });
    expect(found?.message).toContain("2026-11-20T02:02:00Z and 2026-11-20T02:09:00Z");
  });

  it("is nothing of a digest, which says so", () => {
    expect(occurrenceOf(aMessage({ event: null, alert: aDigest() }))).toBeNull();
    expect(TOLD_ALREADY).toMatchObject({ kind: "permanent", reason: "rejected" });
  });
});
