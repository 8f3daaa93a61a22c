import { type Bytes, quote } from "./bytes.ts";
import type { Literal } from "./literal.ts";

/** `at`: the byte that an error of this node is said to be at. */
interface At {
  readonly at: number;
}

export interface Pipe extends At {
  readonly kind: "pipe";
  readonly assign: boolean;
  readonly declared: readonly Variable[];
  readonly commands: readonly Command[];
}
export interface Command extends At {
  readonly kind: "command";
  readonly args: readonly Operand[];
}
export interface Variable extends At {
  readonly kind: "variable";
  /** The variable with its `$`, then fields of it. */
  readonly names: readonly Bytes[];
}
export interface Field extends At {
  readonly kind: "field";
  readonly names: readonly Bytes[];
}
export interface Chain extends At {
  readonly kind: "chain";
  readonly of: Operand;
  readonly names: readonly Bytes[];
}
export type Operand =
  | Pipe
  | Variable
  | Field
  | Chain
  | (At & { readonly kind: "identifier"; readonly name: Bytes })
  | (At & { readonly kind: "dot" })
  | (At & { readonly kind: "nil" })
  | (At & { readonly kind: "bool"; readonly value: boolean })
  | (At & { readonly kind: "number"; readonly text: Bytes; readonly value: Literal })
  | (At & { readonly kind: "string"; readonly quoted: Bytes; readonly text: Bytes });

export type OperandOf<K extends Operand["kind"]> = Extract<Operand, { kind: K }>;

export interface Branch extends At {
  readonly kind: "if" | "with" | "range";
  readonly pipe: Pipe;
  readonly list: List;
  readonly otherwise: List | null;
}
export interface TemplateCall extends At {
  readonly kind: "template";
  readonly name: Bytes;
  readonly pipe: Pipe | null;
}
export interface List extends At {
  readonly kind: "list";
  readonly nodes: readonly Node[];
}
export type Node =
  | (At & { readonly kind: "text"; readonly text: Bytes })
  | (At & { readonly kind: "action"; readonly pipe: Pipe })
  | Branch
  | TemplateCall
  | (At & { readonly kind: "break" })
  | (At & { readonly kind: "continue" });

/** A node as Go's errors quote it. */
export function nodeText(node: Node | List | Operand | Command): Bytes {
  switch (node.kind) {
    case "list":
      return node.nodes.map(nodeText).join("");
    case "text":
      return node.text;
    case "action":
      return `{{${nodeText(node.pipe)}}}`;
    case "break":
    case "continue":
      return `{{${node.kind}}}`;
    case "if":
    case "with":
    case "range": {
      const otherwise = node.otherwise === null ? "" : `{{else}}${nodeText(node.otherwise)}`;
      return `{{${node.kind} ${nodeText(node.pipe)}}}${nodeText(node.list)}${otherwise}{{end}}`;
    }
    case "template":
      return `{{template ${quote(node.name)}${node.pipe === null ? "" : ` ${nodeText(node.pipe)}`}}}`;
    case "pipe": {
      const declared = node.declared.map(nodeText).join(", ");
      const sign = declared === "" ? "" : node.assign ? " = " : " := ";
      return `${declared}${sign}${node.commands.map(nodeText).join(" | ")}`;
    }
    case "command":
      return node.args.map(operandText).join(" ");
    case "variable":
      return node.names.join(".");
    case "field":
      return node.names.map((name) => `.${name}`).join("");
    case "chain":
      return `${operandText(node.of)}${node.names.map((name) => `.${name}`).join("")}`;
    case "identifier":
      return node.name;
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "number":
      return node.text;
    case "string":
      return node.quoted;
  }
}

const operandText = (node: Operand): Bytes =>
  node.kind === "pipe" ? `(${nodeText(node)})` : nodeText(node);

/** Whether a template would define nothing: spaces alone. */
export const isEmpty = (list: List): boolean =>
  list.nodes.every((node) => node.kind === "text" && /^[\t\n\v\f\r \x85\xa0]*$/.test(node.text));
