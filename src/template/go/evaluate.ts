import { BUILTINS, type Builtin, nilable, REFLECT_VALUE } from "./builtins.ts";
import { type Bytes, quote } from "./bytes.ts";
import { Calls, type Final, type Run } from "./calls.ts";
import { fieldHint } from "./hints.ts";
import { type Command, nodeText, type Operand, type OperandOf, type Pipe } from "./nodes.ts";
import {
  elemOf,
  fieldOf,
  fieldPath,
  indirect,
  indirectInterface,
  isTrue,
  methodOf,
} from "./reflect.ts";
import { type Maybe, type Method, STRING, type Type, Value } from "./types.ts";
import type { Located, Position, Variables } from "./state.ts";

/** Works out the pipelines of one template being executed. */
export class Evaluator extends Calls {
  private readonly variables: Variables;

  constructor(position: Position, variables: Variables, run: Run, node: Located) {
    super(position, node, run);
    this.variables = variables;
  }

  pipeline(dot: Maybe, pipe: Pipe | null): Maybe {
    if (pipe === null) return null;
    this.at(pipe);
    let value: Final;
    for (const command of pipe.commands) {
      this.step();
      value = this.command(dot, command, value);
      if (value?.type.name === "interface {}") value = elemOf(value);
    }
    const result = value ?? null;
    for (const { names } of pipe.declared) {
      const name = names[0] ?? "";
      if (!pipe.assign) this.variables.push(name, result);
      else if (!this.variables.set(name, result)) this.fail(`undefined variable: ${name}`);
    }
    return result;
  }

  private command(dot: Maybe, command: Command, final: Final): Maybe {
    const { args } = command;
    const [word] = args;
    if (word === undefined) return null;
    if (word.kind === "field") return this.field(dot, word, args, final);
    if (word.kind === "chain") return this.chain(dot, word, args, final);
    if (word.kind === "identifier") return this.function(dot, word, command, args, final);
    if (word.kind === "variable") return this.variable(dot, word, args, final);
    if (word.kind === "pipe") {
      this.notAFunction(args, final);
      return this.pipeline(dot, word);
    }
    this.at(word);
    this.notAFunction(args, final);
    if (word.kind === "nil") this.fail("nil is not a command");
    return this.constant(dot, word);
  }

  private notAFunction(args: readonly Operand[], final: Final): void {
    const [word] = args;
    if (word !== undefined && (args.length > 1 || final !== undefined))
      this.fail(`can't give argument to non-function ${nodeText(word)}`);
  }

  private field(
    dot: Maybe,
    node: OperandOf<"field">,
    args: readonly Operand[],
    final: Final,
  ): Maybe {
    this.at(node);
    return this.fields(dot, dot, node, node.names, args, final);
  }

  private chain(
    dot: Maybe,
    node: OperandOf<"chain">,
    args: readonly Operand[],
    final: Final,
  ): Maybe {
    this.at(node);
    if (node.of.kind === "nil") this.fail(`indirection through explicit nil in ${nodeText(node)}`);
    const of = this.argument(dot, null, node.of);
    return this.fields(dot, of, node, node.names, args, final);
  }

  private variable(
    dot: Maybe,
    node: OperandOf<"variable">,
    args: readonly Operand[],
    final: Final,
  ): Maybe {
    this.at(node);
    const [name = "", ...names] = node.names;
    const value = this.variables.get(name);
    if (value === undefined) this.fail(`undefined variable: ${name}`);
    if (names.length > 0) return this.fields(dot, value, node, names, args, final);
    this.notAFunction(args, final);
    return value;
  }

  private fields(
    dot: Maybe,
    from: Maybe,
    node: Operand,
    names: readonly Bytes[],
    args: readonly Operand[],
    final: Final,
  ): Maybe {
    let receiver = from;
    for (const name of names.slice(0, -1))
      receiver = this.member(dot, name, node, [], undefined, receiver);
    return this.member(dot, names.at(-1) ?? "", node, args, final, receiver);
  }

