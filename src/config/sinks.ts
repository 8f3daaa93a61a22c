import { splitPatterns } from "../pipeline/matcher.ts";
import type { SinkDefinition } from "../sink/index.ts";
import { metaOf, optionsOf, variableOf, z } from "../sink/schema.ts";
import { forRobots } from "../sink/robots.ts";
import { Secret } from "../sink/secret.ts";
import type { Config, ConfigIssue, FilterSpec, Lang, SinkConfig } from "./config.ts";
import { sinkNameProblem } from "./grammar.ts";
import { explain, type Taken, unknownName } from "./issues.ts";
import { HOUSE_KEYS, sinkSchema, sinkShape } from "./schema.ts";
import { type Env, withoutBreak } from "./secrets.ts";
import { isMap, type Path, type Tree, valueAt } from "./tree.ts";

/** The level of a sink that is told none: chat groups hear of warnings, programs of everything. */
export function defaultLevel(definition: SinkDefinition): FilterSpec["level"] {
  return definition.defaultLevel ?? "Warning";
}

/** One entry of `sinks`, or all that is wrong with it. */
export function readSink(
  name: string,
  tree: Tree,
  registry: readonly SinkDefinition[],
  root: Pick<Config, "lang" | "compat">,
  env: Env,
): { readonly sink: SinkConfig | null; readonly issues: readonly ConfigIssue[] } {
  const path: Path = ["sinks", name];
  const raw = valueAt(tree.value, path);
  const layer = tree.layerOf(path);
  const label = layer?.label(path) ?? "";
  const said = label === "" ? "" : `${label}: `;
  const fail = (message: string, hint: string | null, at: Path = path) => ({
    sink: null,
    issues: [{ where: layer?.where(at, "key") ?? "", message: said + message, hint }],
  });

  const nameProblem = sinkNameProblem(name);
  if (nameProblem !== null) return fail(nameProblem, null);
  const types = registry.map((definition) => definition.type);
  if (!isMap(raw))
    return fail("expected a map with a type and options", `the types: ${types.join(", ")}`);
  const type = raw["type"];
  if (type === undefined)
    return fail(
      "type is missing: which sink this is",
      types.includes(name) ? `write type: ${name}` : `one of ${types.join(", ")}`,
    );
  const definition = registry.find((one) => one.type === type);
  if (definition === undefined) {
    const found = typeof type === "string" ? type : JSON.stringify(type);
    const { message, hint } = unknownName("sink type", found, types);
    return fail(message, hint, [...path, "type"]);
  }

  const { house, own } = split(raw, definition);
  const taken = fromEnv(definition, own, env);
  const houseResult = sinkSchema.safeParse(house);
  const ownResult = definition.options.safeParse({
    ...(root.compat === "strict" ? definition.strict?.defaults : {}),
    ...Object.fromEntries([...taken].map(([option, { value }]) => [option, value])),
    ...own,
  });
  const issues = [
    ...explain(
      houseResult.error?.issues ?? [],
      { base: path, schema: sinkSchema, otherKeys: [], aliases: new Map() },
      tree,
    ),
    ...explain(
      ownResult.error?.issues ?? [],
      {
        base: path,
        schema: definition.options,
        otherKeys: HOUSE_KEYS,
        aliases: aliasesOf(definition),
        uri: { target: definition.uri.target, example: definition.example.uri },
        taken,
      },
      tree,
    ),
  ];
  if (!houseResult.success || !ownResult.success) return { sink: null, issues };
  const { data } = houseResult;
  if (data.giveUpAfter < data.timeout)
    return fail(
      "giveUpAfter is shorter than timeout: not one attempt could be finished",
      "give a longer giveUpAfter",
      [...path, "giveUpAfter"],
    );
  const counts = forRobots(definition, ownResult.data, registry);
  return { sink: resolved(name, counts, ownResult.data, data, root.lang), issues };
}

/** What is taken from the environment where the option is not given, as kube-eventer and the platforms' own tools do: by the option. */
function fromEnv(
  definition: SinkDefinition,
  own: Readonly<Record<string, unknown>>,
  env: Env,
): ReadonlyMap<string, Taken> {
  const options = optionsOf(definition.options);
  const found = options.flatMap((info) => {
    const variable = variableOf(info, own, options);
    const value = variable === null ? "" : withoutBreak(env[variable] ?? "");
    if (variable === null || value === "" || own[info.name] !== undefined) return [];
    const { name, meta } = info;
    const besides = typeof meta.env === "object" ? meta.env.besides : undefined;
    return [{ name, taken: { variable, value }, besides }];
  });
  const names = found.map(({ name }) => name);
  return new Map(
    found
      .filter(({ besides }) => besides === undefined || names.includes(besides))
      .map(({ name, taken }) => [name, taken] as const),
  );
}

