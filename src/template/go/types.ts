import type { Bytes } from "./bytes.ts";
import type { Complex } from "./literal.ts";
import type { GoTime, Zone } from "./time.ts";

export type Kind =
  | "bool"
  | "int"
  | "int32"
  | "int64"
  | "uint8"
  | "uint64"
  | "float64"
  | "complex128"
  | "string"
  | "struct"
  | "ptr"
  | "slice"
  | "map"
  | "interface";

/** A type of Go as reflection sees it. */
export interface Type {
  readonly kind: Kind;
  /** As Go's errors and `%T` write it: `*v1.Event`. */
  readonly name: string;
  /** Of pointers, slices and maps. */
  readonly elem?: Type;
  readonly fields?: readonly StructField[];
  /** In the method set of a pointer to the type; a method that is not `pointer` in that of the type too. */
  readonly methods?: ReadonlyMap<string, Method>;
  /** Not one of the language's own types. */
  readonly defined?: true;
}

export interface StructField {
  readonly name: string;
  readonly type: Type;
  readonly embedded: boolean;
  readonly exported: boolean;
  /** Its key in JSON. */
  readonly json: string;
}

export interface Method {
  readonly name: string;
  readonly pointer: boolean;
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

/** What a value of a type is here: an object of raw data by field for a struct, `null` for what is nil. */
export type Raw =
  | boolean
  | bigint
  | number
  | Bytes
  | Complex
  | GoTime
  | Zone
  | Pointer
  | Value
  | readonly Raw[]
  | ReadonlyMap<Bytes, Raw>
  | { readonly [field: string]: Raw }
  | null;

/** What a pointer points at. */
export class Pointer {
  readonly to: Raw;

  constructor(to: Raw) {
    this.to = to;
  }
}

/** A typed value. `null` where Go has none at all: `nil` without a type, or what a map does not hold. */
export class Value {
  readonly type: Type;
  readonly raw: Raw;
  /** Reached through a pointer, so that the pointer's methods are its own. */
  readonly addressable: boolean;

  constructor(type: Type, raw: Raw, addressable = false) {
    this.type = type;
    this.raw = raw;
    this.addressable = addressable;
  }
}

export type Maybe = Value | null;

const basic = (kind: Kind, name: string = kind): Type => ({ kind, name });
export const BOOL = basic("bool");
export const INT = basic("int");
export const INT32 = basic("int32");
export const INT64 = basic("int64");
export const UINT8 = basic("uint8");
export const FLOAT64 = basic("float64");
export const COMPLEX128 = basic("complex128");
export const STRING = basic("string");
export const ANY = basic("interface", "interface {}");
export const ERROR = basic("interface", "error");

const pointers = new Map<Type, Type>();

/** One type for each element, so that types compare by identity. */
export function pointerTo(elem: Type): Type {
  let type = pointers.get(elem);
  if (type === undefined) {
    type = { kind: "ptr", name: `*${elem.name}`, elem };
    pointers.set(elem, type);
  }
  return type;
}

export const stringOf = (text: Bytes): Value => new Value(STRING, text);
export const intOf = (n: number | bigint): Value => new Value(INT, BigInt(n));
export const boolOf = (truth: boolean): Value => new Value(BOOL, truth);

export const isInt = (kind: Kind): boolean =>
  kind === "int" || kind === "int32" || kind === "int64";
export const isUint = (kind: Kind): boolean => kind === "uint8" || kind === "uint64";

/** What a value of a type is before it is set. */
export function zeroOf(type: Type): Raw {
  const kind: string = type.kind;
  switch (kind) {
    case "bool":
      return false;
    case "int":
    case "int32":
    case "int64":
    case "uint8":
    case "uint64":
      return 0n;
    case "float64":
      return 0;
    case "complex128":
      return { re: 0, im: 0 };
    case "string":
      return "";
    case "struct":
      if (type.name === "time.Time") return { sec: ZERO_SECONDS, nsec: 0, zone: null };
      return Object.fromEntries(
        (type.fields ?? []).map(({ name, type: of }) => [name, zeroOf(of)]),
      );
    default:
      return null;
  }
}

/** 0001-01-01T00:00:00Z, where Go's zero time is. */
export const ZERO_SECONDS = -62135596800n;
