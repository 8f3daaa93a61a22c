import { metaOf, type OptionMeta, z } from "../sink/schema.ts";
import type { ConfigIssue } from "./config.ts";
import { nearest, suggestion } from "./nearest.ts";
import { expected, phrase } from "./phrase.ts";
import { filterShape } from "./schema.ts";
import { nameShown } from "./shown.ts";
import { isMap, type Layer, type Path, pathText, type Tree, valueAt } from "./tree.ts";

type Problem = z.core.$ZodIssue;

/** A schema that judged what stands at `base`, and what may stand there besides. */
export interface Judged {
  readonly base: Path;
  readonly schema: z.ZodObject;
  /** Keys of the same map that another schema judges: known, so that a typing mistake finds them. */
  readonly otherKeys: readonly string[];
  /** Other names an option is known by → its own. */
  readonly aliases: ReadonlyMap<string, string>;
  /** For a sink: how its URI is written, and the option that is the address in it. */
  readonly uri?: { readonly target: string | null; readonly example: string };
  /** By the option: what the environment gave where nothing else did. */
  readonly taken?: ReadonlyMap<string, Taken>;
}

/** A variable's value, never to be repeated. */
export interface Taken {
  readonly variable: string;
  readonly value: string;
}

/** What the schema says, in the user's terms: found, expected, where, next step. Values of secrets are never repeated. */
export function explain(problems: readonly Problem[], judged: Judged, tree: Tree): ConfigIssue[] {
  return problems.flatMap((problem) => {
    const inner = innermost(problem);
    const path: Path = [...judged.base, ...inner.path.map(asKey)];
    const layer = tree.layerOf(path);
    if (layer?.broken(path) === true) return [];
    if (inner.code === "unrecognized_keys")
      return inner.keys.map((key) => unknownKey([...path, key], key, inner.path, judged, tree));

    const value = valueAt(tree.value, path);
    const isWord = value === null && memberAt(judged.schema, inner.path) === undefined;
    const label = labelOf(path, layer, isWord);
    const meta = metaBelow(judged.schema, inner.path);
    const taken = judged.taken?.get(String(inner.path[0]));
    if (value === undefined && taken !== undefined) {
      const message = prefix(label) + phrase(inner, taken.value, true);
      return [{ where: `$${taken.variable}`, message, hint: exampleHint(meta, true) }];
    }
    if (value === undefined && inner.code !== "custom") {
      const what = meta === undefined ? "" : `: ${meta.description}`;
      const where = layer?.where(path, "key") ?? "";
      const isUri = judged.uri !== undefined && where.startsWith("--sink");
      return [
        {
          where,
          message: `${prefix(label)}is missing${what}`,
          hint:
            (isUri ? hintInUri(String(path.at(-1)), judged.uri, meta) : null) ?? exampleHint(meta),
        },
      ];
    }
    const secret = meta?.secret === true || layer?.hidden(path) === true;
    const message = phrase(inner, value, secret);
    return [
      {
        where: layer?.where(path, value === undefined ? "key" : "value") ?? "",
        message: prefix(label) + message,
        hint: hintFor(inner, value, secret, meta),
      },
    ];
  });
}

function unknownKey(
  path: Path,
  key: string,
  parent: readonly PropertyKey[],
  judged: Judged,
  tree: Tree,
): ConfigIssue {
  const layer = tree.layerOf(path);
  const member = memberAt(judged.schema, parent);
  const map = member === undefined ? undefined : bare(member);
  const own = map instanceof z.ZodObject ? Object.keys(map.shape) : [];
  const known = parent.length === 0 ? [...own, ...judged.otherKeys] : own;
  const alias = judged.aliases.get(key);
  const close = alias ?? nearest(key, [...known, ...judged.aliases.keys()]);
  const name = close === null ? null : (judged.aliases.get(close) ?? close);
  const [, first] = /^([^\s:]+)[\s:]+./.exec(key) ?? [];
  const begun = known.find((one) => one === first);
  const isWord = close === null && begun === undefined && valueAt(tree.value, path) === null;
  return {
    where: layer?.where(path, "key") ?? "",
    message: `${prefix(labelOf(path, layer, isWord))}there is no such option`,
    hint:
      begun !== undefined
        ? `write a colon and a space behind "${begun}"`
        : name === null
          ? otherPlace(key, known)
          : `did you mean "${name}"?`,
  };
}

/** `{ secret SEC… }` and `{ SEC… }` are keys without a value to YAML: such a word is not said. */
function labelOf(path: Path, layer: Layer | null, isWord: boolean): string {
  if (!isWord) return layer?.label(path) ?? pathText(path);
  const above = layer?.label(path.slice(0, -1)) ?? pathText(path.slice(0, -1));
  return `${above}${above === "" ? "" : "."}…`;
}

/** In a `--sink` URI, as with kube-eventer, `level` stands beside the sink's options. */
function otherPlace(key: string, known: readonly string[]): string {
  return known.includes("filter") && (key === "exclude" || Object.hasOwn(filterShape, key))
    ? `"${key}" belongs into "filter" here`
    : `the options here: ${known.join(", ")}`;
}

