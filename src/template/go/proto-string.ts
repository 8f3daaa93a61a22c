import type { Bytes } from "./bytes.ts";
import { entries } from "./reflect.ts";
import { type Pointer, type Raw, type StructField, type Type, Value } from "./types.ts";

type Fields = Readonly<Record<string, Raw>>;
type Print = (value: Value) => Bytes;

/** The order in which the generated String() of the API's types names fields, where it is not that of the struct. */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  "v1.OwnerReference": ["Kind", "Name", "UID", "APIVersion", "Controller", "BlockOwnerDeletion"],
};

/** What the generated code of the API's types answers to String(): `&ObjectReference{Kind:Pod,…}`. */
export function protoString(type: Type, self: Fields, print: Print): Bytes {
  const fields = (type.fields ?? []).filter(({ name }) => name !== "TypeMeta");
  const order = ORDER[type.name];
  const ordered =
    order === undefined
      ? fields
      : order.flatMap((name) => fields.filter((field) => field.name === name));
  const parts = ordered.map(
    (field) => `${field.name}:${fieldString(field, self[field.name] ?? null, print)},`,
  );
  return `&${type.name.replace("v1.", "")}{${parts.join("")}}`;
}

function fieldString({ name, type }: StructField, raw: Raw, print: Print): Bytes {
  const words = (): Bytes => print(new Value(type, raw));
  const kind: string = type.kind;
  switch (kind) {
    case "struct":
      if (name === "ObjectMeta")
        return words().replace("ObjectMeta", "v1.ObjectMeta").replace("&", "");
      // Times print themselves; the others are written without being pointed at.
      return type.name.endsWith("Time")
        ? words()
        : protoString(type, raw as Fields, print).slice(1);
    case "ptr":
      return pointerString(type, raw as Pointer | null, words, print);
    case "map":
      return `map[string]string{${entries(new Value(type, raw))
        .map(([key, value]) => `${key}: ${value as Bytes},`)
        .join("")}}`;
    case "slice": {
      const { elem } = type;
      if (elem?.kind !== "struct") return words();
      const items = ((raw ?? []) as readonly Raw[]).map(
        (item) => `${protoString(elem, item as Fields, print).slice(1)},`,
      );
      return `[]${elem.name.replace("v1.", "")}{${items.join("")}}`;
    }
    default:
      return words();
  }
}

function pointerString(type: Type, raw: Pointer | null, words: () => Bytes, print: Print): Bytes {
  const { elem } = type;
  if (elem === undefined) return "nil";
  if (elem.name === "v1.Time" || elem.name === "v1.FieldsV1") return words();
  if (raw === null) return "nil";
  if (elem.kind === "struct") return protoString(elem, raw.to as Fields, print);
  return `*${print(new Value(elem, raw.to))}`;
}
