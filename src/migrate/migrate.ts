import { type Difference, differencesOf } from "../compat/differences.ts";
import { type Config, ConfigError } from "../config/config.ts";
import { flagLayer, type FlagValues } from "../config/flags.ts";
import { isMap } from "../config/tree.ts";
import type { SinkDefinition } from "../sink/index.ts";
import { optionsOf } from "../sink/schema.ts";
import { judged, placed } from "./judge.ts";
import { References, type Variable } from "./references.ts";
import { CREDENTIALS, type NewVariable, withoutSecrets } from "./secrets.ts";
import { environmentOf } from "./environment.ts";
import type { Found } from "./workload.ts";
import { asText } from "./words.ts";

/** A sink as the configuration writes it. */
export interface MigratedSink {
  readonly name: string;
  readonly entry: Readonly<Record<string, unknown>>;
  readonly differences: readonly Difference[];
  /** Options that kube-eventer took and that mean nothing here. */
  readonly notes: readonly string[];
}

/** kube-eventer's command line in our words; no secret is in it. */
export interface Migration {
  readonly what: string;
  readonly namespace: string | null;
  readonly serviceAccount: string | null;
  /** The configuration but its sinks. */
  readonly globals: Readonly<Record<string, unknown>>;
  readonly sinks: readonly MigratedSink[];
  readonly config: Config;
  /** What differs whatever the sinks. */
  readonly differences: readonly Difference[];
  /** What differs for a flag. */
  readonly flags: readonly { readonly flag: string; readonly text: string }[];
  /** Variables to make. */
  readonly made: readonly NewVariable[];
  /** Variables of the container that it refers to. */
  readonly kept: readonly Variable[];
}

/** kube-eventer serves there whatever its flags. */
const LISTEN = "0.0.0.0:8084";

/**
 * @param parse what the command line parser makes of the arguments of `check`
 * @throws ConfigError with every mistake, at its place in the input
 */
export async function migrate(
  found: Found,
  registry: readonly SinkDefinition[],
  parse: (argv: readonly string[]) => Promise<FlagValues>,
): Promise<Migration> {
  const known = found.isWhole ? new Set(found.variables.map(({ name }) => name)) : null;
  const references = new References(known);
  const words = found.words.map((word) => references.marked(word));
  const valueOf = (name: string) => found.variables.find((one) => one.name === name)?.value ?? null;
  const flags = await parse(
    words.map(({ text }) =>
      isUri(text) ? text : references.filled(text, (name) => valueOf(name) ?? `\${${name}}`),
    ),
  );
  const { layer, notes = [], issues } = flagLayer(flags, registry, {}, new Set());
  const tree = layer?.value ?? {};
  const given = isMap(tree["sinks"]) ? Object.entries(tree["sinks"]) : [];
  const all = [...(flags.mistakes ?? []), ...issues];
  const config = judged({ found, references, registry, flags, issues: all });

  const made: NewVariable[] = [];
  const taken = new Set([...references.names, ...found.variables.map(({ name }) => name)]);
  const kept = new Set(references.names);
  const sinks = given.map(([name, raw], index): MigratedSink => {
    const entry = raw as Readonly<Record<string, unknown>>;
    const definition = registry.find(({ type }) => type === entry["type"]);
    if (definition === undefined) throw new Error(`no sink ${asText(entry["type"])}`);
    const own = new Set(optionsOf(definition.options).map((option) => option.name));
    const options = addressFirst(
      definition,
      Object.fromEntries(Object.entries(entry).filter(([key]) => own.has(key))),
    );
    const house = Object.fromEntries(Object.entries(entry).filter(([key]) => !own.has(key)));
    const where = `--sink #${index + 1}`;
    const shown = withoutSecrets({ name, definition, options, where }, references, taken);
    made.push(...shown.variables);
    const fromEnv = environmentOf(definition, options, found.variables);
    for (const [, variable] of fromEnv) kept.add(variable);
    return {
      name,
      entry: {
        type: definition.type,
        ...shown.options,
        ...Object.fromEntries(fromEnv.map(([option, variable]) => [option, `\${${variable}}`])),
        ...(writtenHouse(house, references) as Record<string, unknown>),
      },
      differences: differencesOf([entry], false).filter(({ sink }) => sink !== null),
      notes: notes
        .filter((note) => note.where === where)
        .map(({ message, hint }) => (hint === null ? message : `${message}: ${hint}`)),
    };
  });

  const zone = valueOf("TZ");
  if (CREDENTIALS.test(JSON.stringify(tree["sources"] ?? "")))
    throw new ConfigError([
      {
        where: placed("--source #1", found.words),
        message: "a password stands in the API server's address",
        hint: "put it into a kubeconfig and name that: --source=kubernetes:?auth=FILE",
      },
    ]);
  const { sinks: _, sources, filter, ...rest } = tree;
  return {
    what: found.what,
    namespace: found.namespace,
    serviceAccount: found.serviceAccount,
    globals: writtenHouse(
      {
        ...(zone === null || zone === "" ? {} : { timezone: zone.replace(/^:/, "") }),
        listen: LISTEN,
        ...rest,
        ...("digestEvery" in rest ? { digestEvery: shortened(rest["digestEvery"]) } : {}),
        ...(isTrivial(sources) ? {} : { sources }),
        ...(filter === undefined ? {} : { filter }),
      },
      references,
    ) as Record<string, unknown>,
    sinks,
    config,
    differences: differencesOf([], false),
    flags: (flags.notes ?? []).map(({ where, message }) => ({ flag: where, text: message })),
    made,
    kept: [...kept].map(
      (name) =>
        found.variables.find((one) => one.name === name) ?? { name, value: null, from: null },
    ),
  };
}

function addressFirst(
  { uri: { target } }: SinkDefinition,
  options: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (target === null || !(target in options)) return options;
  return { [target]: options[target], ...options };
}

/** `60000ms` → `1m`, as a person would write it. */
function shortened(value: unknown): unknown {
  const [, digits = ""] = /^(\d+)000ms$/.exec(asText(value)) ?? [];
  if (digits === "") return value;
  return Number(digits) % 60 === 0 ? `${Number(digits) / 60}m` : `${digits}s`;
}

function isUri(text: string): boolean {
  return /^(--(sink|source)=|[a-z]+:)/.test(text);
}

function writtenHouse(value: unknown, references: References): unknown {
  if (typeof value === "string") return references.written(value);
  if (Array.isArray(value)) return value.map((item) => writtenHouse(item, references));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, writtenHouse(item, references)]),
  );
}

/** The cluster it runs in, with nothing said about it, is the default. */
function isTrivial(sources: unknown): boolean {
  return sources === undefined || JSON.stringify(sources) === '[{"kubernetes":{}}]';
}
