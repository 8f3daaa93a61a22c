import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cursorOf, highestId, idOf, numberOf, timeOf } from "../../../../src/history/mysql/ids.ts";
import { NOON } from "../../../support/history.ts";

const moments = fc.integer({ min: NOON - 5_000, max: NOON + 5_000 });
/** Also where the ends of the numbers begin anew. */
const seqs = fc.oneof(fc.nat(3_000_000), fc.integer({ min: 2 ** 20 - 3, max: 2 ** 20 + 3 }));

test("the number of an occurrence is of its second, and survives the address of a page", () => {
  fc.assert(
    fc.property(moments, seqs, (at, seq) => {
      const id = idOf(at, seq);
      expect(timeOf(id)).toBe(Math.floor(at / 1_000) * 1_000);
      expect(numberOf(cursorOf(id))).toBe(id);
    }),
  );
});

test("what happened by then has no higher number than said, whatever its place in the ledger", () => {
  fc.assert(
    fc.property(moments, moments, seqs, seqs, seqs, (one, other, ...places) => {
      const [low = 0, seq = 0, high = 0] = places.toSorted((a, b) => a - b);
      const [at, until] = [Math.min(one, other), Math.max(one, other)];
      expect(idOf(at, seq)).toBeLessThanOrEqual(highestId(until, high, low));
    }),
    { numRuns: 500 },
  );
  // As low as can be: what is above it need not wait.
  expect(highestId(NOON, 700, 3)).toBe(idOf(NOON, 700));
});
