import { GoCallError } from "./error.ts";
import type { Complex } from "./literal.ts";
import { indirectInterface, isNil } from "./reflect.ts";
import { isInt, isUint, type Kind, type Maybe, Pointer, type Raw, type Type } from "./types.ts";

/** `eq`, `ne`, `lt`, `le`, `gt` and `ge`. */

type Basic = "bool" | "complex" | "int" | "float" | "string" | "uint";

const BAD_TYPE = "invalid type for comparison";

function basicOf(value: Maybe): Basic | null {
  const kind: Kind | undefined = value?.type.kind;
  if (kind === undefined) return null;
  if (isInt(kind)) return "int";
  if (isUint(kind)) return "uint";
  if (kind === "bool" || kind === "string") return kind;
  if (kind === "float64") return "float";
  return kind === "complex128" ? "complex" : null;
}

const isNumberPair = (a: Basic | null, b: Basic | null): boolean =>
  (a === "int" && b === "uint") || (a === "uint" && b === "int");

const nilOrNone = (value: Maybe): boolean => value === null || isNil(value);

/** How an error prints a value, by a verb. */
export type Show = (value: Maybe, verb: "s" | "v") => string;

export function equal(first: Maybe, rest: readonly Maybe[], show: Show): boolean {
  if (rest.length === 0) throw new GoCallError("missing argument for comparison");
  const a = indirectInterface(first);
  return rest.some((arg) => equalPair(a, indirectInterface(arg), show));
}

function equalPair(a: Maybe, b: Maybe, show: Show): boolean {
  const [x, y] = [basicOf(a), basicOf(b)];
  if (x !== y) {
    if (isNumberPair(x, y)) return a?.raw === b?.raw;
    if (a !== null && b !== null)
      throw new GoCallError(`incompatible types for comparison: ${a.type.name} and ${b.type.name}`);
    return false;
  }
  if (x === "complex") {
    const [p, q] = [a?.raw as Complex, b?.raw as Complex];
    return p.re === q.re && p.im === q.im;
  }
  if (x !== null) return a?.raw === b?.raw;
  if (a !== null && b !== null && a.type.kind !== b.type.kind)
    throw new GoCallError(
      `non-comparable types ${show(a, "s")}: ${a.type.name}, ${b.type.name}: ${show(b, "v")}`,
    );
  if (nilOrNone(a) || nilOrNone(b)) return nilOrNone(a) === nilOrNone(b);
  if (a === null || b === null) return false;
  if (!comparable(b.type))
    throw new GoCallError(`non-comparable type ${show(b, "s")}: ${b.type.name}`);
  return a.type === b.type && sameRaw(a.type, a.raw, b.raw);
}

const comparable = (type: Type): boolean =>
  type.kind !== "slice" &&
  type.kind !== "map" &&
  (type.fields ?? []).every((field) => comparable(field.type));

function sameRaw(type: Type, a: Raw, b: Raw): boolean {
  if (a instanceof Pointer && b instanceof Pointer) return a.to === b.to;
  if (type.kind !== "struct" || a === b) return a === b;
  const [x, y] = [a, b] as Readonly<Record<string, Raw>>[];
  if (type.name === "time.Time")
    return ["sec", "nsec", "zone"].every((key) => x?.[key] === y?.[key]);
  return (type.fields ?? []).every((field) =>
    sameRaw(field.type, x?.[field.name] ?? null, y?.[field.name] ?? null),
  );
}

export function less(first: Maybe, second: Maybe): boolean {
  const [a, b] = [indirectInterface(first), indirectInterface(second)];
  const [x, y] = [basicOf(a), basicOf(b)];
  if (x === null || y === null || a === null || b === null) throw new GoCallError(BAD_TYPE);
  if (x !== y && !isNumberPair(x, y))
    throw new GoCallError(`incompatible types for comparison: ${a.type.name} and ${b.type.name}`);
  if (x === "bool" || x === "complex") throw new GoCallError(BAD_TYPE);
  return (a.raw as bigint) < (b.raw as bigint);
}

export const lessOrEqual = (a: Maybe, b: Maybe, show: Show): boolean =>
  less(a, b) || equal(a, [b], show);
