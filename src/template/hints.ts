import { nearest } from "../config/nearest.ts";
import type { Expression, PathNode } from "./ast.ts";
import { HELPERS } from "./helpers.ts";
import { type Field, fieldPaths } from "./view-fields.ts";

/** The block helpers a template may use. */
export const BLOCKS: readonly string[] = ["if", "unless", "each", "with"];

export function isBlockWord(path: PathNode): boolean {
  return BLOCKS.includes(path.original);
}

/** As it is written in the template. */
export function nameOf(node: Expression): string {
  switch (node.type) {
    case "PathExpression":
      return node.data ? `@${node.parts.join(".")}` : node.original;
    case "SubExpression":
      return nameOf(node.path);
    case "StringLiteral":
    case "NumberLiteral":
    case "BooleanLiteral":
      return String(node.value);
    case "NullLiteral":
      return "null";
    case "UndefinedLiteral":
      return "undefined";
  }
}

export function blockHint(word: string): string {
  if (Object.hasOwn(HELPERS, word)) return `write {{#if (${word} …)}}…{{/if}}`;
  const close = nearest(word, BLOCKS);
  return close === null ? "blocks: #if, #unless, #each, #with" : `did you mean {{#${close}}}?`;
}

/** The nearest field here; else a field of that name elsewhere in the view; else what there is. */
export function hintFor(field: Field, part: string, atRoot: boolean): string {
  if (field.kind !== "object") return "it has no fields";
  const names = Object.keys(field.fields);
  const close = nearest(part, names);
  if (close !== null) return `did you mean "${close}"?`;
  const elsewhere = fieldPaths().find(({ path }) => path.split(".").at(-1) === part)?.path;
  if (elsewhere === undefined) return `fields: ${names.join(", ")}`;
  return `did you mean "${atRoot ? "" : "@root."}${elsewhere}"?`;
}
