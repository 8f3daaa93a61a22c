import type { Bytes } from "./bytes.ts";
import type { Place } from "./error.ts";
import type { Command, List, Node, Operand } from "./nodes.ts";
import type { Maybe, Method } from "./types.ts";

/** What keeps a template from running away: Go has the depth alone. */
export interface Limits {
  /** Templates within templates. */
  readonly depth: number;
  /** Nodes and commands executed, and turns of loops. */
  readonly steps: number;
  /** Bytes of the output, and of one text on the way. */
  readonly text: number;
  /** Bytes of all the texts that functions take and give. */
  readonly handled: number;
}

/** What an error can be at. */
export type Located = Node | List | Operand | Command;

/** Which template is executed, and how places of its text are told. */
export interface Position {
  readonly name: Bytes;
  /** What errors call the text. */
  readonly file: Bytes;
  /** Where a byte of it is. */
  place(at: number): Place;
}

/** The variables in scope, the innermost last. */
export class Variables {
  private readonly stack: { readonly name: Bytes; value: Maybe }[] = [];

  constructor(dot: Maybe) {
    this.push("$", dot);
  }

  push(name: Bytes, value: Maybe): void {
    this.stack.push({ name, value });
  }

  /** For `pop`. */
  mark(): number {
    return this.stack.length;
  }

  pop(mark: number): void {
    this.stack.length = mark;
  }

  /** For `restore`. */
  values(): readonly Maybe[] {
    return this.stack.map(({ value }) => value);
  }

  restore(values: readonly Maybe[]): void {
    for (const [at, variable] of this.stack.entries()) variable.value = values[at] ?? null;
  }

  get(name: Bytes): Maybe | undefined {
    const found = this.stack.findLast((variable) => variable.name === name);
    return found === undefined ? undefined : found.value;
  }

  set(name: Bytes, value: Maybe): boolean {
    const found = this.stack.findLast((variable) => variable.name === name);
    if (found !== undefined) found.value = value;
    return found !== undefined;
  }

  /** The variable declared last is 1. */
  setTop(nth: number, value: Maybe): void {
    const variable = this.stack.at(-nth);
    if (variable !== undefined) variable.value = value;
  }
}

/** What makes a method unfit for a template, in Go's words: it must return one value, or one and an error. */
export function goodFunction({ name, results }: Method): Bytes | null {
  if (results.length === 1) return null;
  if (results.length !== 2)
    return `function ${name} has ${results.length} return values; should be 1 or 2`;
  const second = results[1]?.name ?? "";
  if (second === "error") return null;
  return `invalid function signature for ${name}: second return value should be error; is ${second}`;
}
