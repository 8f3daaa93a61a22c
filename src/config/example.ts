import type { SinkDefinition } from "../sink/index.ts";
import { type OptionInfo, optionsOf } from "../sink/schema.ts";
import { OPTION_GROUPS } from "./options.ts";
import { defaultLevel } from "./sinks.ts";
import { toYaml } from "./yaml.ts";

/**
 * An example that runs as it is and prints to standard output: every option of the house with its default, one sink of each type.
 * Sinks that need secrets, or somebody who listens, are commented out, with references where the secrets belong.
 */
export function configExampleYaml(registry: readonly SinkDefinition[]): string {
  return [
    "# Every option of kube-crier. What is commented out shows the default, or an example where there is none.",
    "# Secrets: ${NAME} within a text, { $env: NAME } or { $file: PATH } as a whole value.",
    "# Check it: kube-crier check --config config.yaml",
    "",
    ...OPTION_GROUPS.global.flatMap((option) => optionLines(option, "")),
    "sources:",
    "  - kubernetes:",
    ...OPTION_GROUPS.kubernetes.flatMap((option) => optionLines(option, "      ")),
    "  # - file:",
    ...OPTION_GROUPS.file.flatMap((option) => optionLines(option, "      ")),
    "",
    "# What no sink is to hear of. Each sink may have such a filter of its own.",
    "filter:",
    ...OPTION_GROUPS.filter.flatMap((option) => optionLines(option, "  ")),
    "  exclude:",
    ...OPTION_GROUPS.exclude.flatMap((option) => optionLines(option, "    ")),
    "",
    "sinks:",
    ...registry.flatMap((definition) => sinkLines(definition)),
    "  # These work for each sink:",
    ...OPTION_GROUPS.sink.flatMap((option) => optionLines(option, "    ")),
    "",
  ].join("\n");
}

function optionLines({ name, meta, fallback }: OptionInfo, indent: string): string[] {
  const shown = fallback === undefined || isEmpty(fallback) ? meta.example : fallback;
  const line = toYaml({ [name]: shown }, true);
  return [`${indent}# ${meta.description}.`, `${indent}# ${line}`];
}

/** Commented out where it has a secret or an address: lines that begin with `  # ` and are YAML without it. */
function sinkLines(definition: SinkDefinition): string[] {
  const options = optionsOf(definition.options);
  const isSecret = (name: string) =>
    options.find((option) => option.name === name)?.meta.secret === true;
  const entries = Object.entries(definition.example.yaml);
  const entry = {
    type: definition.type,
    ...Object.fromEntries(
      entries.map(([name, value]) => [
        name,
        isSecret(name) ? referenced(definition.type, name, value) : value,
      ]),
    ),
    filter: { level: defaultLevel(definition) },
  };
  const isElsewhere = definition.uri.target !== null;
  const mark = isElsewhere || entries.some(([name]) => isSecret(name)) ? "# " : "";
  const yaml = toYaml({ [`my-${definition.type}`]: entry }, false);
  return [
    `  # ${definition.title}: ${definition.summary}`,
    ...yaml
      .trimEnd()
      .split("\n")
      .map((line) => `  ${mark}${line}`),
    "",
  ];
}

function referenced(type: string, option: string, value: unknown): unknown {
  const name = (part: string) =>
    `${type}_${part}`.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll(/[^A-Za-z0-9]+/g, "_");
  if (typeof value !== "object" || value === null) return { $env: name(option).toUpperCase() };
  return Object.fromEntries(
    Object.keys(value).map((key) => [key, { $env: name(key).toUpperCase() }]),
  );
}

function isEmpty(value: unknown): boolean {
  return value === "" || (Array.isArray(value) && value.length === 0);
}
