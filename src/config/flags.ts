import { splitPatterns } from "../pipeline/matcher.ts";
import type { SinkDefinition } from "../sink/index.ts";
import type { ConfigIssue } from "./config.ts";
import type { LayerResult } from "./layer.ts";
import { type Env, expand } from "./secrets.ts";
import { nameShown } from "./shown.ts";
import { parameterOf, parseSinkFlag, type SinkFlag } from "./sink-uri.ts";
import { parseSource } from "./source-uri.ts";
import { isMap, type Layer, type Path, PathSet, pathText } from "./tree.ts";

/** Flags that mirror an option: `--cluster-name` is `cluster`. Their descriptions and defaults are the schema's. */
export const OPTION_FLAGS = {
  clusterName: { path: ["cluster"], takes: "NAME" },
  lang: { path: ["lang"], takes: "LANG" },
  timezone: { path: ["timezone"], takes: "ZONE" },
  compat: { path: ["compat"], takes: "MODE" },
  level: { path: ["filter", "level"], takes: "LEVEL" },
  namespaces: { path: ["filter", "namespaces"], takes: "PATTERNS" },
  kinds: { path: ["filter", "kinds"], takes: "PATTERNS" },
  reasons: { path: ["filter", "reasons"], takes: "PATTERNS" },
  names: { path: ["filter", "names"], takes: "PATTERNS" },
  messages: { path: ["filter", "messages"], takes: "PATTERNS" },
  excludeNamespaces: { path: ["filter", "exclude", "namespaces"], takes: "PATTERNS" },
  excludeKinds: { path: ["filter", "exclude", "kinds"], takes: "PATTERNS" },
  excludeReasons: { path: ["filter", "exclude", "reasons"], takes: "PATTERNS" },
  excludeNames: { path: ["filter", "exclude", "names"], takes: "PATTERNS" },
  excludeMessages: { path: ["filter", "exclude", "messages"], takes: "PATTERNS" },
  replay: { path: ["sources", "kubernetes", "replay"], takes: "DURATION" },
  maxAge: { path: ["sources", "kubernetes", "maxAge"], takes: "DURATION" },
  dataDir: { path: ["dataDir"], takes: "DIR" },
  digestEvery: { path: ["digestEvery"], takes: "DURATION" },
  ledger: { path: ["ledger"], takes: "URL" },
  ledgerAway: { path: ["ledgerAway"], takes: "MODE" },
  history: { path: ["history"], takes: "DURATION" },
  historyKeeps: { path: ["historyKeeps"], takes: "WHICH" },
  ledgerMax: { path: ["ledgerMax"], takes: "SIZE" },
  templates: { path: ["templates"], takes: "DIR" },
  listen: { path: ["listen"], takes: "ADDR:PORT" },
  eventMetrics: { path: ["eventMetrics"], takes: "BOOL" },
  canary: { path: ["canary"], takes: "DURATION" },
  canarySink: { path: ["canarySink"], takes: "SINK" },
  canaryTell: { path: ["canaryTell"], takes: "SINK" },
  canaryDeadline: { path: ["canaryDeadline"], takes: "DURATION" },
  webListen: { path: ["webListen"], takes: "ADDR:PORT" },
  externalUrl: { path: ["externalUrl"], takes: "URL" },
  webKubernetes: { path: ["webKubernetes"], takes: "WHEN" },
  webAccessFile: { path: ["webAccessFile"], takes: "FILE" },
  webProxies: { path: ["webProxies"], takes: "ADDRESSES" },
  leaderElect: { path: ["leaderElect"], takes: null },
  leaderElectLeaseDuration: { path: ["leaderElectLeaseDuration"], takes: "DURATION" },
  leaderElectRenewDeadline: { path: ["leaderElectRenewDeadline"], takes: "DURATION" },
  leaderElectRetryPeriod: { path: ["leaderElectRetryPeriod"], takes: "DURATION" },
  leaderElectResourceName: { path: ["leaderElectResourceName"], takes: "NAME" },
  leaderElectResourceNamespace: { path: ["leaderElectResourceNamespace"], takes: "NAME" },
  stay: { path: ["stay"], takes: null },
  logLevel: { path: ["logLevel"], takes: "LEVEL" },
} as const satisfies Readonly<
  Record<string, { readonly path: readonly string[]; readonly takes: string | null }>
>;

/** Flags without an option of the same meaning. */
export interface InputFlags {
  readonly config?: readonly string[];
  readonly source?: readonly string[];
  readonly sink?: readonly string[];
  /** What the command line parser could make nothing of. */
  readonly mistakes?: readonly ConfigIssue[];
  /** The command line is kube-eventer's: what differs here is to be said. */
  readonly isKubeEventers?: boolean;
  /** What works and should be known. */
  readonly notes?: readonly ConfigIssue[];
}

/** What the command line parser made of argv, by camelCase flag: text, texts where it may be repeated, true where it takes nothing. */
export type FlagValues = InputFlags & {
  readonly [flag in keyof typeof OPTION_FLAGS]?: string | readonly string[] | boolean;
};

/** `clusterName` → `--cluster-name`. */
export function flagName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * The flags as a layer above the files.
 * @param taken names of sinks that the files define: a sink without `name=` gets its type, type-2, type-3 … beside them
 */
