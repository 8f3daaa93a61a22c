import { isDeepStrictEqual } from "node:util";
import { durationProblem, parseDuration } from "../sink/schema.ts";
import type { ConfigIssue, SourceConfig } from "./config.ts";
import type { FlagValues } from "./flags.ts";
import { KUBERNETES_DEFAULTS, type rootSchema } from "./schema.ts";
import { type Env, expand } from "./secrets.ts";
import { isMap, type Tree } from "./tree.ts";

/** Where events come from, as the schema read it. */
type RawSource = NonNullable<ReturnType<typeof rootSchema.parse>["sources"]>[number];

/** What flags say of all sources, in milliseconds; `null`: nothing. */
export interface ForSources {
  readonly replayMs: number | null;
  readonly maxAgeMs: number | null;
}

export function forAllSources(
  flags: Pick<FlagValues, "replay" | "maxAge">,
  env: Env,
  issues: ConfigIssue[],
): ForSources {
  return {
    replayMs: durationFlag("--replay", flags.replay, env, issues),
    maxAgeMs: durationFlag("--max-age", flags.maxAge, env, issues),
  };
}

/** What the schema cannot say: each entry is one source, and no two are the same. */
export function judgeSources(tree: Tree): readonly ConfigIssue[] {
  const entries = Array.isArray(tree.value["sources"]) ? (tree.value["sources"] as unknown[]) : [];
  return entries.flatMap((entry, index) => {
    const path = ["sources", index];
    const layer = tree.layerOf(path);
    const label = layer?.label(path) ?? "";
    const problem = (message: string, hint: string): readonly ConfigIssue[] => {
      const where = layer?.where(path, "value") ?? "";
      return [{ where, message: label === "" ? message : `${label}: ${message}`, hint }];
    };
    if (!isMap(entry)) return [];
    if (Object.keys(entry).length === 0 || ("kubernetes" in entry && "file" in entry))
      return problem(
        "expected one source, kubernetes or file",
        "each begins with a dash of its own",
      );
    const twin = entries.findIndex((other) => isDeepStrictEqual(other, entry));
    return twin < index ? problem(`is the same as sources[${twin}]`, "leave one out") : [];
  });
}

/** Where none is given it is a cluster, found as kubectl would find it. */
export function resolvedSources(
  given: readonly RawSource[] | undefined,
  forSources: ForSources,
): readonly SourceConfig[] {
  const sources: readonly RawSource[] = given === undefined || given.length === 0 ? [{}] : given;
  return sources.map((source) => resolvedSource(source, forSources));
}

function resolvedSource({ kubernetes, file }: RawSource, forSources: ForSources): SourceConfig {
  if (file !== undefined) return { type: "file", path: file.path };
  return {
    type: "kubernetes",
    kubeconfig: kubernetes?.kubeconfig ?? null,
    context: kubernetes?.context ?? null,
    ...(kubernetes?.server === undefined ? {} : { server: kubernetes.server }),
    api: kubernetes?.api ?? "auto",
    namespaces: kubernetes?.namespaces ?? [],
    replayMs: forSources.replayMs ?? (kubernetes ?? KUBERNETES_DEFAULTS).replay,
    maxAgeMs: forSources.maxAgeMs ?? (kubernetes ?? KUBERNETES_DEFAULTS).maxAge,
  };
}

function durationFlag(
  where: string,
  given: FlagValues["replay"],
  env: Env,
  issues: ConfigIssue[],
): number | null {
  if (given === undefined) return null;
  const { text, problems, values } = expand(String(given), env);
  const ms = parseDuration(text);
  if (problems.length > 0) issues.push(...problems.map((problem) => ({ where, ...problem })));
  else if (ms === null) {
    const message = durationProblem(values.length > 0 ? String(given) : text) ?? "";
    issues.push({ where, message, hint: null });
  }
  return ms;
}
