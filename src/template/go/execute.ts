import { suggestion } from "../../config/nearest.ts";
import { type Bytes, quote, toText } from "./bytes.ts";
import { GoTemplateError, placeOf, TooLong } from "./error.ts";
import { Evaluator } from "./evaluate.ts";
import type { Surroundings } from "./methods.ts";
import type { Branch, List, Node, TemplateCall } from "./nodes.ts";
import { Printer } from "./print.ts";
import { printable } from "./printable.ts";
import { PLAIN } from "./spec.ts";
import {
  entries,
  indirect,
  indirectInterface,
  isTrue,
  itemAt,
  items,
  lengthOf,
} from "./reflect.ts";
import { type Limits, type Position, Variables } from "./state.ts";
import { type Left, type Walk, walk } from "./walk.ts";
import type { Zone } from "./time.ts";
import { intOf, isInt, isUint, type Maybe, STRING, stringOf, Value, zeroOf } from "./types.ts";

/** Part of the output: what the template says itself, what a value makes, or what Go's `js` made of one. */
export interface Piece {
  readonly kind: "text" | "value" | "js";
  readonly bytes: Bytes;
}

/** One run of a template: what all the templates it calls share. */
export class Execution {
  readonly printer: Printer;
  readonly around: Surroundings;
  readonly limits: Limits;
  private steps = 0;
  private size = 0;
  private handled = 0;
  readonly pieces: Piece[] = [];
  private readonly trees: ReadonlyMap<Bytes, List>;
  private readonly source: Bytes;
  private readonly file: Bytes;
  /** It goes through both ways of every branch and on behind every error, and each template once. */
  readonly explores: boolean;
  readonly problems: GoTemplateError[] = [];
  private readonly explored = new Set<Bytes>();

  constructor(
    trees: ReadonlyMap<Bytes, List>,
    source: Bytes,
    file: Bytes,
    local: Zone,
    limits: Limits,
    explores = false,
  ) {
    this.trees = trees;
    this.explores = explores;
    this.source = source;
    this.file = file;
    this.limits = limits;
    this.printer = new Printer(local);
    this.around = { local, print: (value) => this.printer.argument(value, "v", PLAIN) };
  }

  tree(name: Bytes): List | undefined {
    return this.trees.get(name);
  }

  /** Which template a name may have been meant to be. */
  hintFor(name: Bytes): string {
    const defined = [...this.trees.keys()].filter((one) => one !== this.file);
    if (defined.length === 0) return `write {{ define "${toText(name)}" }}…{{ end }}`;
    return suggestion(toText(name), defined.map(toText), "templates there are");
  }

  position(name: Bytes): Position {
    return { name, file: this.file, place: (at) => placeOf(this.source, at) };
  }

  /** Keeps an error for which exploring does not end; throws any other. */
  note(error: unknown): void {
    if (!this.explores || !(error instanceof GoTemplateError) || this.steps > this.limits.steps)
      throw error;
    this.problems.push(error);
  }

  /** Whether the template of this name is still to be executed. */
  enters(name: Bytes): boolean {
    return !this.explores || this.explored.size < this.explored.add(name).size;
  }

  /** What was executed so far is within bounds. */
  step(): boolean {
    return ++this.steps <= this.limits.steps;
  }

  /** So are the texts that functions were given and made. */
  handle(bytes: number): boolean {
    this.handled += bytes;
    return this.handled <= this.limits.handled;
  }

  /** Writes, unless it would be too much. */
  write(piece: Piece): boolean {
    this.size += piece.bytes.length;
    if (this.size > this.limits.text) return false;
    this.pieces.push(piece);
    return true;
  }
}

/** Executes one template: those it calls are walked by others of the same run. */
export class Walker {
  private readonly run: Execution;
  private readonly depth: number;
  private readonly variables: Variables;
  private readonly evaluator: Evaluator;

  constructor(run: Execution, name: Bytes, root: List, dot: Maybe, depth: number) {
    this.run = run;
    this.depth = depth;
    this.variables = new Variables(dot);
    this.evaluator = new Evaluator(run.position(name), this.variables, run, root);
  }

  *list(dot: Maybe, list: List): Walk {
    this.evaluator.at(list);
    for (const node of list.nodes) {
      const way = this.begun(dot, node);
      const left = way === null || typeof way === "string" ? way : yield way;
      if (left !== null) return left;
    }
    return null;
  }

  private begun(dot: Maybe, node: Node): Left | Walk {
    try {
      const way = this.node(dot, node);
      return this.run.explores && typeof way === "string" ? null : way;
    } catch (error) {
      this.run.note(error);
      return null;
    }
  }

