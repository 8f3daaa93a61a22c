import { type Bytes, decodeRune, encodeRune, quote } from "./bytes.ts";

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 0x5c,
};

class SyntaxProblem extends Error {}

/** The first character of a quoted text: its bytes or rune, and where the next begins. */
function unquoteChar(
  s: Bytes,
  at: number,
  quoteMark: string,
): { readonly rune: number; readonly byte: boolean; readonly next: number } {
  const c = s[at];
  if (c === undefined || c === quoteMark) throw new SyntaxProblem("invalid syntax");
  if (c !== "\\") {
    const [rune, size] = decodeRune(s, at);
    return { rune, byte: false, next: at + size };
  }
  const e = s[at + 1] ?? "";
  const digits = { x: 2, u: 4, U: 8 }[e];
  if (digits !== undefined) {
    const text = s.slice(at + 2, at + 2 + digits);
    if (text.length < digits || !/^[0-9a-fA-F]+$/.test(text))
      throw new SyntaxProblem("invalid syntax");
    const rune = Number.parseInt(text, 16);
    if (e !== "x" && (rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)))
      throw new SyntaxProblem("invalid syntax");
    return { rune, byte: e === "x", next: at + 2 + digits };
  }
  if (/[0-7]/.test(e)) {
    const text = s.slice(at + 1, at + 4);
    const rune = Number.parseInt(text, 8);
    if (!/^[0-7]{3}$/.test(text) || rune > 255) throw new SyntaxProblem("invalid syntax");
    return { rune, byte: true, next: at + 4 };
  }
  const rune =
    e === "'" || e === '"' ? (e === quoteMark ? e.charCodeAt(0) : undefined) : ESCAPES[e];
  if (e === "" || rune === undefined) throw new SyntaxProblem("invalid syntax");
  return { rune, byte: false, next: at + 2 };
}

/** What a quoted or raw string means; `null` where it is none. */
export function unquote(text: Bytes): Bytes | null {
  const mark = text[0];
  const inner = text.slice(1, -1);
  if (mark === "`") return inner.replaceAll("\r", "");
  let out = "";
  try {
    for (let at = 0; at < inner.length;) {
      const { rune, byte, next } = unquoteChar(inner, at, '"');
      out += byte ? String.fromCharCode(rune) : encodeRune(rune);
      at = next;
    }
  } catch (error) {
    if (error instanceof SyntaxProblem) return null;
    throw error;
  }
  return out;
}

export interface Complex {
  readonly re: number;
  readonly im: number;
}

/** A number of a template before it has a type: what it can be. */
export interface Literal {
  readonly int: bigint | null;
  readonly uint: bigint | null;
  readonly float: number | null;
  readonly complex: Complex | null;
}

const INT =
  /^([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;
const DECIMAL =
  /^[+-]?(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?$/;
const HEX = /^([+-]?)0[xX]((?:_?[0-9a-fA-F])*)(?:\.((?:[0-9a-fA-F]_?)*))?[pP]([+-]?\d+)$/;
/** A real part and an imaginary one. */
const COMPLEX =
  /^([+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?))([+-].*)i$/;
const INT_LIMIT = 1n << 63n;

function parseInteger(text: string): bigint | null {
  const found = INT.exec(text);
  if (found === null) return null;
  const digits = (found[2] ?? "").replaceAll("_", "");
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return found[1] === "-" ? -value : value;
}

function parseFloatText(text: string): number | null {
  if (DECIMAL.test(text)) {
    const value = Number(text.replaceAll("_", ""));
    return Number.isFinite(value) ? value : null;
  }
  const found = HEX.exec(text);
  if (found === null) return null;
  const [, sign, whole = "", part = "", exponent] = found;
  const digits = `${whole}${part}`.replaceAll("_", "");
  if (digits === "") return null;
  const size = part.replaceAll("_", "").length;
  const value = Number(BigInt(`0x${digits}`)) * 2 ** (Number(exponent) - 4 * size);
  return Number.isFinite(value) ? (sign === "-" ? -value : value) : null;
}

const isInt64 = (n: bigint): boolean => n >= -INT_LIMIT && n < INT_LIMIT;
const isUint64 = (n: bigint): boolean => n >= 0n && n < 2n * INT_LIMIT;

function realLiteral(x: number): Pick<Literal, "int" | "uint"> {
  if (!Number.isInteger(x)) return { int: null, uint: null };
  const n = BigInt(x);
  return { int: isInt64(n) ? n : null, uint: isUint64(n) ? n : null };
}

/** A complex number without an imaginary part is any real number. */
function complexLiteral(complex: Complex): Literal {
  if (complex.im !== 0) return { int: null, uint: null, float: null, complex };
  return { ...realLiteral(complex.re), float: complex.re, complex };
}

/** A number as a template writes it, or the words of the error. */
export function parseNumber(text: Bytes, kind: "char" | "complex" | "number"): Literal | string {
  if (kind === "char") return parseChar(text);
  if (kind === "complex") {
    const parts = COMPLEX.exec(text)?.slice(1) ?? [];
    if (parts.length !== 2 || !parts.every((part) => /\d/.test(part)))
      return "syntax error scanning complex number";
    const [re = null, im = null] = parts.map(parseFloatText);
    if (re !== null && im !== null) return complexLiteral({ re, im });
    const bad = (re === null ? parts[0] : parts[1]) ?? "";
    const why = DECIMAL.test(bad) || HEX.test(bad) ? "value out of range" : "invalid syntax";
    return `strconv.ParseFloat: parsing ${quote(bad)}: ${why}`;
  }
  if (text.endsWith("i")) {
    const im = parseFloatText(text.slice(0, -1));
    if (im !== null) return complexLiteral({ re: 0, im });
    return `illegal number syntax: ${quote(text)}`;
  }
  const n = parseInteger(text);
  const uint = n !== null && isUint64(n) && !/^[+-]/.test(text) ? n : null;
  const int = n !== null && isInt64(n) ? n : null;
  if (int !== null) return { int, uint: int === 0n ? 0n : uint, float: Number(int), complex: null };
  if (uint !== null) return { int, uint, float: Number(uint), complex: null };
  // A number with a base has no float to be instead: only a decimal one overflows.
  const float = parseFloatText(text);
  if (float === null) return `illegal number syntax: ${quote(text)}`;
  if (!/[.eEpP]/.test(text)) return `integer overflow: ${quote(text)}`;
  return { ...realLiteral(float), float, complex: null };
}

function parseChar(text: Bytes): Literal | string {
  try {
    const { rune, next } = unquoteChar(text, 1, "'");
    if (text.slice(next) !== "'") return `malformed character constant: ${text}`;
    const n = BigInt(rune);
    return { int: n, uint: n, float: rune, complex: null };
  } catch (error) {
    if (error instanceof SyntaxProblem) return "invalid syntax";
    throw error;
  }
}
