import { type OptionInfo, optionsOf, s } from "../sink/schema.ts";
import { flagName, OPTION_FLAGS } from "./flags.ts";
import {
  excludeShape,
  fileShape,
  filterShape,
  globalShape,
  kubernetesShape,
  sinkShape,
} from "./schema.ts";

/** The options of the house by where they stand in YAML. --help, the docs and the example are made from these. */
export const OPTION_GROUPS = {
  global: optionsOf(s.object(globalShape)),
  kubernetes: optionsOf(s.object(kubernetesShape)),
  file: optionsOf(s.object(fileShape)),
  filter: optionsOf(s.object(filterShape)),
  exclude: optionsOf(s.object(excludeShape)),
  sink: optionsOf(s.object(sinkShape)),
} as const;

/** A flag as --help shows it. */
export interface FlagInfo {
  /** The key in the parsed flags: `clusterName`. */
  readonly key: string;
  /** `--cluster-name <NAME>`, `--stay`. */
  readonly flag: string;
  readonly repeatable: boolean;
  readonly description: string;
  /** As a person would write it; `null`: none. */
  readonly fallback: string | null;
  readonly example: string;
}

const INPUTS: readonly FlagInfo[] = [
  {
    key: "config",
    flag: "--config <FILE>",
    repeatable: true,
    description:
      "A YAML file, or a directory of *.yaml; flags win over files, later files over earlier ones",
    fallback: null,
    example: "--config=/etc/kube-crier/config.yaml",
  },
  {
    key: "source",
    flag: "--source <URI>",
    repeatable: true,
    description: "Where events come from: kubernetes:[?OPTIONS], file:PATH or file:-",
    fallback: "kubernetes:",
    example: "--source='kubernetes:?namespaces=shop,pay&replay=15m'",
  },
  {
    key: "sink",
    flag: "--sink <URI>",
    repeatable: true,
    description:
      "Where alerts go: TYPE:URL?OPTIONS, with filters like level=Warning&namespaces=shop",
    fallback: "stdout:",
    example:
      "--sink='dingtalk:https://oapi.dingtalk.com/robot/send?access_token=${TOKEN}&level=Warning'",
  },
];

/** Every flag of the house, in the order of --help. */
export const FLAGS: readonly FlagInfo[] = [
  ...INPUTS,
  ...Object.entries(OPTION_FLAGS).map(([key, { path, takes }]): FlagInfo => {
    const { meta, form, fallback } = optionAt(path);
    const name = flagName(key);
    const about = path[0] === "filter" ? globalFilter(path, meta.description) : meta.description;
    return {
      key,
      flag: takes === null ? name : `${name} <${takes}>`,
      repeatable: form === "list",
      description: about,
      fallback: takes === null ? null : asText(fallback),
      example: takes === null ? name : `${name}=${quoted(asText(meta.example) ?? "")}`,
    };
  }),
];

/** Text as one would write it after `=`; `null` for nothing. */
export function asText(value: unknown): string | null {
  if (value === undefined || value === null || value === "") return null;
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(String).join(",");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** As a shell wants it. */
function quoted(text: string): string {
  return /[^\w./:,@=+-]/.test(text) ? `'${text}'` : text;
}

function optionAt(path: readonly string[]): OptionInfo {
  const [group, name] =
    path[0] === "sources"
      ? [OPTION_GROUPS.kubernetes, path[2]]
      : path[0] === "filter"
        ? [path.length > 2 ? OPTION_GROUPS.exclude : OPTION_GROUPS.filter, path.at(-1)]
        : [OPTION_GROUPS.global, path[0]];
  const option = group.find((one) => one.name === name);
  if (option === undefined) throw new Error(`no option at ${path.join(".")}`);
  return option;
}

function globalFilter(path: readonly string[], description: string): string {
  return `${path[1] === "exclude" ? "Drop for all sinks" : "For all sinks"}: ${
    description.slice(0, 1).toLowerCase() + description.slice(1)
  }`;
}
