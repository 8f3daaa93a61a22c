import { nearest } from "../config/nearest.ts";
import type { ConfigIssue } from "../config/config.ts";
import type { Block, Expression, Mustache, Partial, PathNode, Program, Statement } from "./ast.ts";
import { HELPERS, type Helper } from "./helpers.ts";
import { blockHint, BLOCKS, hintFor, isBlockWord, nameOf } from "./hints.ts";
import { type Field, VIEW } from "./view-fields.ts";

const TEXT: Field = { kind: "text", nullable: false, about: "" };
const LOOP_DATA = ["index", "first", "last"];

/** Where a path begins: the contexts from the outermost in, and what `as |name|` gave names to. */
interface Scope {
  readonly contexts: readonly Field[];
  readonly names: ReadonlyMap<string, Field>;
  readonly inLoop: boolean;
}

export interface Checked {
  readonly errors: readonly ConfigIssue[];
  /** Raw text: allowed, worth knowing. */
  readonly warnings: readonly ConfigIssue[];
  /** The blocks of the same file that this one includes. */
  readonly includes: ReadonlySet<string>;
}

/**
 * Checks one block against the fields of the view, so completely that what passes cannot fail on a name while it renders.
 * @param where file:line:column of a node
 * @param blockNames the blocks of this file, which `{{> name}}` may include
 */
