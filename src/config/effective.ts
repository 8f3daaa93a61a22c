import { type OptionInfo, optionsOf, variableOf } from "../sink/schema.ts";
import type { Config, EffectiveOption, SinkConfig } from "./config.ts";
import { type FlagValues, flagName, OPTION_FLAGS } from "./flags.ts";
import { asText, OPTION_GROUPS } from "./options.ts";
import type { Env } from "./secrets.ts";
import { defaultLevel } from "./sinks.ts";
import { isMap, type Path, pathText, type Tree, valueAt } from "./tree.ts";

export interface EffectiveInput {
  readonly tree: Tree;
  readonly config: Pick<Config, "sinks" | "lang" | "timezone" | "compat">;
  readonly flags: FlagValues;
  readonly env: Env;
  /** Values from the environment and from secret files: whatever holds one is not shown. */
  readonly secrets: readonly string[];
}

export const REDACTED = "<redacted>";
/** Shorter than this, a part of a secret tells nothing, and the words of a language would be taken for one. */
const PART_MIN = 6;
/** What is shorter stands in texts that have nothing to do with it. */
const LONG = 8;

interface Origin {
  readonly referred: boolean;
  /** In a URI what refers to the environment is known of the whole, and not of its parts. */
  readonly inUri: boolean;
}

/** Every option of the house and of each sink, with where it comes from. */
export function effectiveOptions(input: EffectiveInput): readonly EffectiveOption[] {
  const { tree, config } = input;
  const groups = OPTION_GROUPS;
  const sources = Array.isArray(tree.value["sources"]) ? tree.value["sources"] : [];
  return [
    ...groups.global.map((option) => globalOption(input, option)),
    ...(sources.length === 0
      ? inSection(
          input,
          "sources[0]",
          ["sources", 0, "kubernetes"],
          groups.kubernetes,
          "kubernetes.",
        )
      : sources.flatMap((source: unknown, index) => {
          const type = isMap(source) && "file" in source ? "file" : "kubernetes";
          const path = ["sources", index, type];
          return inSection(input, `sources[${index}]`, path, groups[type], `${type}.`);
        })),
    ...inSection(input, "filter", ["filter"], groups.filter, ""),
    ...inSection(input, "filter", ["filter", "exclude"], groups.exclude, "exclude."),
    ...config.sinks.flatMap((sink) => sinkOptions(input, sink)),
  ];
}

function globalOption(input: EffectiveInput, option: OptionInfo): EffectiveOption {
  const found = optionAt(input, "global", [option.name], option, option.name);
  // What decides where nothing is given: $TZ, else the system.
  if (option.name !== "timezone" || found.where !== null) return found;
  const isSet = (input.env["TZ"] ?? "").replace(/^:/, "") !== "";
  return { ...found, value: input.config.timezone, where: isSet ? "$TZ" : null };
}

function inSection(
  input: EffectiveInput,
  section: string,
  path: Path,
  options: readonly OptionInfo[],
  before: string,
): readonly EffectiveOption[] {
  return options.map((option) => {
    const found = optionAt(input, section, [...path, option.name], option, before + option.name);
    // Flags for all sources, which are no layer of their own.
    const flag = Object.entries(OPTION_FLAGS).find(
      ([key, { path: of }]) => of[0] === "sources" && of[2] === option.name && key in input.flags,
    )?.[0];
    const given = flag === undefined ? undefined : input.flags[flag as keyof typeof OPTION_FLAGS];
    return path[2] === "kubernetes" && flag !== undefined && given !== undefined
      ? { ...found, value: shown(input, option, given), where: flagName(flag) }
      : found;
  });
}

