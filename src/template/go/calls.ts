import { type Builtin, callFunction } from "./builtins.ts";
import type { Bytes } from "./bytes.ts";
import { Conversions } from "./conversion.ts";
import { GoCallError } from "./error.ts";
import { callMethod, type Surroundings } from "./methods.ts";
import { type Command, nodeText, type Operand } from "./nodes.ts";
import type { Printer } from "./print.ts";
import { goodFunction, type Limits, type Located, type Position } from "./state.ts";
import type { Maybe, Method, Value } from "./types.ts";

/** No value came down the pipeline; a value that is `null` did. */
export type Final = Maybe | undefined;

/** What all templates of one run share. */
export interface Run {
  readonly printer: Printer;
  readonly around: Surroundings;
  readonly limits: Limits;
  /** Nothing is left out because it is not needed. */
  readonly explores: boolean;
  step(): boolean;
  handle(bytes: number): boolean;
}

/** How reflection names what a pipeline gives to `call`. */
const pipedName = (final: Final): Bytes =>
  final?.type.kind === "string" ? (final.raw as Bytes) : `<${final?.type.name ?? "invalid"} Value>`;

/** What a value takes to copy. */
const sizeOf = (value: Maybe): number =>
  typeof value?.raw === "string" || Array.isArray(value?.raw) ? value.raw.length : 1;

/** Functions and methods are called with as many arguments as they take, and within the limits of the run. */
export class Calls extends Conversions {
  protected readonly run: Run;

  protected constructor(position: Position, node: Located, run: Run) {
    super(position, node);
    this.run = run;
  }

  /** One more of the steps that a run may take. */
  step(): void {
    if (!this.run.step()) this.fail(`exceeded ${this.run.limits.steps} steps of execution`);
  }

  protected count(
    { params, rest }: Pick<Builtin, "params" | "rest">,
    name: Bytes,
    args: readonly Operand[],
    final: Final,
  ): void {
    const written = Math.max(args.length - 1, 0);
    const given = written + (final === undefined ? 0 : 1);
    if (rest !== null && given < params.length)
      this.fail(`wrong number of args for ${name}: want at least ${params.length} got ${written}`);
    if (rest === null && given !== params.length)
      this.fail(`wrong number of args for ${name}: want ${params.length} got ${given}`);
  }

  /** Before its arguments are worked out. */
  protected mustBeCallable(method: Method): void {
    const problem = goodFunction(method);
    if (problem !== null) this.fail(problem);
  }

  protected applyMethod(
    node: Operand,
    receiver: Value,
    method: Method,
    argv: readonly Maybe[],
  ): Maybe {
    return this.guarded(node, method.name, argv, () =>
      callMethod(receiver, method, argv, this.run.around),
    );
  }

  /** @param first what `call` is said to call; `undefined`: what came down the pipeline */
  protected applyFunction(
    node: Command | Operand,
    name: Bytes,
    builtin: Builtin,
    argv: readonly Maybe[],
    first: Operand | undefined,
    final: Final,
  ): Maybe {
    return this.guarded(node, name, argv, () => {
      const called = first === undefined ? pipedName(final) : nodeText(first);
      return name === "call"
        ? callFunction(called, argv[0] ?? null)
        : builtin.call(argv, this.run.printer);
    });
  }

  /** Calls, and says where and what when the callee fails. */
  private guarded(
    node: Command | Operand,
    name: Bytes,
    argv: readonly Maybe[],
    call: () => Maybe,
  ): Maybe {
    const { text, handled } = this.run.limits;
    try {
      const result = call();
      if (sizeOf(result) > text) throw new GoCallError(`the result is longer than ${text} bytes`);
      if (!this.run.handle([...argv, result].reduce((sum, value) => sum + sizeOf(value), 0)))
        throw new GoCallError(`the texts of functions are longer than ${handled} bytes in all`);
      return result;
    } catch (error) {
      if (!(error instanceof GoCallError)) throw error;
      this.at(node);
      this.fail(`error calling ${name}: ${error.message}`);
    }
  }
}
