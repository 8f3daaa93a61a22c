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

  it.each([
    [
      "what a list brought afterwards",
      { cause: "expired", recovered: 37 },
      "Events between 2026-11-20T02:02:00Z and 2026-11-20T02:09:00Z could not be seen: the resourceVersion expired, and the cluster has forgotten Events of before. 37 recovered by a relist, older ones unknown.",
    ],
    [
      "how much of that is too old",
      { cause: "expired", recovered: 3402, tooOld: 3400 },
      / 3402 recovered by a relist \(3400 of them too old to be told singly\), older ones unknown\.$/,
    ],
    [
      "that a list brought nothing",
      { cause: "downtime", recovered: 0 },
      / for longer than the cluster keeps events\. 0 recovered by a relist, older ones unknown\.$/,
    ],
    [
      "nothing of a list where none was asked for",
      { cause: "lostLedger" },
      /: the ledger was damaged and begun anew; what it still owed is lost\.$/,
    ],
    [
      "at a first start only before when, for nobody knows since when",
      { cause: "firstStart" },
      "Events before 2026-11-20T02:09:00Z could not be seen: nothing is known of an earlier run: the first start, or the ledger was lost.",
    ],
  ] as const)("tells of a gap %s", (_, changes, words) => {
    const found = occurrenceOf(aMessage({ event: null, alert: { ...aGap(), ...changes } }));
    expect(found?.message).toMatch(words);
  });

  it("is nothing of a digest, which says so", () => {
    expect(occurrenceOf(aMessage({ event: null, alert: aDigest() }))).toBeNull();
    expect(TOLD_ALREADY).toMatchObject({ kind: "permanent", reason: "rejected" });
  });
});