function resolved(
  name: string,
  definition: SinkDefinition,
  options: Readonly<Record<string, unknown>>,
  house: z.output<typeof sinkSchema>,
  lang: Lang,
): SinkConfig {
  return {
    name,
    definition,
    options,
    filter: { ...house.filter, level: house.filter.level ?? defaultLevel(definition) },
    lang: house.lang ?? lang,
    labels: house.labels,
    timeoutMs: house.timeout,
    giveUpAfterMs: house.giveUpAfter,
    concurrency: house.concurrency ?? null,
    ratePerMinute: house.ratePerMinute ?? null,
    digest: house.digest && definition.isRecord !== true,
    template: house.template ?? null,
  };
}

function split(raw: Readonly<Record<string, unknown>>, definition: SinkDefinition) {
  const forms = new Map(
    [...optionsOf(definition.options), ...HOUSE_OPTIONS].map(({ name, form }) => [name, form]),
  );
  const house: Record<string, unknown> = {};
  const own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const form = forms.get(key);
    // A heading of which every line is commented out.
    if (key === "type" || (value === null && (form === "list" || form === "map"))) continue;
    if (key === "filter") house[key] = normalizedFilter(value);
    else (HOUSE_KEYS.includes(key) ? house : own)[key] = form === "number" ? counted(value) : value;
  }
  return { house, own };
}

const HOUSE_OPTIONS = optionsOf(z.object(sinkShape));

/** JavaScript makes a number of `true`, of `[5]` and of nothing; a person does not. */
function counted(value: unknown): unknown {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? value : Number.NaN;
}

/** Lists written as one text are split with care for commas inside /regex/; a heading with nothing below it filters nothing. */
export function normalizedFilter(value: unknown): unknown {
  if (value === null) return {};
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (key === "exclude") return [key, normalizedFilter(item)];
      if (item === null && key !== "level") return [key, []];
      return [key, typeof item === "string" && key !== "level" ? splitPatterns(item) : item];
    }),
  );
}

function aliasesOf(definition: SinkDefinition): ReadonlyMap<string, string> {
  return new Map(
    optionsOf(definition.options).flatMap(({ name, meta }) =>
      (meta.aliases ?? []).map((alias) => [alias, name] as const),
    ),
  );
}

/** Headers that hold no secret. */
export const PLAIN_HEADERS = /^(accept(-language|-charset)?|content-?type|user-agent)$/i;

/** Secret options whose value stands in the configuration itself, where everyone who reads it sees it. */
export function literalSecrets(sink: SinkConfig, tree: Tree): readonly ConfigIssue[] {
  return Object.entries(sink.options).flatMap(([option, value]) => {
    const path: Path = ["sinks", sink.name, option];
    const schema = sink.definition.options.shape[option] as z.ZodType | undefined;
    const layer = tree.layerOf(path);
    const given = valueAt(tree.value, path);
    if (layer === null || given === undefined || schema === undefined) return [];
    if (metaOf(schema)?.secret !== true || layer.hidden(path)) return [];
    if (!layer.literalsAreSeen || isLoopback(value) || isBareHost(value)) return [];
    const isSeen = (key: string) => !layer.hidden([...path, key]) && !PLAIN_HEADERS.test(key);
    if (isMap(given) && !Object.keys(given).some(isSeen)) return [];
    return [
      {
        where: layer.where(path, "value"),
        message: `${layer.label(path)}: this secret stands in the file itself`,
        hint: "write ${NAME}, { $env: NAME } or { $file: PATH } instead",
      },
    ];
  });
}

/** An address of a host and nothing more is no secret. */
function isBareHost(value: unknown): boolean {
  return value instanceof Secret && /^https?:\/\/[^/?#@\s]+\/*$/i.test(value.reveal());
}

function isLoopback(value: unknown): boolean {
  return (
    value instanceof Secret &&
    /^https?:\/\/(localhost|127\.[\d.]+|\[::1\])([:/]|$)/i.test(value.reveal())
  );
}
