import { describe, expect, test } from "vitest";
import {
  type Attempt,
  attemptNumber,
  ATTEMPTS_KEPT,
  attemptsOf,
  keptAttempts,
  type Outcome,
} from "../../../src/event/delivery.ts";

/** Attempts as they were made, numbered by the time they ended. */
const made = (count: number): readonly Attempt[] =>
  Array.from({ length: count }, (_, index) => ({
    at: index + 1,
    tookMs: null,
    reason: "server" as const,
    detail: "HTTP 500",
  }));

describe("the attempts of a delivery", () => {
  test.each([0, 1, 2, ATTEMPTS_KEPT - 1, ATTEMPTS_KEPT, ATTEMPTS_KEPT + 1, 57])(
    "of %i the first and the last are kept, and each is known by its number",
    (count) => {
      const kept = keptAttempts(made(count));
      expect(kept.length).toBe(Math.min(count, ATTEMPTS_KEPT));
      expect(kept.map((_, index) => attemptNumber(index, kept.length, count))).toEqual(
        kept.map(({ at }) => at),
      );
      expect(kept.slice(0, 1).map(({ at }) => at)).toEqual(count === 0 ? [] : [1]);
      expect(attemptNumber(kept.length, kept.length, count)).toBe(count + 1);
    },
  );

  test.each([
    ["three that a rate limit ended, which are no failures", 3, 0, [1, 2, 3, 4]],
    ["two failures, and two that a rate limit ended", 4, 2, [1, 2, 3, 4, 5]],
    ["some of before it was owed again, which begins to count anew", 5, 1, [1, 2, 3, 4, 5, 6]],
    ["failures of before attempts were kept", 0, 3, [4]],
    ["as many, and one after them", 1, 4, [1, 5]],
  ])("are counted on with %s", (_, kept, attempts, expected) => {
    const numbers = Array.from({ length: kept + 1 }, (_, index) =>
      attemptNumber(index, kept, attempts),
    );
    expect(numbers).toEqual(expected);
  });
});

describe("an outcome", () => {
  const failed = { at: 7, reason: "server", detail: "HTTP 500" } as const;

  test.each<readonly [string, Outcome, readonly Attempt[]]>([
    ["delivered is no failure", { kind: "delivered", at: 7, sent: "{}", answer: "HTTP 200" }, []],
    [
      "to be tried again is an attempt, with how long it took",
      { kind: "retry", ...failed, notBefore: 9, counted: true, tookMs: 120 },
      [{ ...failed, tookMs: 120 }],
    ],
    [
      "that a rate limit ended is one as well, which counts for nothing",
      { kind: "retry", ...failed, reason: "throttled", notBefore: 9, counted: false },
      [{ ...failed, reason: "throttled", tookMs: null }],
    ],
    [
      "refused for good is an attempt",
      { kind: "dead", ...failed, counted: true },
      [{ ...failed, tookMs: null }],
    ],
    [
      "given up for its age is none: nothing was sent",
      { kind: "dead", ...failed, reason: "expired", counted: false },
      [],
    ],
  ])("%s", (_, outcome, attempts) => {
    expect(attemptsOf(outcome)).toEqual(attempts);
  });
});
