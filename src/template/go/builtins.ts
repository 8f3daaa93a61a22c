import { equal, less, lessOrEqual, type Show } from "./compare.ts";
import { GoCallError } from "./error.ts";
import { escapeHtml, escapeJs, escapeUrlQuery } from "./escapers.ts";
import { sprint, sprintf, sprintln } from "./format.ts";
import type { Printer } from "./print.ts";
import { PLAIN } from "./spec.ts";
import { printable } from "./printable.ts";
import {
  canBeNil,
  indirect,
  indirectInterface,
  isTrue,
  itemAt,
  items,
  lengthOf,
} from "./reflect.ts";
import {
  ANY,
  boolOf,
  intOf,
  isInt,
  isUint,
  type Maybe,
  type Raw,
  STRING,
  stringOf,
  type Type,
  Value,
  zeroOf,
} from "./types.ts";
import type { Bytes } from "./bytes.ts";

/** Takes a value as it is, none at all too. */
export const REFLECT_VALUE: Type = { kind: "struct", name: "reflect.Value", defined: true };

export interface Builtin {
  readonly params: readonly Type[];
  /** Of any further arguments. */
  readonly rest: Type | null;
  call(args: readonly Maybe[], printer: Printer): Maybe;
}

const V = REFLECT_VALUE;

const at = (args: readonly Maybe[], index: number): Maybe => args[index] ?? null;

/** What the escapers escape: a string as it is, anything else as it prints. */
function joined(args: readonly Maybe[], printer: Printer): Bytes {
  const [first] = args;
  if (args.length === 1 && first !== undefined) {
    const only = indirectInterface(first);
    if (only?.type === STRING) return only.raw as Bytes;
  }
  return sprint(
    printer,
    args.map((arg) => {
      const value = indirectInterface(arg);
      return (
        printable(value === null ? null : new Value(value.type, value.raw)) ??
        stringOf("<no value>")
      );
    }),
  );
}

function indexArg(index: Maybe, capacity: number): number {
  if (index === null) throw new GoCallError("cannot index slice/array with nil");
  if (!isInt(index.type.kind) && !isUint(index.type.kind))
    throw new GoCallError(`cannot index slice/array with type ${index.type.name}`);
  const x = index.raw as bigint;
  if (x < 0n || x > BigInt(capacity)) throw new GoCallError(`index out of range: ${x}`);
  return Number(x);
}

function indexOne(from: Maybe, key: Maybe): Maybe {
  const [item, nil] = indirect(from);
  if (nil || item === null) throw new GoCallError("index of nil pointer");
  const { type, raw } = item;
  const kind: string = type.kind;
  switch (kind) {
    case "slice":
    case "string": {
      const length = lengthOf(item) ?? 0;
      const x = indexArg(key, length);
      if (x >= length) throw new GoCallError(outOfRange(item));
      return itemAt(item, x);
    }
    case "map": {
      if (key === null) throw new GoCallError("value is nil; should be of type string");
      if (key.type !== STRING)
        throw new GoCallError(`value has type ${key.type.name}; should be string`);
      const elem = type.elem ?? STRING;
      const held = (raw as ReadonlyMap<Bytes, Raw> | null)?.get(key.raw as Bytes);
      return new Value(elem, held ?? zeroOf(elem));
    }
    default:
      throw new GoCallError(`can't index item of type ${type.name}`);
  }
}

/** One beyond the end passes the check of the index and fails in reflection. */
const outOfRange = (item: Value): string =>
  `reflect: ${item.type.kind === "string" ? "string" : "slice"} index out of range`;

function index(args: readonly Maybe[]): Maybe {
  let item = indirectInterface(at(args, 0));
  if (item === null) throw new GoCallError("index of untyped nil");
  for (const key of args.slice(1)) item = indexOne(item, indirectInterface(key));
  return item;
}

