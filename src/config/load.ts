import { type Difference, differencesOf } from "../compat/differences.ts";
import type { SinkEntry } from "../compat/rules.ts";
import type { SinkDefinition } from "../sink/index.ts";
import { judgeCanary, resolvedCanary } from "./canary.ts";
import {
  type Config,
  ConfigError,
  type ConfigIssue,
  type EffectiveOption,
  type SinkConfig,
} from "./config.ts";
import { judgeElection, resolvedElection } from "./election.ts";
import { effectiveOptions } from "./effective.ts";
import { diskFiles, type Files, recorded } from "./files.ts";
import { flagLayer, type FlagValues } from "./flags.ts";
import { type Parsed, parseBytes, parseListen, timezoneProblem } from "./grammar.ts";
import { explain, presentable } from "./issues.ts";
import { type LayerResult, yamlLayer } from "./layer.ts";
import { ledgerNotes } from "./ledger.ts";
import { checkRegistry, rootSchema } from "./schema.ts";
import { type Env, processEnv, type SecretStore } from "./secrets.ts";
import { nameShown } from "./shown.ts";
import { literalSecrets, normalizedFilter, readSink } from "./sinks.ts";
import { type ForSources, forAllSources, judgeSources, resolvedSources } from "./sources.ts";
import { isMap, type Layer, mergeLayers, type Tree, valueAt } from "./tree.ts";
import type { Origin } from "./origin.ts";
import { judgeWeb, resolvedWeb } from "./web.ts";

export interface LoadInput {
  readonly flags: FlagValues;
  readonly registry: readonly SinkDefinition[];
  readonly env?: Env;
  readonly files?: Files;
}

export interface Loaded {
  /** Deeply frozen. */
  readonly config: Config;
  /** What works but should be changed. */
  readonly warnings: readonly ConfigIssue[];
  /** For a command line of kube-eventer's: what differs here. */
  readonly differences: readonly Difference[];
  /** Each option as it counts, and where it comes from; for people. */
  readonly options: () => readonly EffectiveOption[];
  /** What it was made from, for another thread to make the same. It has secrets in it: never to be printed. */
  readonly origin: () => Origin;
}

/**
 * Files below flags, filled with secrets, checked, resolved.
 * @throws ConfigError with every problem there is
 */
export function loadConfig({
  flags,
  registry,
  env = processEnv(),
  files: readFrom = diskFiles,
}: LoadInput): Loaded {
  checkRegistry(registry);
  const { files, seen } = recorded(readFrom);
  const inputs = (flags.config ?? []).flatMap((place) => readPlace(place, { env, files }));
  const taken = new Set(inputs.flatMap(({ layer }) => sinkNames(layer)));
  inputs.push(flagLayer(flags, registry, env, taken));
  const issues = [...(flags.mistakes ?? []), ...inputs.flatMap((input) => input.issues)];
  const secrets = inputs.flatMap((input) => input.values);
  const layers = inputs.flatMap(({ layer }) => layer ?? []);
  const tree = mergeLayers(
    layers.some((layer) => sinkNames(layer).length > 0) ? layers : [...layers, ONLY_STDOUT],
  );

  for (const { name, layers } of tree.collisions)
    issues.push({
      where: layers[1].where(["sinks", name], "key"),
      message: `there is a sink named "${nameShown(name)}" already, at ${layers[0].where(["sinks", name], "key")}`,
      hint: "give each its own name",
    });
  const forSources = forAllSources(flags, env, issues);
  const zone = timezoneOf(tree, env, issues);
  const root = rootSchema.safeParse({
    ...tree.value,
    ...("filter" in tree.value ? { filter: normalizedFilter(tree.value["filter"]) } : {}),
  });
  issues.push(
    ...explain(
      root.error?.issues ?? [],
      { base: [], schema: rootSchema, otherKeys: [], aliases: new Map() },
      tree,
    ),
  );
  issues.push(...judgeSources(tree));
  // Where it is not sure what the sources are, looking further would find mistakes that nobody made.
  const unsure =
    issues.some(({ where }) => where.startsWith("--source")) ||
    judgeSources(tree).length + (flags.mistakes ?? []).length > 0 ||
    inputs.some(({ layer }) => layer === null);
  const words = { lang: root.data?.lang ?? "en", compat: root.data?.compat ?? "off" } as const;
  const sinks = sinkNames(tree).flatMap((name) => {
    const read = readSink(name, tree, registry, words, env);
    issues.push(...read.issues);
    return read.sink ?? [];
  });
  const hasCluster =
    root.data?.sources?.every((source) => source.file !== undefined) !== true ||
    root.data.sources.length === 0;
  const canary = judgeCanary(root.data ?? {}, sinkNames(tree), hasCluster, tree);
  const election = judgeElection(
    root.data ?? {},
    { hasCluster, isShared: root.data?.ledger !== undefined },
    tree,
  );
  const web = judgeWeb(root.data ?? null, tree);
  issues.push(...canary.issues, ...web.issues, ...election.issues);
  const found = presentable(issues, secrets);
  if (!root.success || unsure) throw new ConfigError(found);
  const config = resolved(root.data, sinks, zone, forSources);
  if (found.length > 0) throw new ConfigError(found, config);
  const warnings = [
    ...(flags.notes ?? []),
    ...canary.notes,
    ...web.notes,
    ...election.notes,
    ...inputs.flatMap((input) => input.notes ?? []),
    ...ledgerNotes(config.ledger, tree),
    ...sinks.flatMap((sink) => literalSecrets(sink, tree)),
  ];
  const differences =
    flags.isKubeEventers === true
      ? differencesOf(
          sinkNames(tree).map((name) => entryOf(tree, name)),
          config.compat === "strict",
        )
      : [];
  const options = () => effectiveOptions({ tree, config, flags, env, secrets });
  const origin = () => ({ flags, env: { ...env }, seen });
  return { config, warnings: presentable(warnings, secrets), differences, options, origin };
}

