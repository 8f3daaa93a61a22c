import { addressOf, indirect, methodOf } from "./reflect.ts";
import { type Maybe, Value } from "./types.ts";

const hasWords = (value: Value): boolean => {
  const method = methodOf(value, "String");
  return method !== undefined && method.params.length === 0;
};

/** What is printed for a value: what a pointer points at, or the value's address where only a pointer has words for itself. */
export function printable(value: Maybe): Maybe {
  const shown = value?.type.kind === "ptr" ? indirect(value)[0] : value;
  if (shown === null || hasWords(new Value(shown.type, shown.raw))) return shown;
  return shown.addressable && hasWords(shown) ? addressOf(shown) : shown;
}
