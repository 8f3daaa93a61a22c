import { nameShown } from "./shown.ts";

/** Where something stands in the configuration: keys of maps, positions in lists. */
export type Path = readonly (string | number)[];

/** One input of the configuration, before anything is known about its meaning. */
export interface Layer {
  /** Plain data, with secrets filled in. */
  readonly value: Readonly<Record<string, unknown>>;
  /** `ops.yaml:4:13` or `--sink #2`; of the key itself, or of its value. The nearest ancestor answers for what is absent. */
  where(path: Path, at: "key" | "value"): string;
  /** What the user calls it: `sinks.oncall.filter.level`, or the parameter `level` of a URI; empty where `where` says it all. */
  label(path: Path): string;
  /** Whether the value came from the environment or a file, and so is not to be printed. */
  hidden(path: Path): boolean;
  /** Whether the value could not be had, which has been said already: nothing more is to be said about it. */
  broken(path: Path): boolean;
  /** Whether secrets written here in full deserve a warning: files are kept and shared, flags are kube-eventer's way. */
  readonly literalsAreSeen: boolean;
}

/** All layers as one: the later wins, key by key in maps, whole in lists. */
export interface Tree {
  readonly value: Readonly<Record<string, unknown>>;
  layerOf(path: Path): Layer | null;
  /** Sinks that more than one layer defines: the first place and the second. */
  readonly collisions: readonly {
    readonly name: string;
    readonly layers: readonly [Layer, Layer];
  }[];
}

export function mergeLayers(layers: readonly Layer[]): Tree {
  const owners = new Map<string, Layer>();
  const collisions: { name: string; layers: readonly [Layer, Layer] }[] = [];

  function merge(below: unknown, above: unknown, layer: Layer, path: Path): unknown {
    if (!isMap(below) || !owners.has(keyOf(path))) owners.set(keyOf(path), layer);
    if (!isMap(above)) {
      owners.set(keyOf(path), layer);
      return above;
    }
    const result = new Map<string, unknown>(isMap(below) ? Object.entries(below) : []);
    for (const [key, value] of Object.entries(above)) {
      const here = [...path, key];
      const first = owners.get(keyOf(here));
      if (path.length === 1 && path[0] === "sinks" && first !== undefined)
        collisions.push({ name: key, layers: [first, layer] });
      result.set(key, merge(result.get(key), value, layer, here));
    }
    return Object.fromEntries(result);
  }

  let value: unknown = {};
  for (const layer of layers) value = merge(value, layer.value, layer, []);
  return {
    value: isMap(value) ? value : {},
    collisions,
    layerOf: (path) => {
      for (let length = path.length; length > 0; length -= 1) {
        const owner = owners.get(keyOf(path.slice(0, length)));
        if (owner !== undefined) return owner;
      }
      return null;
    },
  };
}

/** `sources[1].kubernetes.namespaces[0]`, for messages. */
export function pathText(path: Path): string {
  return path
    .map((key, index) =>
      typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${nameShown(key)}`,
    )
    .join("");
}

/** The value at a path; `undefined` where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const key of path) {
    if (Array.isArray(current)) current = current[Number(key)] as unknown;
    else if (isMap(current) && Object.hasOwn(current, key)) current = current[key];
    else return undefined;
  }
  return current;
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keyOf(path: Path): string {
  return JSON.stringify(path.map(String));
}

/** A set of paths that contains all that lies below them. */
export class PathSet {
  readonly #keys = new Set<string>();

  add(path: Path): void {
    this.#keys.add(keyOf(path));
  }

  has(path: Path): boolean {
    return path.some((_, index) => this.#keys.has(keyOf(path.slice(0, index + 1))));
  }
}
