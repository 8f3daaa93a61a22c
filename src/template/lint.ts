import Handlebars from "handlebars";
import type { ConfigIssue } from "../config/config.ts";
import type { Block, Position, Program, Statement } from "./ast.ts";
import { checkBlock } from "./check.ts";

/** The name a template without `{{#*inline}}` gives its only block. */
export const WHOLE = "body";

export interface Linted {
  /** Names in order; empty where there are errors. */
  readonly blocks: readonly string[];
  /** The blocks that others of the file include. */
  readonly included: readonly string[];
  readonly errors: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
}

/**
 * Reads a template and finds everything wrong with it, each with file:line:column.
 * @param file how messages name it
 */
export function lint(source: string, file: string): Linted {
  const where = (node: { readonly loc: { readonly start: Position } }) =>
    `${file}:${node.loc.start.line}:${node.loc.start.column + 1}`;
  let program: Program;
  try {
    program = parse(source);
  } catch (error) {
    return { blocks: [], included: [], errors: [parseIssue(error, source, file)], warnings: [] };
  }
  const { blocks, errors } = split(program, where);
  const names = [...blocks.keys()];
  const warnings: ConfigIssue[] = [];
  const includes = new Map<string, ReadonlySet<string>>();
  for (const [name, block] of blocks) {
    const checked = checkBlock(block, where, names);
    errors.push(...checked.errors);
    warnings.push(...checked.warnings);
    includes.set(name, checked.includes);
  }
  for (const [name, block] of blocks) {
    if (reaches(includes, name, name))
      errors.push({ where: where(block), message: `block "${name}" includes itself`, hint: null });
  }
  const included = new Set([...includes.values()].flatMap((set) => [...set]));
  return { blocks: errors.length > 0 ? [] : names, included: [...included], errors, warnings };
}

/** The tree of a template, white space already taken from lines that hold only tags. */
export function parse(source: string): Program {
  return Handlebars.parse(source) as unknown as Program;
}

/** The blocks of a template by name. */
export function split(
  program: Program,
  where: (node: { readonly loc: Program["loc"] }) => string,
): { blocks: Map<string, Program>; errors: ConfigIssue[] } {
  const errors: ConfigIssue[] = [];
  const blocks = new Map<string, Program>();
  const inlines = program.body.filter((statement) => statement.type === "DecoratorBlock");
  if (inlines.length === 0) return { blocks: new Map([[WHOLE, program]]), errors };
  for (const statement of program.body) {
    if (statement.type === "DecoratorBlock") {
      const name = blockName(statement);
      if (name === null)
        errors.push({
          where: where(statement),
          message: "this block has no name",
          hint: 'write {{#*inline "title"}}…{{/inline}}',
        });
      else if (blocks.has(name))
        errors.push({
          where: where(statement),
          message: `block "${name}" is there twice`,
          hint: null,
        });
      else blocks.set(name, statement.program ?? { type: "Program", body: [], loc: statement.loc });
    } else if (!isNothing(statement)) {
      errors.push({
        where: where(statement),
        message: "text outside of the blocks",
        hint: 'put it into a {{#*inline "name"}}…{{/inline}}, or use none at all',
      });
    }
  }
  return { blocks, errors };
}

function blockName(node: Block): string | null {
  const [param] = node.params;
  if (node.path.type !== "PathExpression" || node.path.original !== "inline") return null;
  if (node.params.length !== 1 || param?.type !== "StringLiteral") return null;
  const name = String(param.value);
  return /^[A-Za-z][\w-]*$/.test(name) ? name : null;
}

function isNothing(statement: Statement): boolean {
  if (statement.type === "CommentStatement") return true;
  return statement.type === "ContentStatement" && statement.original.trim() === "";
}

function reaches(
  includes: ReadonlyMap<string, ReadonlySet<string>>,
  from: string,
  target: string,
  seen: Set<string> = new Set(),
): boolean {
  for (const next of includes.get(from) ?? []) {
    if (next === target) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    if (reaches(includes, next, target, seen)) return true;
  }
  return false;
}

/** Handlebars' parser tells the line at best and names its own tokens; a person wants the place and the text that stands there. */
function parseIssue(error: unknown, source: string, file: string): ConfigIssue {
  const message = error instanceof Error ? error.message : String(error);
  const told = error as { readonly lineNumber?: unknown; readonly column?: unknown };
  if (typeof told.lineNumber === "number" && typeof told.column === "number") {
    return {
      where: `${file}:${told.lineNumber}:${told.column + 1}`,
      message: message.replace(/ - \d+:\d+$/, ""),
      hint: null,
    };
  }
  const at = placeOf(message, source);
  const before = source.slice(0, at);
  const line = before.split("\n").length;
  const column = at - before.lastIndexOf("\n");
  const tag = before.lastIndexOf("{{");
  const start = Math.max(before.lastIndexOf("\n") + 1, source[tag - 1] === "{" ? tag - 1 : tag);
  const found = (source.slice(start).split("\n", 1)[0] ?? "").slice(0, 40);
  const atEnd = message.includes("got 'EOF'");
  return {
    where: `${file}:${line}:${column}`,
    message: atEnd ? "the template ends inside a block" : `cannot be read at "${found}"`,
    hint: atEnd
      ? "close each {{#if}} with {{/if}}, each {{#each}} with {{/each}}"
      : parseHint(found),
  };
}

function parseHint(found: string): string | null {
  if (/^\{\{-?\s*(\.|\$|range\b|end\b|printf\b)/.test(found))
    return "this looks like a Go template; Handlebars writes {{message}} and {{#if x}}…{{/if}}";
  if (/^\{\{\{?[~&]?\s*\(/.test(found))
    return "a helper is called without parentheses around it: {{upper name}}";
  if (/^\{\{\{[^{}]*\}\}(?!\})/.test(found)) return "close each {{{ with }}}, or open it by {{";
  if (/^\{\{[^{}]*\}\}\}/.test(found)) return "leave a space between }} and a } of your own";
  return found.includes("}}") ? null : "close each {{ with }}";
}

/** Where the parser's picture of the place (`…text before` `text after` / `-----^`, without line ends) is found in the source. */
function placeOf(message: string, source: string): number {
  const [first = "", snippet = "", pointer = ""] = message.split("\n");
  const line = Number(/on line (\d+)/.exec(first)?.[1] ?? 1);
  const lineStart = source.split("\n", line - 1).join("\n").length + (line > 1 ? 1 : 0);
  const caret = pointer.indexOf("^");
  if (caret === -1) return lineStart;
  const skipped = snippet.startsWith("...") && caret >= 20 ? 3 : 0;
  const wanted = snippet.slice(skipped).replace(/\.\.\.$/, "");
  const kept: number[] = [];
  for (let index = 0; index < source.length; index += 1)
    if (source[index] !== "\n") kept.push(index);
  const flat = kept.map((index) => source[index]).join("");
  let best = lineStart;
  let bestDistance = Infinity;
  for (let at = flat.indexOf(wanted); at !== -1; at = flat.indexOf(wanted, at + 1)) {
    const place = kept[at + caret - skipped] ?? source.length;
    const distance = Math.abs(source.slice(0, place).split("\n").length - line);
    if (distance < bestDistance) {
      best = place;
      bestDistance = distance;
    }
  }
  return best;
}
