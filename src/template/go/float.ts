/** Floating-point numbers written as Go's strconv.FormatFloat does: exactly, and halves to even. */

/** 0.DIGITS × 10^point. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

function partsOf(x: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & ((1n << 52n) - 1n);
  return exponent === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: exponent - 1075 };
}

/** Every digit that the number really has. */
function exact(x: number): Decimal {
  const { mantissa, exponent } = partsOf(x);
  if (mantissa === 0n) return { digits: "", point: 0 };
  const scaled = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const digits = String(scaled);
  const point = digits.length + Math.min(exponent, 0);
  return { digits: digits.replace(/0+$/, ""), point };
}

/** As few digits as tell the number from its neighbours. */
function shortest(x: number): Decimal {
  if (x === 0) return { digits: "", point: 0 };
  const [digits = "", exponent = "0"] = x.toExponential().replace(".", "").split("e");
  return { digits, point: Number(exponent) + 1 };
}

function rounded({ digits, point }: Decimal, size: number): Decimal {
  if (size >= digits.length) return { digits, point };
  if (size < 0) return { digits: "", point: 0 };
  const rest = digits.slice(size);
  const half = rest[0] === "5" && /^50*$/.test(rest);
  const odd = size > 0 && Number(digits[size - 1]) % 2 === 1;
  const up = half ? odd : (rest[0] ?? "0") >= "5";
  if (!up) return { digits: digits.slice(0, size), point };
  const raised = String(BigInt(`0${digits.slice(0, size)}`) + 1n).padStart(size, "0");
  if (raised.length <= size) return { digits: raised, point };
  // 9.99 became 10.0: one digit more before the point, none more in all.
  return { digits: raised.slice(0, Math.max(size, 1)), point: point + 1 };
}

function plain({ digits, point }: Decimal, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const zeros = Math.max(0, -point);
  const fraction = `${"0".repeat(Math.min(zeros, precision))}${digits.slice(Math.max(0, point))}`;
  return precision > 0 ? `${whole}.${fraction.padEnd(precision, "0").slice(0, precision)}` : whole;
}

function scientific({ digits, point }: Decimal, precision: number, e: string): string {
  const exponent = digits === "" ? 0 : point - 1;
  const first = digits[0] ?? "0";
  const rest = precision > 0 ? `.${digits.slice(1).padEnd(precision, "0")}` : "";
  return `${first}${rest}${e}${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** A number by one of Go's verbs; a precision of -1 is as many digits as are needed. */
export function formatFloat(x: number, verb: string, precision: number): string {
  if (Number.isNaN(x)) return "NaN";
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  const size = Math.abs(x);
  if (size === Infinity) return sign === "" ? "+Inf" : "-Inf";
  if (verb === "b") {
    const { mantissa, exponent } = partsOf(size);
    return `${sign}${mantissa}p${exponent < 0 ? "" : "+"}${exponent}`;
  }
  if (verb === "x" || verb === "X") return `${sign}${hexadecimal(size, verb, precision)}`;
  return `${sign}${decimal(size, verb, precision)}`;
}

function decimal(x: number, verb: string, precision: number): string {
  const all = precision < 0 ? shortest(x) : exact(x);
  const e = verb === "G" || verb === "E" ? "E" : "e";
  if (verb === "f" || verb === "F") {
    const kept = precision < 0 ? all : rounded(all, all.point + precision);
    return plain(kept, precision < 0 ? Math.max(kept.digits.length - kept.point, 0) : precision);
  }
  if (verb === "e" || verb === "E") {
    const kept = precision < 0 ? all : rounded(all, precision + 1);
    return scientific(kept, precision < 0 ? kept.digits.length - 1 : precision, e);
  }
  const wanted = precision === 0 ? 1 : precision;
  const kept = rounded(all, wanted < 0 ? all.digits.length : wanted);
  const digits = { ...kept, digits: kept.digits.replace(/0+$/, "") };
  const count = digits.digits.length;
  // By %e where the exponent is below -4 or not below the precision, 6 where as many digits as needed are written.
  const limit = precision < 0 ? 6 : wanted > count && count >= digits.point ? count : wanted;
  const exponent = digits.point - 1;
  if (count > 0 && (exponent < -4 || exponent >= limit)) return scientific(digits, count - 1, e);
  return plain(digits, Math.max(count - digits.point, 0));
}

function hexadecimal(x: number, verb: string, precision: number): string {
  let { mantissa, exponent } = partsOf(x);
  let power = 0;
  if (mantissa === 0n) exponent = 0;
  else {
    // One bit before the point, 52 after it.
    while (mantissa < 1n << 52n) {
      mantissa <<= 1n;
      exponent--;
    }
    power = exponent + 52;
  }
  if (precision >= 0 && precision < 13) {
    const drop = BigInt((13 - precision) * 4);
    const rest = mantissa & ((1n << drop) - 1n);
    const half = 1n << (drop - 1n);
    mantissa >>= drop;
    if (rest > half || (rest === half && mantissa % 2n === 1n)) mantissa++;
    mantissa <<= drop;
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n;
      power++;
    }
  }
  const digits = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(13, "0");
  const shown =
    precision < 0 ? digits.replace(/0+$/, "") : digits.slice(0, precision).padEnd(precision, "0");
  const text = `0x${mantissa === 0n ? 0 : 1}${shown === "" ? "" : `.${shown}`}p${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  return verb === "X" ? text.toUpperCase() : text;
}
