import { type Difference, differencesOf } from "../compat/differences.ts";
import { type Config, ConfigError } from "../config/config.ts";
import { flagLayer, type FlagValues } from "../config/flags.ts";
import { isMap } from "../config/tree.ts";
import type { SinkDefinition } from "../sink/index.ts";
import { judged, placed } from "./judge.ts";
import { References, type Variable } from "./references.ts";
import { CREDENTIALS, type NewVariable } from "./secrets.ts";
import { type Entry, type MigratedSink, migratedSink, written } from "./sinks.ts";
import { withTypes } from "./types.ts";
import type { Found } from "./workload.ts";
import { asText } from "./words.ts";

/** kube-eventer's command line in our words; no secret is in it. */
export interface Migration {
  readonly what: string;
  readonly namespace: string | null;
  readonly serviceAccount: string | null;
  /** The configuration but its sinks. */
  readonly globals: Entry;
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
  const valueOf = (name: string) => found.variables.find((one) => one.name === name)?.value ?? null;
  const { words, unknown } = withTypes(
    found.words.map((word) => references.marked(word)),
    references,
    valueOf,
  );
  const flags = await parse(
    words.map(({ text }) =>
      isUri(text) ? text : references.filled(text, (name) => valueOf(name) ?? `\${${name}}`),
    ),
  );
  const { layer, notes = [], issues } = flagLayer(flags, registry, {}, new Set());
  const tree = layer?.value ?? {};
  const given = isMap(tree["sinks"]) ? Object.entries(tree["sinks"]) : [];
  const all = [...unknown, ...(flags.mistakes ?? []), ...issues];
  const config = judged({ found, references, registry, flags, issues: all });

  const taken = new Set([...references.names, ...found.variables.map(({ name }) => name)]);
  const isStrict = tree["compat"] === "strict";
  const around = { registry, references, taken, variables: found.variables, isStrict };
  const read = given.map(([name, entry], index) => {
    const where = `--sink #${index + 1}`;
    const told = notes.filter((note) => note.where === where);
    const raw = { name, entry: entry as Entry, where, notes: told };
    return migratedSink(raw, around);
  });
  const sinks = read.map(({ sink }) => sink);
  const made = read.flatMap(({ made }) => made);

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
  const globals = written(
    {
      ...(zone === null || zone === "" ? {} : { timezone: zone.replace(/^:/, "") }),
      listen: LISTEN,
      ...rest,
      ...("digestEvery" in rest ? { digestEvery: shortened(rest["digestEvery"]) } : {}),
      ...(isTrivial(sources) ? {} : { sources }),
      ...(filter === undefined ? {} : { filter }),
    },
    references,
  ) as Entry;
  return {
    what: found.what,
    namespace: found.namespace,
    serviceAccount: found.serviceAccount,
    globals,
    sinks,
    config,
    differences: differencesOf([], isStrict),
    flags: (flags.notes ?? []).map(({ where, message }) => ({ flag: where, text: message })),
    made,
    kept: variablesIn([globals, ...sinks.map(({ entry }) => entry)])
      .filter((name) => !made.some((one) => one.name === name))
      .map(
        (name) =>
          found.variables.find((one) => one.name === name) ?? { name, value: null, from: null },
      ),
  };
}

/** What the configuration refers to; what went into a secret of its own is not said. */
function variablesIn(value: unknown): readonly string[] {
  const found = JSON.stringify(value).matchAll(/(?<!\$)\$\{([^}]*)\}/g);
  return [...new Set([...found].map(([, name = ""]) => name))];
}

/** `60000ms` → `1m`, as a person would write it. */
function shortened(value: unknown): unknown {
  const [, digits = ""] = /^(\d+)000ms$/.exec(asText(value)) ?? [];
  if (digits === "") return value;
  return Number(digits) % 60 === 0 ? `${Number(digits) / 60}m` : `${digits}s`;
}

function isUri(text: string): boolean {
  return /^(--?(sink|source)=|[a-z]+:)/.test(text);
}

/** The cluster it runs in, with nothing said about it, is the default. */
function isTrivial(sources: unknown): boolean {
  return sources === undefined || JSON.stringify(sources) === '[{"kubernetes":{}}]';
}
