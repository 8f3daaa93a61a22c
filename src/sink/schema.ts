import { z } from "zod";
import { Secret } from "./secret.ts";

/**
 * The vocabulary in which a sink declares its options. Each option has a description and an example; what is not optional has a default or must be given.
 * zod's one door: the rest of the house sees these builders only.
 */
export interface OptionMeta {
  readonly description: string;
  readonly example?: unknown;
  /** Other names it answers to in a `--sink` URI (kube-eventer's, mostly). */
  readonly aliases?: readonly string[];
  /** Never printed, logged or stored. */
  readonly secret?: boolean;
}

const registry = z.registry<OptionMeta>();

function described<T extends z.ZodType>(schema: T, meta: OptionMeta): T {
  const result = schema.describe(meta.description);
  registry.add(result, meta);
  return result;
}

/** Durations are text with units: `500ms`, `30s`, `15m`, `24h`, `7d`; parsed to milliseconds. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) return null;
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[
    match[2] as "ms" | "s" | "m" | "h" | "d"
  ];
  return Math.round(Number(match[1]) * unit);
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

/** `null`, or what is wrong with the URL. Plain http is for loopback only unless `plain` allows it. */
function urlProblem(text: string, plain: boolean): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "is not a URL; expected https://HOST/PATH";
  }
  if (url.protocol === "https:") return null;
  if (url.protocol !== "http:")
    return `has the scheme ${url.protocol.slice(0, -1)}; expected https`;
  return plain || LOOPBACK.test(url.hostname)
    ? null
    : "says http to a host that is not loopback; expected https";
}

const isText = (value: unknown): value is string => typeof value === "string";
const toSecret = (value: string | Secret): Secret =>
  value instanceof Secret ? value : new Secret(value);
const secretInput = z.union([z.string(), z.instanceof(Secret)]);

export const s = {
  text: (meta: OptionMeta) => described(z.string(), meta),
  /** A secret: write `${ENV}`, `{ $env: NAME }` or `{ $file: PATH }`. */
  secret: (meta: OptionMeta) =>
    described(secretInput.transform(toSecret), { ...meta, secret: true }),
  /** A webhook URL, which is a password. `plainHttp` allows http to any host. */
  secretUrl: (meta: OptionMeta, plainHttp = false) =>
    described(
      secretInput
        .superRefine((value, ctx) => {
          const problem = urlProblem(isText(value) ? value : value.reveal(), plainHttp);
          if (problem !== null)
            ctx.addIssue({ code: "custom", message: problem, input: undefined });
        })
        .transform(toSecret),
      { ...meta, secret: true },
    ),
  bool: (meta: OptionMeta) => described(z.union([z.boolean(), z.stringbool()]), meta),
  integer: (meta: OptionMeta, min: number, max: number) =>
    described(z.coerce.number().int().min(min).max(max), meta),
  oneOf: <const T extends readonly [string, ...string[]]>(values: T, meta: OptionMeta) =>
    described(z.enum(values), meta),
  /** A list of texts; in a URI `a,b` or the option repeated. */
  list: (meta: OptionMeta) =>
    described(
      z.union([
        z.string().transform((text) =>
          text
            .split(",")
            .map((part) => part.trim())
            .filter((part) => part !== ""),
        ),
        z.array(z.string()),
      ]),
      meta,
    ),
  /** Name → value; in a URI `header=Name=Value`, repeated; values may be secrets. */
  map: (meta: OptionMeta) =>
    described(z.record(z.string(), secretInput.transform(toSecret)), { ...meta, secret: true }),
  duration: (meta: OptionMeta) =>
    described(
      z.string().transform((text, ctx) => {
        const ms = parseDuration(text);
        if (ms !== null) return ms;
        ctx.addIssue({
          code: "custom",
          message: `"${text}" is not a duration; expected a number with a unit, like 30s, 15m or 24h`,
          input: text,
        });
        return z.NEVER;
      }),
      meta,
    ),
  object: <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape),
};

/** What `s` recorded about an option, through `.optional()` and `.default()`. */
export function metaOf(schema: z.ZodType): OptionMeta | undefined {
  let current: z.ZodType | undefined = schema;
  while (current !== undefined) {
    const meta = registry.get(current);
    if (meta !== undefined) return meta;
    const inner: unknown = (current.def as { innerType?: unknown }).innerType;
    current = inner instanceof z.ZodType ? inner : undefined;
  }
  return undefined;
}

export type OptionsSchema = z.ZodObject;
export type OptionsOf<T extends OptionsSchema> = z.output<T>;
export { z };
