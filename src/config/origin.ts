import type { SinkDefinition } from "../sink/index.ts";
import { type FilesSeen, replayed } from "./files.ts";
import type { FlagValues } from "./flags.ts";
import { type Loaded, loadConfig } from "./load.ts";
import type { Env } from "./secrets.ts";

/** What a configuration was made from, as plain data: the configuration holds functions and secrets, which no thread can hand to another. */
export interface Origin {
  readonly flags: FlagValues;
  readonly env: Env;
  readonly seen: FilesSeen;
}

/** The same configuration, whatever has become of its files since. */
export function loadAgain(
  { flags, env, seen }: Origin,
  registry: readonly SinkDefinition[],
): Loaded {
  return loadConfig({ flags, registry, env, files: replayed(seen) });
}
