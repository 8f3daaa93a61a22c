import { type Bytes, quote } from "./bytes.ts";
import { suggestion } from "../../config/nearest.ts";
import { GoTemplateError } from "./error.ts";
import type { Token, TokenKind } from "./lex.ts";
import { parseNumber, unquote } from "./literal.ts";
import { type Command, nodeText, type Operand, type Pipe, type Variable } from "./nodes.ts";
import { type Tokens, tokenText } from "./tokens.ts";

/** Deeper parentheses than a person writes, shallower than the stack. */
const MAX_PARENTHESES = 500;

const STARTS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  "bool",
  "charConstant",
  "complex",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "rawString",
  "string",
  "variable",
  "leftParen",
]);

/** Reads what stands within an action: pipelines of commands of operands. */
export class Expressions {
  protected readonly tokens: Tokens;
  protected readonly variables: Bytes[] = ["$"];
  /** Where the action being read began, for errors on another line. */
  protected actionLine = 0;
  private parentheses = 0;
  protected readonly file: Bytes;
  protected readonly functions: ReadonlySet<string>;

  protected constructor(file: Bytes, tokens: Tokens, functions: ReadonlySet<string>) {
    this.file = file;
    this.tokens = tokens;
    this.functions = functions;
  }

  protected fail(message: Bytes, hint: string | null = null): never {
    throw new GoTemplateError(
      `template: ${this.file}:${this.tokens.line}: ${message}`,
      this.tokens.place,
      hint,
    );
  }

  protected unexpected(token: Token, context: string): never {
    if (token.kind !== "error") this.fail(`unexpected ${tokenText(token)} in ${context}`);
    const elsewhere = this.actionLine !== 0 && this.actionLine !== token.line;
    const start = ` started at ${this.file}:${this.actionLine}`;
    const extra = token.value.endsWith(" action") ? start : ` in action${start}`;
    this.fail(`${token.value}${elsewhere ? extra : ""}`);
  }

  protected expect(kind: TokenKind, context: string): Token {
    const token = this.tokens.nextSolid();
    if (token.kind !== kind) this.unexpected(token, context);
    return token;
  }

  protected pipe(context: string, end: TokenKind): Pipe {
    const { at } = this.tokens.peekSolid();
    const declared: Variable[] = [];
    const assign = this.declarations(context, declared);
    const commands: Command[] = [];
    for (;;) {
      const token = this.tokens.nextSolid();
      if (token.kind === end) break;
      if (!STARTS.has(token.kind)) this.unexpected(token, context);
      this.tokens.back();
      commands.push(this.command());
    }
    if (commands.length === 0) this.fail(`missing value for ${context}`);
    for (const [index, { args }] of commands.entries()) {
      if (index > 0 && /^(?:bool|dot|nil|number|string)$/.test(args[0]?.kind ?? ""))
        this.fail(`non executable command in pipeline stage ${index + 1}`);
    }
    return { kind: "pipe", at, assign, declared, commands };
  }

  /** `$x :=`, `$x =` and, for a range, `$i, $x :=`. */
  private declarations(context: string, declared: Variable[]): boolean {
    for (;;) {
      const variable = this.tokens.peekSolid();
      if (variable.kind !== "variable") return false;
      this.tokens.next();
      const after = this.tokens.peek();
      const next = this.tokens.peekSolid();
      const comma = next.kind === "char" && next.value === ",";
      if (next.kind !== "assign" && next.kind !== "declare" && !comma) {
        if (after.kind === "space") this.tokens.back(after, variable);
        else this.tokens.back(variable);
        return false;
      }
      this.tokens.nextSolid();
      declared.push(variableOf(variable.at, variable.value));
      this.variables.push(variable.value);
      if (!comma) return next.kind === "assign";
      if (context !== "range" || declared.length >= 2)
        this.fail(`too many declarations in ${context}`);
      const { kind } = this.tokens.peekSolid();
      if (kind !== "variable" && kind !== "rightDelim" && kind !== "rightParen")
        this.fail("range can only initialize variables");
    }
  }

  private command(): Command {
    const { at } = this.tokens.peekSolid();
    const args: Operand[] = [];
    for (;;) {
      this.tokens.peekSolid();
      const operand = this.operand();
      if (operand !== null) args.push(operand);
      const token = this.tokens.next();
      if (token.kind === "space") continue;
      if (token.kind === "rightDelim" || token.kind === "rightParen") this.tokens.back();
      else if (token.kind !== "pipe") this.unexpected(token, "operand");
      break;
    }
    if (args.length === 0) this.fail("empty command");
    return { kind: "command", at, args };
  }

  private operand(): Operand | null {
    const node = this.term();
    if (node === null || this.tokens.peek().kind !== "field") return node;
    const { at } = this.tokens.peek();
    const names: Bytes[] = [];
    while (this.tokens.peek().kind === "field") names.push(this.tokens.next().value.slice(1));
    if (node.kind === "field" || node.kind === "variable")
      return { kind: node.kind, at, names: [...node.names, ...names] };
    if (/^(?:bool|string|number|nil|dot)$/.test(node.kind))
      this.fail(`unexpected . after term ${quote(nodeText(node))}`);
    return { kind: "chain", at, of: node, names };
  }

  private term(): Operand | null {
    const { kind, at, value } = this.tokens.nextSolid();
    const named: string = kind;
    switch (named) {
      case "identifier":
        if (!this.functions.has(value))
          this.fail(
            `function ${quote(value)} not defined`,
            suggestion(value, [...this.functions], "functions there are"),
          );
        return { kind: "identifier", at, name: value };
      case "dot":
        return { kind: "dot", at };
      case "nil":
        return { kind: "nil", at };
      case "variable":
        if (!this.variables.includes(value)) this.fail(`undefined variable ${quote(value)}`);
        return variableOf(at, value);
      case "field":
        return { kind: "field", at, names: [value.slice(1)] };
      case "bool":
        return { kind: "bool", at, value: value === "true" };
      case "charConstant":
      case "complex":
      case "number": {
        const number = parseNumber(
          value,
          kind === "complex" ? kind : kind === "number" ? kind : "char",
        );
        if (typeof number === "string") this.fail(number);
        return { kind: "number", at, text: value, value: number };
      }
      case "leftParen": {
        if (this.parentheses >= MAX_PARENTHESES) this.fail("max expression depth exceeded");
        this.parentheses++;
        const pipe = this.pipe("parenthesized pipeline", "rightParen");
        this.parentheses--;
        return pipe;
      }
      case "string":
      case "rawString": {
        const text = unquote(value);
        if (text === null) this.fail("invalid syntax");
        return { kind: "string", at, quoted: value, text };
      }
      default:
        this.tokens.back();
        return null;
    }
  }
}

const variableOf = (at: number, name: Bytes): Variable => ({ kind: "variable", at, names: [name] });
