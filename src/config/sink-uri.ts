import { splitPatterns } from "../pipeline/matcher.ts";
import { compileRegex } from "../pipeline/regex.ts";
import type { SinkDefinition, UriMapping } from "../sink/index.ts";
import { parseSinkUri, sinkTypeOf } from "../sink/uri.ts";
import { nearest, suggestion } from "./nearest.ts";
import { placeholders } from "./placeholder.ts";
import { type Env, expand } from "./secrets.ts";
import { nameShown } from "./shown.ts";
import type { Path } from "./tree.ts";

/** Parameters of a sink's URI that are the house's → where they belong in the sink's YAML entry. */
const PARAMETERS: Readonly<Record<string, Path>> = {
  level: ["filter", "level"],
  namespaces: ["filter", "namespaces"],
  namespace: ["filter", "namespaces"],
  kinds: ["filter", "kinds"],
  kind: ["filter", "kinds"],
  reasons: ["filter", "reasons"],
  reason: ["filter", "reasons"],
  names: ["filter", "names"],
  messages: ["filter", "messages"],
  excludeNamespaces: ["filter", "exclude", "namespaces"],
  excludeKinds: ["filter", "exclude", "kinds"],
  excludeReasons: ["filter", "exclude", "reasons"],
  excludeNames: ["filter", "exclude", "names"],
  excludeMessages: ["filter", "exclude", "messages"],
  label: ["labels"],
  labels: ["labels"],
  timeout: ["timeout"],
  giveUpAfter: ["giveUpAfter"],
  concurrency: ["concurrency"],
  ratePerMinute: ["ratePerMinute"],
  digest: ["digest"],
  template: ["template"],
  lang: ["lang"],
};

/** The names `--sink` URIs take besides the sink's own options. */
export const HOUSE_PARAMETERS: readonly string[] = ["name", ...Object.keys(PARAMETERS)];

/** Options of sinks that hold any text. */
const FREE: readonly string[] = ["header", "headers"];

/** A `--sink` as an entry of `sinks`. */
export interface SinkFlag {
  /** `null` where even that could not be read. */
  readonly type: string | null;
  /** As given by `name=`; `null`: to be made from the type. */
  readonly name: string | null;
  readonly entry: Readonly<Record<string, unknown>>;
  readonly issues: readonly { readonly message: string; readonly hint: string | null }[];
  /** What works and should be known. */
  readonly notes: readonly { readonly message: string; readonly hint: string | null }[];
  /** What came from the environment. */
  readonly values: readonly string[];
}

/**
 * `dingtalk:https://…?access_token=${TOKEN}&level=Warning&namespaces=shop,pay`.
 * A variable (`${TOKEN}`, or `$TOKEN` where it is set, as kube-eventer has it) up to the question mark is put in as it is, and may
 * bring one; behind it, it is a value, whatever characters it has.
 */