function entryOf(tree: Tree, name: string): SinkEntry {
  const entry = valueAt(tree.value, ["sinks", name]);
  return isMap(entry) ? entry : {};
}

function resolved(
  data: RawRoot,
  sinks: readonly SinkConfig[],
  timezone: string,
  forSources: ForSources,
): Config {
  return freeze({
    cluster: data.cluster,
    lang: data.lang,
    timezone,
    compat: data.compat,
    sources: resolvedSources(data.sources, forSources),
    sinks,
    filter: { ...data.filter, level: data.filter.level ?? "Normal" },
    digestEveryMs: data.digestEvery,
    dataDir: data.dataDir,
    ledger: data.ledger ?? null,
    ledgerAway: data.ledgerAway,
    historyMs: data.history,
    historyKeeps: data.historyKeeps,
    ledgerMaxBytes: checked(parseBytes(data.ledgerMax)),
    templates: data.templates,
    listen: data.listen === undefined ? null : checked(parseListen(data.listen)),
    eventMetrics: data.eventMetrics,
    canary: resolvedCanary(data),
    web: resolvedWeb(data),
    election: resolvedElection(data),
    stay: data.stay,
    logLevel: data.logLevel,
  });
}

function readPlace(place: string, store: SecretStore): readonly LayerResult[] {
  const refused = (where: string, message: string, hint: string): LayerResult => ({
    layer: null,
    issues: [{ where, message, hint }],
    values: [],
  });
  if (place === "")
    return [refused("--config", "names no file", "give a YAML file or a directory of them")];
  const listed = store.files.list(place);
  if (listed?.length === 0)
    return [
      refused(place, "there is no *.yaml in this directory", "give a file or another directory"),
    ];
  return (listed ?? [place]).map((file) => {
    const read = store.files.read(file);
    return read.ok
      ? yamlLayer(file, read.text, store)
      : refused(file, `cannot be read: ${read.problem}`, "correct the path given to --config");
  });
}

/** What was configured, else `TZ` (POSIX allows a colon before the name), else the system's. */
function timezoneOf(tree: Tree, env: Env, issues: ConfigIssue[]): string {
  const given = tree.value["timezone"];
  if (typeof given === "string") return given;
  const zone = env["TZ"]?.replace(/^:/, "") ?? "";
  if (zone === "") {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    // What ICU says of `TZ=`, which is UTC to everybody else, and then takes no name for.
    return timeZone === "Etc/Unknown" ? "UTC" : timeZone;
  }
  const message = timezoneProblem(zone);
  if (message !== null) issues.push({ where: "$TZ", message, hint: "mend it, or give --timezone" });
  return zone;
}

type RawRoot = ReturnType<typeof rootSchema.parse>;

/** Whoever configures no sink sees the events pass. */
const ONLY_STDOUT: Layer = {
  value: { sinks: { stdout: { type: "stdout" } } },
  where: () => "the sink taken when none is given",
  label: () => "",
  hidden: () => false,
  broken: () => false,
  literalsAreSeen: false,
};

function sinkNames(layer: { readonly value: Readonly<Record<string, unknown>> } | null) {
  const sinks = layer?.value["sinks"];
  return isMap(sinks) ? Object.keys(sinks) : [];
}

/** The schema has judged the text by the same grammar. */
function checked<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

/** Plain data only: definitions and secrets look after themselves. */
function freeze<T>(value: T): T {
  if (Array.isArray(value)) value.forEach(freeze);
  else if (!isPlain(value)) return value;
  else for (const [key, item] of Object.entries(value)) if (key !== "definition") freeze(item);
  return Object.freeze(value);
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return isMap(value) && Object.getPrototypeOf(value) === Object.prototype;
}
