import { type Config, ConfigError, type ConfigIssue } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import { loadConfig } from "../config/load.ts";
import type { SinkDefinition } from "../sink/index.ts";
import { type OptionMeta, optionsOf } from "../sink/schema.ts";
import type { References } from "./references.ts";
import type { Found } from "./workload.ts";
import { asText, type Word } from "./words.ts";

/** With what is known of the variables in place of the marks, and something of the kind where nothing is. */
function filledIn(
  flags: FlagValues,
  references: References,
  valueOf: (name: string) => string | null,
): FlagValues {
  const assumedOf = (name: string, before: string) =>
    /^[a-z]+:$/.test(before) ? `https://unknown.example.com/${name}` : name;
  const fill = (texts: readonly string[] | undefined) =>
    (texts ?? []).map((text) =>
      references.filled(text, (name, before) => valueOf(name) ?? assumedOf(name, before)),
    );
  return { ...flags, sink: fill(flags.sink), source: fill(flags.source) };
}

function isUnsure(
  text: string,
  references: References,
  valueOf: (name: string) => string | null,
): boolean {
  return references
    .filled(text, (name) => (valueOf(name) === null ? "\u0000" : ""))
    .includes("\u0000");
}

export interface Judged {
  readonly found: Found;
  readonly references: References;
  readonly registry: readonly SinkDefinition[];
  /** Of the arguments with marks in them. */
  readonly flags: FlagValues;
  readonly issues: readonly ConfigIssue[];
}

/**
 * What `run` would make of kube-eventer's command line; what a sink is refused for is none where not all of its values are known.
 * @throws ConfigError with places in the input
 */
export function judged({ found, references, registry, flags, issues }: Judged): Config {
  const valueOf = (name: string) => found.variables.find((one) => one.name === name)?.value ?? null;
  const unsure = new Set(
    (flags.sink ?? []).flatMap((text, index) =>
      isUnsure(text, references, valueOf) ? [`--sink #${index + 1}`] : [],
    ),
  );
  const env = {
    ...assumed(registry),
    ...Object.fromEntries(
      found.variables.flatMap(({ name, value }) =>
        value === null && name === "TZ" ? [] : [[name, value ?? name] as const],
      ),
    ),
  };
  const isSaid = (issue: ConfigIssue) =>
    issues.some(({ where, message }) => where === issue.where && message === issue.message);
  try {
    const { config } = loadConfig({ flags: filledIn(flags, references, valueOf), registry, env });
    if (issues.length === 0) return config;
    throw new ConfigError(issues);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const others = error.issues.filter((issue) => !isSaid(issue) && !unsure.has(issue.where));
    const left = [...issues, ...others];
    if (left.length === 0 && error.rest !== null) return error.rest;
    throw new ConfigError(
      left
        .map((issue) => ({
          ...issue,
          where: placed(issue.where, found.words),
          message: references.filled(issue.message, (name) => `\${${name}}`),
        }))
        .toSorted((a, b) => a.where.localeCompare(b.where, "en", { numeric: true })),
    );
  }
}

/** Variables that sinks read by themselves, as good as set: who runs it has them. */
function assumed(registry: readonly SinkDefinition[]): Record<string, string> {
  return Object.fromEntries(
    registry.flatMap(({ options }) =>
      optionsOf(options).flatMap(({ meta }) =>
        variablesOf(meta).map((name) => [name, asText(meta.example ?? name)] as const),
      ),
    ),
  );
}

/** From which a sink takes this option by itself. */
function variablesOf({ env }: OptionMeta): readonly string[] {
  if (env === undefined) return [];
  if (typeof env === "string") return [env];
  return "name" in env ? [env.name] : Object.values(env.names);
}

/** `kube-eventer.yaml:25:15 (--sink #1)`. */
export function placed(where: string, words: readonly Word[]): string {
  const [, flag = where, number = "1"] = /^(--sink|--source) #(\d+)/.exec(where) ?? [];
  const same = words.filter(({ text }) => /^-?(-[^=]*)/.exec(text)?.[1] === flag.slice(1));
  const place = same[Number(number) - 1]?.where;
  return place === undefined ? where : `${place} (${where})`;
}