export function checkBlock(
  program: Program,
  where: (node: { readonly loc: Program["loc"] }) => string,
  blockNames: readonly string[],
): Checked {
  const errors: ConfigIssue[] = [];
  const warnings: ConfigIssue[] = [];
  const includes = new Set<string>();
  const fail = (node: { readonly loc: Program["loc"] }, message: string, hint: string | null) => {
    errors.push({ where: where(node), message, hint });
  };

  walk(program, { contexts: [VIEW], names: new Map(), inLoop: false });
  return { errors, warnings, includes };

  function walk(node: Program | undefined, scope: Scope): void {
    for (const statement of node?.body ?? []) statementIn(statement, scope);
  }

  function statementIn(statement: Statement, scope: Scope): void {
    switch (statement.type) {
      case "MustacheStatement":
        mustache(statement, scope);
        break;
      case "BlockStatement":
        block(statement, scope);
        break;
      case "PartialStatement":
        include(statement, scope);
        break;
      case "DecoratorBlock":
      case "Decorator":
      case "PartialBlockStatement":
        fail(statement, "this is not allowed inside a block", "blocks stand side by side");
        break;
      case "ContentStatement":
      case "CommentStatement":
        break;
    }
  }

  function mustache(node: Mustache, scope: Scope): void {
    if (node.path.type === "PathExpression" && isBlockWord(node.path)) {
      const word = node.path.original;
      fail(node, `{{${word}}} without #`, `write {{#${word} …}}…{{/${word}}}`);
      return;
    }
    const field = call(node, scope);
    if (field === null) return;
    if (field.kind === "object")
      fail(
        node,
        `${nameOf(node.path)} is an object, not a text`,
        `name one of its fields, or write {{json ${nameOf(node.path)}}}`,
      );
    if (field.kind === "list" && field.of.kind === "object")
      fail(
        node,
        `${nameOf(node.path)} is a list of objects, not a text`,
        `write {{#each ${nameOf(node.path)}}}…{{/each}}`,
      );
    if (!node.escaped && nameOf(node.path) !== "json")
      warnings.push({
        where: where(node),
        message: `{{{${nameOf(node.path)}}}} puts text of the cluster into the message as it is: it may format, link or mention everyone`,
        hint: `write {{${nameOf(node.path)}}} unless that is wanted`,
      });
  }

  /** A helper with its arguments, or a path: what it gives; `null` where that is unknown and was reported. */
  function call(node: Mustache | Expression, scope: Scope): Field | null {
    if (node.type !== "MustacheStatement" && node.type !== "SubExpression")
      return value(node, scope);
    const [pair] = node.hash?.pairs ?? [];
    if (pair !== undefined) {
      fail(
        pair,
        `${pair.key}=… is not understood`,
        "helpers take their arguments in order, without names",
      );
      return null;
    }
    if (node.path.type !== "PathExpression") {
      fail(node, "a literal cannot be called", "begin with a field or a helper");
      return null;
    }
    const name = node.path.original;
    const helper = Object.hasOwn(HELPERS, name) ? HELPERS[name] : undefined;
    if (helper !== undefined) return helperCall(name, helper, node, scope);
    if (node.params.length === 0 && node.type === "MustacheStatement")
      return value(node.path, scope);
    const close = nearest(name, Object.keys(HELPERS));
    fail(
      node,
      `unknown helper "${name}"`,
      close === null ? `helpers: ${Object.keys(HELPERS).join(", ")}` : `did you mean "${close}"?`,
    );
    return null;
  }

  function helperCall(
    name: string,
    helper: Helper,
    node: Mustache | Extract<Expression, { type: "SubExpression" }>,
    scope: Scope,
  ): Field | null {
    const { params } = node;
    if (params.length < helper.min || params.length > helper.max) {
      const wanted = helper.min === helper.max ? `${helper.min}` : `${helper.min} to ${helper.max}`;
      fail(
        node,
        `${name} takes ${wanted} argument${helper.max === 1 ? "" : "s"}, not ${params.length}`,
        `as in ${helper.usage}`,
      );
      return null;
    }
    for (const [index, param] of params.entries()) {
      const allowed = helper.literals?.[index];
      const isAllowed =
        param.type === "StringLiteral" && allowed?.includes(String(param.value)) === true;
      if (allowed !== undefined && !isAllowed) {
        const found = param.type === "StringLiteral" ? `"${String(param.value)}"` : nameOf(param);
        fail(
          param,
          `${name} does not know ${found}`,
          `one of ${allowed.map((word) => `"${word}"`).join(", ")}`,
        );
      }
      call(param, scope);
    }
    return helper.gives === "list" ? { kind: "list", of: TEXT, about: "" } : TEXT;
  }

  function value(node: Expression, scope: Scope): Field | null {
    switch (node.type) {
      case "PathExpression":
        return resolve(node, scope);
      case "SubExpression":
        return call(node, scope);
      case "StringLiteral":
      case "NumberLiteral":
      case "BooleanLiteral":
      case "NullLiteral":
      case "UndefinedLiteral":
        return TEXT;
    }
  }

  function resolve(node: PathNode, scope: Scope): Field | null {
    const [first, ...others] = node.parts;
    if (node.data) {
      if (first === "root") return descend(VIEW, others, node);
      if (scope.inLoop && first !== undefined && LOOP_DATA.includes(first) && others.length === 0)
        return TEXT;
      fail(
        node,
        `unknown @${node.parts.join(".")}`,
        scope.inLoop
          ? "@index, @first, @last or @root"
          : "outside of {{#each}} there is only @root",
      );
      return null;
    }
    const named = node.depth === 0 && first !== undefined ? scope.names.get(first) : undefined;
    if (named !== undefined) return descend(named, others, node);
    const context = scope.contexts.at(-1 - node.depth);
    if (context === undefined) {
      fail(
        node,
        `${node.original} leads out of the view`,
        "../ only leads out of {{#each}} and {{#with}}",
      );
      return null;
    }
    return descend(context, node.parts, node);
  }

  function descend(from: Field, parts: readonly string[], node: PathNode): Field | null {
    let field = from;
    for (const part of parts) {
      if (field.kind === "list" && part === "length")
        return { kind: "number", nullable: false, about: "" };
      const next: Field | undefined =
        field.kind === "object" && Object.hasOwn(field.fields, part)
          ? field.fields[part]
          : undefined;
      if (next === undefined) {
        fail(node, `unknown field "${node.original}"`, hintFor(field, part, from === VIEW));
        return null;
      }
      field = next;
    }
    return field;
  }

  function block(node: Block, scope: Scope): void {
    const word = nameOf(node.path);
    const [param] = node.params;
    if (!BLOCKS.includes(word)) {
      fail(node, `unknown block {{#${word}}}`, blockHint(word));
      return;
    }
    if (param === undefined || node.params.length > 1 || (node.hash?.pairs.length ?? 0) > 0) {
      fail(
        node,
        `{{#${word}}} takes one argument`,
        `as in {{#${word} ${word === "each" ? "labels" : "namespace"}}}`,
      );
      return;
    }
    const field = call(param, scope);
    walk(node.inverse, scope);
    if (word === "if" || word === "unless") walk(node.program, scope);
    else if (field !== null) inner(node, word, field, param, scope);
  }

  function inner(node: Block, word: string, field: Field, param: Expression, scope: Scope): void {
    if (word === "each" && field.kind !== "list") {
      fail(
        node,
        `${nameOf(param)} is no list`,
        "{{#each}} goes over a list, {{#with}} into an object",
      );
      return;
    }
    if (word === "with" && field.kind !== "object") {
      fail(node, `${nameOf(param)} is no object`, "{{#if}} asks whether it says something");
      return;
    }
    const context = field.kind === "list" ? field.of : field;
    const [name, index] = node.program?.blockParams ?? [];
    const names = new Map(scope.names);
    if (name !== undefined) names.set(name, context);
    if (index !== undefined) names.set(index, TEXT);
    const inLoop = scope.inLoop || word === "each";
    walk(node.program, { contexts: [...scope.contexts, context], names, inLoop });
  }

  function include(node: Partial, scope: Scope): void {
    const name = nameOf(node.name);
    if (node.name.type === "SubExpression" || !blockNames.includes(name)) {
      const close = nearest(name, blockNames);
      fail(
        node,
        `unknown block "${name}"`,
        close === null
          ? "{{> name}} includes a block of the same file"
          : `did you mean "${close}"?`,
      );
    } else if (node.params.length > 0 || (node.hash?.pairs.length ?? 0) > 0) {
      fail(node, `{{> ${name}}} takes no arguments`, null);
    } else if (scope.contexts.length > 1) {
      fail(
        node,
        `{{> ${name}}} inside {{#each}} or {{#with}}`,
        "a block sees the whole view: include it outside",
      );
    } else {
      includes.add(name);
    }
  }
}