/** Of a union's alternatives, the one that got furthest into the value knows best what is wrong. */
function innermost(problem: Problem): Problem {
  if (problem.code !== "invalid_union") return problem;
  const deepest = problem.errors
    .flat()
    .filter((error) => error.path.length > 0 || error.code === "custom")
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  if (deepest === undefined) return problem;
  return innermost({ ...deepest, path: [...problem.path, ...deepest.path] });
}

function hintFor(
  problem: Problem,
  value: unknown,
  secret: boolean,
  meta: OptionMeta | undefined,
): string | null {
  if (problem.code === "custom") return null;
  if (problem.code === "invalid_value") {
    if (secret || typeof value !== "string") return null;
    const close = nearest(value, problem.values.map(String));
    return close === null ? null : `did you mean "${close}"?`;
  }
  const reference = meantReference(value);
  if (reference !== null && expected(problem).startsWith("text")) return reference;
  const example = meta?.secret === true ? null : exampleHint(meta);
  // YAML takes 10 for a number, and so for no duration, name or password.
  if (typeof value !== "number" || !expected(problem).startsWith("text")) return example;
  return example === null ? "write it in quotes" : `write it in quotes, ${example}`;
}

/** `{ $flie: PATH }`, `{ env: NAME }`: what stands behind the key is not repeated. */
function meantReference(value: unknown): string | null {
  const [key, ...more] = isMap(value) ? Object.keys(value) : [];
  if (key === undefined || more.length > 0) return null;
  const close = nearest(key, ["$env", "$file"]);
  if (close === null) return null;
  return `did you mean { ${close}: ${close === "$env" ? "NAME" : "PATH"} }?`;
}

function exampleHint(meta: OptionMeta | undefined, isReferred = false): string | null {
  if (meta?.secret === true)
    return isReferred
      ? null
      : "write ${NAME}, { $env: NAME } or { $file: PATH } to keep it out of the configuration";
  return meta?.example === undefined ? null : `for example ${JSON.stringify(meta.example)}`;
}

/** There is no map there that could hold `{ $env: NAME }`. */
function hintInUri(
  name: string,
  uri: NonNullable<Judged["uri"]>,
  meta: OptionMeta | undefined,
): string | null {
  if (name === uri.target) return `write it like this: ${uri.example}`;
  if (meta?.secret !== true) return null;
  const parameter = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const variable =
    meta.env === undefined ? "" : `, or set ${namesOf(meta.env).join(" or ")} in the environment`;
  return `add ${parameter}=\${NAME} with the environment variable that has it${variable}`;
}

function namesOf(env: NonNullable<OptionMeta["env"]>): readonly string[] {
  if (typeof env === "string") return [env];
  return "name" in env ? [env.name] : Object.values(env.names);
}

function metaBelow(schema: z.ZodType, path: readonly PropertyKey[]): OptionMeta | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const member = memberAt(schema, path.slice(0, length));
    const meta = member === undefined ? undefined : metaOf(member);
    if (meta !== undefined) return meta;
  }
  return undefined;
}

/** The schema of what stands at the path, as far as objects and lists lead there. */
function memberAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let current = schema;
  for (const key of path) {
    const parent = bare(current);
    let member: unknown;
    if (parent instanceof z.ZodObject) member = (parent.shape as Record<PropertyKey, unknown>)[key];
    else if (parent instanceof z.ZodArray) member = parent.element;
    if (!(member instanceof z.ZodType)) return undefined;
    current = member;
  }
  return current;
}

function bare(schema: z.ZodType): z.ZodType {
  const inner: unknown = (schema.def as { innerType?: unknown }).innerType;
  return inner instanceof z.ZodType ? bare(inner) : schema;
}

function asKey(key: PropertyKey): string | number {
  return typeof key === "symbol" ? key.toString() : key;
}

function prefix(label: string): string {
  return label === "" ? "" : `${label}: `;
}

/** `sink type "dingtlk" …` and the like, for the closed sets that no schema holds. */
export function unknownName(what: string, found: string, known: readonly string[]) {
  return {
    message: `there is no ${what} "${nameShown(found)}"`,
    hint: suggestion(found, known, "there are"),
  };
}

/**
 * The issues in the order of the places, with every secret value blotted out: the last line of defence, for messages made by sinks.
 * Short values are left, or `Normal` in a variable would be blotted out of every sentence.
 */
export function presentable(
  issues: readonly ConfigIssue[],
  secrets: readonly string[],
): readonly ConfigIssue[] {
  // The longest first, or a secret that begins as another one would keep its end.
  const long = secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret.toWellFormed())])
    .filter((secret) => secret.length >= 8)
    .toSorted((a, b) => b.length - a.length);
  const clean = (text: string) =>
    long.reduce((result, secret) => result.replaceAll(secret, "<redacted>"), text);
  return issues
    .map((issue) => ({
      where: issue.where,
      message: clean(issue.message),
      hint: issue.hint === null ? null : clean(issue.hint),
    }))
    .toSorted((a, b) => a.where.localeCompare(b.where, "en", { numeric: true }));
}
