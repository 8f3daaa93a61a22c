import { type Difference, differencesOf } from "../compat/differences.ts";
import type { ConfigIssue } from "../config/config.ts";
import { isMap } from "../config/tree.ts";
import type { SinkDefinition } from "../sink/index.ts";
import { optionsOf } from "../sink/schema.ts";
import { environmentOf } from "./environment.ts";
import type { References, Variable } from "./references.ts";
import { type NewVariable, withoutSecrets } from "./secrets.ts";
import { asText } from "./words.ts";

export type Entry = Readonly<Record<string, unknown>>;

/** A sink as the configuration writes it. */
export interface MigratedSink {
  readonly name: string;
  readonly entry: Entry;
  readonly differences: readonly Difference[];
  /** Options that kube-eventer took and that mean nothing here. */
  readonly notes: readonly string[];
}

interface Raw {
  readonly name: string;
  /** As the flag's parser made it, with marks in place of variables. */
  readonly entry: Entry;
  /** `--sink #1`. */
  readonly where: string;
  readonly notes: readonly ConfigIssue[];
}

interface Around {
  readonly registry: readonly SinkDefinition[];
  readonly references: References;
  readonly taken: Set<string>;
  readonly variables: readonly Variable[];
  /** What `compat: strict` keeps differs from nothing. */
  readonly isStrict: boolean;
}

/** An entry of `sinks` without secrets, and the variables that were made of them. */
export function migratedSink(
  { name, entry, where, notes }: Raw,
  { registry, references, taken, variables, isStrict }: Around,
): { readonly sink: MigratedSink; readonly made: readonly NewVariable[] } {
  const definition = registry.find(({ type }) => type === entry["type"]);
  if (definition === undefined) throw new Error(`no sink ${asText(entry["type"])}`);
  const own = new Set(optionsOf(definition.options).map((option) => option.name));
  const part = (isOwn: boolean) =>
    Object.fromEntries(Object.entries(entry).filter(([key]) => own.has(key) === isOwn));
  const options = addressFirst(definition, part(true));
  const given = { name, definition, options, where };
  const shown = withoutSecrets(given, references, taken);
  const fromEnv = environmentOf(definition, options, variables);
  const { type: _, ...house } = written(part(false), references) as Entry;
  const sink: MigratedSink = {
    name,
    entry: {
      type: definition.type,
      ...shown.options,
      ...Object.fromEntries(fromEnv.map(([option, variable]) => [option, `\${${variable}}`])),
      ...house,
    },
    differences: differencesOf([entry], isStrict).filter(({ sink }) => sink !== null),
    notes: [
      ...notes.map(({ message, hint }) => (hint === null ? message : `${message}: ${hint}`)),
      ...nativeOf(definition, options, registry),
    ],
  };
  return { sink, made: shown.variables };
}

function addressFirst({ uri: { target } }: SinkDefinition, options: Entry): Entry {
  if (target === null || !(target in options)) return options;
  return { [target]: options[target], ...options };
}

/** A webhook to a platform that has a sink of its own, which knows its limits, its errors and its way to write. */
function nativeOf(
  { type, uri }: SinkDefinition,
  options: Entry,
  registry: readonly SinkDefinition[],
): readonly string[] {
  if (uri.keep !== "*" || uri.target === null) return [];
  const host = hostOf(options[uri.target]);
  const native = registry.find(
    (one) =>
      one.type !== type &&
      one.transport === "http" &&
      host !== null &&
      hostOf(one.example.yaml[one.uri.target ?? ""]) === host,
  );
  if (native === undefined) return [];
  return [
    `for ${host} there is the sink ${native.type}: ${native.summary} It needs no body of your own`,
  ];
}

function hostOf(address: unknown): string | null {
  return URL.parse(asText(address))?.host ?? null;
}

/** With `${NAME}` in place of marks. */
export function written(value: unknown, references: References): unknown {
  if (typeof value === "string") return references.written(value);
  if (Array.isArray(value)) return value.map((item) => written(item, references));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, written(item, references)]),
  );
}
