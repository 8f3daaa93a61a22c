import { array, assert, maxSafeNat, nat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { eachPacked, packed, unpacked } from "../../../src/history/varints.ts";

describe("numbers in few bytes", () => {
  test("are the same when they are read again, whatever their size", () => {
    assert(
      property(array(maxSafeNat()), (numbers) => {
        expect(unpacked(packed(numbers))).toEqual(numbers);
      }),
    );
  });

  // The examples that the DWARF standard gives of an unsigned LEB128, and Wikipedia's.
  test.each([
    [
      [2, 127],
      [2, 127],
    ],
    [[128], [0x80, 1]],
    [
      [129, 12_857],
      [0x81, 1, 0xb9, 0x64],
    ],
    [[624_485], [0xe5, 0x8e, 0x26]],
  ])("%j are LEB128", (numbers, bytes) => {
    expect([...packed(numbers)]).toEqual(bytes);
    expect(unpacked(Uint8Array.from(bytes))).toEqual(numbers);
  });

  test("are read no further than somebody wants to know", () => {
    assert(
      property(array(maxSafeNat(), { minLength: 1 }), nat(), (numbers, from) => {
        const last = from % numbers.length;
        const seen: number[] = [];
        eachPacked(packed(numbers), (one) => seen.push(one) > last);
        expect(seen).toEqual(numbers.slice(0, last + 1));
      }),
    );
  });
});