function sinkOptions(input: EffectiveInput, sink: SinkConfig): readonly EffectiveOption[] {
  const { name, definition } = sink;
  const section = `sinks.${name}`;
  const base: Path = ["sinks", name];
  const own = optionsOf(definition.options);
  const given = valueAt(input.tree.value, base);
  const raw = isMap(given) ? given : {};
  const type: EffectiveOption = {
    section,
    name: "type",
    value: definition.type,
    where: placeOf(input, [...base, "type"]),
    referred: false,
    about: definition.title,
  };
  const ofDefinition = own.map((option): EffectiveOption => {
    const found = optionAt(input, section, [...base, option.name], option, option.name);
    if (found.where !== null) return found;
    const variable = variableOf(option, raw, own);
    if (variable !== null && (input.env[variable] ?? "") !== "" && hasValue(sink, option.name))
      return { ...found, value: taken(sink, option), where: `$${variable}`, referred: true };
    const strict =
      input.config.compat === "strict" ? definition.strict?.defaults?.[option.name] : undefined;
    return strict === undefined ? found : { ...found, value: asText(strict), where: "compat" };
  });
  const house = OPTION_GROUPS.sink.map((option) => {
    const found = optionAt(input, section, [...base, option.name], option, option.name);
    return option.name === "lang" && found.where === null ? { ...found, value: sink.lang } : found;
  });
  const filter = OPTION_GROUPS.filter.map((option) => {
    const path = [...base, "filter", option.name];
    const found = optionAt(input, section, path, option, `filter.${option.name}`);
    return option.name === "level" && found.where === null
      ? { ...found, value: defaultLevel(definition) }
      : found;
  });
  const exclude = inSection(
    input,
    section,
    [...base, "filter", "exclude"],
    OPTION_GROUPS.exclude,
    "filter.exclude.",
  );
  return [type, ...ofDefinition, ...house, ...filter, ...exclude];
}

/** A variable that the platform's own tools take as well: what is in it is what the option declares. */
function taken({ options }: SinkConfig, { name, meta }: OptionInfo): string | null {
  return meta.secret === true ? REDACTED : asText(options[name]);
}

function hasValue({ options }: SinkConfig, name: string): boolean {
  return options[name] !== undefined && options[name] !== null;
}

function optionAt(
  input: EffectiveInput,
  section: string,
  path: Path,
  option: OptionInfo,
  name: string,
): EffectiveOption {
  const given = valueAt(input.tree.value, path);
  const where = given === undefined ? null : placeOf(input, path);
  const value = given === undefined ? option.fallback : given;
  const layer = given === undefined ? null : input.tree.layerOf(path);
  const isHidden = (at: Path) => layer?.hidden(at) === true;
  const referred =
    isHidden(path) || (isMap(given) && Object.keys(given).some((key) => isHidden([...path, key])));
  const inUri = layer?.literalsAreSeen === false && path.length > 2;
  return {
    section,
    name,
    value: value === undefined ? null : shown(input, option, value, { referred, inUri }),
    where,
    referred,
    about: option.meta.description,
  };
}

function placeOf({ tree }: EffectiveInput, path: Path): string | null {
  const layer = tree.layerOf(path);
  return layer === null ? null : layer.where(path, "value") || pathText(path);
}

/** By its declaration, by its form, by where it is from and by what it holds: each alone is enough to keep it hidden. */
function shown(
  { secrets }: EffectiveInput,
  option: OptionInfo,
  value: unknown,
  { referred, inUri }: Origin = { referred: false, inUri: false },
): string | null {
  // Headers and the like: their values may be anything.
  if (option.meta.secret === true || isMap(value)) return REDACTED;
  const text = asText(value);
  if (text === null) return null;
  if (referred && !inUri) return REDACTED;
  const parts = (Array.isArray(value) ? value : [value]).map(String);
  const holds = secrets.some((secret) => {
    if (secret === "" || (!referred && secret.length < LONG)) return false;
    const isPart = (part: string) => part.length >= PART_MIN && secret.includes(part);
    return text.includes(secret) || (referred && parts.some(isPart));
  });
  return holds ? REDACTED : text;
}
