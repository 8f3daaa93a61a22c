import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Owed } from "../../../../src/ledger/mysql/script.ts";
import { BEGINNING, positionOf, Window } from "../../../../src/ledger/mysql/window.ts";
import { none } from "../../../support/ledger.ts";

function owed(seq: number, notBefore: number): Owed {
  const alert = { kind: "gap", cluster: "", since: "", until: "", cause: "downtime" } as const;
  const delivery = { id: `d${seq}`, sink: "ops", alert, attempts: 0, owedAt: 0, notBefore };
  return { seq, delivery };
}

const numbers = (found: readonly Owed[]) => found.map(({ seq }) => seq);

describe("what falls due next, in memory", () => {
  test("comes as it falls due, however it was put in; what is under way is left out", () => {
    const window = new Window(new Map());
    for (const [seq, at] of [
      [1, 30],
      [2, 10],
      [3, 20],
      [4, 10],
    ] as const)
      window.offer(owed(seq, at));
    expect(numbers(window.due(25, 10, none))).toEqual([2, 4, 3]);
    expect(numbers(window.due(25, 2, new Set(["d2"])))).toEqual([4, 3]);
    expect(window.dueBy(25)).toBe(3);
    expect(window.nextAt(25)).toBe(30);
    expect(window.nextAt(30)).toBeNull();
  });

  test("keeps the first of very many, and knows that there are more", () => {
    const known = new Map<string, Owed>();
    const window = new Window(known);
    for (let seq = 1; seq <= 100_000; seq += 1) window.offer(owed(seq, seq));
    expect(window.size).toBeLessThanOrEqual(2 * window.limit);
    expect(known.size).toBe(window.size);
    expect(window.horizon).not.toBeNull();
    expect(numbers(window.due(1e9, 3, none))).toEqual([1, 2, 3]);
    // One that falls due within the window belongs to it, and one behind it does not.
    window.offer(owed(200_000, 0));
    expect(numbers(window.due(1e9, 1, none))).toEqual([200_000]);
    const before = window.size;
    window.offer(owed(200_001, 150_000));
    expect(window.size).toBe(before);
  });

  test("takes in what cannot be read later, wherever it stands", () => {
    const window = new Window(new Map());
    window.doubt();
    window.offer(owed(1, 5), true);
    expect(numbers(window.due(5, 10, none))).toEqual([1]);
    window.extend([owed(1, 5), owed(2, 6)], null);
    expect(numbers(window.due(9, 10, none))).toEqual([1, 2]);
  });

  test("whatever happens: all that is pending comes, in its order, and nothing twice", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("add" as const), at: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ kind: fc.constant("settle" as const) }),
      fc.record({ kind: fc.constant("retry" as const), by: fc.integer({ min: 0, max: 60 }) }),
      fc.record({ kind: fc.constant("doubt" as const) }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: 1, max: 7 }),
        (steps, page) => {
          const database = new Map<number, Owed>();
          const window = new Window(new Map());
          const inOrder = () =>
            [...database.values()].toSorted(
              (a, b) => a.delivery.notBefore - b.delivery.notBefore || a.seq - b.seq,
            );
          const read = () => {
            const from = window.horizon ?? BEGINNING;
            const rest = inOrder().filter((one) => {
              const { notBefore, seq } = positionOf(one);
              return notBefore > from.notBefore || (notBefore === from.notBefore && seq > from.seq);
            });
            const found = rest.slice(0, page);
            const last = found.at(-1);
            window.extend(
              found,
              found.length < page || last === undefined ? null : positionOf(last),
            );
          };
          const first = () => {
            while (window.size === 0 && window.horizon !== null) read();
            return window.due(1e9, 1, none)[0];
          };
          let seq = 0;
          for (const one of steps) {
            if (one.kind === "doubt") window.doubt();
            if (one.kind === "add") {
              seq += 1;
              const added = owed(seq, one.at);
              database.set(seq, added);
              window.offer(added);
            }
            if (one.kind === "settle" || one.kind === "retry") {
              const due = first();
              if (due === undefined) continue;
              window.remove(due);
              database.delete(due.seq);
              if (one.kind === "settle") continue;
              const again = owed(due.seq, due.delivery.notBefore + one.by);
              database.set(again.seq, again);
              window.offer(again);
            }
          }
          while (window.horizon !== null) read();
          expect(numbers(window.due(1e9, 1e9, none))).toEqual(numbers(inOrder()));
        },
      ),
    );
  });
});
