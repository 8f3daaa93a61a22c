import type { Bytes } from "./bytes.ts";
import { GoCallError, TooLong } from "./error.ts";
import type { Complex } from "./literal.ts";
import { ownWords, type Surroundings } from "./methods.ts";
import { elemOf, entries, fieldOf, isNil, items, itemAt } from "./reflect.ts";
import {
  formatBool,
  formatComplex,
  formatHex,
  formatInteger,
  formatNumber,
  formatQuoted,
  formatQuotedRune,
  formatRune,
  formatText,
  formatUnicode,
  pad,
  PLAIN,
  type Spec,
} from "./spec.ts";
import { isInt, type Maybe, type Raw, type Type, Value } from "./types.ts";
import type { Zone } from "./time.ts";

/** Where pointers are said to point: an address would tell nothing. */
const ADDRESS = 0xc000012120n;

/** All that one run may print, parts of parts and padding included: a width counts for every byte of a list. */
const MAX_PRINTED = 64 * 1024 * 1024;

/** Values as Go's package fmt prints them. */
export class Printer {
  private readonly around: Surroundings;
  /** While a wrong verb is told, values speak no words of their own. */
  private erring = false;
  private printed = 0;

  constructor(local: Zone) {
    this.around = { local, print: (value) => this.argument(value, "v", PLAIN) };
  }

  /** One argument by a verb. */
  argument(arg: Maybe, verb: string, spec: Spec): Bytes {
    const value = arg?.type.kind === "interface" ? elemOf(arg) : arg;
    if (value === null)
      return verb === "T" || verb === "v" ? pad("<nil>", spec) : this.bad(null, verb, spec);
    if (verb === "T") return formatText(value.type.name, spec);
    if (verb === "p") return this.pointer(value, verb, spec);
    return this.ownOr(value, verb, spec) ?? this.value(value, verb, spec, 0);
  }

  /** What stands for a value that a verb does not fit. */
  private bad(value: Maybe, verb: string, spec: Spec): Bytes {
    if (value === null) return `%!${verb}(<nil>)`;
    this.erring = true;
    const shown = this.argument(value, "v", spec);
    this.erring = false;
    return `%!${verb}(${value.type.name}=${shown})`;
  }

  /** The value's own words, where it has any for the verb. */
  private ownOr(value: Value, verb: string, spec: Spec): Bytes | null {
    if (this.erring) return null;
    if (verb === "w" && value.type.elem?.kind !== "uint8") return this.bad(value, verb, spec);
    const goSyntax = spec.sharpV;
    if (!goSyntax && !/^[vsxXq]$/.test(verb)) return null;
    try {
      const text = ownWords(value, goSyntax ? "GoString" : "String", this.around);
      if (text === null) return null;
      return goSyntax ? formatText(text, spec) : this.text(text, verb, spec, value);
    } catch (error) {
      if (!(error instanceof GoCallError) || error instanceof TooLong) throw error;
      if (isNil(value)) return "<nil>";
      return `%!${verb}(PANIC=${goSyntax ? "GoString" : "String"} method: ${error.message})`;
    }
  }

  private text(s: Bytes, verb: string, spec: Spec, value: Value): Bytes {
    switch (verb) {
      case "v":
        return spec.sharpV ? formatQuoted(s, spec) : formatText(s, spec);
      case "s":
        return formatText(s, spec);
      case "x":
      case "X":
        return formatHex(s, spec, verb);
      case "q":
        return formatQuoted(s, spec);
      default:
        return this.bad(value, verb, spec);
    }
  }

  private integer(value: Value, verb: string, spec: Spec): Bytes {
    const n = value.raw as bigint;
    switch (verb) {
      case "v":
        if (!spec.sharpV || isInt(value.type.kind)) return formatInteger(n, "d", spec);
        return formatInteger(n, "x", { ...spec, sharp: true });
      case "d":
      case "b":
      case "o":
      case "O":
      case "x":
      case "X":
        return formatInteger(n, verb, spec);
      case "c":
        return formatRune(n, spec);
      case "q":
        return formatQuotedRune(n, spec);
      case "U":
        return formatUnicode(n, spec);
      default:
        return this.bad(value, verb, spec);
    }
  }

  private value(value: Value, verb: string, spec: Spec, depth: number, hidden = false): Bytes {
    const text = this.whole(value, verb, spec, depth, hidden);
    this.printed += text.length;
    if (this.printed > MAX_PRINTED)
      throw new TooLong(`the values printed are longer than ${MAX_PRINTED} bytes in all`);
    return text;
  }

