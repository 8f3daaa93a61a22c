import { suggestion } from "../../config/nearest.ts";
import { goodFunction } from "./state.ts";
import type { StructField, Type } from "./types.ts";

/** What a field that a type does not have may have been meant to be. */
export function fieldHint(type: Type, name: string): string | null {
  const owner = type.kind === "ptr" && type.elem !== undefined ? type.elem : type;
  const fields = fieldsOf(owner);
  if (fields.length === 0) return null;
  // `.metadata.name` is how YAML has it.
  const inYaml = fields.find(({ json }) => json === name)?.name;
  if (inYaml !== undefined) return `did you mean "${inYaml}"?`;
  const methods = [...(owner.methods?.values() ?? [])]
    .filter((method) => goodFunction(method) === null)
    .map((method) => method.name);
  const own = (owner.fields ?? []).map((field) => field.name);
  const near = suggestion(name, [...fields.map((field) => field.name), ...methods], "");
  return near.startsWith("did you mean") ? near : `fields there are: ${own.join(", ")}`;
}

/** A struct's fields, and those of the structs embedded in it. */
function fieldsOf(type: Type): readonly StructField[] {
  const own = (type.fields ?? []).filter(({ exported }) => exported);
  return [...own, ...own.flatMap((field) => (field.embedded ? fieldsOf(field.type) : []))];
}
