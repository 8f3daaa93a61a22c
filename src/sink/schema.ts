import { z } from "zod";
import { tokenProblem } from "./header.ts";
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
  /** The environment variable that gives it where nothing else does, as kube-eventer has some. */
  readonly env?: string | ChosenVariable | BoundVariable;
  /** Never printed, logged or stored. */
  readonly secret?: boolean;
}

/** An environment variable that depends on what else is given. */
export interface ChosenVariable {
  /** The option whose value chooses the variable. */
  readonly by: string;
  readonly names: Readonly<Record<string, string>>;
  /** Taken only where this option is from the environment, too: a token belongs to one key. */
  readonly besides?: string;
}

/** One that is taken only where another option is from the environment, too: a token belongs to one key. */
export interface BoundVariable {
  readonly name: string;
  readonly besides: string;
}

/** What an option looks like where a person writes it. */
export type OptionForm =
  | "text"
  | "secret"
  | "url"
  | "yes or no"
  | "number"
  | "list"
  | "map"
  | "duration"
  | readonly string[];

const registry = z.registry<OptionMeta & { readonly form: OptionForm }>();

function described<T extends z.ZodType>(schema: T, meta: OptionMeta, form: OptionForm): T {
  const result = schema.describe(meta.description);
  registry.add(result, { ...meta, form });
  return result;
}

/** Durations are text with units: `500ms`, `30s`, `15m`, `24h`, `7d`; parsed to milliseconds. */
export function parseDuration(text: string): number | null {
  const ms = millisecondsOf(text);
  return ms === null || ms > LONGEST_MS ? null : ms;
}

/** What is wrong with it; `null`: nothing. */
export function durationProblem(text: string): string | null {
  if (parseDuration(text) !== null) return null;
  return millisecondsOf(text) === null
    ? `"${text}" is not a duration; expected a number with a unit, like 30s, 15m or 24h`
    : `"${text}" is too long; expected at most ${LONGEST_DAYS}d`;
}

/** Before it and after it, seen from now, there are dates. */
const LONGEST_DAYS = 36_500;
const LONGEST_MS = LONGEST_DAYS * 86_400_000;

function millisecondsOf(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) return null;
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[
    match[2] as "ms" | "s" | "m" | "h" | "d"
  ];
  return Math.round(Number(match[1]) * unit);
}

export const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

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

const secretForm = (
  meta: OptionMeta,
  read: (text: string) => { readonly text: string } | { readonly problem: string },
) =>
  described(
    secretInput.transform((value, ctx) => {
      const outcome = read(isText(value) ? value : value.reveal());
      if ("text" in outcome) return new Secret(outcome.text);
      ctx.addIssue({ code: "custom", message: outcome.problem, input: undefined });
      return z.NEVER;
    }),
    { ...meta, secret: true },
    "secret",
  );

export const s = {
  text: (meta: OptionMeta) => described(z.string(), meta, "text"),
  /** A secret: write `${ENV}`, `{ $env: NAME }` or `{ $file: PATH }`. */
  secret: (meta: OptionMeta) =>
    described(secretInput.transform(toSecret), { ...meta, secret: true }, "secret"),
  /** A secret that a parser of the sink's own judges and brings into one form, so that equal things are equal. */
  secretForm,
  /** A secret that goes into a header as it is. White space around it, as a file has it, is none of it. */
  headerSecret: (meta: OptionMeta) =>
    secretForm(meta, (text) => {
      const problem = tokenProblem(text);
      return problem === null ? { text: text.trim() } : { problem };
    }),
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
      "url",
    ),
  /** Every word that Go's strconv.ParseBool takes, as kube-eventer did, and YAML's. */
  bool: (meta: OptionMeta) =>
    described(
      z.union([
        z.boolean(),
        z.stringbool({
          truthy: ["true", "t", "1", "yes", "y", "on", "enabled"],
          falsy: ["false", "f", "0", "no", "n", "off", "disabled"],
        }),
      ]),
      meta,
      "yes or no",
    ),
  integer: (meta: OptionMeta, min: number, max: number) =>
    described(z.coerce.number().int().min(min).max(max), meta, "number"),
  number: (meta: OptionMeta, min: number, max: number) =>
    described(z.coerce.number().min(min).max(max), meta, "number"),
  oneOf: <const T extends readonly [string, ...string[]]>(values: T, meta: OptionMeta) =>
    described(z.enum(values), meta, values),
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
      "list",
    ),
  /** Name → value; in a URI `header=Name=Value`, repeated; values may be secrets. */
  map: (meta: OptionMeta) =>
    described(
      z.record(z.string(), secretInput.transform(toSecret)),
      { ...meta, secret: true },
      "map",
    ),
  duration: (meta: OptionMeta) =>
    described(
      z.string().transform((text, ctx) => {
        const ms = parseDuration(text);
        if (ms !== null) return ms;
        ctx.addIssue({ code: "custom", message: durationProblem(text) ?? "", input: text });
        return z.NEVER;
      }),
      meta,
      "duration",
    ),
  object: <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape),
};

/** One option as the documentation, the `--sink` URI and the configuration schema need it. */
export interface OptionInfo {
  /** As in YAML: camelCase. */
  readonly name: string;
  readonly meta: OptionMeta;
  readonly form: OptionForm;
  readonly required: boolean;
  /** What is taken when nothing is given, as a person would write it; `undefined`: nothing. */
  readonly fallback: unknown;
}

/** The options of a sink, in the order of their declaration. */
export function optionsOf(schema: OptionsSchema): readonly OptionInfo[] {
  return Object.entries(schema.shape).map(([name, option]) => {
    const { record, fallback } = unwrap(option as z.ZodType);
    if (record === undefined) throw new Error(`option ${name} was not declared with s`);
    const { form, ...meta } = record;
    const required = !(option as z.ZodType).safeParse(undefined).success;
    return { name, meta, form, required, fallback };
  });
}

/** The environment variable that gives an option where nothing else does; `null`: none. */
export function variableOf(
  { meta: { env } }: OptionInfo,
  given: Readonly<Record<string, unknown>>,
  options: readonly OptionInfo[],
): string | null {
  if (typeof env !== "object") return env ?? null;
  if ("name" in env) return env.name;
  const chosen = given[env.by] ?? options.find(({ name }) => name === env.by)?.fallback;
  return env.names[String(chosen)] ?? null;
}

/** What `s` recorded about an option, through `.optional()`, `.default()` and `.prefault()`. */
export function metaOf(schema: z.ZodType): OptionMeta | undefined {
  return unwrap(schema).record;
}

function unwrap(schema: z.ZodType) {
  let current: z.ZodType | undefined = schema;
  let fallback: unknown;
  while (current !== undefined) {
    const record = registry.get(current);
    if (record !== undefined) return { record, fallback };
    const def = current.def as { innerType?: unknown; defaultValue?: unknown };
    fallback ??= def.defaultValue;
    current = def.innerType instanceof z.ZodType ? def.innerType : undefined;
  }
  return { record: undefined, fallback };
}

export type OptionsSchema = z.ZodObject;
export type OptionsOf<T extends OptionsSchema> = z.output<T>;
export { z };