  private whole(value: Value, verb: string, spec: Spec, depth: number, hidden: boolean): Bytes {
    if (depth > 0 && !hidden && value.type.kind !== "interface") {
      const own = this.ownOr(value, verb, spec);
      if (own !== null) return own;
    }
    const { type, raw } = value;
    const kind: string = type.kind;
    switch (kind) {
      case "bool":
        return /^[tv]$/.test(verb) ? formatBool(raw as boolean, spec) : this.bad(value, verb, spec);
      case "float64":
        return /^[vbgGxXfFeE]$/.test(verb)
          ? formatNumber(raw as number, verb, spec)
          : this.bad(value, verb, spec);
      case "complex128":
        return /^[vbgGxXfFeE]$/.test(verb)
          ? formatComplex(raw as Complex, verb, spec)
          : this.bad(value, verb, spec);
      case "string":
        return this.text(raw as Bytes, verb, spec, value);
      case "map":
        return this.map(value, verb, spec, depth);
      case "struct":
        return this.struct(value, verb, spec, depth);
      case "interface": {
        const elem = elemOf(value);
        if (elem === null) return spec.sharpV ? `${type.name}(nil)` : "<nil>";
        return this.value(elem, verb, spec, depth + 1);
      }
      case "slice":
        return this.slice(value, verb, spec, depth);
      case "ptr": {
        const elem = elemOf(value);
        if (depth === 0 && elem !== null && /^(?:slice|struct|map)$/.test(elem.type.kind))
          return `&${this.value(elem, verb, spec, depth + 1)}`;
        return this.pointer(value, verb, spec);
      }
      default:
        return this.integer(value, verb, spec);
    }
  }

  private map(value: Value, verb: string, spec: Spec, depth: number): Bytes {
    const { type, raw } = value;
    if (spec.sharpV && raw === null) return `${type.name}(nil)`;
    const shown = entries(value).map(([key, item]) => {
      const name = this.value(new Value(STRING_KEY, key), verb, spec, depth + 1);
      return `${name}:${this.value(new Value(type.elem ?? STRING_KEY, item), verb, spec, depth + 1)}`;
    });
    return spec.sharpV ? `${type.name}{${shown.join(", ")}}` : `map[${shown.join(" ")}]`;
  }

  private struct(value: Value, verb: string, spec: Spec, depth: number): Bytes {
    const named = spec.plusV || spec.sharpV;
    const shown = (value.type.fields ?? []).map((field) => {
      const held = fieldOf(value, field);
      const inner = held.type.kind === "interface" ? elemOf(held) : held;
      const text =
        inner === null ? "<nil>" : this.value(inner, verb, spec, depth + 1, !field.exported);
      return named ? `${field.name}:${text}` : text;
    });
    return `${spec.sharpV ? value.type.name : ""}{${shown.join(spec.sharpV ? ", " : " ")}}`;
  }

  private slice(value: Value, verb: string, spec: Spec, depth: number): Bytes {
    const { type, raw } = value;
    const bytes = type.elem?.kind === "uint8";
    if (bytes && /^[sqxX]$/.test(verb))
      return this.text(bytesText(items(value)), verb, spec, value);
    const name = bytes && depth === 0 && verb === "v" ? "[]byte" : type.name;
    if (spec.sharpV && raw === null) return `${name}(nil)`;
    const shown = items(value).map((_, index) =>
      this.value(itemAt(value, index), verb, spec, depth + 1),
    );
    if (spec.sharpV) return `${name}{${shown.join(", ")}}`;
    return `[${shown.join(" ")}]`;
  }

  private pointer(value: Value, verb: string, spec: Spec): Bytes {
    const address = value.raw === null ? 0n : ADDRESS;
    if (!/^(?:ptr|slice|map)$/.test(value.type.kind)) return this.bad(value, verb, spec);
    switch (verb) {
      case "v":
        if (spec.sharpV)
          return `(${value.type.name})(${address === 0n ? "nil" : formatInteger(address, "x", { ...PLAIN, sharp: true })})`;
        if (address === 0n) return pad("<nil>", spec);
        return formatInteger(address, "x", { ...spec, sharp: !spec.sharp });
      case "p":
        return formatInteger(address, "x", { ...spec, sharp: !spec.sharp });
      case "b":
      case "o":
      case "d":
      case "x":
      case "X":
        return formatInteger(address, verb, spec);
      default:
        return this.bad(value, verb, spec);
    }
  }
}

const STRING_KEY: Type = { kind: "string", name: "string" };

const bytesText = (raw: readonly Raw[]): Bytes =>
  raw.map((byte) => String.fromCharCode(Number(byte as bigint))).join("");
