import { type Bytes, fromText } from "./bytes.ts";
import type { GoTime, Zone } from "./time.ts";
import {
  type Kind,
  type Maybe,
  type Method,
  Pointer,
  pointerTo,
  type Raw,
  type StructField,
  type Type,
  UINT8,
  Value,
  zeroOf,
} from "./types.ts";

/** Looking into values as Go's package reflect does. */

const NILABLE: ReadonlySet<Kind> = new Set<Kind>(["ptr", "slice", "map", "interface"]);

export const canBeNil = (type: Type): boolean => NILABLE.has(type.kind);
export const isNil = (value: Value): boolean => NILABLE.has(value.type.kind) && value.raw === null;

/** What a pointer or an interface holds. */
export function elemOf(value: Value): Maybe {
  if (value.type.kind === "interface") return value.raw as Value | null;
  const pointer = value.raw as Pointer | null;
  return pointer === null || value.type.elem === undefined
    ? null
    : new Value(value.type.elem, pointer.to, true);
}

/** Through pointers and interfaces to what they lead to, or the nil on the way. */
export function indirect(value: Maybe): readonly [value: Maybe, isNil: boolean] {
  let at = value;
  while (at !== null && (at.type.kind === "ptr" || at.type.kind === "interface")) {
    if (at.raw === null) return [at, true];
    at = elemOf(at);
  }
  return [at, false];
}

export const indirectInterface = (value: Maybe): Maybe =>
  value?.type.kind === "interface" ? elemOf(value) : value;

export const addressOf = (value: Value): Value =>
  new Value(pointerTo(value.type), new Pointer(value.raw));

/** The method of that name that the value, or the pointer to it, has. */
export function methodOf(value: Value, name: string): Method | undefined {
  const { type } = value;
  if (type.kind === "ptr") return type.elem?.methods?.get(name);
  const method = type.methods?.get(name);
  return method === undefined || (method.pointer && !value.addressable) ? undefined : method;
}

const pathsOf = new WeakMap<Type, Map<string, readonly StructField[] | null>>();

/** The way to a field, through embedded structs: the shallowest wins, two at one depth hide each other. */
export function fieldPath(type: Type, name: string): readonly StructField[] | null {
  let known = pathsOf.get(type);
  if (known === undefined) pathsOf.set(type, (known = new Map()));
  let path = known.get(name);
  if (path === undefined) known.set(name, (path = findField(type, name)));
  return path;
}

function findField(type: Type, name: string): readonly StructField[] | null {
  let level: (readonly StructField[])[] = [[]];
  while (level.length > 0) {
    const found: (readonly StructField[])[] = [];
    const deeper: (readonly StructField[])[] = [];
    for (const path of level) {
      for (const field of path.at(-1)?.type.fields ??
        (path.length === 0 ? type.fields : []) ??
        []) {
        if (field.name === name) found.push([...path, field]);
        if (field.embedded) deeper.push([...path, field]);
      }
    }
    if (found.length > 0) return found.length === 1 ? (found[0] ?? null) : null;
    level = deeper;
  }
  return null;
}

export function fieldOf(value: Value, field: StructField): Value {
  return new Value(field.type, rawField(value, field), value.addressable);
}

function rawField({ type, raw }: Value, { name, type: of }: StructField): Raw {
  if (type.name === "time.Time") return timeField(raw as GoTime, name);
  // Its tables are empty, as those of UTC are.
  if (type.name === "time.Location")
    return name === "name" ? fromText((raw as Zone).name) : zeroOf(of);
  return (raw as { readonly [field: string]: Raw })[name] ?? null;
}

/** time.Time's own fields, which printing its bare struct shows. */
function timeField(time: GoTime, name: string): Raw {
  if (name === "wall") return BigInt(time.nsec);
  if (name === "ext") return time.sec + 62135596800n;
  return time.zone === null ? null : new Pointer(time.zone);
}

export const items = (value: Value): readonly Raw[] => (value.raw ?? []) as readonly Raw[];

/** A map's entries in the order of their keys. */
export function entries(value: Value): readonly (readonly [Bytes, Raw])[] {
  const map = (value.raw ?? new Map()) as ReadonlyMap<Bytes, Raw>;
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

export function lengthOf(value: Value): number | null {
  const kind: string = value.type.kind;
  switch (kind) {
    case "string":
      return (value.raw as Bytes).length;
    case "slice":
      return items(value).length;
    case "map":
      return (value.raw as ReadonlyMap<Bytes, Raw> | null)?.size ?? 0;
    default:
      return null;
  }
}

/** An item of a slice or a byte of a string. */
export function itemAt(value: Value, index: number): Value {
  if (value.type.kind === "string")
    return new Value(UINT8, BigInt((value.raw as Bytes).charCodeAt(index)));
  return new Value(value.type.elem ?? UINT8, items(value)[index] ?? null, true);
}

/** What `if` makes of a value. */
export function isTrue(value: Maybe): boolean {
  if (value === null) return false;
  const { type, raw } = value;
  const kind: string = type.kind;
  switch (kind) {
    case "struct":
      return true;
    case "bool":
      return raw as boolean;
    case "complex128": {
      const { re, im } = raw as { re: number; im: number };
      return re !== 0 || im !== 0;
    }
    case "float64":
      return raw !== 0;
    case "string":
    case "slice":
    case "map":
      return (lengthOf(value) ?? 0) > 0;
    case "ptr":
    case "interface":
      return raw !== null;
    default:
      return raw !== 0n;
  }
}