function slice(args: readonly Maybe[]): Maybe {
  const [first, ...indexes] = args;
  const from = indirectInterface(first ?? null);
  if (from === null) throw new GoCallError("slice of untyped nil");
  const [item, nil] = indirect(from);
  if (nil || item === null) throw new GoCallError("slice of nil pointer");
  if (indexes.length > 3) throw new GoCallError(`too many slice indexes: ${indexes.length}`);
  const isString = item.type.kind === "string";
  if (isString && indexes.length === 3) throw new GoCallError("cannot 3-index slice a string");
  if (!isString && item.type.kind !== "slice")
    throw new GoCallError(`can't slice item of type ${item.type.name}`);
  const length = lengthOf(item) ?? 0;
  const [low = 0, high = length, most] = indexes.map((arg) => indexArg(arg, length));
  if (low > high) throw new GoCallError(`invalid slice index: ${low} > ${high}`);
  if (most !== undefined && high > most)
    throw new GoCallError(`invalid slice index: ${high} > ${most}`);
  if (isString) return new Value(item.type, (item.raw as Bytes).slice(low, high));
  return new Value(item.type, item.raw === null ? null : items(item).slice(low, high));
}

function length(args: readonly Maybe[]): Maybe {
  const [item, nil] = indirect(at(args, 0));
  if (nil) throw new GoCallError("len of nil pointer");
  // Go asks an invalid value for its type, which panics.
  if (item === null) throw new GoCallError("reflect: call of reflect.Value.Type on zero Value");
  const size = lengthOf(item);
  if (size === null) throw new GoCallError(`len of type ${item.type.name}`);
  return intOf(size);
}

const text =
  (make: (args: readonly Maybe[], printer: Printer) => Bytes): Builtin["call"] =>
  (args, printer) =>
    stringOf(make(args, printer));

const truth =
  (decide: (args: readonly Maybe[], show: Show) => boolean): Builtin["call"] =>
  (args, printer) =>
    boolOf(decide(args, (value, verb) => printer.argument(value, verb, PLAIN)));

const never: Builtin["call"] = () => {
  throw new GoCallError("unreachable");
};

const pair = (decide: (a: Maybe, b: Maybe, show: Show) => boolean): Builtin => ({
  params: [V, V],
  rest: null,
  call: truth((args, show) => decide(at(args, 0), at(args, 1), show)),
});

export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  // These two are evaluated by who calls them, as far as they need to be.
  ["and", { params: [V], rest: V, call: never }],
  ["or", { params: [V], rest: V, call: never }],
  ["call", { params: [V], rest: V, call: never }],
  [
    "html",
    { params: [], rest: ANY, call: text((args, printer) => escapeHtml(joined(args, printer))) },
  ],
  ["index", { params: [V], rest: V, call: index }],
  ["slice", { params: [V], rest: V, call: slice }],
  ["js", { params: [], rest: ANY, call: text((args, printer) => escapeJs(joined(args, printer))) }],
  ["len", { params: [V], rest: null, call: length }],
  [
    "not",
    { params: [V], rest: null, call: truth((args) => !isTrue(indirectInterface(at(args, 0)))) },
  ],
  ["print", { params: [], rest: ANY, call: text((args, printer) => sprint(printer, args)) }],
  [
    "printf",
    {
      params: [STRING],
      rest: ANY,
      call: text(([format, ...args], printer) => sprintf(printer, format?.raw as Bytes, args)),
    },
  ],
  ["println", { params: [], rest: ANY, call: text((args, printer) => sprintln(printer, args)) }],
  [
    "urlquery",
    { params: [], rest: ANY, call: text((args, printer) => escapeUrlQuery(joined(args, printer))) },
  ],
  [
    "eq",
    {
      params: [V],
      rest: V,
      call: truth(([first, ...rest], show) => equal(first ?? null, rest, show)),
    },
  ],
  ["ne", pair((a, b, show) => !equal(a, [b], show))],
  ["lt", pair(less)],
  ["le", pair(lessOrEqual)],
  ["gt", pair((a, b, show) => !lessOrEqual(a, b, show))],
  ["ge", pair((a, b) => !less(a, b))],
]);

export const nilable = (type: Type): boolean => type === REFLECT_VALUE || canBeNil(type);

/** `call`: an Event has no field or result that is a function. */
export function callFunction(name: Bytes, callee: Maybe): never {
  const value = indirectInterface(callee);
  if (value === null) throw new GoCallError("call of nil");
  throw new GoCallError(`non-function ${name} of type ${value.type.name}`);
}