  /** A method, a field or a map's entry of that name. */
  private member(
    dot: Maybe,
    name: Bytes,
    node: Operand,
    args: readonly Operand[],
    final: Final,
    from: Maybe,
  ): Maybe {
    if (from === null) return null;
    const [receiver, nil] = indirect(from);
    if (receiver === null) return null;
    const owner = from.type.name;
    if (receiver.type.kind === "interface") this.fail(`nil pointer evaluating ${owner}.${name}`);
    const method = methodOf(receiver, name);
    if (method !== undefined) return this.method(dot, receiver, method, node, args, final);
    const given = args.length > 1 || final !== undefined;
    if (receiver.type.kind === "struct") {
      const path = fieldPath(receiver.type, name);
      const last = path?.at(-1);
      if (path !== null && last !== undefined) {
        if (!last.exported) this.fail(`${name} is an unexported field of struct type ${owner}`);
        if (given) this.fail(`${name} has arguments but cannot be invoked as function`);
        return path.reduce(fieldOf, receiver);
      }
    } else if (receiver.type.kind === "map") {
      if (given) this.fail(`${name} is not a method but has arguments`);
      const held = (receiver.raw as ReadonlyMap<Bytes, Bytes> | null)?.get(name);
      return held === undefined ? null : new Value(receiver.type.elem ?? STRING, held);
    } else if (nil && receiver.type.elem !== undefined) {
      const { elem } = receiver.type;
      if (elem.kind !== "struct" || fieldPath(elem, name) !== null)
        this.fail(`nil pointer evaluating ${owner}.${name}`);
    }
    this.fail(`can't evaluate field ${name} in type ${owner}`, fieldHint(receiver.type, name));
  }

  private method(
    dot: Maybe,
    receiver: Value,
    method: Method,
    node: Operand,
    args: readonly Operand[],
    final: Final,
  ): Maybe {
    const builtin = { params: method.params, rest: null };
    const argv = this.arguments(dot, builtin, method.name, args, final, method);
    return this.applyMethod(node, receiver, method, argv);
  }

  private function(
    dot: Maybe,
    node: OperandOf<"identifier">,
    command: Command | Operand,
    args: readonly Operand[],
    final: Final,
  ): Maybe {
    this.at(node);
    const { name } = node;
    const builtin = BUILTINS.get(name);
    if (builtin === undefined) this.fail(`${quote(name)} is not a defined function`);
    if (name === "and" || name === "or") return this.logic(dot, builtin, name, args, final);
    const argv = this.arguments(dot, builtin, name, args, final);
    return this.applyFunction(command, name, builtin, argv, args[1], final);
  }

  /** `and` and `or` evaluate no more than they need. */
  private logic(
    dot: Maybe,
    builtin: Builtin,
    name: "and" | "or",
    args: readonly Operand[],
    final: Final,
  ): Maybe {
    this.count(builtin, name, args, final);
    let value: Maybe = null;
    for (const arg of args.slice(1)) {
      value = this.argument(dot, REFLECT_VALUE, arg);
      const isDecided = isTrue(indirectInterface(value)) === (name === "or");
      if (isDecided && !this.run.explores) return value;
    }
    return final === undefined ? value : final;
  }

  private arguments(
    dot: Maybe,
    callee: Pick<Builtin, "params" | "rest">,
    name: Bytes,
    args: readonly Operand[],
    final: Final,
    method?: Method,
  ): readonly Maybe[] {
    this.count(callee, name, args, final);
    if (method !== undefined) this.mustBeCallable(method);
    const typeOf = (index: number): Type | null => callee.params[index] ?? callee.rest;
    const argv = args.slice(1).map((arg, index) => this.argument(dot, typeOf(index), arg));
    if (final !== undefined) argv.push(this.fitting(final, typeOf(argv.length)));
    return argv;
  }

  private argument(dot: Maybe, type: Type | null, node: Operand): Maybe {
    this.at(node);
    switch (node.kind) {
      case "dot":
        return this.fitting(dot, type);
      case "nil":
        if (type !== null && !nilable(type)) this.fail(`cannot assign nil to ${type.name}`);
        return type === null ? null : this.fitting(null, type);
      case "field":
        return this.fitting(this.field(dot, node, [node], undefined), type);
      case "variable":
        return this.fitting(this.variable(dot, node, [], undefined), type);
      case "pipe":
        return this.fitting(this.pipeline(dot, node), type);
      case "identifier":
        return this.fitting(this.function(dot, node, node, [], undefined), type);
      case "chain":
        return this.fitting(this.chain(dot, node, [], undefined), type);
      case "bool":
      case "number":
      case "string":
        return this.literal(dot, type ?? REFLECT_VALUE, node);
    }
  }
}
