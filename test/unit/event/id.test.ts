import { randomUUID } from "node:crypto";
import { assert, nat, property } from "fast-check";
import { expect, it } from "vitest";
import { orderedId } from "../../../src/event/id.ts";

it("an id has the form of RFC 9562, A.6", () => {
  const example = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
  const random = "ffffffff-ffff-4cc3-98c4-dc0c0c07398f";
  expect(orderedId(Date.parse("2022-02-22T19:22:22.000Z"), random)).toBe(example);
});

it("what is made later stands later", () => {
  assert(
    property(nat(2 ** 41), nat(2 ** 20), (at, later) => {
      const [first, second] = [
        orderedId(at, randomUUID()),
        orderedId(at + 1 + later, randomUUID()),
      ];
      expect(first < second).toBe(true);
      expect(first).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }),
  );
});

it("ids of one moment differ", () => {
  const ids = Array.from({ length: 1_000 }, () => orderedId(5, randomUUID()));
  expect(new Set(ids).size).toBe(1_000);
});

it("a clock that is off makes ids all the same", () => {
  expect(orderedId(-5, "ffffffff-ffff-4cc3-98c4-dc0c0c07398f")).toMatch(/^00000000-0000-7/);
  expect(orderedId(1.5, "ffffffff-ffff-4cc3-98c4-dc0c0c07398f")).toMatch(/^00000000-0001-7/);
});
