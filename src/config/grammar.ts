import { nearest } from "./nearest.ts";
import { nameShown } from "./shown.ts";

/** A text with a grammar of its own: its value, or what is wrong with it and what was expected. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

const LEAST_BYTES = 2 ** 20;

/** `1GiB`, `512Mi`, `200MB`: bytes, at least one MiB. */
export function parseBytes(text: string): Parsed<number> {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?$/i.exec(text.trim()) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (number === undefined || factor === undefined)
    return wrong(`"${text}" is not a size; expected a number with a unit, like 512MiB or 1GiB`);
  const bytes = Math.round(Number(number) * factor);
  if (bytes < LEAST_BYTES) return wrong(`"${text}" is too small; expected at least 1MiB`);
  return { ok: true, value: bytes };
}

export interface Listen {
  /** Without brackets; empty: all interfaces. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`, `:8080`. */
export function parseListen(text: string): Parsed<Listen> {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    return wrong(
      `"${text}" is not an address to listen on; expected ADDR:PORT, like 127.0.0.1:8080, or :8080 for all interfaces`,
    );
  return { ok: true, value: { host: match[1] ?? match[2] ?? "", port } };
}

/** An IANA name; `null`, or what is wrong with it. */
export function timezoneProblem(name: string): string | null {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name }).format(0);
    return null;
  } catch {
    const known = Intl.supportedValuesOf("timeZone");
    const city = known.find((zone) => zone.split("/").at(-1)?.toLowerCase() === cityOf(name));
    const close = city ?? nearest(name, known);
    return `"${name}" is not a time zone; expected an IANA name${
      close === null ? ", like Asia/Shanghai or UTC" : `; did you mean "${close}"?`
    }`;
  }
}

function cityOf(name: string): string {
  return (name.split("/").at(-1) ?? name).trim().replaceAll(" ", "_").toLowerCase();
}

const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** What is wrong with the name of a namespace (an RFC 1123 label), or `null`. */
export function namespaceProblem(name: string): string | null {
  if (NAMESPACE.test(name)) return null;
  return `"${name}" is not the name of a namespace; a source watches namespaces by their exact names, patterns belong into a filter`;
}

const SINK_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** The name of a sink instance is a metric's label and a column of the ledger. */
export function sinkNameProblem(name: string): string | null {
  if (SINK_NAME.test(name)) return null;
  return `"${nameShown(name)}" cannot be the name of a sink; expected at most 63 letters, digits, dots, dashes and underscores`;
}

function wrong(problem: string): Parsed<never> {
  return { ok: false, problem };
}
