import { DESCRIBED, type Described } from "./model.ts";
import {
  ANY,
  BOOL,
  ERROR,
  FLOAT64,
  INT,
  INT32,
  INT64,
  type Method,
  pointerTo,
  STRING,
  type StructField,
  type Type,
  UINT8,
} from "./types.ts";

const types = new Map<string, Type>(
  [
    ANY,
    BOOL,
    ERROR,
    FLOAT64,
    INT,
    INT32,
    INT64,
    STRING,
    UINT8,
    { kind: "uint64", name: "uint64" } as const,
  ].map((type) => [type.name, type]),
);

/** The type of a name as Go writes it; a name that is not described is that of an interface nobody can fill. */
export function typeNamed(name: string): Type {
  let type = types.get(name);
  if (type === undefined) types.set(name, (type = makeType(name)));
  return type;
}

function makeType(name: string): Type {
  if (name.startsWith("*")) return pointerTo(typeNamed(name.slice(1)));
  if (name.startsWith("[]")) return { kind: "slice", name, elem: typeNamed(name.slice(2)) };
  if (name.startsWith("map[string]")) return { kind: "map", name, elem: typeNamed(name.slice(11)) };
  return { kind: "interface", name, defined: true };
}

const split = (text: string | undefined): readonly string[] =>
  text === undefined || text === "" ? [] : text.split("; ");

function fieldsOf({ fields, name: owner }: Described): readonly StructField[] {
  return split(fields).map((text) => {
    const [first = "", type = "", json = ""] = text.split(" ");
    const name = first.replace("^", "");
    return {
      name,
      type: typeNamed(type),
      embedded: first !== name,
      exported: !/^time\.(?:Time|Location)$/.test(owner),
      json,
    };
  });
}

const SIGNATURE = /^(\*?)(\w+)\(([^)]*)\)\((.*)\)$/;

function methodsOf({ methods }: Described): ReadonlyMap<string, Method> {
  const list = (text = ""): readonly Type[] =>
    text === "" ? [] : text.split(",").map((name) => typeNamed(name));
  return new Map(
    split(methods).map((text) => {
      const [, pointer, name = "", params, results] = SIGNATURE.exec(text) ?? [];
      const method = {
        name,
        pointer: pointer === "*",
        params: list(params),
        results: list(results),
      };
      return [name, method] as const;
    }),
  );
}

// Types refer to each other, so all exist before any is filled.
const made = DESCRIBED.map((described) => {
  const type: { -readonly [K in keyof Type]: Type[K] } = {
    kind: described.kind,
    name: described.name,
    defined: true,
  };
  types.set(type.name, type);
  return { described, type };
});
for (const { described, type } of made) {
  if (described.fields !== undefined) type.fields = fieldsOf(described);
  type.methods = methodsOf(described);
}

export const EVENT = typeNamed("*v1.Event");
