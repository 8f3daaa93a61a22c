import { describe, expect, it } from "vitest";
import { type Layer, mergeLayers, PathSet, pathText, valueAt } from "../../../src/config/tree.ts";

function layer(name: string, value: Record<string, unknown>): Layer {
  return {
    value,
    where: () => name,
    label: pathText,
    hidden: () => false,
    broken: () => false,
    literalsAreSeen: false,
  };
}

describe("mergeLayers", () => {
  const tree = mergeLayers([
    layer("one", { a: 1, map: { x: 1, y: [1, 2] }, sinks: { s: { type: "a" } } }),
    layer("two", { b: 2, map: { y: [3], z: { deep: true } }, sinks: { t: {}, s: { more: 1 } } }),
    layer("three", { a: 3, map: { z: "flat" } }),
  ]);

  it("takes the later, key by key in maps, whole in lists", () => {
    expect(tree.value).toEqual({
      a: 3,
      b: 2,
      map: { x: 1, y: [3], z: "flat" },
      sinks: { s: { type: "a", more: 1 }, t: {} },
    });
  });

  it("knows who said what", () => {
    const whose = (...path: string[]) => tree.layerOf(path)?.where(path, "key");
    expect(whose("a")).toBe("three");
    expect(whose("b")).toBe("two");
    expect(whose("map", "x")).toBe("one");
    expect(whose("map", "y")).toBe("two");
    expect(whose("map", "y", "0")).toBe("two");
    expect(whose("map", "z")).toBe("three");
    expect(whose("sinks", "t", "type")).toBe("two");
    expect(whose("map", "missing")).toBe("one");
  });

  it("notices sinks that are defined twice", () => {
    expect(tree.collisions).toHaveLength(1);
    expect(tree.collisions[0]).toMatchObject({ name: "s" });
    expect(tree.collisions[0]?.layers.map((one) => one.where([], "key"))).toEqual(["one", "two"]);
  });

  it("of nothing is nothing", () => {
    expect(mergeLayers([]).value).toEqual({});
    expect(mergeLayers([]).layerOf(["a"])).toBeNull();
  });

  it("does not let a file touch prototypes", () => {
    const value = JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>;
    const merged = mergeLayers([layer("one", { a: 1 }), layer("two", value)]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(merged.value["polluted"]).toBeUndefined();
    expect(Object.keys(merged.value)).toEqual(["a", "__proto__"]);
  });
});

describe("valueAt", () => {
  const value = { a: [{ b: 1 }], c: null };

  it("walks maps and lists", () => {
    expect(valueAt(value, ["a", 0, "b"])).toBe(1);
    expect(valueAt(value, [])).toBe(value);
  });

  it("has no value where there is none, inherited names included", () => {
    for (const path of [["a", 1], ["x"], ["c", "d"], ["a", 0, "b", "c"], ["toString"]])
      expect(valueAt(value, path)).toBeUndefined();
  });
});

describe("paths", () => {
  it("read as people write them", () => {
    expect(pathText(["sources", 1, "kubernetes", "namespaces", 0])).toBe(
      "sources[1].kubernetes.namespaces[0]",
    );
    expect(pathText([])).toBe("");
  });

  it("in a set stand for all that lies below", () => {
    const set = new PathSet();
    set.add(["a", "b"]);
    expect(
      [["a", "b"], ["a", "b", "c"], ["a"], ["a", "bc"], ["a.b"]].map((p) => set.has(p)),
    ).toEqual([true, true, false, false, false]);
  });
});
