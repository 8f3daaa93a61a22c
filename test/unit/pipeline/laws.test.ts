import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FilterSpec } from "../../../src/config/config.ts";
import { compileFilter } from "../../../src/pipeline/filter.ts";
import { anyOf, compilePattern, splitPatterns } from "../../../src/pipeline/matcher.ts";
import { createRouter } from "../../../src/pipeline/route.ts";
import { anEvent } from "../../support/events.ts";

/** What whoever writes a filter may rely on, whatever the patterns are. */
const word = fc.constantFrom("shop", "bank", "web-0", "BackOff", "OOMKilling", "Pod", "_cluster");
const pattern = fc.oneof(
  word,
  word.map((text) => `${text.slice(0, 2)}*`),
  word.map((text) => `?${text.slice(1)}`),
  word.map((text) => `/${text.slice(1, 3)}/`),
  word.map((text) => `/^${text}$/i`),
);
const patterns = fc.array(pattern, { maxLength: 3 });
const lists = fc.record({
  namespaces: patterns,
  kinds: patterns,
  reasons: patterns,
  names: patterns,
  messages: patterns,
});
const spec: fc.Arbitrary<FilterSpec> = fc
  .tuple(fc.constantFrom("Normal" as const, "Warning" as const), lists, lists)
  .map(([level, include, exclude]) => ({ level, ...include, exclude }));
const event = fc
  .record({
    type: fc.constantFrom("Normal", "Warning", "Odd"),
    reason: fc.oneof(word, fc.string()),
    message: fc.oneof(word, fc.string()),
    object: fc.record({
      namespace: fc.option(fc.constantFrom("shop", "bank", "kube-system")),
      kind: fc.constantFrom("Pod", "Node"),
      name: fc.oneof(word, fc.string({ minLength: 1 })),
    }),
  })
  .map((changes) => anEvent(changes));
const DIMENSIONS = ["namespaces", "kinds", "reasons", "names", "messages"] as const;
const dimension = fc.constantFrom(...DIMENSIONS);
const EMPTY = { namespaces: [], kinds: [], reasons: [], names: [], messages: [] };
const passes = (of: FilterSpec, what: ReturnType<typeof anEvent>) => compileFilter(of)(what);

describe("a filter", () => {
  test("lets everything pass when nothing is asked of it", () => {
    const open = { level: "Normal", ...EMPTY, exclude: EMPTY } as FilterSpec;
    fc.assert(
      fc.property(event, (one) => {
        expect(passes(open, one)).toBe(true);
      }),
    );
  });

  test("lets no more pass for one more exclusion, and exactly what it excludes less", () => {
    fc.assert(
      fc.property(spec, dimension, pattern, event, (of, where, more, one) => {
        const exclude = { ...of.exclude, [where]: [...of.exclude[where], more] };
        const alone = { ...of, exclude: { ...EMPTY, [where]: [more] }, level: "Normal", ...EMPTY };
        const named = !passes(alone as FilterSpec, one);
        expect(passes({ ...of, exclude }, one)).toBe(passes(of, one) && !named);
      }),
    );
  });

  test("drops nothing that passed for one more alternative in a list", () => {
    fc.assert(
      fc.property(spec, dimension, pattern, event, (of, where, more, one) => {
        const wider = { ...of, [where]: [...of[where], more] };
        const narrows = of[where].length === 0;
        expect(narrows || !passes(of, one) || passes(wider, one)).toBe(true);
      }),
    );
  });

  test("is all of its lists together, each by itself", () => {
    fc.assert(
      fc.property(spec, event, (of, one) => {
        const open = { level: "Normal", ...EMPTY, exclude: EMPTY } as FilterSpec;
        const parts = [
          { ...open, level: of.level },
          ...DIMENSIONS.map((where) => ({ ...open, [where]: of[where] })),
          ...DIMENSIONS.map((where) => ({
            ...open,
            exclude: { ...EMPTY, [where]: of.exclude[where] },
          })),
        ];
        expect(passes(of, one)).toBe(parts.every((part) => passes(part, one)));
      }),
    );
  });

  test("does not care about the order of its patterns, nor about one that is there twice", () => {
    fc.assert(
      fc.property(spec, event, (of, one) => {
        const turn = (list: readonly string[]) => [...list, ...list].toReversed();
        const turned = Object.fromEntries(DIMENSIONS.map((where) => [where, turn(of[where])]));
        expect(passes({ ...of, ...turned }, one)).toBe(passes(of, one));
      }),
    );
  });

  test("for warnings passes whatever is not Normal", () => {
    const warnings = { level: "Warning", ...EMPTY, exclude: EMPTY } as FilterSpec;
    fc.assert(
      fc.property(event, (one) => {
        expect(passes(warnings, one)).toBe(one.type !== "Normal");
      }),
    );
  });
});

describe("a list of patterns", () => {
  test("matches where any one of them does", () => {
    fc.assert(
      fc.property(patterns, fc.oneof(word, fc.string()), (all, text) => {
        expect(anyOf(all)(text)).toBe(all.some((one) => compilePattern(one)(text)));
      }),
    );
  });

  test("is read from one text as it was written, blanks around commas or not", () => {
    fc.assert(
      fc.property(patterns, fc.constantFrom(",", ", ", " , "), (all, comma) => {
        expect(splitPatterns(all.join(comma))).toEqual(all);
      }),
    );
  });
});

describe("the router", () => {
  test("owes an event to exactly the sinks whose filter it passes, in their order, or says why to none", () => {
    fc.assert(
      fc.property(spec, fc.array(spec, { maxLength: 4 }), event, (global, sinks, one) => {
        const named = sinks.map((of, n) => ({ name: `s${n}`, matches: compileFilter(of) }));
        const wanted = named.filter(({ matches }) => matches(one)).map(({ name }) => name);
        const none = wanted.length === 0 ? "noSink" : null;
        const reason = passes(global, one) ? none : "globalFilter";
        expect(createRouter(compileFilter(global), named)(one)).toEqual(
          reason === null ? { kind: "owed", sinks: wanted } : { kind: "drop", reason },
        );
      }),
    );
  });
});
