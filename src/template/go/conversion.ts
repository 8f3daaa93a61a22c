import { nilable, REFLECT_VALUE } from "./builtins.ts";
import { type Bytes, quote } from "./bytes.ts";
import { GoTemplateError } from "./error.ts";
import { nodeText, type OperandOf } from "./nodes.ts";
import { addressOf, elemOf } from "./reflect.ts";
import type { Located, Position } from "./state.ts";
import {
  BOOL,
  boolOf,
  COMPLEX128,
  FLOAT64,
  INT,
  isInt,
  isUint,
  type Maybe,
  pointerTo,
  STRING,
  stringOf,
  type Type,
  Value,
} from "./types.ts";

/** Values as what is asked for, and the errors of those that are not. */
export class Conversions {
  /** What an error is said to be at. */
  private node: Located;
  private readonly position: Position;

  protected constructor(position: Position, node: Located) {
    this.position = position;
    this.node = node;
  }

  /** Where the next error is. */
  at(node: Located): void {
    this.node = node;
  }

  fail(message: Bytes, hint: string | null = null): never {
    const place = this.position.place(this.node.at);
    const { file, name } = this.position;
    throw new GoTemplateError(
      `template: ${file}:${place.line}:${place.column - 1}: executing ${quote(name)} at <${nodeText(this.node)}>: ${message}`,
      place,
      hint,
    );
  }

  /** A literal where no type is asked for, or the dot. */
  protected constant(dot: Maybe, word: OperandOf<"bool" | "dot" | "number" | "string">): Maybe {
    switch (word.kind) {
      case "bool":
        return boolOf(word.value);
      case "dot":
        return dot;
      case "string":
        return stringOf(word.text);
      case "number":
        return this.number(word);
    }
  }

  private number(node: OperandOf<"number">): Maybe {
    this.at(node);
    const { complex, float, int } = node.value;
    if (complex !== null) return new Value(COMPLEX128, complex);
    const hexInteger = /^0[xX]./s.test(node.text) && !/[pP]/.test(node.text);
    if (float !== null && !hexInteger && !node.text.startsWith("'") && /[.eEpP]/.test(node.text))
      return new Value(FLOAT64, float);
    if (int !== null) return new Value(INT, int);
    this.fail(`${node.text} overflows int`);
  }

  /** A value as a parameter of a type; `null` is any. */
  protected fitting(value: Maybe, type: Type | null): Maybe {
    if (type === null) return value;
    if (value === null) {
      if (!nilable(type)) this.fail(`invalid value; expected ${type.name}`);
      return type.kind === "interface" || type === REFLECT_VALUE ? null : new Value(type, null);
    }
    const fits = (from: Type): boolean => from.name === type.name || type.name === "interface {}";
    if (type === REFLECT_VALUE || fits(value.type)) return value;
    const held = value.type.kind === "interface" ? elemOf(value) : value;
    if (held === null)
      this.fail(`wrong type for value; expected ${type.name}; got ${value.type.name}`);
    if (fits(held.type)) return held;
    if (held.type.elem !== undefined && held.type.kind === "ptr" && fits(held.type.elem))
      return elemOf(held) ?? this.fail(`dereference of nil pointer of type ${type.name}`);
    if (held.addressable && fits(pointerTo(held.type))) return addressOf(held);
    this.fail(`wrong type for value; expected ${type.name}; got ${held.type.name}`);
  }

  /** A literal as a value of a type. */
  protected literal(dot: Maybe, type: Type, node: OperandOf<"bool" | "number" | "string">): Maybe {
    if (type === REFLECT_VALUE || type.name === "interface {}") return this.constant(dot, node);
    const expected = (what: string): never =>
      this.fail(`expected ${what}; found ${nodeText(node)}`);
    const number = node.kind === "number" ? node.value : null;
    const { kind } = type;
    if (kind === BOOL.kind)
      return new Value(type, node.kind === "bool" ? node.value : expected("bool"));
    if (kind === STRING.kind)
      return new Value(type, node.kind === "string" ? node.text : expected("string"));
    if (isInt(kind)) return new Value(type, number?.int ?? expected("integer"));
    if (isUint(kind)) return new Value(type, number?.uint ?? expected("unsigned integer"));
    this.fail(`can't handle ${nodeText(node)} for arg of type ${type.name}`);
  }
}