  /** Does it, or says what is to be walked for it. */
  private node(dot: Maybe, node: Node): Left | Walk {
    this.evaluator.at(node);
    this.evaluator.step();
    switch (node.kind) {
      case "text":
        this.write({ kind: "text", bytes: node.text });
        return null;
      case "action": {
        const value = this.evaluator.pipeline(dot, node.pipe);
        if (node.pipe.declared.length > 0) return null;
        this.evaluator.at(node);
        const shown = printable(value) ?? stringOf("<no value>");
        const last = node.pipe.commands.at(-1)?.args[0];
        this.write({
          kind: last?.kind === "identifier" && last.name === "js" ? "js" : "value",
          bytes: this.print(shown),
        });
        return null;
      }
      case "break":
      case "continue":
        return node.kind;
      case "template":
        return this.call(dot, node);
      case "range":
        return this.range(dot, node);
      case "if":
      case "with":
        return this.branch(dot, node);
    }
  }

  private print(value: Value): Bytes {
    try {
      return this.run.printer.argument(value, "v", PLAIN);
    } catch (error) {
      if (error instanceof TooLong) this.evaluator.fail(error.message);
      throw error;
    }
  }

  private write(piece: Piece): void {
    if (!this.run.write(piece))
      this.evaluator.fail(`the output is longer than ${this.run.limits.text} bytes`);
  }

  private *branch(dot: Maybe, node: Branch): Walk {
    const mark = this.variables.mark();
    const value = this.evaluator.pipeline(dot, node.pipe);
    const inner = this.list(node.kind === "with" ? value : dot, node.list);
    const outer = node.otherwise === null ? null : this.list(dot, node.otherwise);
    const [taken, other] = isTrue(indirectInterface(value)) ? [inner, outer] : [outer, inner];
    if (this.run.explores && other !== null) {
      const before = this.variables.values();
      yield other;
      this.variables.restore(before);
    }
    const left = taken === null ? null : yield taken;
    this.variables.pop(mark);
    return left;
  }

  private call(dot: Maybe, node: TemplateCall): Walk | null {
    const root = this.run.tree(node.name);
    if (root === undefined)
      this.evaluator.fail(`template ${quote(node.name)} not defined`, this.run.hintFor(node.name));
    const { depth } = this.run.limits;
    if (this.depth === depth) this.evaluator.fail(`exceeded maximum template depth (${depth})`);
    const value = this.evaluator.pipeline(dot, node.pipe);
    if (!this.run.enters(node.name)) return null;
    return new Walker(this.run, node.name, root, value, this.depth + 1).list(value, root);
  }

  private *range(dot: Maybe, node: Branch): Walk {
    this.evaluator.at(node);
    const outer = this.variables.mark();
    const [value] = indirect(this.evaluator.pipeline(dot, node.pipe));
    const mark = this.variables.mark();
    let any = false;
    for (const [index, item] of this.iterations(value, node)) {
      any = true;
      // One over nothing is a loop too.
      this.evaluator.at(node);
      this.evaluator.step();
      this.bind(node, index, item);
      const left = yield this.list(item, node.list);
      this.variables.pop(mark);
      if (left === "break" || this.run.explores) break;
    }
    const isLeft = node.otherwise === null || (any && !this.run.explores);
    const left = isLeft || node.otherwise === null ? null : yield this.list(dot, node.otherwise);
    this.variables.pop(outer);
    // A break in `else` ends this loop, as Go has it, and not the one around it; a continue is that one's.
    return left === "break" ? null : left;
  }

  private bind({ pipe }: Branch, index: Maybe, item: Maybe): void {
    const [first, second] = pipe.declared;
    if (first === undefined) return;
    if (pipe.assign) {
      this.variables.set(first.names[0] ?? "", second === undefined ? item : index);
      if (second !== undefined) this.variables.set(second.names[0] ?? "", item);
      return;
    }
    this.variables.setTop(1, item);
    if (second !== undefined) this.variables.setTop(2, index);
  }

  private *iterations(value: Maybe, node: Branch): Generator<readonly [Maybe, Maybe]> {
    if (value === null) return;
    const { kind, elem } = value.type;
    if (this.run.explores && elem !== undefined && lengthOf(value) === 0) {
      yield [kind === "map" ? stringOf("") : intOf(0), new Value(elem, zeroOf(elem), true)];
      return;
    }
    const shown = (): Bytes => this.run.printer.argument(value, "v", PLAIN);
    if (isInt(kind) || isUint(kind)) {
      if (node.pipe.declared.length > 1)
        this.evaluator.fail(`can't use ${shown()} to iterate over more than one variable`);
      for (let i = 0n; i < (value.raw as bigint); i++) yield [null, new Value(value.type, i)];
    } else if (kind === "slice") {
      for (const index of items(value).keys()) yield [intOf(index), itemAt(value, index)];
    } else if (kind === "map") {
      for (const [key, raw] of entries(value))
        yield [stringOf(key), new Value(elem ?? STRING, raw)];
    } else {
      this.evaluator.fail(`range can't iterate over ${shown()}`);
    }
  }
}

/** Executes the template of a name. */
export function execute(run: Execution, name: Bytes, data: Value): void {
  const root = run.tree(name);
  if (root === undefined) return;
  walk(new Walker(run, name, root, data, 0).list(data, root), (error) => run.note(error));
}
