import {
  type Bytes,
  canBackquote,
  encodeRune,
  quote,
  quoteRune,
  REPLACEMENT,
  runeCount,
  runesOf,
  unicodeName,
} from "./bytes.ts";
import { formatFloat } from "./float.ts";
import type { Complex } from "./literal.ts";

/** What stands between `%` and the verb. */
export interface Spec {
  readonly width: number | null;
  readonly precision: number | null;
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  /** `%+v` and `%#v`. */
  readonly plusV: boolean;
  readonly sharpV: boolean;
}

export const PLAIN: Spec = {
  width: null,
  precision: null,
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  plusV: false,
  sharpV: false,
};

/** To the width, counted in characters. */
export function pad(s: Bytes, spec: Spec, zero = spec.zero): Bytes {
  if (spec.width === null) return s;
  const missing = spec.width - runeCount(s);
  if (missing <= 0) return s;
  if (spec.minus) return s + " ".repeat(missing);
  return (zero ? "0" : " ").repeat(missing) + s;
}

function truncated(s: Bytes, { precision }: Spec): Bytes {
  if (precision === null) return s;
  let size = 0;
  let left = precision;
  for (const [, bytes] of runesOf(s)) {
    if (left-- <= 0) break;
    size += bytes;
  }
  return s.slice(0, size);
}

export const formatText = (s: Bytes, spec: Spec): Bytes => pad(truncated(s, spec), spec);

export function formatQuoted(s: Bytes, spec: Spec): Bytes {
  const text = truncated(s, spec);
  if (spec.sharp && canBackquote(text)) return pad(`\`${text}\``, spec);
  return pad(quote(text, spec.plus), spec);
}

/** `%x` of bytes: with a space between them, or `0x` before all or each. */
export function formatHex(s: Bytes, spec: Spec, verb: string): Bytes {
  const bytes = spec.precision === null ? s : s.slice(0, spec.precision);
  if (bytes === "") return pad("", spec);
  const prefix = spec.sharp ? `0${verb}` : "";
  const pairs = Array.from(bytes, (c) => {
    const pair = c.charCodeAt(0).toString(16).padStart(2, "0");
    return verb === "X" ? pair.toUpperCase() : pair;
  });
  return pad(
    spec.space ? pairs.map((pair) => prefix + pair).join(" ") : prefix + pairs.join(""),
    spec,
  );
}

export const formatBool = (truth: boolean, spec: Spec): Bytes => pad(String(truth), spec);

const BASES: Readonly<Record<string, number>> = { b: 2, o: 8, O: 8, d: 10, v: 10, x: 16, X: 16 };

/** An integer by a verb that has a base. */
export function formatInteger(n: bigint, verb: string, spec: Spec): Bytes {
  const negative = n < 0n;
  const signed = negative || spec.plus || spec.space;
  if (spec.precision === 0 && n === 0n) return pad("", spec, false);
  const base = BASES[verb] ?? 10;
  let digits = (negative ? -n : n).toString(base);
  if (verb === "X") digits = digits.toUpperCase();
  const least =
    spec.precision ??
    (spec.zero && !spec.minus && spec.width !== null ? spec.width - (signed ? 1 : 0) : 0);
  digits = digits.padStart(least, "0");
  let prefix = "";
  if (spec.sharp) {
    if (base === 2) prefix = "0b";
    else if (base === 8) prefix = digits.startsWith("0") ? "" : "0";
    else if (base === 16) prefix = verb === "X" ? "0X" : "0x";
  }
  if (verb === "O") prefix = `0o${prefix}`;
  const sign = negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  return pad(`${sign}${prefix}${digits}`, spec, false);
}

const runeOf = (n: bigint): number => (n < 0n || n > 0x10ffffn ? REPLACEMENT : Number(n));

export const formatRune = (n: bigint, spec: Spec): Bytes => pad(encodeRune(runeOf(n)), spec);
export const formatQuotedRune = (n: bigint, spec: Spec): Bytes =>
  pad(quoteRune(runeOf(n), spec.plus), spec);

export function formatUnicode(n: bigint, spec: Spec): Bytes {
  const digits = BigInt.asUintN(64, n).toString(16).toUpperCase();
  const name = `U+${digits.padStart(Math.max(spec.precision ?? 4, 4), "0")}`;
  const quoted = spec.sharp && n >= 0n && n <= 0x10ffffn ? unicodeName(Number(n)) : "";
  const at = quoted.indexOf(" ");
  return pad(at < 0 ? name : name + quoted.slice(at), spec, false);
}

/** A floating-point number: the sign stays before the zeros that fill the width. */
export function formatNumber(x: number, verb: string, spec: Spec): Bytes {
  const letter = verb === "v" ? "g" : verb;
  const usual = /[feEF]/.test(verb) ? 6 : -1;
  const text = formatFloat(x, letter, spec.precision ?? usual);
  const signed = /^[+-]/.test(text);
  let sign = signed ? (text[0] ?? "") : "+";
  let digits = signed ? text.slice(1) : text;
  if (sign === "+" && spec.space && !spec.plus) sign = " ";
  const finite = /^\d/.test(digits);
  if (spec.sharp && verb !== "b" && finite) digits = withPoint(digits, letter, spec.precision);
  const shown = spec.plus || sign !== "+" || digits === "Inf" ? sign : "";
  const missing = (spec.width ?? 0) - digits.length - shown.length;
  if (spec.zero && finite && !spec.minus && missing > 0)
    return shown + "0".repeat(missing) + digits;
  return pad(shown + digits, spec, false);
}

/** `%#g`: always with a point, and the zeros that %g leaves out. */
function withPoint(text: string, verb: string, precision: number | null): string {
  const at = text.search(/[xX]/.test(verb) ? /[pP]/ : /[eE]/);
  const digits = at < 0 ? text : text.slice(0, at);
  const counted = digits.replace(".", "").replace(/^0+/, "").length;
  const wanted = /[gGx]/.test(verb) ? (precision ?? 6) - counted - (digits === "0" ? 1 : 0) : 0;
  const point = digits.includes(".") ? "" : ".";
  return `${digits}${point}${"0".repeat(Math.max(0, wanted))}${at < 0 ? "" : text.slice(at)}`;
}

/** A complex number by a verb of its parts; the imaginary one always with its sign. */
export function formatComplex({ re, im }: Complex, verb: string, spec: Spec): Bytes {
  return `(${formatNumber(re, verb, spec)}${formatNumber(im, verb, { ...spec, plus: true })}i)`;
}
