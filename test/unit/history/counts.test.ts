import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { Additions, holds, pack, unpack } from "../../../src/history/sqlite/counts.ts";

const numbers = fc.oneof(
  fc.nat(200),
  fc.nat(2 ** 31),
  fc.constantFrom(0, 127, 128, 16_383, 2 ** 40),
);
const counted = fc.array(fc.tuple(numbers, numbers)).map((all) => new Map(all));

function read(packed: Uint8Array): Map<number, number> {
  const all = new Map<number, number>();
  unpack(packed, (of, n) => void all.set(of, n));
  return all;
}

describe("counts of one span of time", () => {
  test("come back as they were put away, in two bytes for what is small", () => {
    fc.assert(
      fc.property(counted, (counts) => {
        expect(read(pack(counts))).toEqual(counts);
      }),
    );
    expect(pack(new Map([[3, 7]]))).toHaveLength(2);
  });

  test("are looked at no further than somebody wants to know", () => {
    const seen: number[] = [];
    const packed = pack(new Map([1, 2, 3, 4].map((of) => [of, 1])));
    unpack(packed, (of) => seen.push(of) === 2);
    expect(seen).toEqual([1, 2]);
  });

  test("say which classes are in them", () => {
    fc.assert(
      fc.property(counted, fc.uniqueArray(numbers), (counts, some) => {
        const wanted = new Set(some);
        expect(holds(pack(counts), wanted)).toBe([...counts.keys()].some((of) => wanted.has(of)));
        expect(holds(pack(counts), null)).toBe(counts.size > 0);
      }),
    );
  });
});

describe("counts in the index", () => {
  function anIndex() {
    const db = new DatabaseSync(":memory:");
    onTestFinished(() => db.close());
    for (const span of ["minute", "hour"])
      db.exec(`CREATE TABLE ${span} (bucket INTEGER PRIMARY KEY, counts BLOB NOT NULL)`);
    const kept = (span: string) =>
      db
        .prepare(`SELECT bucket, counts FROM ${span} ORDER BY bucket`)
        .all()
        .map(({ bucket, counts }) => [bucket, Object.fromEntries(read(counts as Uint8Array))]);
    return { additions: new Additions(db), kept };
  }

  test("are added up over batches, each span by itself", () => {
    const { additions, kept } = anIndex();
    additions.add("minute", 60, 1, 2);
    additions.add("minute", 60, 1, 3);
    additions.add("minute", 61, 300, 1);
    additions.add("hour", 1, 1, 5);
    expect(kept("minute")).toEqual([]);
    additions.write();
    additions.add("minute", 60, 2, 1);
    additions.add("minute", 60, 1, 1);
    additions.write();
    additions.write();
    expect(kept("minute")).toEqual([
      [60, { 1: 6, 2: 1 }],
      [61, { 300: 1 }],
    ]);
    expect(kept("hour")).toEqual([[1, { 1: 5 }]]);
  });

  test("that come to nothing leave nothing behind", () => {
    const { additions, kept } = anIndex();
    additions.add("hour", 1, 7, 2);
    additions.add("hour", 1, 8, 2);
    additions.write();
    additions.add("hour", 1, 7, -2);
    additions.write();
    expect(kept("hour")).toEqual([[1, { 8: 2 }]]);
    additions.add("hour", 1, 8, -2);
    additions.write();
    expect(kept("hour")).toEqual([]);
  });

  test("of a batch that was undone are forgotten", () => {
    const { additions, kept } = anIndex();
    additions.add("hour", 1, 7, 2);
    additions.forget();
    additions.write();
    expect(kept("hour")).toEqual([]);
  });
});
