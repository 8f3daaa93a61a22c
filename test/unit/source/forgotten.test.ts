import { describe, expect, it } from "vitest";
import { forgotten } from "../../../src/source/kubernetes/forgotten.ts";

const MINUTE = 60_000;
const NOW = Date.parse("2026-11-20T12:00:00Z");
const ago = (minutes: number) => NOW - minutes * MINUTE;

const judged = (
  lastHeard: number,
  list: { readonly reachesBack?: boolean; readonly witnessGone?: boolean } = {},
  witnessAt: number | null = null,
) =>
  forgotten(
    {
      at: ago(lastHeard),
      witness: witnessAt === null ? null : { uid: "w", type: "Warning", at: ago(witnessAt) },
    },
    { reachesBack: false, witnessGone: false, ...list },
    NOW,
  );

describe("what a list after a 410 does not bring back", () => {
  it("is nothing for as long as a cluster keeps Events, unless it says otherwise", () => {
    expect(judged(7)).toBeNull();
    expect(judged(60)).toBeNull();
  });

  it("is what came in the time that is longer ago than that", () => {
    expect(judged(61)).toEqual({ cause: "downtime", since: ago(61), until: ago(60) });
    expect(judged(180)).toEqual({ cause: "downtime", since: ago(180), until: ago(60) });
  });

  it("is nothing where the list still has what came before, however long ago", () => {
    expect(judged(600, { reachesBack: true })).toBeNull();
    expect(judged(7, { reachesBack: true, witnessGone: true }, 8)).toBeNull();
  });

  it("may be anything where the Event seen last is gone before its time", () => {
    expect(judged(7, { witnessGone: true }, 8)).toEqual({
      cause: "expired",
      since: ago(7),
      until: NOW,
    });
    expect(judged(7, { witnessGone: false }, 8), "it is still there").toBeNull();
    expect(judged(7, { witnessGone: true }, 55), "its time may have come").toBeNull();
  });
});