export function parseSinkFlag(
  text: string,
  registry: readonly SinkDefinition[],
  env: Env,
): SinkFlag {
  const unquoted = text.trim().replace(/^(["'])(.*)\1$/, "$2");
  const mapping = registry.find((one) => one.type === sinkTypeOf(unquoted))?.uri;
  const {
    text: whole,
    values,
    problems,
  } = expand(
    unquoted,
    env,
    (value, before) =>
      isEncoded(before, mapping) && !(mapping?.rawQuery && ENCODED.test(value))
        ? encodeURIComponent(value)
        : value,
    { bare: true },
  );
  const nothing = { name: null, entry: {}, notes: [], values };
  if (problems.length > 0) return { ...nothing, type: null, issues: problems };

  const type = sinkTypeOf(whole);
  const definition = registry.find((one) => one.type === type);
  if (definition === undefined) {
    const message = `there is no sink type "${nameShown(type)}"`;
    const types = registry.map((one) => one.type);
    return {
      ...nothing,
      type: null,
      issues: [{ message, hint: suggestion(type, types, "there are") }],
    };
  }
  const left = placeholders(unquoted, [...HOUSE_PARAMETERS, ...FREE]);
  if (left.length > 0) {
    const message = `${left.join(", ")}: what stands in square brackets is a placeholder`;
    const hint = "put the value in its place, without the brackets";
    return { ...nothing, type: null, issues: [{ message, hint }] };
  }
  const uri = parseSinkUri(definition, whole, HOUSE_PARAMETERS, nearest);
  const issues = [...uri.issues];
  const entry: Record<string, unknown> = { type, ...uri.options };
  for (const [parameter, given] of Object.entries(uri.house)) {
    const path = PARAMETERS[parameter];
    if (path === undefined) continue;
    const put = houseValue(parameter, given);
    if (put.problem !== null) issues.push({ message: `${parameter} ${put.problem}`, hint: null });
    else place(entry, path, put.value);
  }
  const [name = null, ...more] = uri.house["name"] ?? [];
  if (more.length > 0)
    issues.push({ message: "name is given more than once", hint: "a sink has one name" });
  return {
    type,
    name,
    entry,
    issues,
    notes: [...(uri.notes ?? []), ...regexNotes(uri.house)],
    values,
  };
}

/** Percent-encoded already, as kube-eventer, which knew no better, made people keep the password of a connection string. */
const ENCODED = /^(?:[\w.!~*'()-]|%[0-9a-f]{2})*$/i;

/** Whether what stands behind `before` is read percent-encoded: a query's values, and the password of a database's URL. */
function isEncoded(before: string, mapping: UriMapping | undefined): boolean {
  const address = before.slice(before.indexOf(":") + 1);
  if (mapping?.rawQuery) return /[^?]\?/.test(address) || /:\/\/[^/@,]*:[^/@,]*$/.test(address);
  if (mapping?.dsn !== true) return before.includes("?");
  if (address.startsWith("?")) return /\/[^/?]*\?[^/]*$/.test(address.slice(1));
  return address.includes("?") || /\/\/[^/@]*:[^/@]*$/.test(address);
}

/** The URI's own word for an option of the entry: `level` for `filter.level`, `excludeKinds` for `filter.exclude.kinds`. */
export function parameterOf(path: Path): string {
  const isThis = ([, target]: readonly [string, Path]) =>
    target.every((key, index) => key === path[index]);
  return (
    Object.entries(PARAMETERS).find(isThis)?.[0] ??
    path.map((key) => nameShown(String(key))).join(".")
  );
}

function houseValue(
  parameter: string,
  given: readonly string[],
): { readonly value: unknown; readonly problem: string | null } {
  const path = PARAMETERS[parameter] ?? [];
  // kube-eventer's labels are texts with any character; ours are a list.
  if (parameter === "label")
    return { value: given.filter((text) => text.trim() !== ""), problem: null };
  if (parameter === "labels")
    return { value: given.flatMap((text) => text.split(",")), problem: null };
  if (path[0] === "filter" && parameter !== "level") {
    const patterns = given.flatMap(splitPatterns);
    if (parameter !== "reason") return { value: patterns, problem: null };
    const reasons = patterns.map(kubeEventerReason);
    const broken = reasons.findIndex((reason) => reason === null);
    return {
      value: reasons,
      problem:
        broken === -1
          ? null
          : `is no regular expression: found "${patterns[broken]}"; a parenthesis, bracket or backslash that means itself has a backslash before it`,
    };
  }
  if (given.length > 1)
    return { value: null, problem: `is given ${given.length} times; expected once` };
  return { value: parameter === "level" ? asLevel(given[0]) : given[0], problem: null };
}

/** In any case: kube-eventer takes `warning` for no level at all, and lets everything through. */
function asLevel(text = ""): string {
  return ["Normal", "Warning"].find((level) => level.toLowerCase() === text.toLowerCase()) ?? text;
}

/** kube-eventer's documentation promises regular expressions for names, which it does not take either. */
function regexNotes(house: Readonly<Record<string, readonly string[]>>): SinkFlag["notes"] {
  return ["namespaces", "kinds"].flatMap((parameter) =>
    (house[parameter] ?? [])
      .flatMap(splitPatterns)
      .filter((pattern) => !pattern.startsWith("/") && /[\^$|()+]|\.\*/.test(pattern))
      .map((pattern) => ({
        message: `${parameter}: "${pattern}" is taken as it stands, and nothing is called so`,
        hint: `write /${pattern}/ for a regular expression, or a glob like kube-*`,
      })),
  );
}

/**
 * kube-eventer's `reason` takes regular expressions that match anywhere: `reason=Failed` lets FailedScheduling through.
 * It keeps that meaning here, so that nobody who moves loses alerts; `reasons` takes our patterns, and so does this what is a glob only
 * (`*Off`). `null`: neither.
 */
function kubeEventerReason(pattern: string): string | null {
  if (pattern.startsWith("/")) return pattern;
  try {
    compileRegex(pattern);
  } catch {
    return /^[\w*]+$/.test(pattern) ? pattern : null;
  }
  return `/${pattern}/`;
}

/** Singular and plural of one list add up. */
function place(entry: Record<string, unknown>, path: Path, value: unknown): void {
  let map = entry;
  for (const key of path.slice(0, -1)) {
    const next = (map[key] ?? {}) as Record<string, unknown>;
    map[key] = next;
    map = next;
  }
  const last = String(path.at(-1));
  const before = map[last];
  map[last] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
}
