import { type Bytes, decodeRune, encodeRune } from "./bytes.ts";
import { GoCallError } from "./error.ts";
import { indirectInterface } from "./reflect.ts";
import type { Printer } from "./print.ts";
import { PLAIN, type Spec } from "./spec.ts";
import { isInt, isUint, type Maybe } from "./types.ts";

/** Go refuses a width or precision beyond this. */
const TOO_LARGE = 1_000_000;

/** A width is short to write: a format must not make a text that fills the memory. */
const MAX_TEXT = 4 * 1024 * 1024;

type Draft = { -readonly [K in keyof Spec]: Spec[K] };

/** `fmt.Sprint`: a space between two operands where neither is a string. */
export function sprint(printer: Printer, args: readonly Maybe[]): Bytes {
  let out = "";
  let afterString = true;
  for (const [index, arg] of args.entries()) {
    const isString = indirectInterface(arg)?.type.kind === "string";
    if (index > 0 && !isString && !afterString) out += " ";
    out += printer.argument(arg, "v", PLAIN);
    afterString = isString;
  }
  return out;
}

/** `fmt.Sprintln`: a space between any two, a newline after the last. */
export const sprintln = (printer: Printer, args: readonly Maybe[]): Bytes =>
  `${args.map((arg) => printer.argument(arg, "v", PLAIN)).join(" ")}\n`;

/** `fmt.Sprintf`. */
export const sprintf = (printer: Printer, format: Bytes, args: readonly Maybe[]): Bytes =>
  new Formatter(printer, format, args).run();

class Formatter {
  private at = 0;
  private next = 0;
  private reordered = false;
  private goodIndex = true;
  private afterIndex = false;
  private readonly printer: Printer;
  private readonly format: Bytes;
  private readonly args: readonly Maybe[];

  constructor(printer: Printer, format: Bytes, args: readonly Maybe[]) {
    this.printer = printer;
    this.format = format;
    this.args = args;
  }

  run(): Bytes {
    let out = "";
    while (this.at < this.format.length) {
      const percent = this.format.indexOf("%", this.at);
      out += this.format.slice(this.at, percent < 0 ? undefined : percent);
      if (percent < 0) break;
      this.at = percent + 1;
      out += this.directive();
      if (out.length > MAX_TEXT) throw new GoCallError(`the text is longer than ${MAX_TEXT} bytes`);
    }
    if (this.reordered || this.next >= this.args.length) return out;
    const extra = this.args.slice(this.next).map((arg) => {
      const value = indirectInterface(arg);
      return value === null
        ? "<nil>"
        : `${value.type.name}=${this.printer.argument(value, "v", PLAIN)}`;
    });
    return `${out}%!(EXTRA ${extra.join(", ")})`;
  }

  private directive(): Bytes {
    const spec: Draft = { ...PLAIN };
    let out = "";
    this.goodIndex = true;
    this.afterIndex = false;
    this.flags(spec);
    this.index();
    if (this.char() === "*") {
      this.at++;
      const width = this.starred();
      if (width === null) out += "%!(BADWIDTH)";
      else if (width < 0) Object.assign(spec, { width: -width, minus: true, zero: false });
      else spec.width = width;
      this.afterIndex = false;
    } else {
      spec.width = this.digits();
      // "%[3]2d": a width belongs before the index.
      if (this.afterIndex && spec.width !== null) this.goodIndex = false;
    }
    if (this.char() === "." && this.at + 1 < this.format.length) {
      this.at++;
      if (this.afterIndex) this.goodIndex = false;
      this.afterIndex = false;
      this.index();
      if (this.char() === "*") {
        this.at++;
        const precision = this.starred();
        if (precision === null || precision < 0) out += "%!(BADPREC)";
        else spec.precision = precision;
        this.afterIndex = false;
      } else {
        spec.precision = this.digits() ?? 0;
      }
    }
    if (!this.afterIndex) this.index();
    return out + this.verb(spec);
  }

  private verb(spec: Draft): Bytes {
    if (this.at >= this.format.length) return "%!(NOVERB)";
    const [rune, size] = decodeRune(this.format, this.at);
    const verb = encodeRune(rune);
    this.at += size;
    if (verb === "%") return "%";
    if (!this.goodIndex) return `%!${verb}(BADINDEX)`;
    if (this.next >= this.args.length) return `%!${verb}(MISSING)`;
    // %w is for errors that wrap others, and is told of as %v would be.
    if (verb === "v" || verb === "w") {
      spec.sharpV = spec.sharp;
      spec.sharp = false;
      spec.plusV = spec.plus;
      spec.plus = false;
    }
    return this.printer.argument(this.args[this.next++] ?? null, verb, spec);
  }

  private char(): string {
    return this.format[this.at] ?? "";
  }

  private flags(spec: Draft): void {
    for (;;) {
      switch (this.char()) {
        case "#":
          spec.sharp = true;
          break;
        case "0":
          spec.zero = true;
          break;
        case "+":
          spec.plus = true;
          break;
        case "-":
          spec.minus = true;
          break;
        case " ":
          spec.space = true;
          break;
        default:
          if (spec.minus) spec.zero = false;
          return;
      }
      this.at++;
    }
  }

  private digits(): number | null {
    const found = /^\d+/.exec(this.format.slice(this.at))?.[0];
    if (found === undefined) return null;
    this.at += found.length;
    // Its last digit may take it beyond the bound: so Go counts.
    if (Number(found.slice(0, -1)) <= TOO_LARGE) return Number(found);
    // Go reads no further after such a number.
    this.at = this.format.length;
    return null;
  }

  /** `[2]`: which argument comes next. */
  private index(): void {
    if (this.char() !== "[") return;
    this.reordered = true;
    // "[]" at the end is too short to be looked at for a bracket.
    const close = this.format.length - this.at < 3 ? -1 : this.format.indexOf("]", this.at);
    const text = close < 0 ? "" : this.format.slice(this.at + 1, close);
    this.at = close < 0 ? this.at + 1 : close + 1;
    this.afterIndex = /^\d+$/.test(text) && Number(text.slice(0, -1)) <= TOO_LARGE;
    const index = this.afterIndex ? Number(text) - 1 : -1;
    if (index >= 0 && index < this.args.length) this.next = index;
    else this.goodIndex = false;
  }

  private starred(): number | null {
    const value = indirectInterface(this.args[this.next] ?? null);
    if (this.next < this.args.length) this.next++;
    if (value === null || !(isInt(value.type.kind) || isUint(value.type.kind))) return null;
    const n = Number(value.raw);
    return Math.abs(n) > TOO_LARGE ? null : n;
  }
}
