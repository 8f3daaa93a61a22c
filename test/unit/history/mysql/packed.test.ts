import {
  array,
  assert,
  constantFrom,
  maxSafeNat,
  nat,
  oneof,
  property,
  string,
  uniqueArray,
} from "fast-check";
import { describe, expect, test } from "vitest";
import {
  gramsIn,
  inBoth,
  packedRising,
  unpackedRising,
} from "../../../../src/history/mysql/packed.ts";
import { grams, searched } from "../../../../src/history/words.ts";
import { anEvent } from "../../../support/events.ts";

const rising = uniqueArray(maxSafeNat(), { maxLength: 50 }).map((all) =>
  all.toSorted((a, b) => a - b),
);

describe("rising numbers", () => {
  test("are the same when they are read again", () => {
    assert(
      property(rising, (numbers) => {
        expect(unpackedRising(packedRising(numbers))).toEqual(numbers);
      }),
    );
  });

  test("take few bytes where they are close together", () => {
    expect(packedRising([1_000_000, 1_000_001, 1_000_100])).toHaveLength(5);
  });

  test("what is in both lists is what is in both lists", () => {
    assert(
      property(rising, rising, (some, others) => {
        expect(inBoth(some, others)).toEqual(some.filter((one) => others.includes(one)));
      }),
    );
    expect(inBoth([1, 4, 9], [])).toEqual([]);
    expect(inBoth([1, 4, 9], [0, 4, 8, 9])).toEqual([4, 9]);
  });
});

describe("trigrams of a text", () => {
  test("hold whatever is asked for any part of it, in any script", () => {
    const text = string({ unit: "binary", maxLength: 40 }).map((one) => one.toWellFormed());
    const some = oneof(text, constantFrom("镜像拉取失败", "a镜b", "😀😀😀", "ＦＯＯ bar", "ıİ"));
    assert(
      property(array(some, { maxLength: 6 }), nat(), nat(), (parts, from, length) => {
        const whole = searched(anEvent({ message: parts.join("") }));
        const characters = Array.from(whole);
        const begin = from % characters.length;
        const part = characters.slice(begin, begin + 1 + (length % 12)).join("");
        const there = gramsIn(whole);
        expect(grams([part]).filter((gram) => !there.has(gram))).toEqual([]);
      }),
    );
  });

  test("are few characters each, and none of a text of two", () => {
    expect([...gramsIn("abcd")]).toEqual(["abc", "bcd"]);
    expect([...gramsIn("ab")]).toEqual([]);
    expect([...gramsIn("a😀b")]).toEqual(["a😀b"]);
    for (const gram of gramsIn("镜像 web 失败😀ok"))
      expect(Buffer.byteLength(gram)).toBeLessThanOrEqual(12);
  });
});
