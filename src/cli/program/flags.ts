import { type Command, Option } from "commander";
import { OPTION_FLAGS } from "../../config/flags.ts";
import { FLAGS, type FlagInfo } from "../../config/options.ts";

/** What is needed to know a sink and its words, as against where events come from. */
export const SINK_FLAGS = [
  "config",
  "sink",
  "clusterName",
  "lang",
  "timezone",
  "compat",
  "templates",
];

/** Filters of all sinks. */
export const FILTER_FLAGS = Object.entries(OPTION_FLAGS).flatMap(([key, { path }]) =>
  path[0] === "filter" ? [key] : [],
);

/** An option given several times adds up. */
export const collect = (
  value: string,
  before: readonly string[] | undefined,
): readonly string[] => [...(before ?? []), value];

function flagOption(info: FlagInfo): Option {
  const text =
    info.fallback === null ? info.description : `${info.description} (default: ${info.fallback})`;
  const option = new Option(info.flag, text);
  return info.repeatable ? option.argParser(collect) : option;
}

/** The options of the configuration, all or those of `keys`, as flags of a command. */
export function withFlags(command: Command, keys?: readonly string[]): Command {
  for (const info of FLAGS)
    if (keys === undefined || keys.includes(info.key)) command.addOption(flagOption(info));
  // What it does not know is told together with all else that is wrong.
  return command.allowUnknownOption().allowExcessArguments();
}
