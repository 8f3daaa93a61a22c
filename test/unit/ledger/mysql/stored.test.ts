import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { text } from "../../../../src/ledger/mysql/literal.ts";
import { storedJson } from "../../../../src/ledger/mysql/stored.ts";
import { anEvent } from "../../../support/events.ts";

/** What servers took in one request when nobody had said otherwise, less what stands around it. */
const REQUEST = 1_048_576 - 4_096;

describe("an event as the tables keep it", () => {
  test("is as it is where it is well-formed, and no book", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 2_000 }), (message) => {
        const event = anEvent({ message });
        expect(JSON.parse(storedJson(event))).toEqual(event);
      }),
    );
  });

  test("is JSON that any server takes, in any script, under the key it has", () => {
    const piece = fc.oneof(
      fc.constantFrom("\u0001", '"', "\\", "镜", "🔥", "\ud800", "\udc00", "\u2028", "\\ud800"),
      fc.string({ unit: "binary", minLength: 1, maxLength: 4 }),
    );
    const long = fc
      .tuple(piece, fc.integer({ min: 0, max: 400_000 }))
      .map(([of, n]) => of.repeat(n));
    fc.assert(
      fc.property(long, long, long, (message, reason, component) => {
        const event = anEvent({ message, reason, reporter: { component } });
        const json = storedJson(event);
        expect(text(json).length).toBeLessThan(REQUEST);
        const read = JSON.parse(json) as typeof event;
        expect(read.key).toBe(event.key);
        expect(read.object).toEqual(event.object);
        expect(json.isWellFormed()).toBe(true);
        expect(read.message.isWellFormed()).toBe(true);
        // Nothing is made up: what is cut begins as it began.
        const begin = read.message.replace(/…$/, "");
        expect(message.toWellFormed().startsWith(begin.slice(0, -1))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test.each([149_000, 150_000, 151_000, 16_384, 1_024])(
    "a message of %i characters is cut no shorter than it has to be",
    (length) => {
      const event = anEvent({ message: "x".repeat(length) });
      const { message } = JSON.parse(storedJson(event)) as typeof event;
      const whole = JSON.stringify(event).length <= 150_000;
      expect(message.length).toBe(whole ? length : 16_384);
      expect(message.endsWith("…")).toBe(!whole);
    },
  );

  test("keeps its labels as long as there is room for them", () => {
    const labels = (n: number) =>
      Object.fromEntries(Array.from({ length: n }, (_, index) => [`l-${index}`, "v".repeat(63)]));
    const some = anEvent({ core: { labels: labels(1_000) } });
    expect(JSON.parse(storedJson(some))).toEqual(some);
    const { core, ...rest } = anEvent({ core: { labels: labels(5_000) } });
    expect(core?.labels).toBeDefined();
    expect(JSON.parse(storedJson({ ...rest, core }))).toEqual(rest);
  });
});
