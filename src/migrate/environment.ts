import type { SinkDefinition } from "../sink/index.ts";
import { optionsOf, variableOf } from "../sink/schema.ts";
import type { Variable } from "./references.ts";

/**
 * Options that the sink takes from the environment, as kube-eventer does, and the variable of each: those that the container has, and those
 * without which the sink cannot be. Written down, nobody has to know that.
 */
export function environmentOf(
  definition: SinkDefinition,
  given: Readonly<Record<string, unknown>>,
  variables: readonly Variable[],
): readonly (readonly [option: string, variable: string])[] {
  const infos = optionsOf(definition.options);
  const found = infos.flatMap((info): [string, string][] => {
    const variable = variableOf(info, given, infos);
    if (variable === null || given[info.name] !== undefined) return [];
    const isSet = variables.some(({ name, value }) => name === variable && value !== "");
    return isSet || info.required ? [[info.name, variable]] : [];
  });
  const missing = new Set(missingIn(definition, given, found));
  return [
    ...found,
    ...infos.flatMap((info): [string, string][] => {
      const variable = variableOf(info, given, infos);
      return variable !== null && missing.has(info.name) ? [[info.name, variable]] : [];
    }),
  ];
}

/** What the sink's own rules miss once the variables are set. */
function missingIn(
  definition: SinkDefinition,
  given: Readonly<Record<string, unknown>>,
  found: readonly (readonly [string, string])[],
): readonly string[] {
  const examples = definition.example.yaml;
  const filled = Object.fromEntries(
    found.map(([option, variable]) => [option, examples[option] ?? variable]),
  );
  const { error } = definition.options.safeParse({ ...filled, ...given });
  return (error?.issues ?? [])
    .map(({ path }) => String(path[0]))
    .filter((option) => given[option] === undefined && filled[option] === undefined);
}