export function flagLayer(
  flags: FlagValues,
  registry: readonly SinkDefinition[],
  env: Env,
  taken: ReadonlySet<string>,
): LayerResult {
  const value: Record<string, unknown> = {};
  const issues: ConfigIssue[] = [];
  const values: string[] = [];
  const notes: ConfigIssue[] = [];
  const hidden = new PathSet();
  const places: { readonly path: Path; readonly where: string }[] = [];

  for (const [key, { path }] of Object.entries(OPTION_FLAGS)) {
    const given = flags[key as keyof typeof OPTION_FLAGS];
    // `--replay` and `--max-age` are for sources, which are lists: the loader puts them in.
    if (given === undefined || path[0] === "sources") continue;
    const where = flagName(key);
    const filled = fill(given, where);
    if (filled === null) continue;
    if (filled.fromEnv) hidden.add(path);
    put(value, path, asOption(path, filled.value));
    places.push({ path, where });
  }

  const sources = (flags.source ?? []).map((text, index) => {
    const where = `--source #${index + 1}`;
    places.push({ path: ["sources", index], where });
    const filled = fill(text, where, { bare: true });
    if (filled === null) return null;
    if (filled.fromEnv) hidden.add(["sources", index]);
    const parsed = parseSource(String(filled.value));
    if (parsed.ok) return parsed.entry;
    issues.push({ where, message: parsed.message, hint: parsed.hint });
    return null;
  });
  const good = sources.filter((entry) => entry !== null);
  if (good.length > 0 && good.length === sources.length) value["sources"] = good;

  const sinks = (flags.sink ?? []).map((text) => parseSinkFlag(text, registry, env));
  const names = nameSinks(sinks, taken);
  const entries: [string, unknown][] = [];
  for (const [index, sink] of sinks.entries()) {
    const where = `--sink #${index + 1}`;
    values.push(...sink.values);
    issues.push(...sink.issues.map((issue) => ({ where, ...issue })));
    notes.push(...sink.notes.map((note) => ({ where, ...note })));
    const name = names[index] ?? null;
    if (name === null) continue;
    if (entries.some(([other]) => other === name)) {
      const message = `there is a sink named "${nameShown(name)}" already`;
      issues.push({ where, message, hint: "give each its own name=" });
      continue;
    }
    entries.push([name, sink.entry]);
    places.push({ path: ["sinks", name], where });
    if (sink.values.length > 0) hidden.add(["sinks", name]);
  }
  if (entries.length > 0) value["sinks"] = Object.fromEntries(entries);

  const layer: Layer = {
    value,
    where: (path) => placeOf(path)?.where ?? "the command line",
    label: (path) => {
      const place = placeOf(path);
      if (place === undefined) return pathText(path);
      const below = path.slice(place.path.length);
      return path[0] === "sinks" ? parameterOf(below) : pathText(below.filter(isOption));
    },
    hidden: (path) => hidden.has(path),
    broken: () => false,
    literalsAreSeen: false,
  };
  return { layer, issues, values, notes };

  function fill(
    given: string | readonly string[] | boolean,
    where: string,
    variables?: { readonly bare: boolean },
  ): { readonly value: unknown; readonly fromEnv: boolean } | null {
    if (typeof given === "boolean") return { value: given, fromEnv: false };
    const expanded = [given].flat().map((text) => expand(text, env, undefined, variables));
    const problems = expanded.flatMap((one) => one.problems);
    issues.push(...problems.map((problem) => ({ where, ...problem })));
    const secrets = expanded.flatMap((one) => one.values);
    values.push(...secrets);
    if (problems.length > 0) return null;
    const texts = expanded.map((one) => one.text);
    return {
      value: typeof given === "string" ? texts[0] : texts,
      fromEnv: secrets.length > 0,
    };
  }

  function placeOf(path: Path) {
    return places.find((place) => place.path.every((key, index) => key === path[index]));
  }
}

/** Lists may be written `a,b` or repeated. */
function asOption(path: Path, value: unknown): unknown {
  const texts = [value].flat().map(String);
  if (path[0] === "templates") return texts.flatMap((text) => text.split(","));
  return path[0] === "filter" && path.at(-1) !== "level" ? texts.flatMap(splitPatterns) : value;
}

function nameSinks(
  sinks: readonly SinkFlag[],
  taken: ReadonlySet<string>,
): readonly (string | null)[] {
  const used = new Set(taken);
  for (const { name } of sinks) if (name !== null) used.add(name);
  return sinks.map(({ name, type }) => {
    if (name !== null || type === null) return name;
    let candidate = type;
    for (let number = 2; used.has(candidate); number += 1) candidate = `${type}-${number}`;
    used.add(candidate);
    return candidate;
  });
}

function put(map: Record<string, unknown>, path: Path, value: unknown): void {
  const [first, ...rest] = path.map(String);
  if (first === undefined) return;
  if (rest.length === 0) {
    map[first] = value;
    return;
  }
  const below = isMap(map[first]) ? { ...map[first] } : {};
  put(below, rest, value);
  map[first] = below;
}

function isOption(key: string | number): boolean {
  return typeof key === "string" && key !== "kubernetes" && key !== "file";
}
