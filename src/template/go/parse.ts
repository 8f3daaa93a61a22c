import { type Bytes, quote } from "./bytes.ts";
import { Lexer, type Token } from "./lex.ts";
import { Expressions } from "./expressions.ts";
import { unquote } from "./literal.ts";
import { type Branch, isEmpty, type List, type Node, type TemplateCall } from "./nodes.ts";
import { Tokens } from "./tokens.ts";

/** Where a list ends. */
interface Stop {
  readonly kind: "end" | "else";
  readonly at: number;
}

const isStop = (node: Node | Stop): node is Stop => node.kind === "end" || node.kind === "else";

/** The templates of a text by name: its own and those it defines. */
export function parse(
  name: Bytes,
  text: Bytes,
  functions: ReadonlySet<string>,
): ReadonlyMap<Bytes, List> {
  const trees = new Map<Bytes, List>();
  new Parser(name, name, new Lexer(text), functions, trees).whole();
  return trees;
}

/** One template of a text; a definition within it is parsed by another that takes its tokens from the same lexer. */
class Parser extends Expressions {
  private ranges = 0;
  private name: Bytes;

  private readonly lexer: Lexer;
  private readonly trees: Map<Bytes, List>;

  constructor(
    file: Bytes,
    name: Bytes,
    lexer: Lexer,
    functions: ReadonlySet<string>,
    trees: Map<Bytes, List>,
  ) {
    super(file, new Tokens(lexer), functions);
    this.name = name;
    this.lexer = lexer;
    this.trees = trees;
  }

  whole(): void {
    const at = this.tokens.peek().at;
    const nodes: Node[] = [];
    while (this.tokens.peek().kind !== "eof") {
      if (this.tokens.peek().kind === "leftDelim") {
        const open = this.tokens.next();
        const token = this.tokens.nextSolid();
        if (token.kind === "keyword" && token.value === "define") {
          this.nested("definition").definition();
          continue;
        }
        this.tokens.back(open);
      }
      const node = this.textOrAction();
      if (isStop(node)) this.fail(`unexpected {{${node.kind}}}`);
      nodes.push(node);
    }
    this.define({ kind: "list", at, nodes });
  }

  private nested(name: Bytes): Parser {
    return new Parser(this.file, name, this.lexer, this.functions, this.trees);
  }

  private definition(): void {
    const context = "define clause";
    const token = this.tokens.nextSolid();
    this.name = this.templateName(token, context);
    this.expect("rightDelim", context);
    this.body(context, this);
  }

  /** @param teller whose line a wrong end is told of at: a block's is that of what it stands in */
  private body(context: string, teller: Parser): void {
    const [list, stop] = this.list();
    if (stop.kind !== "end") teller.fail(`unexpected {{${stop.kind}}} in ${context}`);
    this.define(list);
  }

  private define(list: List): void {
    const known = this.trees.get(this.name);
    if (known === undefined || isEmpty(known)) this.trees.set(this.name, list);
    else if (!isEmpty(list))
      this.fail(`template: multiple definition of template ${quote(this.name)}`);
  }

  private list(): readonly [List, Stop] {
    const at = this.tokens.peekSolid().at;
    const nodes: Node[] = [];
    while (this.tokens.peekSolid().kind !== "eof") {
      const node = this.textOrAction();
      if (isStop(node)) return [{ kind: "list", at, nodes }, node];
      nodes.push(node);
    }
    this.fail("unexpected EOF");
  }

  private textOrAction(): Node | Stop {
    const token = this.tokens.nextSolid();
    if (token.kind === "text") return { kind: "text", at: token.at, text: token.value };
    if (token.kind !== "leftDelim") this.unexpected(token, "input");
    this.actionLine = token.line;
    const node = this.action();
    this.actionLine = 0;
    return node;
  }

  private action(): Node | Stop {
    const token = this.tokens.nextSolid();
    const { at } = token;
    switch (token.kind === "keyword" ? token.value : "") {
      case "block":
        return this.block();
      case "break":
        return this.leave("break", at);
      case "continue":
        return this.leave("continue", at);
      case "else":
        return this.otherwise();
      case "end":
        return { kind: "end", at: this.expect("rightDelim", "end").at };
      case "if":
        return this.branch("if");
      case "range":
        return this.branch("range");
      case "template":
        return this.call();
      case "with":
        return this.branch("with");
      default:
        this.tokens.back();
        return {
          kind: "action",
          at: this.tokens.peek().at,
          pipe: this.pipe("command", "rightDelim"),
        };
    }
  }

  private leave(kind: "break" | "continue", at: number): Node {
    const token = this.tokens.nextSolid();
    if (token.kind !== "rightDelim") this.unexpected(token, `{{${kind}}}`);
    if (this.ranges === 0) this.fail(`{{${kind}}} outside {{range}}`);
    return { kind, at };
  }

  private otherwise(): Stop {
    const token = this.tokens.peekSolid();
    if (isKeyword(token, "if") || isKeyword(token, "with")) return { kind: "else", at: token.at };
    return { kind: "else", at: this.expect("rightDelim", "else").at };
  }

  private branch(kind: Branch["kind"]): Branch {
    const mark = this.variables.length;
    const pipe = this.pipe(kind, "rightDelim");
    if (kind === "range") this.ranges++;
    const [list, stop] = this.list();
    if (kind === "range") this.ranges--;
    let otherwise: List | null = null;
    if (stop.kind === "else") {
      if (kind !== "range" && isKeyword(this.tokens.peek(), kind)) {
        this.tokens.next();
        otherwise = { kind: "list", at: stop.at, nodes: [this.branch(kind)] };
      } else {
        const [rest, end] = this.list();
        if (end.kind !== "end") this.fail(`expected end; found {{${end.kind}}}`);
        otherwise = rest;
      }
    }
    this.variables.length = mark;
    return { kind, at: pipe.at, pipe, list, otherwise };
  }

  private block(): TemplateCall {
    const context = "block clause";
    const token = this.tokens.nextSolid();
    const name = this.templateName(token, context);
    const pipe = this.pipe(context, "rightDelim");
    this.nested(name).body(context, this);
    return { kind: "template", at: token.at, name, pipe };
  }

  private call(): TemplateCall {
    const context = "template clause";
    const token = this.tokens.nextSolid();
    const name = this.templateName(token, context);
    if (this.tokens.nextSolid().kind === "rightDelim")
      return { kind: "template", at: token.at, name, pipe: null };
    this.tokens.back();
    return { kind: "template", at: token.at, name, pipe: this.pipe(context, "rightDelim") };
  }

  private templateName(token: Token, context: string): Bytes {
    if (token.kind !== "string" && token.kind !== "rawString") this.unexpected(token, context);
    return unquote(token.value) ?? this.fail("invalid syntax");
  }
}

const isKeyword = (token: Token, word: string): boolean =>
  token.kind === "keyword" && token.value === word;
