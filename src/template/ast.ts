/** The part of Handlebars' syntax tree that templates may use, as its parser gives it. */
export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
}

interface Located {
  readonly loc: { readonly start: Position; readonly end: Position };
}

export interface Program extends Located {
  readonly type: "Program";
  readonly body: Statement[];
  readonly blockParams?: readonly string[];
}

export interface PathNode extends Located {
  readonly type: "PathExpression";
  /** Written with `@`. */
  readonly data: boolean;
  /** How many `../`. */
  readonly depth: number;
  readonly parts: readonly string[];
  readonly original: string;
}

export interface LiteralNode extends Located {
  readonly type:
    | "StringLiteral"
    | "NumberLiteral"
    | "BooleanLiteral"
    | "NullLiteral"
    | "UndefinedLiteral";
  readonly value?: unknown;
}

export interface CallNode extends Located {
  readonly type: "SubExpression";
  readonly path: Expression;
  readonly params: Expression[];
  readonly hash?: HashNode;
}

export type Expression = PathNode | LiteralNode | CallNode;

export interface HashNode {
  readonly pairs: readonly (Located & { readonly key: string })[];
}

export interface Mustache extends Located {
  readonly type: "MustacheStatement";
  path: Expression;
  params: Expression[];
  hash?: HashNode;
  /** `{{x}}`; false for `{{{x}}}` and `{{&x}}`. */
  readonly escaped: boolean;
}

export interface Block extends Located {
  readonly type: "BlockStatement" | "DecoratorBlock" | "PartialBlockStatement";
  readonly path: Expression;
  readonly params: readonly Expression[];
  readonly hash?: HashNode;
  /** Missing where there is only an `{{else}}` or `{{^}}`. */
  readonly program?: Program;
  readonly inverse?: Program;
}

export interface Partial extends Located {
  readonly type: "PartialStatement";
  readonly name: Expression;
  readonly params: readonly Expression[];
  readonly hash?: HashNode;
}

export interface Content extends Located {
  readonly type: "ContentStatement";
  readonly value: string;
  readonly original: string;
}

export interface Comment extends Located {
  readonly type: "CommentStatement";
}

export interface Decorator extends Located {
  readonly type: "Decorator";
}

export type Statement = Mustache | Block | Partial | Content | Comment | Decorator;
